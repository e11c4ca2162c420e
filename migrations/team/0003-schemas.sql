-- How the team reads what providers send, and how often its schemas changed:
-- 0 for a team that never had any of its own.
ALTER TABLE team ADD COLUMN strict INTEGER NOT NULL DEFAULT 0 CHECK (strict IN (0, 1));
ALTER TABLE team ADD COLUMN schemas_version INTEGER NOT NULL DEFAULT 0;

-- Extension schemas that the team registered. `urn_key` is the URN in lower
-- case. `definition` is the schema as `/Schemas` publishes it. One whose data
-- was kept when it was removed is `kept`; while data goes, it is `purging`.
CREATE TABLE extension (
    seq INTEGER PRIMARY KEY,
    urn TEXT NOT NULL,
    urn_key TEXT NOT NULL UNIQUE,
    of_users INTEGER NOT NULL CHECK (of_users IN (0, 1)),
    of_groups INTEGER NOT NULL CHECK (of_groups IN (0, 1)),
    state TEXT NOT NULL CHECK (state IN ('live', 'kept', 'purging')),
    definition TEXT NOT NULL
) STRICT;

-- Attributes of extensions that equality finds by the `lookup` table, where
-- `x`, the extension, a dot and the name stand for the attribute. `reached` is
-- the last resource that filling or emptying has done.
CREATE TABLE extension_index (
    extension INTEGER NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('filling', 'ready', 'emptying')),
    reached INTEGER NOT NULL,
    PRIMARY KEY (extension, name)
) STRICT, WITHOUT ROWID;

-- What resources have of these extensions, beside their document, so that
-- removing a schema need not rewrite anybody.
CREATE TABLE extension_value (
    seq INTEGER NOT NULL,
    extension INTEGER NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (seq, extension)
) STRICT, WITHOUT ROWID;
CREATE INDEX extension_value_by_extension ON extension_value (extension, seq);

-- Who is suspended, and who changed since, in the order of creation.
CREATE INDEX resource_by_active ON resource (type, active, id);
CREATE INDEX resource_by_modified ON resource (type, modified, id);
