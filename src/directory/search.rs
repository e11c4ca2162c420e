//! Lists: pages of resources, filtered or not, sorted or not.
//!
//! What SQLite can decide alone it counts and pages alone, and a page costs a
//! page. Else each match gives an order key, and only what the page shows is
//! read again, so that no request holds a team's documents.

use super::matching::{self, Wanted};
use super::order::Column;
use super::plan::{self, Condition, Reach};
use super::resource::{self, Kind, Stored, columns};
use super::sql::Value as Sql;
use super::{Context, Failure, milestones, order, render, walk};
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
    let (total, found) = match (Listing::of(context, kind, query), &query.sort) {
        (Some(listing), _) => (listing.count(context)?, listing.page(context, &window)?),
        (None, None) => unsorted(context, kind, query, &window)?,
        (None, Some(_)) => sorted(context, &[(kind, query)], &window)?,
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

/// A list that SQLite can count and page alone.
pub(super) struct Listing {
    pub(super) kind: Kind,
    pub(super) column: Column,
    pub(super) descending: bool,
    /// Which resources; `None` for all.
    condition: Option<Condition>,
}

impl Listing {
    /// The listing for a query; `None` if its filter or order is beyond SQL, or
    /// leads to so few that they are best looked at one by one.
    pub(super) fn of(context: &Context<'_>, kind: Kind, query: &Query<'_>) -> Option<Self> {
        let column = Column::of(kind, query.sort.as_ref())?;
        let descending = query.sort.as_ref().is_some_and(|sort| sort.descending);
        let condition = match &query.filter {
            None => None,
            Some(filter) => {
                let condition = plan::condition(context.schemas, kind, filter)?;
                if !condition.is_exact || condition.reach <= Reach::Few {
                    return None;
                }
                Some(condition)
            }
        };
        Some(Self { kind, column, descending, condition })
    }

    /// How many resources the list has.
    ///
    /// # Errors
    /// 400 `tooMany` if no index serves the filter and the team is too large.
    pub(super) fn count(&self, context: &Context<'_>) -> Result<i64, Failure> {
        let Some(condition) = &self.condition else {
            return Ok(resource::total(context, self.kind)?);
        };
        matching::check_budget(context, self.kind, Some(condition))?;
        let statement = format!("SELECT count(*) FROM resource WHERE {}", self.text());
        let count =
            context.sql.first(&statement, &condition.parameters(), |mut row| row.integer())?;
        Ok(count.unwrap_or(0))
    }

    /// What stands after `WHERE`.
    pub(super) fn text(&self) -> String {
        match &self.condition {
            Some(condition) => condition.text(self.kind),
            None => format!("type = '{}'", self.kind.name()),
        }
    }

    /// The values for it.
    pub(super) fn parameters(&self) -> Vec<Sql> {
        self.condition.as_ref().map(Condition::parameters).unwrap_or_default()
    }

    /// Whether its resources are sorted once they are found: an index that finds
    /// a range does not list it in another order, and to walk the whole team in
    /// that order instead would cost the team.
    pub(super) fn sorts(&self) -> bool {
        self.condition.as_ref().is_some_and(|condition| {
            condition.reach == Reach::Range && !(condition.is_in_order && self.column == Column::Id)
        })
    }

    /// The statement that reads those that `condition` leaves, as far as `some` says. All
    /// of a type are read in the order of an index, and none that is passed over is read
    /// whole. Of a part SQLite may choose to sort, so their rows are chosen first.
    pub(super) fn statement(
        &self,
        context: &Context<'_>,
        condition: &str,
        descending: bool,
        some: &str,
    ) -> String {
        let columns = columns(context.schemas, self.kind == Kind::User);
        let order = self.column.order(descending, self.sorts());
        let chosen = format!("FROM resource WHERE {condition} ORDER BY {order} {some}");
        match self.condition {
            None => format!("SELECT {columns} {chosen}"),
            Some(_) => format!(
                "SELECT {columns} FROM resource WHERE seq IN (SELECT seq {chosen}) ORDER BY {}",
                self.column.order(descending, true)
            ),
        }
    }

    fn page(&self, context: &Context<'_>, window: &Window) -> Result<Vec<Stored>, Failure> {
        if window.take == 0 {
            return Ok(Vec::new());
        }
        // An offset beyond what SQLite counts is beyond every page.
        let mut skip = window.skip.min(super::sql::INTEGER_MAX);
        let mut condition = self.text();
        let mut parameters = self.parameters();
        let is_by_id = self.condition.is_none() && self.column == Column::Id && !self.descending;
        if is_by_id && let Some((first, rest)) = milestones::before(context, self.kind, skip)? {
            condition.push_str(" AND id >= (SELECT ?)");
            parameters.push(first.into());
            skip = rest;
        }
        let some = "LIMIT (SELECT ?) OFFSET (SELECT ?)";
        let statement = self.statement(context, &condition, self.descending, some);
        parameters.extend([window.take.into(), skip.into()]);
        Ok(context.sql.all(&statement, &parameters, Stored::read)?)
    }
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
