//! The resources that a filter matches, one by one.
//!
//! A plan finds candidates by index, or all are looked at within a budget;
//! the filter itself decides. Nothing holds more than a batch of documents.

use super::membership;
use super::plan::{self, Access};
use super::render;
use super::resource::{self, COLUMNS, Kind, Stored};
use super::sql::Value as Sql;
use super::{Context, Failure};
use crate::scim::filter::{Filter, Literal, Operator};
use crate::scim::sort::Sort;
use crate::scim::version::Version;
use crate::scim::{Error, ScimType, urn};
use serde_json::{Map, Value, json};

/// Rows that a request without an index may look at: half a second of CPU.
const SCANNED_ROWS_MAX: usize = 50_000;
/// Rows read at once while scanning: documents of 2 KB make a megabyte.
const BATCH_ROWS: i64 = 500;

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
/// 400 `tooMany` if no index serves the filter and the team is too large to
/// look at everyone.
pub(super) fn each(
    context: &Context<'_>,
    kind: Kind,
    wanted: &Wanted<'_, '_>,
    visit: &mut dyn FnMut(Stored, &Map<String, Value>),
) -> Result<(), Failure> {
    let mut judge = |stored: Stored| -> Result<(), Failure> {
        let object = seen(context, wanted, &stored)?;
        if wanted.filter.is_none_or(|filter| filter.matches(&object)) {
            visit(stored, &object);
        }
        Ok(())
    };
    match wanted.filter.and_then(|filter| plan::accesses(kind, filter)) {
        Some(accesses) => by_index(context, kind, &accesses, &mut judge),
        None => by_scan(context, kind, &mut judge),
    }
}

fn by_index(
    context: &Context<'_>,
    kind: Kind,
    accesses: &[Access],
    judge: &mut dyn FnMut(Stored) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut candidates: Vec<Stored> = Vec::new();
    for access in accesses {
        follow(context, kind, access, &mut candidates)?;
    }
    candidates.sort_by(|one, other| one.id.cmp(&other.id));
    candidates.dedup_by(|one, other| one.seq == other.seq);
    candidates.into_iter().try_for_each(judge)
}

fn follow(
    context: &Context<'_>,
    kind: Kind,
    access: &Access,
    candidates: &mut Vec<Stored>,
) -> Result<(), Failure> {
    let (condition, parameters): (&str, Vec<Sql>) = match access {
        Access::Id(id) => ("type = ? AND id = ?", vec![kind.name().into(), id.as_str().into()]),
        Access::Key(key) => ("type = ? AND key = ?", vec![kind.name().into(), key.as_str().into()]),
        Access::Lookup(attribute, key) => (
            "type = ? AND seq IN (SELECT seq FROM lookup WHERE attribute = ? AND key = ?)",
            vec![kind.name().into(), (*attribute).into(), key.as_str().into()],
        ),
        Access::Member(id) => (
            "type = ? AND seq IN (SELECT group_seq FROM membership WHERE member_seq IN
             (SELECT seq FROM resource WHERE type IN ('User', 'Group') AND id = ?))",
            vec![kind.name().into(), id.as_str().into()],
        ),
    };
    let statement = format!("SELECT {COLUMNS} FROM resource WHERE {condition}");
    let mut rows: usize = 0;
    context.sql.each(&statement, &parameters, &mut |row| {
        rows = rows.saturating_add(1);
        if rows <= SCANNED_ROWS_MAX {
            candidates.push(Stored::read(row)?);
        }
        Ok(())
    })?;
    if rows > SCANNED_ROWS_MAX { Err(too_many().into()) } else { Ok(()) }
}

fn by_scan(
    context: &Context<'_>,
    kind: Kind,
    judge: &mut dyn FnMut(Stored) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let total = usize::try_from(resource::total(context, kind)?).unwrap_or(usize::MAX);
    if total > SCANNED_ROWS_MAX {
        return Err(too_many().into());
    }
    let statement = format!(
        "SELECT {COLUMNS} FROM resource WHERE type = ? AND id > ? ORDER BY id LIMIT {BATCH_ROWS}"
    );
    let mut after = String::new();
    loop {
        let parameters = [kind.name().into(), after.as_str().into()];
        let batch = context.sql.all(&statement, &parameters, Stored::read)?;
        let Some(last) = batch.last() else { return Ok(()) };
        after.clone_from(&last.id);
        batch.into_iter().try_for_each(&mut *judge)?;
    }
}

fn too_many() -> Error {
    Error::of(
        ScimType::TooMany,
        format!(
            "no index serves this filter and the team has more than {SCANNED_ROWS_MAX} resources; \
             filter by `id`, `userName`, `externalId`, `displayName`, `emails.value` or \
             `members.value` with `eq`"
        ),
    )
}

/// The resource as filter and order need it: derived attributes only if they
/// name them.
pub(super) fn seen(
    context: &Context<'_>,
    wanted: &Wanted<'_, '_>,
    stored: &Stored,
) -> Result<Map<String, Value>, Failure> {
    let mut object = stored.parse()?;
    object.insert("id".into(), stored.id.as_str().into());
    if wanted.names("meta") {
        let version = Version { stored: stored.version, derived: None };
        object.insert("meta".into(), render::meta(context, stored, version));
    }
    if stored.kind == Kind::User && wanted.names("groups") {
        let groups = membership::groups_of(context, &[stored.seq])?;
        let groups = groups.get(&stored.seq).and_then(|own| render::groups_value(context, own));
        object.extend(groups.map(|groups| ("groups".to_owned(), groups)));
    }
    if wanted.names_in_extension("manager")
        && let Some(manager) = render::manager_of(context, stored)?
        && let Some(Value::Object(enterprise)) = object.get_mut(urn::ENTERPRISE_USER)
    {
        enterprise.insert("manager".into(), manager);
    }
    if stored.kind == Kind::Group && wanted.names("members") {
        object.insert("members".into(), members(context, wanted, stored)?);
    }
    Ok(object)
}

/// The members that can decide the filter: those whose ids it compares with
/// by `eq`, if it asks nothing else about members; otherwise all.
fn members(
    context: &Context<'_>,
    wanted: &Wanted<'_, '_>,
    stored: &Stored,
) -> Result<Value, Failure> {
    let mut members = Vec::new();
    let mut ids = Vec::new();
    let is_decided = wanted.filter.is_some_and(|filter| member_ids(filter, &mut ids))
        && wanted.sort.is_none_or(|sort| sort.path.attribute.name != "members");
    if is_decided {
        let seqs = membership::resolve_ids(context, ids)?;
        context.sql.each(
            "SELECT r.id FROM membership AS m CROSS JOIN resource AS r ON r.seq = m.member_seq
             WHERE m.group_seq = ? AND m.member_seq IN (SELECT value FROM json_each(?))",
            &[stored.seq.into(), Value::from(seqs).to_string().into()],
            &mut |mut row| {
                members.push(json!({ "value": row.text()? }));
                Ok(())
            },
        )?;
        return Ok(Value::Array(members));
    }
    membership::each_member(context, stored.seq, &mut |member| {
        members.push(json!({
            "value": member.id,
            "$ref": render::location(context, member.kind, &member.id),
            "display": member.display,
            "type": member.kind.name(),
        }));
    })?;
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
