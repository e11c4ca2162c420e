//! Resources as rows: what Users and Groups have in common.
//!
//! In scope: the `resource` table, what stands beside it, and the tally.
//! Out of scope: what a change means (`users`, `groups`) and what a resource
//! looks like to a client (`render`). Every function that writes runs in its
//! caller's transaction.

use super::schemas::Schemas;
use super::sql::{Row, SqlError, Value as Sql};
use super::{Context, Failure, Fault, lookup, membership, seats, sessions, sign_in, values};
use crate::scim::filter::fold;
use crate::scim::schema;
use crate::scim::{Error, Timestamp, version};
use serde_json::{Map, Value};

/// Which of the two types of resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A person.
    User,
    /// A group.
    Group,
}

impl Kind {
    /// The endpoint below the base URL, with its slash.
    pub fn endpoint(self) -> &'static str {
        match self {
            Self::User => schema::user().endpoint,
            Self::Group => schema::group().endpoint,
        }
    }

    /// The name, as in `meta.resourceType` and the `type` column.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
        }
    }

    /// The attribute that the type is unique by.
    pub fn key_attribute(self) -> &'static str {
        match self {
            Self::User => "userName",
            Self::Group => "displayName",
        }
    }

    fn named(name: &str) -> Self {
        if name == "Group" { Self::Group } else { Self::User }
    }
}

/// A resource's document: its attributes without `id`, `meta` and what is
/// derived, `schemas` first.
pub type Document = Map<String, Value>;

/// A resource as it is stored.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The row's key, never shown.
    pub seq: i64,
    /// Its type.
    pub kind: Kind,
    /// Its SCIM `id`.
    pub id: String,
    /// Whether the person may work here; groups always are.
    pub active: bool,
    /// How often it has changed.
    pub version: i64,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub modified: Timestamp,
    /// Whether a provider manages it; otherwise it was added by hand.
    pub is_scim: bool,
    /// The document's JSON text.
    pub document: String,
    /// The groups that a person is in, if they were read with the row: see
    /// [`membership::PLAIN_GROUPS`].
    pub(super) groups: Option<String>,
}

/// The columns that [`Stored::read`] reads, in its order: those of the row, what the
/// resource has of the team's own extensions, if there are any, and the groups that
/// people are in, if somebody will be shown.
pub(super) fn columns(schemas: &Schemas, with_groups: bool) -> String {
    let extensions = match schemas.registered.is_empty() {
        true => "NULL",
        false => {
            "(SELECT json_group_object(e.urn, json(v.document)) FROM extension_value AS v
              CROSS JOIN extension AS e ON e.seq = v.extension
              WHERE v.seq = resource.seq AND e.state = 'live')"
        }
    };
    let groups = if with_groups { membership::PLAIN_GROUPS } else { "NULL" };
    let row = "seq, type, id, active, version, created, modified, source, document";
    [row, extensions, groups].join(", ")
}

impl Stored {
    pub(super) fn read(mut row: Row<'_>) -> Result<Self, SqlError> {
        Ok(Self {
            seq: row.integer()?,
            kind: Kind::named(&row.text()?),
            id: row.text()?,
            active: row.boolean()?,
            version: row.integer()?,
            created: Timestamp(row.integer()?),
            modified: Timestamp(row.integer()?),
            is_scim: row.text()? == "scim",
            document: {
                let document = row.text()?;
                values::merged(document, row.optional_text()?)?
            },
            groups: row.optional_text()?,
        })
    }

    /// The document, parsed.
    pub fn parse(&self) -> Result<Document, Fault> {
        serde_json::from_str(&self.document)
            .map_err(|_| Fault::new(format!("the document of {} is not a JSON object", self.id)))
    }
}

/// The resource of this type and id.
///
/// # Errors
/// 404 if there is none.
pub fn fetch(context: &Context<'_>, kind: Kind, id: &str) -> Result<Stored, Failure> {
    let found = context.sql.first(
        &format!(
            "SELECT {} FROM resource WHERE type = ? AND id = ?",
            columns(context.schemas, kind == Kind::User)
        ),
        &[kind.name().into(), id.into()],
        Stored::read,
    )?;
    found.ok_or_else(|| Error::not_found(kind.name(), id).into())
}

/// As [`fetch`], for a change under `If-Match`.
///
/// # Errors
/// 404, or 412 if the resource is not at the version the client read.
pub fn fetch_for_change(
    context: &Context<'_>,
    kind: Kind,
    id: &str,
    if_match: Option<&str>,
) -> Result<Stored, Failure> {
    let stored = fetch(context, kind, id)?;
    version::check_match(if_match, stored.version)?;
    Ok(stored)
}

/// The resource that has this value of what its type is unique by.
pub fn fetch_by_key(
    context: &Context<'_>,
    kind: Kind,
    value: &str,
) -> Result<Option<Stored>, SqlError> {
    context.sql.first(
        &format!(
            "SELECT {} FROM resource WHERE type = ? AND key = ?",
            columns(context.schemas, false)
        ),
        &[kind.name().into(), fold(value).into()],
        Stored::read,
    )
}

/// Adds a resource; returns it as stored.
///
/// # Errors
/// 409 `uniqueness` if the name is taken, and then nothing was written.
pub fn insert(
    context: &Context<'_>,
    kind: Kind,
    document: &Document,
    source: &str,
    role: Option<&str>,
) -> Result<Stored, Failure> {
    let id = new_id(context)?;
    let facts = Facts::of(kind, document, true);
    let text = values::whole_text(document)?;
    let own_text = values::own_text(context.schemas, kind, document, &text);
    let now = context.now;
    let seq = context.sql.first(
        "INSERT INTO resource
         (type, id, key, active, version, created, modified, source, role, display, search, document)
         VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?) RETURNING seq",
        &[
            kind.name().into(),
            id.as_str().into(),
            facts.key.into(),
            facts.active.into(),
            now.0.into(),
            now.0.into(),
            source.into(),
            role.into(),
            facts.display.into(),
            facts.search.into(),
            own_text.into(),
        ],
        |mut row| row.integer(),
    );
    let seq = seq.map_err(|error| refuse_duplicate(kind, document, error))?;
    let seq = seq.ok_or_else(|| Fault::new("an insert returned no row"))?;
    let entries = lookup::entries(context.schemas, kind, document);
    lookup::change(context, seq, &lookup::Entries::new(), &entries)?;
    values::change(context, kind, seq, &Document::new(), document)?;
    match kind == Kind::User && facts.active {
        true => seats::take_new(context)?,
        false => count(context, kind, 1)?,
    }
    Ok(Stored {
        seq,
        kind,
        id,
        active: facts.active,
        version: 1,
        created: now,
        modified: now,
        is_scim: source == "scim",
        document: text,
        // Nobody can have put them anywhere yet.
        groups: Some("[]".to_owned()),
    })
}

/// Stores a changed document, and whether a provider manages the resource now.
/// Returns the resource as stored, its version one higher.
pub fn update(
    context: &Context<'_>,
    stored: &Stored,
    old: &Document,
    new: &Document,
    is_scim: bool,
) -> Result<Stored, Failure> {
    let facts = Facts::of(stored.kind, new, stored.active);
    let text = values::whole_text(new)?;
    let own_text = values::own_text(context.schemas, stored.kind, new, &text);
    let version = stored.version.saturating_add(1);
    context
        .sql
        .execute(
            "UPDATE resource SET key = ?, active = ?, version = ?, modified = ?, source = ?,
             display = ?, search = ?, document = ?, suspended = coalesce(?, suspended)
             WHERE seq = ?",
            &[
                facts.key.into(),
                facts.active.into(),
                version.into(),
                context.now.0.into(),
                if is_scim { "scim" } else { "team" }.into(),
                facts.display.into(),
                facts.search.into(),
                own_text.into(),
                (stored.active && !facts.active).then_some(context.now.0).into(),
                stored.seq.into(),
            ],
        )
        .map_err(|error| refuse_duplicate(stored.kind, new, error))?;
    let before = lookup::entries(context.schemas, stored.kind, old);
    let after = lookup::entries(context.schemas, stored.kind, new);
    lookup::change(context, stored.seq, &before, &after)?;
    values::change(context, stored.kind, stored.seq, old, new)?;
    match (stored.active, facts.active) {
        (false, true) => seats::take(context)?,
        (true, false) => {
            seats::free(context)?;
            sessions::end_of(context, stored.seq)?;
        }
        _ => {}
    }
    Ok(Stored {
        active: facts.active,
        version,
        modified: context.now,
        is_scim,
        document: text,
        ..stored.clone()
    })
}

/// Counts a change by a provider that is not in the document: one of membership.
pub fn touch(context: &Context<'_>, stored: &Stored) -> Result<Stored, SqlError> {
    let version = stored.version.saturating_add(1);
    context.sql.execute(
        "UPDATE resource SET version = ?, modified = ?, source = 'scim' WHERE seq = ?",
        &[version.into(), context.now.0.into(), stored.seq.into()],
    )?;
    Ok(Stored { version, modified: context.now, is_scim: true, ..stored.clone() })
}

/// Removes a resource's row and lookup keys; its memberships are the caller's.
pub fn delete(context: &Context<'_>, stored: &Stored) -> Result<(), Failure> {
    let entries = lookup::entries(context.schemas, stored.kind, &stored.parse()?);
    lookup::change(context, stored.seq, &entries, &lookup::Entries::new())?;
    values::forget(context, stored.seq)?;
    context.sql.execute("DELETE FROM resource WHERE seq = ?", &[stored.seq.into()])?;
    match stored.kind == Kind::User && stored.active {
        true => seats::free_gone(context)?,
        false => count(context, stored.kind, -1)?,
    }
    if stored.kind == Kind::User {
        sessions::end_of(context, stored.seq)?;
        sign_in::forget(context, stored.seq)?;
    }
    Ok(())
}

/// How many resources of a type there are.
pub fn total(context: &Context<'_>, kind: Kind) -> Result<i64, SqlError> {
    let sql = "SELECT total FROM tally WHERE type = ?";
    let total = context.sql.first(sql, &[kind.name().into()], |mut row| row.integer())?;
    Ok(total.unwrap_or(0))
}

/// A new `id`: a version 7 UUID, which begins with the time (RFC 9562
/// section 5.7) so that ids sort by creation. Never taken from a client.
fn new_id(context: &Context<'_>) -> Result<String, Fault> {
    let random = context.random_bytes::<10>()?;
    let milliseconds = u64::try_from(context.now.0).unwrap_or(0);
    let uuid = uuid::Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid();
    Ok(uuid.hyphenated().to_string())
}

/// The text that all ids of resources made at this instant or later, and no
/// others, are not before.
pub(super) fn id_from(instant: Timestamp) -> String {
    /// The bits that a version 7 UUID has for milliseconds.
    const MILLISECONDS_MAX: i64 = (1 << 48) - 1;
    if instant.0 > MILLISECONDS_MAX {
        // After every hexadecimal digit.
        return "g".into();
    }
    let digits = format!("{:012x}", instant.0.max(0));
    let (high, low) = digits.split_at_checked(8).unwrap_or_default();
    format!("{high}-{low}")
}

/// Addresses that an admin's search looks in.
const SEARCHED_EMAILS: usize = 5;

/// What a document says about its row.
struct Facts {
    key: String,
    active: bool,
    display: String,
    /// What an admin's search looks in.
    search: String,
}

impl Facts {
    /// `active` is what the row had, for a document that does not say.
    fn of(kind: Kind, document: &Document, active: bool) -> Self {
        let text = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default();
        let formatted = document.get("name").and_then(|name| name.get("formatted"));
        let shown = [
            text("displayName"),
            formatted.and_then(Value::as_str).unwrap_or_default().trim(),
            text(kind.key_attribute()),
        ];
        let names =
            ["givenName", "familyName"].map(|part| document.get("name")?.get(part)?.as_str());
        let emails = document.get("emails").and_then(Value::as_array).into_iter().flatten();
        let emails = emails.filter_map(|email| email.get("value")?.as_str());
        let searched = shown.into_iter().chain([text(kind.key_attribute())]);
        let searched =
            searched.chain(names.into_iter().flatten()).chain(emails.take(SEARCHED_EMAILS));
        let searched: Vec<&str> = searched.filter(|text| !text.is_empty()).collect();
        Self {
            key: fold(text(kind.key_attribute())),
            active: document.get("active").and_then(Value::as_bool).unwrap_or(active),
            display: shown.into_iter().find(|text| !text.is_empty()).unwrap_or_default().to_owned(),
            search: fold(&searched.join("\n")),
        }
    }
}

fn count(context: &Context<'_>, kind: Kind, by: i64) -> Result<(), SqlError> {
    let parameters: [Sql; 2] = [by.into(), kind.name().into()];
    context.sql.execute("UPDATE tally SET total = total + ? WHERE type = ?", &parameters)
}

/// The answer to a second resource of the same name.
fn refuse_duplicate(kind: Kind, document: &Document, error: SqlError) -> Failure {
    if !error.violates_unique("resource.key") {
        return error.into();
    }
    duplicate(kind, document).into()
}

/// 409: the name is taken.
pub(super) fn duplicate(kind: Kind, document: &Document) -> Error {
    let attribute = kind.key_attribute();
    let value = document.get(attribute).and_then(Value::as_str).unwrap_or_default();
    Error::uniqueness(format!(
        "a {} with the `{attribute}` `{}` exists in this team already",
        kind.name(),
        crate::scim::error::shorten(value)
    ))
}
