-- The teams there are and were: the id of a deleted one is not given again.
CREATE TABLE team (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    state TEXT NOT NULL
        CHECK (state IN ('creating', 'live', 'suspended', 'deleting', 'gone')),
    seats INTEGER NOT NULL,
    created INTEGER NOT NULL,
    -- What is left to tell the Team object while creating, as JSON.
    request TEXT NOT NULL,
    location_hint TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX team_unfinished ON team (state) WHERE state IN ('creating', 'deleting');

-- What operators did.
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;
