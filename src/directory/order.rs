//! Matches in order: a key from each, and documents only of those shown.

use super::matching::{self, Wanted};
use super::resource::{Kind, Stored, columns};
use super::sql::SqlError;
use super::{Context, Failure};
use crate::scim::list::Query;
use crate::scim::sort::{Key, Sort};
use serde_json::Value;
use std::cmp::Ordering;
use std::collections::HashMap;

/// A match, as far as its order and its row go.
pub(super) struct Candidate {
    /// Its order key; none where nothing sorts.
    pub(super) key: Option<Key>,
    /// Its id.
    pub(super) id: String,
    /// Its row.
    pub(super) seq: i64,
}

/// A column of `resource` that has the order of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    /// Creation, which ids begin with.
    Id,
    /// What the type is unique by.
    Key,
    /// The last change.
    Modified,
}

impl Column {
    /// The column that orders as asked; `None` if none does.
    pub(super) fn of(kind: Kind, sort: Option<&Sort<'_>>) -> Option<Self> {
        let Some(sort) = sort else { return Some(Self::Id) };
        if sort.path.is("id", "") || sort.path.is("meta", "created") {
            Some(Self::Id)
        } else if sort.path.is(kind.key_attribute(), "") {
            Some(Self::Key)
        } else if sort.path.is("meta", "lastModified") {
            Some(Self::Modified)
        } else {
            None
        }
    }

    /// What tells any two resources apart, in the order of comparison. With
    /// `sorts`, no index is asked for it: few are left to sort.
    fn terms(self, sorts: bool) -> &'static [&'static str] {
        match (self, sorts) {
            (Self::Id, false) => &["id"],
            (Self::Id, true) => &["+id"],
            (Self::Key, false) => &["key"],
            (Self::Key, true) => &["+key"],
            (Self::Modified, false) => &["modified", "id"],
            (Self::Modified, true) => &["+modified", "+id"],
        }
    }

    /// What stands after `ORDER BY`.
    pub(super) fn order(self, descending: bool, sorts: bool) -> String {
        let direction = if descending { " DESC" } else { "" };
        let terms: Vec<String> =
            self.terms(sorts).iter().map(|term| format!("{term}{direction}")).collect();
        terms.join(", ")
    }

    /// The condition of what lies beyond a resource, its sort key and id bound
    /// in their order.
    pub(super) fn beyond(self, descending: bool, sorts: bool) -> String {
        let terms = self.terms(sorts);
        let comparison = if descending { "<" } else { ">" };
        let places = vec!["?"; terms.len()];
        format!("({}) {comparison} ({})", terms.join(", "), places.join(", "))
    }
}

/// All matches of the queries, in their order.
///
/// # Errors
/// As [`matching::each`].
pub(super) fn gather(
    context: &Context<'_>,
    queries: &[(Kind, &Query<'_>)],
) -> Result<Vec<Candidate>, Failure> {
    let mut candidates: Vec<Candidate> = Vec::new();
    for (kind, query) in queries {
        let sort = query.sort.as_ref();
        let wanted = Wanted { filter: query.filter.as_ref(), sort };
        matching::each(context, *kind, &wanted, &mut |stored, object| {
            let key = sort.map(|sort| sort.key(object));
            candidates.push(Candidate { key, id: stored.id, seq: stored.seq });
        })?;
    }
    let sort = sort_of(queries);
    candidates.sort_by(|one, other| compare(sort, (&one.key, &one.id), (&other.key, &other.id)));
    Ok(candidates)
}

/// What the queries sort by; those of one request sort alike.
pub(super) fn sort_of<'q, 's>(queries: &[(Kind, &'q Query<'s>)]) -> Option<&'q Sort<'s>> {
    queries.iter().find_map(|(_, query)| query.sort.as_ref())
}

/// Compares by order key, then by creation. A type that has no such attribute
/// stands where one without a value does.
pub(super) fn compare(
    sort: Option<&Sort<'_>>,
    one: (&Option<Key>, &str),
    other: (&Option<Key>, &str),
) -> Ordering {
    let none = Key::default();
    let (first, second) = (one.0.as_ref().unwrap_or(&none), other.0.as_ref().unwrap_or(&none));
    let by_key = sort.map_or(Ordering::Equal, |sort| sort.compare(first, second));
    by_key.then_with(|| one.1.cmp(other.1))
}

/// These rows, in this order.
pub(super) fn by_seqs(context: &Context<'_>, seqs: &[i64]) -> Result<Vec<Stored>, SqlError> {
    if seqs.is_empty() {
        return Ok(Vec::new());
    }
    let statement = format!(
        "SELECT {} FROM resource WHERE seq IN (SELECT value FROM json_each(?))",
        columns(context.schemas, false)
    );
    let list = Value::from(seqs).to_string();
    let found = context.sql.all(&statement, &[list.into()], Stored::read)?;
    let mut found: HashMap<i64, Stored> =
        found.into_iter().map(|stored| (stored.seq, stored)).collect();
    Ok(seqs.iter().filter_map(|seq| found.remove(seq)).collect())
}
