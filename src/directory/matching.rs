//! The resources that a filter matches, one by one.
//!
//! A plan names candidates, or all are; the filter itself decides, document by
//! document, within a budget. Nothing holds more than a batch of documents.

use super::managers::managers_of;
use super::membership::{self, InGroup};
use super::plan::{self, Condition, Reach};
use super::render;
use super::resource::{self, Kind, Stored, columns};
use super::{Context, Failure, order};
use crate::scim::filter::{Filter, Literal, Operator};
use crate::scim::sort::Sort;
use crate::scim::version::Version;
use crate::scim::{Error, ScimType, urn};
use serde_json::{Map, Value, json};
use std::cell::Cell;
use std::collections::HashMap;

/// Rows that a request may put before a filter: half a second of CPU.
const ROWS_MAX: i64 = 50_000;
/// Documents held at once; each is a quarter of a megabyte at most.
const BATCH_ROWS: usize = 200;

/// What is asked of each resource.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'q, 's> {
    /// What it must match; `None` for all.
    pub(super) filter: Option<&'q Filter<'s>>,
    /// What it is sorted by afterwards, which must be there too.
    pub(super) sort: Option<&'q Sort<'s>>,
}

impl Wanted<'_, '_> {
    fn names(&self, attribute: &str) -> bool {
        self.filter.is_some_and(|filter| filter.names(attribute))
            || self.sort.is_some_and(|sort| {
                sort.path.extension.is_none() && sort.path.attribute.name == attribute
            })
    }

    fn names_in_extension(&self, attribute: &str) -> bool {
        self.filter.is_some_and(|filter| filter.names_in_extension(attribute))
            || self.sort.is_some_and(|sort| {
                sort.path.extension.is_some() && sort.path.attribute.name == attribute
            })
    }
}

/// Hands each match to `visit`, in the order of creation, with the object that
/// the filter saw.
///
/// # Errors
/// 400 `tooMany` if there are more candidates than the budget has.
pub(super) fn each(
    context: &Context<'_>,
    kind: Kind,
    wanted: &Wanted<'_, '_>,
    visit: &mut dyn FnMut(Stored, &Map<String, Value>),
) -> Result<(), Failure> {
    let planned = wanted.filter.and_then(|f| plan::condition(context.schemas, kind, f));
    let members_left = Cell::new(ROWS_MAX);
    let mut judge = |batch: Vec<Stored>| judge_all(context, wanted, &members_left, batch, visit);
    if let Some(condition) = planned.as_ref().filter(|own| own.reach <= Reach::Few) {
        // Nearly always one or none: no second statement for their documents.
        let batch = first_batch(context, kind, condition)?;
        if batch.len() < BATCH_ROWS {
            return judge(batch);
        }
    }
    let seqs = candidates(context, kind, planned.as_ref())?;
    for chunk in seqs.chunks(BATCH_ROWS) {
        judge(order::by_seqs(context, chunk)?)?;
    }
    Ok(())
}

fn first_batch(
    context: &Context<'_>,
    kind: Kind,
    condition: &Condition,
) -> Result<Vec<Stored>, Failure> {
    let statement = format!(
        "SELECT {} FROM resource WHERE {} LIMIT {BATCH_ROWS}",
        columns(context.schemas, kind == Kind::User),
        condition.text(kind)
    );
    let mut found = context.sql.all(&statement, &condition.parameters(), Stored::read)?;
    found.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(found)
}

/// The rows worth looking at, in the order of creation.
fn candidates(
    context: &Context<'_>,
    kind: Kind,
    condition: Option<&Condition>,
) -> Result<Vec<i64>, Failure> {
    check_budget(context, kind, condition)?;
    let (text, parameters) = match condition {
        Some(condition) => (condition.text(kind), condition.parameters()),
        None => (format!("type = '{}'", kind.name()), Vec::new()),
    };
    let statement =
        format!("SELECT id, seq FROM resource WHERE {text} LIMIT {}", ROWS_MAX.saturating_add(1));
    let mut found: Vec<(String, i64)> =
        context.sql.all(&statement, &parameters, |mut row| Ok((row.text()?, row.integer()?)))?;
    if i64::try_from(found.len()).is_ok_and(|rows| rows > ROWS_MAX) {
        return Err(too_many().into());
    }
    found.sort_unstable();
    Ok(found.into_iter().map(|(_, seq)| seq).collect())
}

/// Refuses to look at everybody in a team that is too large for it.
///
/// # Errors
/// 400 `tooMany` if no index serves the condition.
pub(super) fn check_budget(
    context: &Context<'_>,
    kind: Kind,
    condition: Option<&Condition>,
) -> Result<(), Failure> {
    let is_served = condition.is_some_and(|condition| condition.reach < Reach::All);
    if !is_served && resource::total(context, kind)? > ROWS_MAX {
        return Err(too_many().into());
    }
    Ok(())
}

fn too_many() -> Error {
    Error::of(
        ScimType::TooMany,
        format!(
            "the filter leaves more than {ROWS_MAX} resources to look at; narrow it down by `id`, \
             `userName`, `externalId`, `displayName`, `emails.value`, `members.value`, \
             `meta.created` or `meta.lastModified`"
        ),
    )
}

fn judge_all(
    context: &Context<'_>,
    wanted: &Wanted<'_, '_>,
    members_left: &Cell<i64>,
    batch: Vec<Stored>,
    visit: &mut dyn FnMut(Stored, &Map<String, Value>),
) -> Result<(), Failure> {
    let mut groups = HashMap::new();
    if wanted.names("groups") {
        let users = batch.iter().filter(|stored| stored.kind == Kind::User);
        let seqs: Vec<i64> = users.map(|stored| stored.seq).collect();
        groups = membership::groups_of(context, &seqs)?;
    }
    for stored in batch {
        let groups = groups.remove(&stored.seq).unwrap_or_default();
        let object = object(context, wanted, &stored, &groups, members_left)?;
        if wanted.filter.is_none_or(|filter| filter.matches(&object)) {
            visit(stored, &object);
        }
    }
    Ok(())
}

/// The resource as filter and order need it: derived attributes only if they
/// name them.
pub(super) fn seen(
    context: &Context<'_>,
    wanted: &Wanted<'_, '_>,
    stored: &Stored,
) -> Result<Map<String, Value>, Failure> {
    let groups = match stored.kind == Kind::User && wanted.names("groups") {
        true => membership::groups_of(context, &[stored.seq])?.remove(&stored.seq),
        false => None,
    };
    let members_left = Cell::new(ROWS_MAX);
    object(context, wanted, stored, &groups.unwrap_or_default(), &members_left)
}

fn object(
    context: &Context<'_>,
    wanted: &Wanted<'_, '_>,
    stored: &Stored,
    groups: &[InGroup],
    members_left: &Cell<i64>,
) -> Result<Map<String, Value>, Failure> {
    let mut object = stored.parse()?;
    object.insert("id".into(), stored.id.as_str().into());
    if stored.kind == Kind::User {
        // A client may have removed the word; the state is still one.
        object.insert("active".into(), stored.active.into());
    }
    if wanted.names("meta") {
        let version = Version { stored: stored.version, derived: None };
        let location = render::location(context, stored.kind, &stored.id);
        object.insert("meta".into(), render::value(&render::meta(stored, &location, version))?);
    }
    if let Some(groups) = render::groups(context, groups) {
        object.insert("groups".into(), render::value(&groups)?);
    }
    if wanted.names_in_extension("manager")
        && let Some(manager) = managers_of(context, &[stored])?.remove(&stored.seq)
        && let Some(Value::Object(enterprise)) = object.get_mut(urn::ENTERPRISE_USER)
    {
        enterprise.insert("manager".into(), manager);
    }
    if stored.kind == Kind::Group && wanted.names("members") {
        object.insert("members".into(), members(context, wanted, stored, members_left)?);
    }
    Ok(object)
}

/// The members that can decide the filter: those whose ids it compares with
/// by `eq`, if it asks nothing else about members; otherwise all, and these
/// count like resources that are looked at.
fn members(
    context: &Context<'_>,
    wanted: &Wanted<'_, '_>,
    stored: &Stored,
    members_left: &Cell<i64>,
) -> Result<Value, Failure> {
    let mut ids = Vec::new();
    let is_decided = wanted.filter.is_some_and(|filter| member_ids(filter, &mut ids))
        && wanted.sort.is_none_or(|sort| sort.path.attribute.name != "members");
    if is_decided {
        let named = membership::ids_among(context, stored.seq, ids)?;
        return Ok(named.into_iter().map(|id| json!({ "value": id })).collect());
    }
    if membership::exceeds(context, stored.seq, members_left.get())? {
        return Err(too_many().into());
    }
    let mut members = Vec::new();
    membership::each_member(context, stored.seq, &mut |member| {
        members.push(json!({
            "value": member.id,
            "$ref": render::location(context, member.kind, &member.id),
            "display": member.display,
            "type": member.kind.name(),
        }));
    })?;
    let read = i64::try_from(members.len()).unwrap_or(i64::MAX);
    members_left.set(members_left.get().saturating_sub(read));
    Ok(Value::Array(members))
}

/// Collects the ids that a filter compares `members.value` with. False if it
/// asks anything else of members.
fn member_ids(filter: &Filter<'_>, ids: &mut Vec<String>) -> bool {
    match filter {
        Filter::And(terms) | Filter::Or(terms) => terms.iter().all(|term| member_ids(term, ids)),
        Filter::Not(term) => member_ids(term, ids),
        Filter::Compare(path, Operator::Eq | Operator::Ne, Literal::Text(text))
            if path.is("members", "value") =>
        {
            ids.push(text.given.clone());
            true
        }
        Filter::Element(path, inner) if path.is("members", "") => match &**inner {
            Filter::Compare(path, Operator::Eq, Literal::Text(text)) if path.is("value", "") => {
                ids.push(text.given.clone());
                true
            }
            _ => false,
        },
        Filter::Present(path) | Filter::Compare(path, ..) | Filter::Element(path, _) => {
            path.attribute.name != "members"
        }
    }
}
