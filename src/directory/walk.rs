//! Pages by cursor (RFC 9865): from one resource on, or back from it.
//!
//! A page begins where the last one ended, by order key and id, so that a walk
//! sees everybody who stays exactly once, whoever comes and goes meanwhile.
//! Where an index has the order, a page costs a page, however deep.

use super::cursor::Cursor;
use super::matching::{self, Wanted};
use super::order::{self, Candidate};
use super::resource::{self, COLUMNS, Kind, Stored};
use super::sql::Value as Sql;
use super::{Context, Failure, Fault, search, team};
use crate::scim::list::{Page, Query};
use crate::scim::sort::{Key, Sort};

/// The page that a cursor leads to; the first, if it is empty.
///
/// # Errors
/// 400 `invalidCursor`, `expiredCursor`, `tooMany`.
pub(super) fn page(
    context: &Context<'_>,
    queries: &[(Kind, &Query<'_>)],
    cursor: &str,
) -> Result<Page, Failure> {
    let Some((first, query)) = queries.first() else { return Ok(Page::default()) };
    let Some(team) = team::read(context)? else { return Err(Fault::new("no team").into()) };
    let kinds: Vec<&str> = queries.iter().map(|(kind, _)| kind.name()).collect();
    let identity = format!("{}?{}", kinds.join("+"), query.identity);
    let at = match cursor {
        "" => None,
        text => Some(Cursor::open(context, &team.id, &identity, text)?),
    };
    let found = match (queries, indexed(*first, query)) {
        ([_], Some(column)) => by_index(context, *first, query, column, at.as_ref())?,
        _ => among_matches(context, queries, query.count, at.as_ref())?,
    };
    let resources = search::rendered(context, &found.rows, queries)?;
    let is_cut = resources.len() < found.rows.len();
    let sort = order::sort_of(queries);
    let seal = |stored: Option<&Stored>, backward: bool| -> Result<Option<String>, Failure> {
        let Some(stored) = stored else { return Ok(None) };
        let key = key_of(context, sort, stored)?;
        let cursor = Cursor { key, id: stored.id.clone(), backward };
        Ok(Some(cursor.seal(context, &team.id, &identity)?))
    };
    let last = resources.len().checked_sub(1).and_then(|last| found.rows.get(last));
    Ok(Page {
        total: found.total,
        start_index: None,
        next_cursor: seal(last.filter(|_| found.has_next || is_cut), false)?,
        previous_cursor: seal(found.rows.first().filter(|_| found.has_previous), true)?,
        resources,
    })
}

/// What a page shows, and whether there is more on either side.
struct Found {
    total: i64,
    rows: Vec<Stored>,
    has_next: bool,
    has_previous: bool,
}

/// The column whose index has the order of the query, if it asks for all.
fn indexed(kind: Kind, query: &Query<'_>) -> Option<&'static str> {
    match (&query.filter, &query.sort) {
        (None, None) => Some("id"),
        (None, Some(sort)) if sort.path.is(kind.key_attribute(), "") => Some("key"),
        _ => None,
    }
}

fn by_index(
    context: &Context<'_>,
    kind: Kind,
    query: &Query<'_>,
    column: &str,
    at: Option<&Cursor>,
) -> Result<Found, Failure> {
    let descending = query.sort.as_ref().is_some_and(|sort| sort.descending);
    let backward = at.is_some_and(|cursor| cursor.backward);
    let (comparison, direction) = if descending != backward { ("<", " DESC") } else { (">", "") };
    let mut parameters: Vec<Sql> = vec![kind.name().into()];
    let mut condition = String::from("type = ?");
    if let Some(cursor) = at {
        let key = cursor.key.as_ref().and_then(Key::text);
        let border = if column == "key" { key.unwrap_or_default() } else { &cursor.id };
        parameters.push(border.into());
        condition.push_str(&format!(" AND {column} {comparison} ?"));
    }
    // One more than the page shows, to see whether there is more.
    parameters.push(query.count.saturating_add(1).into());
    let statement = format!(
        "SELECT {COLUMNS} FROM resource WHERE {condition} ORDER BY {column}{direction} LIMIT ?"
    );
    let mut rows = context.sql.all(&statement, &parameters, Stored::read)?;
    let take = usize::try_from(query.count).unwrap_or(0);
    let has_more = rows.len() > take;
    rows.truncate(take);
    if backward {
        rows.reverse();
    }
    let total = resource::total(context, kind)?;
    let (has_next, has_previous) =
        if backward { (true, has_more) } else { (has_more, at.is_some()) };
    Ok(Found { total, rows, has_next, has_previous })
}

fn among_matches(
    context: &Context<'_>,
    queries: &[(Kind, &Query<'_>)],
    count: i64,
    at: Option<&Cursor>,
) -> Result<Found, Failure> {
    let candidates = order::gather(context, queries)?;
    let sort = order::sort_of(queries);
    let compare = |candidate: &Candidate, cursor: &Cursor| {
        order::compare(sort, (&candidate.key, &candidate.id), (&cursor.key, &cursor.id))
    };
    let take = usize::try_from(count).unwrap_or(0);
    let (start, end) = match at {
        None => (0, take),
        Some(cursor) if cursor.backward => {
            let end = candidates.partition_point(|own| compare(own, cursor).is_lt());
            (end.saturating_sub(take), end)
        }
        Some(cursor) => {
            let start = candidates.partition_point(|own| compare(own, cursor).is_le());
            (start, start.saturating_add(take))
        }
    };
    let end = end.min(candidates.len());
    let shown = candidates.get(start..end).unwrap_or_default();
    let seqs: Vec<i64> = shown.iter().map(|candidate| candidate.seq).collect();
    Ok(Found {
        total: i64::try_from(candidates.len()).unwrap_or(i64::MAX),
        rows: order::by_seqs(context, &seqs)?,
        has_next: end < candidates.len(),
        has_previous: start > 0,
    })
}

/// The order key of a row that a page begins or ends at.
fn key_of(
    context: &Context<'_>,
    sort: Option<&Sort<'_>>,
    stored: &Stored,
) -> Result<Option<Key>, Failure> {
    let wanted = Wanted { filter: None, sort };
    let Some(sort) = sort else { return Ok(None) };
    Ok(Some(sort.key(&matching::seen(context, &wanted, stored)?)))
}
