-- How many members a provider has suspended or deleted since when, and whether
-- that was so many that an admin must look: when, and of which members since.
ALTER TABLE team ADD COLUMN brake_since INTEGER;
ALTER TABLE team ADD COLUMN brake_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE team ADD COLUMN brake_raised INTEGER;
ALTER TABLE team ADD COLUMN brake_from INTEGER;

-- When a User was last suspended.
ALTER TABLE resource ADD COLUMN suspended INTEGER;

-- Members who are gone, as they were, for as long as they can be restored.
-- `groups` are the ids of those they were in, as JSON.
CREATE TABLE departed (
    id TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    user_name TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    source TEXT NOT NULL,
    active INTEGER NOT NULL CHECK (active IN (0, 1)),
    version INTEGER NOT NULL,
    created INTEGER NOT NULL,
    groups TEXT NOT NULL,
    document TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX departed_by_time ON departed (at);
