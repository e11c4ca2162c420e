-- Links by which an operator makes someone admin: one a person, for a quarter of
-- an hour, good once. Only the SHA-256 of a link's secret is kept.
CREATE TABLE break_glass (
    id TEXT PRIMARY KEY,
    hash BLOB NOT NULL,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    operator TEXT NOT NULL,
    expires INTEGER NOT NULL,
    used INTEGER
) STRICT, WITHOUT ROWID;
