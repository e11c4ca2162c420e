-- What the team decided about itself, as JSON; what it does not say is at its
-- default.
ALTER TABLE team ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';

-- When a provider first came, and who it said it was; when its first User did.
ALTER TABLE team ADD COLUMN probed INTEGER;
ALTER TABLE team ADD COLUMN probed_by TEXT NOT NULL DEFAULT '';
ALTER TABLE team ADD COLUMN first_user INTEGER;

-- What a service token is good for, separated by spaces; who used a credential
-- last, from where; and how many days before its end the last warning was.
ALTER TABLE credential ADD COLUMN scopes TEXT NOT NULL DEFAULT '';
ALTER TABLE credential ADD COLUMN last_client TEXT NOT NULL DEFAULT '';
ALTER TABLE credential ADD COLUMN last_country TEXT NOT NULL DEFAULT '';
ALTER TABLE credential ADD COLUMN warned INTEGER;

-- A User's last sign-in, and the text that a search by an admin looks in.
ALTER TABLE resource ADD COLUMN signed_in INTEGER;
ALTER TABLE resource ADD COLUMN search TEXT NOT NULL DEFAULT '';
UPDATE resource SET role = 'developer' WHERE type = 'User' AND role IS NULL;
UPDATE resource SET search = lower(display || char(10) || key) WHERE type = 'User';

-- The seats that are taken.
INSERT INTO tally (type, total)
    SELECT 'Active', count(*) FROM resource WHERE type = 'User' AND active = 1;

-- Who is signed in. Only the SHA-256 of a session's secret is kept. `member` is
-- the resource's row.
CREATE TABLE session (
    id TEXT PRIMARY KEY,
    member INTEGER NOT NULL,
    hash BLOB NOT NULL,
    signing_version INTEGER NOT NULL,
    method TEXT NOT NULL,
    created INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_by_member ON session (member);

-- From where a request came that the audit tells of.
ALTER TABLE audit ADD COLUMN client TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN ip TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN request TEXT NOT NULL DEFAULT '';
CREATE INDEX audit_by_subject ON audit (subject, seq);
