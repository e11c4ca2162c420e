//! A team on its way from one deployment to another: exported and imported in
//! chunks of lines, each of them a row of a table.
//!
//! Everything that a team is goes along, as it is stored: ids, versions, times,
//! memberships, audit. What opens something does not: credentials, sessions,
//! links, and what a provider asked for lately. A chunk begins with a line that
//! says what it is part of and ends with one that has the SHA-256 of what is
//! before it. Both sides may be interrupted anywhere: asking for a chunk again
//! gives the same one, and one that is here already is passed over.

mod export;
mod import;

pub use export::export;
pub use import::{import, is_unfinished};

use serde::{Deserialize, Serialize};

/// The version of this format. Two deployments must also have the same tables.
const FORMAT: u32 = 1;

/// A table that goes along.
struct Table {
    name: &'static str,
    /// The columns, separated by a comma and a space.
    columns: &'static str,
    /// Those of them that order it.
    key: &'static str,
}

const fn table(name: &'static str, columns: &'static str, key: &'static str) -> Table {
    Table { name, columns, key }
}

/// What goes along, in this order. Of the team itself its id, name, seats, rate
/// and state stay what the operator of the new deployment says.
const TABLES: &[Table] = &[
    table(
        "team",
        "one, scim_enabled, created, strict, schemas_version, settings, probed, probed_by, \
         first_user, brake_since, brake_count, brake_raised, brake_from",
        "one",
    ),
    table("sso_method", "kind, settings, changed", "kind"),
    table("extension", "seq, urn, urn_key, of_users, of_groups, state, definition", "seq"),
    table("extension_index", "extension, name, state, reached", "extension, name"),
    table(
        "resource",
        "seq, type, id, key, active, version, created, modified, source, role, display, \
         document, signed_in, search, suspended, joined",
        "seq",
    ),
    table("lookup", "attribute, key, seq", "attribute, key, seq"),
    table("membership", "group_seq, member_seq, display", "group_seq, member_seq"),
    table("extension_value", "seq, extension, document", "seq, extension"),
    table("tally", "type, total", "type"),
    table(
        "departed",
        "id, at, actor, user_name, name, role, source, active, version, created, groups, document, \
         suspended",
        "id",
    ),
    table("pin", "issuer, subject, member, created", "issuer, subject"),
    table("audit", "seq, at, actor, action, subject, detail, client, ip, request", "seq"),
];

/// The line that a chunk begins with.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Head {
    /// The version of the format.
    format: u32,
    /// How many migrations the tables have seen.
    tables: i64,
    /// Which export it is part of: the team, and where its audit stood.
    export: String,
    /// Which chunk of it this is, from 1 on.
    chunk: i64,
}

/// The line that a chunk ends with.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Foot {
    /// The SHA-256 of all lines before, in hexadecimal.
    sha256: String,
    /// What to ask for the next chunk with; none after the last.
    next: Option<String>,
}
