//! Lists: pages of resources, filtered or not, sorted or not.
//!
//! Without filter and order, the total is a kept counter and a page costs a
//! page: the way to a deep page leads over an index that holds no document.
//! Sorting takes a key from each match and reads again only what the page
//! shows, so that no request holds a team's documents.

use super::matching::{self, Wanted};
use super::resource::{self, COLUMNS, Kind, Stored};
use super::sql::SqlError;
use super::{Context, Failure, order, render, walk};
use crate::scim::list::{Page, Paging, Query};

/// Bytes of one page. Lists of large groups end early rather than exhaust the
/// object's memory; `itemsPerPage` says how many there are.
const PAGE_BYTES_MAX: usize = 16 << 20;

/// The page of resources of one type that a query asks for.
///
/// # Errors
/// 400 `tooMany` if no index serves the query and the team is too large to
/// look at everyone.
pub fn search(context: &Context<'_>, kind: Kind, query: &Query<'_>) -> Result<Page, Failure> {
    let start_index = match &query.paging {
        Paging::Index(start_index) => *start_index,
        Paging::Cursor(cursor) => return walk::page(context, &[(kind, query)], cursor),
    };
    let window = Window::new(start_index, query);
    let (total, found) = match (&query.filter, &query.sort) {
        (None, None) => {
            (resource::total(context, kind)?, in_order_of(context, kind, "id", &window)?)
        }
        (None, Some(sort)) if sort.path.is(kind.key_attribute(), "") => {
            let column = if sort.descending { "key DESC" } else { "key" };
            (resource::total(context, kind)?, in_order_of(context, kind, column, &window)?)
        }
        (Some(_), None) => unsorted(context, kind, query, &window)?,
        (_, Some(_)) => sorted(context, &[(kind, query)], &window)?,
    };
    let resources = rendered(context, &found, &[(kind, query)])?;
    Ok(Page { total, resources, start_index: Some(start_index), ..Page::default() })
}

/// The page that a query over several types asks for (RFC 7644 section
/// 3.4.2.1): one query a type, since each reads the attributes' names in its
/// own schemas.
///
/// # Errors
/// As [`search`].
pub fn search_all(context: &Context<'_>, queries: &[(Kind, &Query<'_>)]) -> Result<Page, Failure> {
    let Some((_, first)) = queries.first() else { return Ok(Page::default()) };
    let start_index = match &first.paging {
        Paging::Index(start_index) => *start_index,
        Paging::Cursor(cursor) => return walk::page(context, queries, cursor),
    };
    let (total, found) = sorted(context, queries, &Window::new(start_index, first))?;
    let resources = rendered(context, &found, queries)?;
    Ok(Page { total, resources, start_index: Some(start_index), ..Page::default() })
}

/// Resources as their query shows them; fewer than given if they are too much
/// for one page.
pub(super) fn rendered(
    context: &Context<'_>,
    found: &[Stored],
    queries: &[(Kind, &Query<'_>)],
) -> Result<Vec<String>, Failure> {
    let mut shown = Vec::with_capacity(found.len());
    for stored in found {
        let query = queries.iter().find(|(kind, _)| *kind == stored.kind);
        shown.extend(query.map(|(_, query)| (stored, &query.projection)));
    }
    render::page(context, &shown, PAGE_BYTES_MAX)
}

/// Which of the results the page shows.
struct Window {
    skip: i64,
    take: i64,
}

impl Window {
    fn new(start_index: i64, query: &Query<'_>) -> Self {
        Self { skip: start_index.saturating_sub(1), take: query.count }
    }

    /// Whether the result of this index, counted from 0, is on the page.
    fn shows(&self, index: i64) -> bool {
        index >= self.skip && index.saturating_sub(self.skip) < self.take
    }
}

/// A page of all, in the order of an indexed column.
fn in_order_of(
    context: &Context<'_>,
    kind: Kind,
    column: &str,
    window: &Window,
) -> Result<Vec<Stored>, SqlError> {
    if window.take == 0 {
        return Ok(Vec::new());
    }
    // An offset beyond what SQLite counts is beyond every page.
    let skip = window.skip.min(super::sql::INTEGER_MAX);
    context.sql.all(
        &format!(
            "SELECT {COLUMNS} FROM resource WHERE seq IN (
                 SELECT seq FROM resource WHERE type = ? ORDER BY {column} LIMIT ? OFFSET ?
             ) ORDER BY {column}"
        ),
        &[kind.name().into(), window.take.into(), skip.into()],
        Stored::read,
    )
}

/// Matches in the order of creation: counted all, kept as far as shown.
fn unsorted(
    context: &Context<'_>,
    kind: Kind,
    query: &Query<'_>,
    window: &Window,
) -> Result<(i64, Vec<Stored>), Failure> {
    let wanted = Wanted { filter: query.filter.as_ref(), sort: None };
    let mut total: i64 = 0;
    let mut shown = Vec::new();
    matching::each(context, kind, &wanted, &mut |stored, _| {
        if window.shows(total) {
            shown.push(stored);
        }
        total = total.saturating_add(1);
    })?;
    Ok((total, shown))
}

fn sorted(
    context: &Context<'_>,
    queries: &[(Kind, &Query<'_>)],
    window: &Window,
) -> Result<(i64, Vec<Stored>), Failure> {
    let candidates = order::gather(context, queries)?;
    let total = i64::try_from(candidates.len()).unwrap_or(i64::MAX);
    let skip = usize::try_from(window.skip).unwrap_or(usize::MAX);
    let take = usize::try_from(window.take).unwrap_or(0);
    let shown = candidates.iter().skip(skip).take(take);
    let seqs: Vec<i64> = shown.map(|candidate| candidate.seq).collect();
    Ok((total, order::by_seqs(context, &seqs)?))
}
