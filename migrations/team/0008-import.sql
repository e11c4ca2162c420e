-- Where an import of this team stands; a row while it is not finished. `export`
-- is the export that it is made of, `reached` the last chunk that is here.
CREATE TABLE import (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    export TEXT NOT NULL,
    reached INTEGER NOT NULL
) STRICT;
