-- What a team is. One row; its presence is what makes the object a team.
CREATE TABLE team (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('live', 'suspended')),
    seats INTEGER NOT NULL,
    scim_enabled INTEGER NOT NULL CHECK (scim_enabled IN (0, 1)),
    created INTEGER NOT NULL
) STRICT;

-- Every secret that opens something: SCIM API keys, admin tokens. Only the
-- SHA-256 of the secret is kept. `member` is the admin a token belongs to.
CREATE TABLE credential (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    hash BLOB NOT NULL,
    signing_version INTEGER NOT NULL,
    member TEXT,
    created INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    expires INTEGER,
    replaced INTEGER,
    revoked INTEGER,
    last_used INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX credential_by_kind ON credential (kind, created);

-- How members sign in; `saml` and `oidc` at most, each with its settings.
CREATE TABLE sso_method (
    kind TEXT PRIMARY KEY CHECK (kind IN ('saml', 'oidc')),
    settings TEXT NOT NULL,
    changed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What happened, who did it, to whom. Append-only.
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;
