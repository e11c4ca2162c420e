//! From a filter to the rows worth looking at.
//!
//! A plan only narrows down: every row it finds is still put before the
//! filter itself, so that a plan can miss an opportunity but never change an
//! answer. What no index serves is scanned, within a budget.

use super::resource::{Kind, lookup_key};
use crate::scim::filter::{Filter, Literal, Operator, fold};
use crate::scim::path::Path;

/// A way to a number of rows that does not grow with the team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// The resource with this `id`.
    Id(String),
    /// The resource with this folded `userName` or group `displayName`.
    Key(String),
    /// Resources whose attribute has this value, by the `lookup` table.
    Lookup(&'static str, String),
    /// Groups that have the resource of this `id` as a member.
    Member(String),
}

/// The accesses that together find every match. `None` if only a scan does.
pub fn accesses(kind: Kind, filter: &Filter<'_>) -> Option<Vec<Access>> {
    match filter {
        Filter::And(terms) => terms.iter().find_map(|term| accesses(kind, term)),
        Filter::Or(terms) => {
            let each: Option<Vec<_>> = terms.iter().map(|term| accesses(kind, term)).collect();
            each.map(|each| each.into_iter().flatten().collect())
        }
        Filter::Compare(path, Operator::Eq, Literal::Text(text)) => {
            access(kind, path, &text.given).map(|access| vec![access])
        }
        Filter::Element(path, inner) => in_element(kind, path, inner),
        _ => None,
    }
}

/// `emails[type eq "work" and value eq "x"]` is served as `emails.value eq
/// "x"`: an element that matches has that value.
fn in_element(kind: Kind, outer: &Path<'_>, inner: &Filter<'_>) -> Option<Vec<Access>> {
    match inner {
        Filter::And(terms) => terms.iter().find_map(|term| in_element(kind, outer, term)),
        Filter::Compare(path, Operator::Eq, Literal::Text(text)) => {
            let whole = Path { sub: Some(path.attribute), ..*outer };
            access(kind, &whole, &text.given).map(|access| vec![access])
        }
        _ => None,
    }
}

fn access(kind: Kind, path: &Path<'_>, value: &str) -> Option<Access> {
    if path.is("id", "") {
        return Some(Access::Id(value.to_owned()));
    }
    if path.is(kind.key_attribute(), "") {
        return Some(Access::Key(fold(value)));
    }
    if kind == Kind::Group && path.is("members", "value") {
        return Some(Access::Member(value.to_owned()));
    }
    let (name, _) = kind.lookups().iter().find(|(name, sub)| path.is(name, sub))?;
    Some(Access::Lookup(name, lookup_key(value, path.leaf().case_exact)))
}
