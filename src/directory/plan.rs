//! From a filter to a condition in SQL.
//!
//! A condition is true of every resource that the filter matches. Where it is
//! `exact` it is true of no other, and SQLite alone can count and page; else
//! the filter itself is put to each resource that the condition leaves, so
//! that a plan can miss an opportunity but never change an answer. Folding
//! agrees because the columns hold what Rust has folded.
//!
//! SQLite has no statistics here, so that nothing is left to its guesses: of
//! the terms of an `and`, the one that leads to the fewest rows is written so
//! that an index serves it, and a unary `+` keeps the others from theirs.

mod leaf;

use super::resource::Kind;
use super::schemas::Schemas;
use super::sql::Value as Sql;
use crate::scim::filter::{Filter, Operator};
use crate::scim::path::Path;

/// Comparisons in one condition. SQLite bounds an expression's depth by 100 and
/// counts that of a `SELECT` twice where it stands in another; and each takes
/// one or two of 100 parameters.
const COMPARISONS_MAX: usize = 40;

/// How many rows a condition leads to, by the index that serves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// One at most.
    One,
    /// Those that share a value.
    Few,
    /// A range of an index.
    Range,
    /// As many as a state has that half of all may be in.
    Many,
    /// All: no index serves it.
    All,
}

/// A condition on a row of `resource`, its type included.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The text where an index serves it.
    indexed: String,
    /// The text that asks no index.
    plain: String,
    /// The values of both, in their order.
    parameters: Vec<Sql>,
    /// How many comparisons it has.
    comparisons: usize,
    /// How many rows the indexed text leads to.
    pub reach: Reach,
    /// Whether it is true of nothing that the filter does not match.
    pub is_exact: bool,
    /// Whether the index that serves it lists in the order of creation.
    pub is_in_order: bool,
}

impl Condition {
    /// The text after `WHERE`, for resources of this type.
    pub fn text(&self, kind: Kind) -> String {
        match self.reach {
            Reach::All => format!("type = '{}' AND {}", kind.name(), self.plain),
            _ => self.indexed.clone(),
        }
    }

    /// The values for the text.
    pub fn parameters(&self) -> Vec<Sql> {
        self.parameters.clone()
    }

    /// What is true of all rows, or of none.
    fn constant(is_true: bool) -> Self {
        let text = if is_true { "1" } else { "0" };
        Self {
            indexed: text.into(),
            plain: text.into(),
            parameters: Vec::new(),
            comparisons: 0,
            reach: if is_true { Reach::All } else { Reach::One },
            is_exact: true,
            is_in_order: false,
        }
    }

    /// All of these.
    fn all(terms: Vec<Self>, is_whole: bool) -> Option<Self> {
        let first = terms.iter().map(|term| term.reach).min()?;
        let driver = terms.iter().position(|term| term.reach == first)?;
        let mut whole: Option<Self> = None;
        let (driving, others): (Vec<_>, Vec<_>) =
            terms.into_iter().enumerate().partition(|(index, _)| *index == driver);
        for (_, term) in driving.into_iter().chain(others) {
            let Some(so_far) = &mut whole else {
                whole = Some(Self { is_exact: is_whole && term.is_exact, ..term });
                continue;
            };
            let comparisons = so_far.comparisons.saturating_add(term.comparisons);
            if comparisons > COMPARISONS_MAX {
                so_far.is_exact = false;
                continue;
            }
            so_far.comparisons = comparisons;
            so_far.indexed = format!("{} AND {}", so_far.indexed, term.plain);
            so_far.plain = format!("{} AND {}", so_far.plain, term.plain);
            so_far.parameters.extend(term.parameters);
            so_far.is_exact &= term.is_exact;
        }
        whole
    }

    /// Any of these.
    fn any(terms: Vec<Self>) -> Option<Self> {
        let joined = |text: fn(&Self) -> &str| {
            let texts: Vec<String> = terms.iter().map(|term| format!("({})", text(term))).collect();
            format!("({})", texts.join(" OR "))
        };
        let (indexed, plain) = (joined(|term| &term.indexed), joined(|term| &term.plain));
        let reach = terms.iter().map(|term| term.reach).max()?;
        let is_exact = terms.iter().all(|term| term.is_exact);
        let comparisons = terms.iter().map(|term| term.comparisons).sum();
        if comparisons > COMPARISONS_MAX {
            return None;
        }
        let parameters: Vec<Sql> = terms.into_iter().flat_map(|term| term.parameters).collect();
        // Several that are one each are a few together.
        let reach = reach.max(Reach::Few);
        Some(Self { indexed, plain, parameters, comparisons, reach, is_exact, is_in_order: false })
    }
}

/// The condition for a filter on resources of a type. `None` if SQL can say
/// nothing of it.
pub fn condition(schemas: &Schemas, kind: Kind, filter: &Filter<'_>) -> Option<Condition> {
    Planner { schemas, kind }.of(filter, false)
}

struct Planner<'a> {
    schemas: &'a Schemas,
    kind: Kind,
}

impl Planner<'_> {
    /// `negated`: for the opposite of the filter. Nots are pushed down to what
    /// they are about, so that they add nothing to an expression's depth.
    fn of(&self, filter: &Filter<'_>, negated: bool) -> Option<Condition> {
        match (filter, negated) {
            // What no alternative of none is: see `filter::parse_among`.
            (Filter::Or(terms), false) if terms.is_empty() => Some(Condition::constant(false)),
            (Filter::Or(terms), true) if terms.is_empty() => Some(Condition::constant(true)),
            (Filter::And(terms), false) | (Filter::Or(terms), true) => {
                let known: Vec<_> =
                    terms.iter().filter_map(|term| self.of(term, negated)).collect();
                let is_whole = known.len() == terms.len();
                Condition::all(known, is_whole)
            }
            (Filter::Or(terms), false) | (Filter::And(terms), true) => {
                let known: Option<Vec<_>> =
                    terms.iter().map(|term| self.of(term, negated)).collect();
                Condition::any(known?)
            }
            (Filter::Not(term), _) => self.of(term, !negated),
            (Filter::Compare(path, Operator::Ne, literal), _) => {
                self.leaf(path, Operator::Eq, literal, !negated)
            }
            (Filter::Compare(path, operator, literal), _) => {
                self.leaf(path, *operator, literal, negated)
            }
            (Filter::Element(path, inner), _) => {
                let found = self.of_element(path, inner)?;
                if negated { leaf::negated(self.kind, found) } else { Some(found) }
            }
            (Filter::Present(_), _) => None,
        }
    }

    /// `emails[type eq "work" and value eq "x"]` is served as `emails.value eq
    /// "x"`: an element that matches has that value.
    fn of_element(&self, outer: &Path<'_>, inner: &Filter<'_>) -> Option<Condition> {
        match inner {
            Filter::And(terms) => {
                let known = terms.iter().filter_map(|term| self.of_element(outer, term));
                Condition::all(known.collect(), false)
            }
            Filter::Or(terms) => {
                let known: Option<Vec<_>> =
                    terms.iter().map(|term| self.of_element(outer, term)).collect();
                Condition::any(known?)
            }
            // That some element differs is not that none is equal.
            Filter::Compare(_, Operator::Ne, _) => None,
            Filter::Compare(path, operator, literal) => {
                let whole = Path { sub: Some(path.attribute), ..*outer };
                self.leaf(&whole, *operator, literal, false)
            }
            _ => None,
        }
    }
}
