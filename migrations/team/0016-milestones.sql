-- How many resources there are from one id on, up to where the next milestone
-- stands, so that a page deep in a list is found without counting all before it.
-- The first of a type stands before every id. Triggers keep the counts: nothing
-- that adds, removes or restores a resource can forget them, be it the build before.
CREATE TABLE milestone (
    type TEXT NOT NULL,
    first TEXT NOT NULL,
    resources INTEGER NOT NULL,
    PRIMARY KEY (type, first)
) STRICT, WITHOUT ROWID;
INSERT INTO milestone (type, first, resources) VALUES ('User', '', 0), ('Group', '', 0);
INSERT INTO milestone (type, first, resources)
SELECT type, CASE part WHEN 0 THEN '' ELSE min(id) END, count(*)
FROM (SELECT type, id, (row_number() OVER (PARTITION BY type ORDER BY id) - 1) / 1000 AS part
      FROM resource)
GROUP BY type, part
ON CONFLICT DO UPDATE SET resources = excluded.resources;

CREATE TRIGGER milestone_of_new AFTER INSERT ON resource BEGIN
    UPDATE milestone SET resources = resources + 1 WHERE type = NEW.type AND first =
    (SELECT first FROM milestone WHERE type = NEW.type AND first <= NEW.id
     ORDER BY first DESC LIMIT 1);
END;
CREATE TRIGGER milestone_of_gone AFTER DELETE ON resource BEGIN
    UPDATE milestone SET resources = resources - 1 WHERE type = OLD.type AND first =
    (SELECT first FROM milestone WHERE type = OLD.type AND first <= OLD.id
     ORDER BY first DESC LIMIT 1);
END;
-- Who is restored has the id of before.
CREATE TRIGGER milestone_of_renamed AFTER UPDATE OF id ON resource BEGIN
    UPDATE milestone SET resources = resources - 1 WHERE type = OLD.type AND first =
    (SELECT first FROM milestone WHERE type = OLD.type AND first <= OLD.id
     ORDER BY first DESC LIMIT 1);
    UPDATE milestone SET resources = resources + 1 WHERE type = NEW.type AND first =
    (SELECT first FROM milestone WHERE type = NEW.type AND first <= NEW.id
     ORDER BY first DESC LIMIT 1);
END;
-- Where there have come to be many, another milestone stands between them.
CREATE TRIGGER milestone_too_far AFTER UPDATE OF resources ON milestone
WHEN NEW.resources > 2000 BEGIN
    INSERT INTO milestone (type, first, resources)
    SELECT type, id, NEW.resources - 1000 FROM resource
    WHERE type = NEW.type AND id >= NEW.first ORDER BY id LIMIT 1 OFFSET 1000;
    UPDATE milestone SET resources = 1000 WHERE type = NEW.type AND first = NEW.first;
END;
-- None is left where nothing is.
CREATE TRIGGER milestone_needless AFTER UPDATE OF resources ON milestone
WHEN NEW.resources = 0 AND NEW.first <> '' BEGIN
    DELETE FROM milestone WHERE type = NEW.type AND first = NEW.first;
END;
