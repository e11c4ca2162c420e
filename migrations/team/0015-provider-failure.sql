-- What of a provider could not be fetched for a token that nobody had checked yet,
-- and when.
CREATE TABLE provider_failure (
    issuer TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('document', 'keys')),
    at INTEGER NOT NULL,
    PRIMARY KEY (issuer, kind)
) STRICT, WITHOUT ROWID;
