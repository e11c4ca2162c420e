-- The team's people and groups. One table for both: a group's member may be
-- either, and every statement serves the two types alike.
--
-- `key` is what the type is unique by, folded as Rust folds (SQLite folds
-- ASCII alone): userName of a User, displayName of a Group. `id`s begin with
-- their time of creation, so that resource_by_id lists in that order without
-- touching a document. `display` is what other resources show of this one.
-- `document` is the resource in JSON without id, meta and derived attributes.
CREATE TABLE resource (
    seq INTEGER PRIMARY KEY,
    type TEXT NOT NULL CHECK (type IN ('User', 'Group')),
    id TEXT NOT NULL,
    key TEXT NOT NULL,
    active INTEGER NOT NULL CHECK (active IN (0, 1)),
    version INTEGER NOT NULL,
    created INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('scim', 'team')),
    role TEXT,
    display TEXT NOT NULL,
    document TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX resource_by_id ON resource (type, id);
CREATE UNIQUE INDEX resource_by_key ON resource (type, key);

-- Other attributes that are found by equality. No foreign key: it would make
-- every deletion search this table by seq.
CREATE TABLE lookup (
    attribute TEXT NOT NULL,
    key TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (attribute, key, seq)
) STRICT, WITHOUT ROWID;

-- Who is in which group, one row each, so that a change costs its own size.
-- `display` is what the client called the member when it added it; NULL for
-- what the member is called in the team.
CREATE TABLE membership (
    group_seq INTEGER NOT NULL,
    member_seq INTEGER NOT NULL,
    display TEXT,
    PRIMARY KEY (group_seq, member_seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX membership_by_member ON membership (member_seq, group_seq);

-- How many resources there are of a type: totalResults without counting.
CREATE TABLE tally (
    type TEXT PRIMARY KEY,
    total INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO tally (type, total) VALUES ('User', 0), ('Group', 0);
