//! One comparison in SQL.

use super::{Condition, Planner, Reach};
use crate::directory::lookup::{self, KEY_CHARS_MAX};
use crate::directory::resource::{Kind, id_from};
use crate::directory::sql::{INTEGER_MAX, Value as Sql};
use crate::scim::Timestamp;
use crate::scim::filter::{Literal, Operator, fold};
use crate::scim::path::Path;
use crate::scim::schema::Type;

impl Planner<'_> {
    /// A comparison, or its opposite. `None` if no column has the attribute.
    pub(super) fn leaf(
        &self,
        path: &Path<'_>,
        operator: Operator,
        literal: &Literal,
        is_negated: bool,
    ) -> Option<Condition> {
        let found = self.comparison(path, operator, literal)?;
        if is_negated { negated(self.kind, found) } else { Some(found) }
    }

    fn comparison(
        &self,
        path: &Path<'_>,
        operator: Operator,
        literal: &Literal,
    ) -> Option<Condition> {
        match literal {
            Literal::Text(text) if path.is("id", "") => {
                let mut found = self.column("id", text_test(operator, &text.given));
                found.is_in_order = found.reach == Reach::Range;
                Some(found)
            }
            Literal::Text(text) if path.is(self.kind.key_attribute(), "") => {
                Some(self.column("key", text_test(operator, &fold(&text.given))))
            }
            Literal::Text(text) if self.kind == Kind::Group && path.is("members", "value") => {
                (operator == Operator::Eq).then(|| self.has_member(&text.given))
            }
            Literal::Boolean(active) if self.kind == Kind::User && path.is("active", "") => {
                let test = Test {
                    text: "$ = ?".into(),
                    parameters: vec![(*active).into()],
                    reach: Reach::Many,
                    is_exact: true,
                };
                Some(Condition { is_in_order: true, ..self.column("active", test) })
            }
            Literal::Time(time) if path.is("meta", "created") => {
                let test = created_test(operator, *time)?;
                Some(Condition { is_in_order: true, ..self.column("id", test) })
            }
            Literal::Time(time) if path.is("meta", "lastModified") => {
                let time = time.0.clamp(-INTEGER_MAX, INTEGER_MAX);
                let (text, parameters) = (format!("$ {} ?", sign(operator)?), vec![time.into()]);
                let test = Test { text, parameters, reach: Reach::Range, is_exact: true };
                Some(self.column("modified", test))
            }
            _ => self.in_lookup(path, operator, literal),
        }
    }

    /// A test of a column that has an index with the type. A `+` before its
    /// name keeps every index of it away.
    fn column(&self, column: &str, test: Test) -> Condition {
        let plain = test.on(&format!("+{column}"));
        Condition {
            indexed: format!("type = '{}' AND {}", self.kind.name(), test.on(column)),
            plain: format!("({plain})"),
            comparisons: test.parameters.len(),
            parameters: test.parameters,
            reach: test.reach,
            is_exact: test.is_exact,
            is_in_order: false,
        }
    }

    /// Groups that have the resource of this `id` as a member.
    fn has_member(&self, id: &str) -> Condition {
        self.among(
            "SELECT group_seq FROM membership WHERE member_seq IN
             (SELECT seq FROM resource WHERE type IN ('User', 'Group') AND id = ?)",
            Test {
                text: String::new(),
                parameters: vec![id.into()],
                reach: Reach::Few,
                is_exact: true,
            },
        )
    }

    fn in_lookup(
        &self,
        path: &Path<'_>,
        operator: Operator,
        literal: &Literal,
    ) -> Option<Condition> {
        let found = self.schemas.lookup(self.kind, path)?;
        let key = lookup::key_of_literal(path.leaf(), literal)?;
        let is_text = matches!(path.leaf().kind, Type::String | Type::Reference | Type::Binary);
        if !is_text && operator != Operator::Eq {
            return None;
        }
        let is_cut = key.chars().count() >= KEY_CHARS_MAX;
        let mut test = match operator {
            // Of values that were cut, the rest decides.
            Operator::Gt if is_cut => text_test(Operator::Ge, &key),
            Operator::Lt if is_cut => text_test(Operator::Le, &key),
            Operator::Co | Operator::Ew => {
                let test = text_test(operator, &key);
                let text = format!("({} OR length($) >= {KEY_CHARS_MAX})", test.text);
                Test { text, is_exact: false, ..test }
            }
            _ => text_test(operator, &key),
        };
        test.is_exact &= !is_cut;
        // Names are ours, or of letters, digits and a few signs: see `extensions`.
        let select = format!(
            "SELECT seq FROM lookup WHERE attribute = '{}' AND {}",
            found.name,
            test.on("key")
        );
        let reach = test.reach.max(Reach::Few);
        Some(self.among(&select, Test { reach, ..test }))
    }

    /// The rows that a `SELECT` names.
    fn among(&self, select: &str, test: Test) -> Condition {
        Condition {
            indexed: format!("seq IN ({select}) AND +type = '{}'", self.kind.name()),
            plain: format!("+seq IN ({select})"),
            comparisons: test.parameters.len(),
            parameters: test.parameters,
            reach: test.reach,
            is_exact: test.is_exact,
            is_in_order: false,
        }
    }
}

/// The opposite of a condition; of one that is not exact there is none.
pub(super) fn negated(kind: Kind, condition: Condition) -> Option<Condition> {
    let plain = format!("NOT ({})", condition.plain);
    condition.is_exact.then(|| Condition {
        indexed: format!("type = '{}' AND {plain}", kind.name()),
        plain,
        reach: Reach::All,
        is_in_order: false,
        ..condition
    })
}

/// A test of one column, which `$` stands for.
struct Test {
    text: String,
    parameters: Vec<Sql>,
    reach: Reach,
    is_exact: bool,
}

impl Test {
    fn on(&self, column: &str) -> String {
        self.text.replace('$', column)
    }
}

/// A test of text. Columns compare by bytes, which is the order of Unicode
/// scalar values and so Rust's.
fn text_test(operator: Operator, wanted: &str) -> Test {
    let (text, reach) = match operator {
        Operator::Eq | Operator::Ne => ("$ = ?", Reach::One),
        Operator::Co => ("instr($, ?) > 0", Reach::All),
        Operator::Ew => return ends_with(wanted),
        Operator::Sw => match after_prefix(wanted) {
            Some(end) => {
                let parameters = vec![wanted.into(), end.into()];
                let text = "$ >= ? AND $ < ?".into();
                return Test { text, parameters, reach: Reach::Range, is_exact: true };
            }
            None => ("$ >= ?", Reach::Range),
        },
        Operator::Gt => ("$ > ?", Reach::Range),
        Operator::Ge => ("$ >= ?", Reach::Range),
        Operator::Lt => ("$ < ?", Reach::Range),
        Operator::Le => ("$ <= ?", Reach::Range),
    };
    Test { text: text.into(), parameters: vec![wanted.into()], reach, is_exact: true }
}

fn ends_with(wanted: &str) -> Test {
    // Everything ends with nothing.
    let text = match wanted.chars().count() {
        0 => "$ >= ?".into(),
        count => format!("substr($, -{count}) = ?"),
    };
    Test { text, parameters: vec![wanted.into()], reach: Reach::All, is_exact: true }
}

/// The first text after all that begin with `prefix`. `None` if there is none.
fn after_prefix(prefix: &str) -> Option<String> {
    let mut end: Vec<char> = prefix.chars().collect();
    while let Some(last) = end.pop() {
        // The scalar values leave out the surrogates.
        let next = if last == '\u{D7FF}' { Some('\u{E000}') } else { char_after(last) };
        if let Some(next) = next {
            end.push(next);
            return Some(end.into_iter().collect());
        }
    }
    None
}

fn char_after(last: char) -> Option<char> {
    char::from_u32(u32::from(last).checked_add(1)?)
}

/// Ids begin with the time of creation, so that their index serves it.
fn created_test(operator: Operator, time: Timestamp) -> Option<Test> {
    let (from, after) = (id_from(time), id_from(time.plus(1)));
    let (text, parameters): (&str, Vec<Sql>) = match operator {
        Operator::Eq => ("$ >= ? AND $ < ?", vec![from.into(), after.into()]),
        Operator::Gt => ("$ >= ?", vec![after.into()]),
        Operator::Ge => ("$ >= ?", vec![from.into()]),
        Operator::Lt => ("$ < ?", vec![from.into()]),
        Operator::Le => ("$ < ?", vec![after.into()]),
        _ => return None,
    };
    Some(Test { text: text.into(), parameters, reach: Reach::Range, is_exact: true })
}

fn sign(operator: Operator) -> Option<&'static str> {
    match operator {
        Operator::Eq => Some("="),
        Operator::Gt => Some(">"),
        Operator::Ge => Some(">="),
        Operator::Lt => Some("<"),
        Operator::Le => Some("<="),
        _ => None,
    }
}
