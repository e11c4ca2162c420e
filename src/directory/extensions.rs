//! Extension schemas of a team's own: registered, changed, removed.
//!
//! In scope: which there are, their quotas, and what is left for `upkeep` to
//! do. Out of scope: what a definition may hold (`scim::extension`) and the
//! values that resources have (`values`). What providers may have stored is
//! never reinterpreted: a definition may grow, and nothing else.

use super::audit::{self, Action, Actor};
use super::problem::{self, Problem};
use super::resource::Kind;
use super::schemas::Schemas;
use super::sql::SqlError;
use super::{Context, Failure};
use crate::scim::extension::{self, Description};
use crate::scim::schema::Schema;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Extensions that a team may have, those whose data was kept among them.
pub const EXTENSIONS_MAX: usize = 10;
/// Attributes that a team may have indexed, over all its extensions.
pub const INDEXED_MAX: usize = 10;

/// What an admin says of a schema.
#[derive(Clone, Debug)]
pub struct Registration {
    /// Whether Users have it.
    pub of_users: bool,
    /// Whether Groups have it.
    pub of_groups: bool,
    /// The schema.
    pub description: Description,
    /// The attributes, and sub-attributes after a dot, to find by equality.
    pub indexed: BTreeSet<String>,
}

/// What has become of an extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Resources have it.
    Live,
    /// It was removed and its data kept.
    Kept,
    /// It was removed and its data is going.
    Purging,
}

impl State {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Live, "live"), (Self::Kept, "kept"), (Self::Purging, "purging")];

    /// The stored name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(own, _)| *own == self).map_or("", |(_, name)| name)
    }

    fn named(name: &str) -> Self {
        Self::ALL.iter().find(|(_, own)| *own == name).map_or(Self::Purging, |(own, _)| *own)
    }
}

/// An extension as it stands.
#[derive(Clone, Debug)]
pub struct Extension {
    pub(super) seq: i64,
    /// Its URN, as registered.
    pub urn: String,
    /// Whether Users have it.
    pub of_users: bool,
    /// Whether Groups have it.
    pub of_groups: bool,
    /// What has become of it.
    pub state: State,
    /// The schema's JSON.
    pub definition: String,
    /// The attributes that equality finds, and how far each index is: filling,
    /// ready or emptying.
    pub indexes: Vec<(String, String)>,
}

/// All extensions, in the order in which they were registered.
pub fn list(context: &Context<'_>) -> Result<Vec<Extension>, SqlError> {
    let mut found = context.sql.all(
        "SELECT seq, urn, of_users, of_groups, state, definition FROM extension ORDER BY seq",
        &[],
        |mut row| {
            Ok(Extension {
                seq: row.integer()?,
                urn: row.text()?,
                of_users: row.boolean()?,
                of_groups: row.boolean()?,
                state: State::named(&row.text()?),
                definition: row.text()?,
                indexes: Vec::new(),
            })
        },
    )?;
    context.sql.each(
        "SELECT extension, name, state FROM extension_index ORDER BY extension, name",
        &[],
        &mut |mut row| {
            let seq = row.integer()?;
            let index = (row.text()?, row.text()?);
            if let Some(own) = found.iter_mut().find(|own| own.seq == seq) {
                own.indexes.push(index);
            }
            Ok(())
        },
    )?;
    Ok(found)
}

/// Registers a schema under a URN, or changes the one that is there.
///
/// # Errors
/// `invalid` for what is no schema of a team's own; `schema_differs` where
/// stored values might not fit; `too_many_schemas`, `too_many_indexes`,
/// `schema_overlaps`, `schema_busy`.
pub fn put(
    context: &Context<'_>,
    actor: &Actor,
    urn: &str,
    wanted: &Registration,
) -> Result<Extension, Failure<Problem>> {
    let all = list(context)?;
    let there = all.iter().find(|own| own.urn.eq_ignore_ascii_case(urn));
    // An extension is found under any case, and shown under the first.
    let urn = there.map_or(urn, |there| there.urn.as_str());
    let definition = extension::define(urn, &wanted.description, &core_names(wanted))
        .map_err(Problem::invalid)?
        .to_string();
    let schema = Schema::read(&definition);
    for name in &wanted.indexed {
        if !extension::is_indexable(&schema, name) {
            let message = format!("`indexed`: `{name}` is no attribute with a value of its own");
            return Err(Problem::invalid(message).into());
        }
    }
    check_room(&all, urn, wanted)?;
    context.transaction(|| {
        let seq = match there {
            Some(there) => replace(context, there, wanted, &schema, &definition)?,
            None => insert(context, urn, wanted, &definition)?,
        };
        let has_moved = set_indexes(context, seq, there, &wanted.indexed)?;
        let is_same = there.is_some_and(|there| {
            there.state == State::Live
                && there.definition == definition
                && (there.of_users, there.of_groups) == (wanted.of_users, wanted.of_groups)
        });
        if !is_same || has_moved {
            count_change(context)?;
        }
        let found = list(context)?.into_iter().find(|own| own.seq == seq);
        let found = found.ok_or_else(|| super::Fault::new("a registered schema is not there"))?;
        if !is_same || has_moved {
            let before = there.map(Extension::told).unwrap_or_default();
            let detail = json!({ "changed": audit::changes(&before, &found.told()) });
            audit::record(context, actor, Action::SchemaRegistered, urn, &detail)?;
        }
        Ok(found)
    })
}

/// Removes a schema: resources no longer have it. With `purges` what they had
/// goes too, in steps; else it comes back if the schema does.
///
/// # Errors
/// `schema_not_found`.
pub fn remove(
    context: &Context<'_>,
    actor: &Actor,
    urn: &str,
    purges: bool,
) -> Result<(), Failure<Problem>> {
    context.transaction(|| {
        let found = list(context)?.into_iter().find(|own| own.urn.eq_ignore_ascii_case(urn));
        let Some(own) = found else {
            let message = "the team has registered no schema under this URN";
            let kind = problem::Kind::NotFound;
            return Err(Problem::new(kind, "schema_not_found", message).into());
        };
        let state = if purges { State::Purging } else { State::Kept };
        if own.state == state || own.state == State::Purging {
            return Ok(());
        }
        context.sql.execute(
            "UPDATE extension SET state = ? WHERE seq = ?",
            &[state.name().into(), own.seq.into()],
        )?;
        set_indexes(context, own.seq, Some(&own), &BTreeSet::new())?;
        count_change(context)?;
        let detail = json!({ "data": if purges { "purge" } else { "keep" } });
        Ok(audit::record(context, actor, Action::SchemaRemoved, &own.urn, &detail)?)
    })
}

fn core_names(wanted: &Registration) -> BTreeSet<String> {
    let kinds = [(Kind::User, wanted.of_users), (Kind::Group, wanted.of_groups)];
    let kinds = kinds.into_iter().filter(|(_, has)| *has).map(|(kind, _)| kind);
    let attributes =
        kinds.flat_map(|kind| Schemas::built_in().resource_type(kind).plain_attributes());
    attributes.map(|attribute| attribute.name.to_ascii_lowercase()).collect()
}

fn check_room(all: &[Extension], urn: &str, wanted: &Registration) -> Result<(), Problem> {
    let conflict = |code, message: String| Problem::new(problem::Kind::Conflict, code, message);
    let others = || all.iter().filter(|own| own.urn != urn);
    if others().count() >= EXTENSIONS_MAX {
        let message = format!(
            "a team has {EXTENSIONS_MAX} schemas of its own at most, those with kept data among \
             them; purge one first"
        );
        return Err(conflict("too_many_schemas", message));
    }
    let indexes: usize = others().map(|own| own.indexes.len()).sum();
    if indexes.saturating_add(wanted.indexed.len()) > INDEXED_MAX {
        let message = format!("a team has {INDEXED_MAX} indexed attributes at most");
        return Err(conflict("too_many_indexes", message));
    }
    // `urn:a:b` with an attribute `c`, and a schema `urn:a:b:c`: a path could
    // mean either.
    let begins = |long: &str, short: &str| {
        let long = long.to_ascii_lowercase();
        long.strip_prefix(&short.to_ascii_lowercase()).is_some_and(|rest| rest.starts_with(':'))
    };
    match others().find(|own| begins(&own.urn, urn) || begins(urn, &own.urn)) {
        Some(other) => {
            let message = format!("one of `{urn}` and `{}` begins with the other", other.urn);
            Err(conflict("schema_overlaps", message))
        }
        None => Ok(()),
    }
}

fn insert(
    context: &Context<'_>,
    urn: &str,
    wanted: &Registration,
    definition: &str,
) -> Result<i64, Failure<Problem>> {
    let seq = context.sql.first(
        "INSERT INTO extension (urn, urn_key, of_users, of_groups, state, definition)
         VALUES (?, ?, ?, ?, 'live', ?) RETURNING seq",
        &[
            urn.into(),
            urn.to_ascii_lowercase().into(),
            wanted.of_users.into(),
            wanted.of_groups.into(),
            definition.into(),
        ],
        |mut row| row.integer(),
    )?;
    seq.ok_or_else(|| super::Fault::new("an insert returned no row").into())
}

fn replace(
    context: &Context<'_>,
    there: &Extension,
    wanted: &Registration,
    schema: &Schema,
    definition: &str,
) -> Result<i64, Failure<Problem>> {
    let conflict = |code, message: String| Problem::new(problem::Kind::Conflict, code, message);
    if there.state == State::Purging {
        return Err(busy("the data of the schema that had this URN is still being removed").into());
    }
    extension::check_successor(&Schema::read(&there.definition), schema)
        .map_err(|message| conflict("schema_differs", message))?;
    if (there.of_users && !wanted.of_users) || (there.of_groups && !wanted.of_groups) {
        let message = "a type of resource that has the schema keeps it; remove the schema instead";
        return Err(conflict("schema_differs", message.into()).into());
    }
    context.sql.execute(
        "UPDATE extension SET of_users = ?, of_groups = ?, state = 'live', definition = ?
         WHERE seq = ?",
        &[wanted.of_users.into(), wanted.of_groups.into(), definition.into(), there.seq.into()],
    )?;
    Ok(there.seq)
}

/// Begins to fill the indexes that are wanted and not there, and to empty the
/// others; returns whether there were any such. A schema that was not there
/// before has no values, so that its indexes are ready.
fn set_indexes(
    context: &Context<'_>,
    seq: i64,
    there: Option<&Extension>,
    wanted: &BTreeSet<String>,
) -> Result<bool, Failure<Problem>> {
    let present = there.map(|there| there.indexes.as_slice()).unwrap_or_default();
    let mut has_moved = false;
    for (name, state) in present {
        if state == "emptying" && wanted.contains(name) {
            return Err(
                busy(&format!("the former index of `{name}` is still being removed")).into()
            );
        }
        if state != "emptying" && !wanted.contains(name) {
            has_moved = true;
            context.sql.execute(
                "UPDATE extension_index SET state = 'emptying' WHERE extension = ? AND name = ?",
                &[seq.into(), name.as_str().into()],
            )?;
        }
    }
    let state = if there.is_some() { "filling" } else { "ready" };
    for name in wanted.iter().filter(|name| present.iter().all(|(own, _)| own != *name)) {
        has_moved = true;
        context.sql.execute(
            "INSERT INTO extension_index (extension, name, state, reached) VALUES (?, ?, ?, 0)",
            &[seq.into(), name.as_str().into(), state.into()],
        )?;
    }
    Ok(has_moved)
}

fn busy(what: &str) -> Problem {
    let message = format!("{what}; ask again in a minute");
    Problem::new(problem::Kind::Conflict, "schema_busy", message)
}

fn count_change(context: &Context<'_>) -> Result<(), SqlError> {
    context.sql.execute("UPDATE team SET schemas_version = schemas_version + 1", &[])
}

impl Extension {
    /// The schema as `/Schemas` publishes it.
    pub fn published(&self) -> Value {
        serde_json::from_str(&self.definition).unwrap_or_default()
    }

    /// What the audit compares: an attribute each, so that none hides another.
    fn told(&self) -> Map<String, Value> {
        let indexed = self.indexes.iter().filter(|(_, state)| state != "emptying");
        let mut told = Map::from_iter([
            ("state".to_owned(), self.state.name().into()),
            ("users".to_owned(), self.of_users.into()),
            ("groups".to_owned(), self.of_groups.into()),
            ("indexed".to_owned(), indexed.map(|(name, _)| Value::from(name.as_str())).collect()),
        ]);
        let Value::Object(schema) = self.published() else { return told };
        for (name, value) in schema {
            let Value::Array(attributes) = &value else {
                told.insert(name, value);
                continue;
            };
            for attribute in attributes {
                let own = attribute.get("name").and_then(Value::as_str).unwrap_or_default();
                told.insert(format!("{name}.{own}"), attribute.clone());
            }
        }
        told
    }
}
