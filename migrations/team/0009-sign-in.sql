-- Whom a provider's name for a person stands for, from their first sign-in on.
-- `member` is the resource's row.
CREATE TABLE pin (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    member INTEGER NOT NULL,
    created INTEGER NOT NULL,
    PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX pin_by_member ON pin (member);

-- Sign-ins that are at the provider: of what the browser holds and the provider
-- sends back, the SHA-256 alone. Each is good once.
CREATE TABLE sign_in (
    state BLOB PRIMARY KEY,
    browser BLOB NOT NULL,
    issuer TEXT NOT NULL,
    nonce TEXT NOT NULL,
    verifier TEXT NOT NULL,
    back TEXT NOT NULL,
    test INTEGER NOT NULL CHECK (test IN (0, 1)),
    again INTEGER NOT NULL CHECK (again IN (0, 1)),
    ip TEXT NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What a provider publishes, as it was last fetched.
CREATE TABLE provider (
    issuer TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('document', 'keys')),
    body TEXT NOT NULL,
    fetched INTEGER NOT NULL,
    PRIMARY KEY (issuer, kind)
) STRICT, WITHOUT ROWID;

-- Logout tokens that were obeyed, until they are too old to be taken again.
CREATE TABLE logout (
    token TEXT PRIMARY KEY,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A client's secret, sealed under the signing secret of this version.
ALTER TABLE sso_method ADD COLUMN secret BLOB;
ALTER TABLE sso_method ADD COLUMN secret_version INTEGER;
