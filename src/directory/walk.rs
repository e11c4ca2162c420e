//! Pages by cursor (RFC 9865): from one resource on, or back from it.
//!
//! A page begins where the last one ended, by order key and id, so that a walk
//! sees everybody who stays exactly once, whoever comes and goes meanwhile.
//! Where an index has the order, a page costs a page, however deep.

use super::cursor::Cursor;
use super::matching::{self, Wanted};
use super::order::Column;
use super::order::{self, Candidate};
use super::resource::{Kind, Stored};
use super::search::Listing;
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
    let found = match (queries, Listing::of(context, *first, query)) {
        ([_], Some(listing)) => by_index(context, &listing, query.count, at.as_ref())?,
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

fn by_index(
    context: &Context<'_>,
    listing: &Listing,
    count: i64,
    at: Option<&Cursor>,
) -> Result<Found, Failure> {
    let backward = at.is_some_and(|cursor| cursor.backward);
    let descending = listing.descending != backward;
    let mut parameters: Vec<Sql> = listing.parameters();
    let mut condition = listing.text();
    if let Some(cursor) = at {
        let key = cursor.key.as_ref();
        condition.push_str(" AND ");
        condition.push_str(&listing.column.beyond(descending, listing.sorts()));
        match listing.column {
            Column::Id => parameters.push(cursor.id.as_str().into()),
            Column::Key => {
                parameters.push(key.and_then(Key::text).unwrap_or_default().into());
            }
            Column::Modified => {
                let modified = key.and_then(Key::milliseconds).unwrap_or_default();
                parameters.extend([modified.into(), cursor.id.as_str().into()]);
            }
        }
    }
    // One more than the page shows, to see whether there is more.
    parameters.push(count.saturating_add(1).into());
    let statement = listing.statement(context, &condition, descending, "LIMIT (SELECT ?)");
    let total = listing.count(context)?;
    let mut rows = context.sql.all(&statement, &parameters, Stored::read)?;
    let take = usize::try_from(count).unwrap_or(0);
    let has_more = rows.len() > take;
    rows.truncate(take);
    if backward {
        rows.reverse();
    }
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
