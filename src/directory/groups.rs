//! Groups through SCIM: create, replace, patch.
//!
//! A group's own attributes are its document; its members are rows. A change
//! of either is a change of the group. Ids that name nobody in the team are
//! left out, and noted: one person who was deleted meanwhile must not fail a
//! whole push. What changes anything does so in its caller's transaction.

use super::audit::{self, Action, Actor};
use super::change::{note_ignored, with_schemas};
use super::membership::{self, Member, Moves, Named, Resolved};
use super::render;
use super::resource::{self, Document, Kind, Stored};
use super::{Context, Failure};
use crate::scim::error::shorten;
use crate::scim::filter::{Filter, Literal, Operator};
use crate::scim::ingest::{self, Ingested};
use crate::scim::patch::{self, Op, Operation};
use crate::scim::{Error, ScimType};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Adds a group.
///
/// # Errors
/// 400 for a body that is no Group, 409 `uniqueness` if the name is taken.
pub fn create(
    context: &Context<'_>,
    actor: &Actor,
    body: Map<String, Value>,
) -> Result<Stored, Failure> {
    let ingested = ingested(context, body)?;
    let (document, members) = split_members(context, ingested.document)?;
    let stored = resource::insert(context, Kind::Group, &document, "scim", None)?;
    let resolved = membership::resolve(context, &members)?;
    membership::add(context, stored.seq, &resolved.members, &mut Moves::default())?;
    let detail = json!({ "members": resolved.members.len() });
    audit::record(context, actor, Action::GroupCreated, &stored.id, &detail)?;
    note_unknown(context, actor, &stored, resolved.unknown)?;
    note_ignored(context, actor, &stored, &ingested.ignored)?;
    Ok(stored)
}

/// Replaces a group's attributes and members.
///
/// # Errors
/// 400 for a body that is no Group, 404, 409 `uniqueness`, 412.
pub fn replace(
    context: &Context<'_>,
    actor: &Actor,
    id: &str,
    if_match: Option<&str>,
    body: Map<String, Value>,
) -> Result<Stored, Failure> {
    let stored = resource::fetch_for_change(context, Kind::Group, id, if_match)?;
    let mut ingested = ingested(context, body)?;
    let old = stored.parse()?;
    let group = context.resource_type(Kind::Group);
    ingest::keep_immutable(group, &old, &mut ingested.document);
    let (document, members) = split_members(context, ingested.document)?;
    let resolved = membership::resolve(context, &members)?;
    let mut moves = Moves::default();
    membership::set(context, stored.seq, &resolved.members, &mut moves)?;
    let stored = change(context, actor, &stored, &old, &document, moves.count())?;
    note_unknown(context, actor, &stored, resolved.unknown)?;
    note_ignored(context, actor, &stored, &ingested.ignored)?;
    Ok(stored)
}

/// Changes some of a group's attributes or members.
///
/// # Errors
/// 400 for operations that cannot be applied, 404, 409 `uniqueness`, 412.
pub fn patch(
    context: &Context<'_>,
    actor: &Actor,
    id: &str,
    if_match: Option<&str>,
    body: Map<String, Value>,
) -> Result<Stored, Failure> {
    let group = context.resource_type(Kind::Group);
    let stored = resource::fetch_for_change(context, Kind::Group, id, if_match)?;
    let patch = patch::parse(group, body)?;
    let old = stored.parse()?;
    let mut new = old.clone();
    let mut moves = Moves::default();
    let mut unknown: usize = 0;
    for operation in &patch.operations {
        if operation.target.path.attribute.name == "members" {
            let missing = change_members(context, &stored, operation, &mut moves)
                .map_err(|failure| at(failure, &operation.place))?;
            unknown = unknown.saturating_add(missing);
        } else {
            patch::apply(&mut new, operation)?;
        }
    }
    ingest::check(group, &new)?;
    let new = with_schemas(group, ingest::in_schema_order(group, new));
    let stored = change(context, actor, &stored, &old, &new, moves.count())?;
    note_unknown(context, actor, &stored, unknown)?;
    note_ignored(context, actor, &stored, &patch.ignored)?;
    Ok(stored)
}

/// Reads a body. A group that is none is `invalidSyntax`: published checkers
/// of identity providers expect that keyword.
fn ingested(context: &Context<'_>, body: Map<String, Value>) -> Result<Ingested, Error> {
    let group = context.resource_type(Kind::Group);
    let members = body.iter().find(|(name, _)| name.eq_ignore_ascii_case("members"));
    let described = members.and_then(|(_, members)| members.as_array()).is_some_and(|members| {
        // OneLogin's macros leave an empty `value`; one that is not there is a slip.
        let has_value = |own: &Map<String, Value>| {
            own.is_empty() || own.keys().any(|name| name.eq_ignore_ascii_case("value"))
        };
        members.iter().filter_map(Value::as_object).any(|own| !has_value(own))
    });
    if described {
        return Err(Error::invalid_syntax("a group member needs a `value`, its id"));
    }
    ingest::resource(group, body).map_err(|error| match error.scim_type() {
        Some(ScimType::InvalidValue) => error.as_type(ScimType::InvalidSyntax),
        _ => error,
    })
}

/// Stores what is new of the document and counts the members that moved.
fn change(
    context: &Context<'_>,
    actor: &Actor,
    stored: &Stored,
    old: &Document,
    new: &Document,
    moved: usize,
) -> Result<Stored, Failure> {
    let changed = if old != new {
        ingest::check_change(context.resource_type(Kind::Group), old, new)?;
        resource::update(context, stored, old, new, true)?
    } else if moved > 0 {
        resource::touch(context, stored)?
    } else {
        return Ok(stored.clone());
    };
    let detail = json!({ "changed": audit::changes(old, new), "members": moved });
    audit::record(context, actor, Action::GroupUpdated, &stored.id, &detail)?;
    Ok(changed)
}

/// Records that members named in a request are not in the team.
///
/// # Errors
/// 400 `invalidValue` where the team reads strictly.
fn note_unknown(
    context: &Context<'_>,
    actor: &Actor,
    stored: &Stored,
    unknown: usize,
) -> Result<(), Failure> {
    if unknown > 0 {
        if context.resource_type(Kind::Group).reading.is_strict() {
            let detail = format!("{unknown} of the members named are not in this team");
            return Err(Error::invalid_value(detail).into());
        }
        let detail = json!({ "members": unknown });
        audit::record(context, actor, Action::MembersUnknown, &stored.id, &detail)?;
    }
    Ok(())
}

/// Takes the members out of an ingested body: the document, and them.
fn split_members(
    context: &Context<'_>,
    mut document: Document,
) -> Result<(Document, Vec<Named>), Error> {
    let group = context.resource_type(Kind::Group);
    let members = match document.shift_remove("members") {
        Some(members) => named(&members)?,
        None => Vec::new(),
    };
    Ok((with_schemas(group, document), members))
}

/// Whether each member that is listed is named: one that is only described would
/// be left out, and a replacement by it leave nobody.
fn check_named(members: &Value) -> Result<(), Error> {
    let members = match members {
        Value::Array(members) => members.as_slice(),
        one => std::slice::from_ref(one),
    };
    let is_value = |(name, value): (&String, &Value)| {
        name.eq_ignore_ascii_case("value") && !value.is_null() && value != ""
    };
    let is_unnamed =
        |member: &Value| member.as_object().is_some_and(|own| !own.iter().any(is_value));
    if members.iter().any(is_unnamed) {
        return Err(Error::invalid_value("a group member needs a `value`, its id"));
    }
    Ok(())
}

/// The members that a canonical `members` value names.
fn named(members: &Value) -> Result<Vec<Named>, Error> {
    let members = members.as_array().map(Vec::as_slice).unwrap_or_default();
    let text =
        |member: &Value, name: &str| member.get(name).and_then(Value::as_str).map(str::to_owned);
    let one = |member: &Value| match text(member, "value") {
        Some(id) => Ok(Named { id, display: text(member, "display") }),
        None => Err(Error::invalid_value("a group member needs a `value`, its id")),
    };
    members.iter().map(one).collect()
}

fn at(failure: Failure, place: &str) -> Failure {
    match failure {
        Failure::Refused(error) => Failure::Refused(error.at(place)),
        fault => fault,
    }
}

/// Applies one operation on `members`; returns how many of those named are not
/// in the team.
fn change_members(
    context: &Context<'_>,
    stored: &Stored,
    operation: &Operation<'_>,
    moves: &mut Moves,
) -> Result<usize, Failure> {
    let path = &operation.target.path;
    let group = stored.seq;
    if path.sub.is_some() {
        return Err(Error::mutability(format!(
            "`{path}` cannot be changed; remove the member and add another"
        ))
        .into());
    }
    if operation.op != Op::Remove {
        check_named(operation.value.as_ref().unwrap_or(&Value::Null))?;
    }
    let listed = match operation.value.clone() {
        None => None,
        Some(value) => {
            // What replaces the elements that a filter chose is one element.
            let is_element = operation.target.filter.is_some() && value.is_object();
            let value = if is_element { Value::Array(vec![value]) } else { value };
            ingest::value(path.attribute, value, "members", operation.reading)?
        }
    };
    let listed = listed.as_ref().map(named).transpose()?.unwrap_or_default();
    let chosen = match &operation.target.filter {
        None => None,
        Some(filter) => Some((filter, chosen_by(context, stored, filter)?)),
    };
    if operation.op == Op::Remove {
        match chosen {
            Some((_, chosen)) => membership::remove(context, group, &chosen, moves)?,
            // `"value": []` lists nobody, so nobody goes; no `value` means all.
            None if operation.value.as_ref().is_some_and(|value| !value.is_null()) => {
                let seqs = membership::resolve(context, &listed)?.seqs();
                membership::remove(context, group, &seqs, moves)?;
            }
            None => membership::set(context, group, &[], moves)?,
        }
        return Ok(0);
    }
    if let Some((filter, chosen)) = &chosen
        && chosen.is_empty()
    {
        return Err(Error::no_target(format!(
            "no member matches `{}`",
            shorten(&filter.to_string())
        ))
        .into());
    }
    let Resolved { members, unknown } = membership::resolve(context, &listed)?;
    match (operation.op, chosen) {
        (Op::Replace, None) => membership::set(context, group, &members, moves)?,
        (Op::Replace, Some((_, mut chosen))) => {
            // Who is replaced by themselves stays, and what they are called with them.
            let staying: BTreeSet<i64> = members.iter().map(|(seq, _)| *seq).collect();
            chosen.retain(|seq| !staying.contains(seq));
            membership::remove(context, group, &chosen, moves)?;
            membership::add(context, group, &members, moves)?;
        }
        _ => membership::add(context, group, &members, moves)?,
    }
    Ok(unknown)
}

/// The members that a value path chooses. `members[value eq "…"]`, which is
/// what clients send, reads the rows it names; any other filter reads all.
fn chosen_by(
    context: &Context<'_>,
    stored: &Stored,
    filter: &Filter<'_>,
) -> Result<Vec<i64>, Failure> {
    if let Some(ids) = ids_named(filter) {
        return Ok(membership::among(context, stored.seq, ids)?);
    }
    let mut chosen = Vec::new();
    membership::each_member(context, stored.seq, &mut |member: Member| {
        let shown = Map::from_iter([
            ("value".to_owned(), member.id.as_str().into()),
            ("$ref".to_owned(), render::location(context, member.kind, &member.id).into()),
            ("display".to_owned(), member.display.into()),
            ("type".to_owned(), member.kind.name().into()),
        ]);
        if filter.matches(&shown) {
            chosen.push(member.seq);
        }
    })?;
    Ok(chosen)
}

/// The ids in `value eq "a" or value eq "b" …`; `None` for any other filter.
fn ids_named(filter: &Filter<'_>) -> Option<Vec<String>> {
    match filter {
        Filter::Compare(path, Operator::Eq, Literal::Text(text)) if path.is("value", "") => {
            Some(vec![text.given.clone()])
        }
        Filter::Or(terms) => {
            let each: Option<Vec<_>> = terms.iter().map(ids_named).collect();
            each.map(|each| each.into_iter().flatten().collect())
        }
        _ => None,
    }
}
