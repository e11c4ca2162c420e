-- The team's last SCIM requests, a row for what came within a minute or so.
-- `upto` is the number of the last request in it, counted from the team's first.
CREATE TABLE activity (
    upto INTEGER PRIMARY KEY,
    document TEXT NOT NULL
) STRICT;

-- How many requests came in an hour, by its beginning.
CREATE TABLE activity_hour (
    hour INTEGER PRIMARY KEY,
    reads INTEGER NOT NULL,
    writes INTEGER NOT NULL,
    failures INTEGER NOT NULL
) STRICT;
