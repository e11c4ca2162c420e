//! Filters (RFC 7644 section 3.4.2.2): the tree, with every attribute in it
//! resolved and every literal typed.
//!
//! `parse` makes it from text, `eval` says whether a resource matches. The
//! evaluator is the reference: the SQL plan in `directory` may only narrow
//! down what it has to look at.

mod eval;
mod parse;

use super::Timestamp;
use super::path::Path;
pub use parse::{
    TEXT_BYTES_MAX, boolean_text as parse_boolean_text, in_value_path, parse, parse_among,
};
use std::fmt;

/// A filter on resources of one type, or on the elements of one of their
/// complex attributes.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter<'s> {
    /// All of these.
    And(Vec<Filter<'s>>),
    /// Any of these.
    Or(Vec<Filter<'s>>),
    /// The opposite.
    Not(Box<Filter<'s>>),
    /// The attribute has a value: `pr`.
    Present(Path<'s>),
    /// A value of the attribute compares so with the literal.
    Compare(Path<'s>, Operator, Literal),
    /// One element of the complex attribute matches as a whole: a value path,
    /// `emails[type eq "work" and value co "@example.com"]`.
    Element(Path<'s>, Box<Filter<'s>>),
}

/// A comparison, RFC 7644 section 3.4.2.2, Table 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// Equal.
    Eq,
    /// Not equal: the exact opposite of `eq`, so an absent attribute matches.
    Ne,
    /// Contains.
    Co,
    /// Starts with.
    Sw,
    /// Ends with.
    Ew,
    /// Greater than.
    Gt,
    /// Greater than or equal.
    Ge,
    /// Less than.
    Lt,
    /// Less than or equal.
    Le,
}

impl Operator {
    const ALL: [(Self, &'static str); 9] = [
        (Self::Eq, "eq"),
        (Self::Ne, "ne"),
        (Self::Co, "co"),
        (Self::Sw, "sw"),
        (Self::Ew, "ew"),
        (Self::Gt, "gt"),
        (Self::Ge, "ge"),
        (Self::Lt, "lt"),
        (Self::Le, "le"),
    ];

    /// The operator of this name, ignoring case.
    fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, own)| own.eq_ignore_ascii_case(name)).map(|(own, _)| *own)
    }

    /// The name, in lower case.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(own, _)| *own == self).map_or("", |(_, name)| name)
    }

    /// Whether it asks about a part of a text.
    fn is_substring(self) -> bool {
        matches!(self, Self::Co | Self::Sw | Self::Ew)
    }

    /// Whether it asks for an order.
    fn is_ordering(self) -> bool {
        matches!(self, Self::Gt | Self::Ge | Self::Lt | Self::Le)
    }
}

/// What an attribute is compared with, already of the attribute's type.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `null`: `eq null` asks for absence.
    Null,
    /// For booleans.
    Boolean(bool),
    /// For integers and decimals.
    Number(f64),
    /// For everything textual.
    Text(Text),
    /// For dates.
    Time(Timestamp),
}

/// A text to compare with.
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    /// As the client wrote it.
    pub given: String,
    /// As it is compared: folded if the attribute ignores case.
    pub key: String,
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Text(text) => write!(f, "{}", serde_json::Value::from(text.given.as_str())),
            Self::Time(value) => write!(f, "\"{value}\""),
        }
    }
}

impl Filter<'_> {
    /// Whether the filter names this core or common attribute anywhere.
    pub fn names(&self, attribute: &str) -> bool {
        self.any_path(&|path| path.extension.is_none() && path.attribute.name == attribute)
    }

    /// Whether the filter names this attribute of an extension anywhere.
    pub fn names_in_extension(&self, attribute: &str) -> bool {
        self.any_path(&|path| path.extension.is_some() && path.attribute.name == attribute)
    }

    fn any_path(&self, test: &dyn Fn(&Path<'_>) -> bool) -> bool {
        match self {
            Self::And(terms) | Self::Or(terms) => terms.iter().any(|term| term.any_path(test)),
            Self::Not(term) => term.any_path(test),
            Self::Present(path) | Self::Compare(path, ..) | Self::Element(path, _) => test(path),
        }
    }
}

impl fmt::Display for Filter<'_> {
    /// The filter in the RFC's grammar, fully parenthesised; it parses back
    /// to the same tree.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |f: &mut fmt::Formatter<'_>, terms: &[Filter<'_>], word: &str| {
            for (index, term) in terms.iter().enumerate() {
                if index > 0 {
                    write!(f, " {word} ")?;
                }
                match term {
                    Filter::And(_) | Filter::Or(_) => write!(f, "({term})")?,
                    _ => write!(f, "{term}")?,
                }
            }
            Ok(())
        };
        match self {
            Self::And(terms) => joined(f, terms, "and"),
            Self::Or(terms) => joined(f, terms, "or"),
            Self::Not(term) => write!(f, "not ({term})"),
            Self::Present(path) => write!(f, "{path} pr"),
            Self::Compare(path, operator, literal) => {
                write!(f, "{path} {} {literal}", operator.name())
            }
            Self::Element(path, filter) => write!(f, "{path}[{filter}]"),
        }
    }
}

/// Text as attributes with `caseExact: false` compare it. The same folding
/// makes the keys that the directory's indexes hold.
pub fn fold(text: &str) -> String {
    text.to_lowercase()
}
