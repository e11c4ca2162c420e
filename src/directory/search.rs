//! Lists: pages of resources, with a filter or without.
//!
//! Without a filter, the total is a kept counter and a page costs a page:
//! the way to a deep page leads over an index that holds no document. With
//! one, its plan finds the candidates and the filter itself decides.

use super::membership;
use super::plan::{self, Access};
use super::render;
use super::resource::{self, COLUMNS, Kind, Stored};
use super::sql::{SqlError, Value as Sql};
use super::{Context, Failure};
use crate::scim::filter::{Filter, Literal, Operator};
use crate::scim::list::{Page, Query};
use crate::scim::version::Version;
use crate::scim::{Error, ScimType, urn};
use serde_json::{Map, Value, json};

/// Rows that a filter without an index may look at: half a second of CPU.
const SCANNED_ROWS_MAX: usize = 50_000;
/// Rows read at once while scanning: documents of 2 KB make a megabyte.
const BATCH_ROWS: i64 = 500;
/// Bytes of one page. Lists of large groups end early rather than exhaust the
/// object's memory; `itemsPerPage` says how many there are.
const PAGE_BYTES_MAX: usize = 16 << 20;

/// The page of resources that a query asks for.
///
/// # Errors
/// 400 `tooMany` if no index serves the filter and the team is too large to
/// look at everyone.
pub fn search(context: &Context<'_>, kind: Kind, query: &Query<'_>) -> Result<Page, Failure> {
    let window = Window::new(query);
    let (total, found) = match &query.filter {
        None => (resource::total(context, kind)?, unfiltered(context, kind, &window)?),
        Some(filter) => match plan::accesses(kind, filter) {
            Some(accesses) => by_index(context, kind, filter, &accesses, &window)?,
            None => by_scan(context, kind, filter, &window)?,
        },
    };
    let resources = render::page(context, &found, &query.projection, PAGE_BYTES_MAX)?;
    Ok(Page { total, resources })
}

/// Which of the results the page shows.
struct Window {
    skip: i64,
    take: i64,
}

impl Window {
    fn new(query: &Query<'_>) -> Self {
        Self { skip: query.start_index.saturating_sub(1), take: query.count }
    }

    /// Whether the result of this index, counted from 0, is on the page.
    fn shows(&self, index: i64) -> bool {
        index >= self.skip && index.saturating_sub(self.skip) < self.take
    }
}

fn unfiltered(context: &Context<'_>, kind: Kind, window: &Window) -> Result<Vec<Stored>, SqlError> {
    if window.take == 0 {
        return Ok(Vec::new());
    }
    // An offset beyond what SQLite counts is beyond every page.
    let skip = window.skip.min(super::sql::INTEGER_MAX);
    context.sql.all(
        &format!(
            "SELECT {COLUMNS} FROM resource WHERE seq IN (
                 SELECT seq FROM resource WHERE type = ? ORDER BY id LIMIT ? OFFSET ?
             ) ORDER BY id"
        ),
        &[kind.name().into(), window.take.into(), skip.into()],
        Stored::read,
    )
}

fn by_index(
    context: &Context<'_>,
    kind: Kind,
    filter: &Filter<'_>,
    accesses: &[Access],
    window: &Window,
) -> Result<(i64, Vec<Stored>), Failure> {
    let mut candidates: Vec<Stored> = Vec::new();
    for access in accesses {
        follow(context, kind, access, &mut candidates)?;
    }
    candidates.sort_by(|one, other| one.id.cmp(&other.id));
    candidates.dedup_by(|one, other| one.seq == other.seq);
    let mut found = Found::new(window);
    for stored in candidates {
        found.judge(context, filter, stored)?;
    }
    Ok((found.total, found.shown))
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
    filter: &Filter<'_>,
    window: &Window,
) -> Result<(i64, Vec<Stored>), Failure> {
    let total = usize::try_from(resource::total(context, kind)?).unwrap_or(usize::MAX);
    if total > SCANNED_ROWS_MAX {
        return Err(too_many().into());
    }
    let statement = format!(
        "SELECT {COLUMNS} FROM resource WHERE type = ? AND id > ? ORDER BY id LIMIT {BATCH_ROWS}"
    );
    let mut found = Found::new(window);
    let mut after = String::new();
    loop {
        let parameters = [kind.name().into(), after.as_str().into()];
        let batch = context.sql.all(&statement, &parameters, Stored::read)?;
        let Some(last) = batch.last() else { break };
        after.clone_from(&last.id);
        for stored in batch {
            found.judge(context, filter, stored)?;
        }
    }
    Ok((found.total, found.shown))
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

/// Matches, counted all and kept as far as the page shows them.
struct Found<'w> {
    window: &'w Window,
    total: i64,
    shown: Vec<Stored>,
}

impl<'w> Found<'w> {
    fn new(window: &'w Window) -> Self {
        Self { window, total: 0, shown: Vec::new() }
    }

    fn judge(
        &mut self,
        context: &Context<'_>,
        filter: &Filter<'_>,
        stored: Stored,
    ) -> Result<(), Failure> {
        if filter.matches(&seen_by_filter(context, filter, &stored)?) {
            if self.window.shows(self.total) {
                self.shown.push(stored);
            }
            self.total = self.total.saturating_add(1);
        }
        Ok(())
    }
}

/// The resource as the filter needs it: derived attributes only if it names
/// them.
fn seen_by_filter(
    context: &Context<'_>,
    filter: &Filter<'_>,
    stored: &Stored,
) -> Result<Map<String, Value>, Failure> {
    let mut object = stored.parse()?;
    object.insert("id".into(), stored.id.as_str().into());
    if filter.names("meta") {
        let version = Version { stored: stored.version, derived: None };
        object.insert("meta".into(), render::meta(context, stored, version));
    }
    if stored.kind == Kind::User && filter.names("groups") {
        let groups = membership::groups_of(context, &[stored.seq])?;
        let groups = groups.get(&stored.seq).and_then(|own| render::groups_value(context, own));
        object.extend(groups.map(|groups| ("groups".to_owned(), groups)));
    }
    if filter.names_in_extension("manager")
        && let Some(manager) = render::manager_of(context, stored)?
        && let Some(Value::Object(enterprise)) = object.get_mut(urn::ENTERPRISE_USER)
    {
        enterprise.insert("manager".into(), manager);
    }
    if stored.kind == Kind::Group && filter.names("members") {
        object.insert("members".into(), members(context, filter, stored)?);
    }
    Ok(object)
}

/// The members that can decide the filter: those whose ids it compares with
/// by `eq`, if it asks nothing else about members; otherwise all.
fn members(context: &Context<'_>, filter: &Filter<'_>, stored: &Stored) -> Result<Value, Failure> {
    let mut members = Vec::new();
    let mut ids = Vec::new();
    if member_ids(filter, &mut ids) {
        let resolved = membership::resolve(context, &ids)?;
        context.sql.each(
            "SELECT r.id FROM membership AS m CROSS JOIN resource AS r ON r.seq = m.member_seq
             WHERE m.group_seq = ? AND m.member_seq IN (SELECT value FROM json_each(?))",
            &[stored.seq.into(), Value::from(resolved.seqs).to_string().into()],
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
