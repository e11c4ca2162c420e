//! Text to filter: recursive descent over the grammar of RFC 7644 section
//! 3.4.2.2, Figure 1.
//!
//! Budgets are charged while parsing, so that a hostile filter costs no more
//! than its first excess. Beyond the grammar, `emails[type eq "work"].value
//! eq "x"` is understood (Entra's lookup by e-mail address), as are booleans
//! in quotes and, where there is no mistaking, a missing space; not in a team
//! that reads strictly.

use super::{Filter, Literal, Operator, Text, fold};
use crate::scim::error::shorten;
use crate::scim::path::{self, Path};
use crate::scim::schema::{Attribute, Reading, ResourceType, Returned, Type};
use crate::scim::{Error, ScimType, Timestamp};
use serde_json::Value;

/// Bytes in a filter. A lookup needs a hundred; a URL holds 16 KiB.
pub const TEXT_BYTES_MAX: usize = 4096;
/// Nested parentheses, `not`s and value paths: well under the depth of 100
/// that SQLite allows the expression made from it.
const DEPTH_MAX: usize = 32;
/// Comparisons in one filter: each may take one of 100 bound parameters.
const TERMS_MAX: usize = 64;

/// Parses a filter on resources of a type.
///
/// # Errors
/// 400 `invalidFilter`, with the position of the first thing that is wrong.
pub fn parse<'s>(resource_type: &'s ResourceType, text: &str) -> Result<Filter<'s>, Error> {
    parse_among(resource_type, None, text)
}

/// As [`parse`], for a filter over two types (RFC 7644 section 3.4.2.1): what
/// only the `other` has, no resource of this type has a value of.
///
/// # Errors
/// As [`parse`].
pub fn parse_among<'s>(
    resource_type: &'s ResourceType,
    other: Option<&'s ResourceType>,
    text: &str,
) -> Result<Filter<'s>, Error> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(Error::invalid_filter(format!(
            "the filter has {} bytes; at most {TEXT_BYTES_MAX} are accepted",
            text.len()
        )));
    }
    let (scope, reading) = (Scope::Resource(resource_type), resource_type.reading);
    let mut parser = Parser { text, rest: text, terms: 0, scope, other, reading };
    let filter = parser.or(0)?;
    parser.skip_spaces();
    if !parser.rest.is_empty() {
        return Err(parser.wrong("expected `and`, `or` or the end of the filter"));
    }
    Ok(filter)
}

/// Parses the filter of a value path, `type eq "work"` in
/// `emails[type eq "work"].value`, and returns what follows its `]`. `rest`
/// begins after the `[` and is the end of `text`.
///
/// # Errors
/// 400 `invalidFilter`, positions counted from the beginning of `text`.
pub fn in_value_path<'s, 't>(
    attribute: &'s Attribute,
    text: &'t str,
    rest: &'t str,
    reading: Reading,
) -> Result<(Filter<'s>, &'t str), Error> {
    let scope = Scope::Element(attribute);
    let mut parser = Parser { text, rest, terms: 0, scope, other: None, reading };
    let filter = parser.or(0)?;
    parser.expect(']')?;
    Ok((filter, parser.rest))
}

/// What attribute names are looked up in.
#[derive(Clone, Copy)]
enum Scope<'s> {
    /// A resource.
    Resource(&'s ResourceType),
    /// One element of a complex attribute.
    Element(&'s Attribute),
}

struct Parser<'s, 't> {
    text: &'t str,
    rest: &'t str,
    terms: usize,
    scope: Scope<'s>,
    /// A type whose attributes may be named although this one lacks them.
    other: Option<&'s ResourceType>,
    reading: Reading,
}

impl<'s, 't> Parser<'s, 't> {
    fn or(&mut self, depth: usize) -> Result<Filter<'s>, Error> {
        let mut terms = vec![self.and(depth)?];
        while self.keyword("or") {
            terms.push(self.and(depth)?);
        }
        Ok(one_or(terms, Filter::Or))
    }

    fn and(&mut self, depth: usize) -> Result<Filter<'s>, Error> {
        let mut terms = vec![self.unary(depth)?];
        while self.keyword("and") {
            terms.push(self.unary(depth)?);
        }
        Ok(one_or(terms, Filter::And))
    }

    fn unary(&mut self, depth: usize) -> Result<Filter<'s>, Error> {
        if depth == DEPTH_MAX {
            return Err(self.wrong(&format!("filters may nest {DEPTH_MAX} deep, not deeper")));
        }
        let deeper = depth.saturating_add(1);
        if self.take('(') {
            let inner = self.or(deeper)?;
            self.expect(')')?;
            return Ok(inner);
        }
        let before = self.rest;
        if self.keyword("not") {
            if self.take('(') {
                let inner = self.or(deeper)?;
                self.expect(')')?;
                return Ok(Filter::Not(Box::new(inner)));
            }
            self.rest = before;
        }
        self.attribute_expression(deeper)
    }

    fn attribute_expression(&mut self, depth: usize) -> Result<Filter<'s>, Error> {
        self.terms = self.terms.saturating_add(1);
        if self.terms > TERMS_MAX {
            return Err(self.wrong(&format!("a filter may hold {TERMS_MAX} comparisons, not more")));
        }
        self.skip_spaces();
        let start = self.rest;
        let name = self.word();
        if name.is_empty() {
            return Err(self.wrong("expected an attribute name"));
        }
        let (path, is_foreign) = match (self.resolve(name), self.foreign(name)) {
            (Ok(path), _) => (path, false),
            (Err(_), Some(path)) => (path, true),
            (Err(what), None) => return Err(self.wrong_at(start, &what)),
        };
        if path.leaf().returned == Returned::Never {
            return Err(sensitive(&path));
        }
        let found = match self.rest.starts_with('[') {
            true => self.value_path(path, start, depth)?,
            false => self.comparison(path, start)?,
        };
        Ok(if is_foreign { without_value(&found) } else { found })
    }

    /// The attribute of this name in the other type.
    fn foreign(&self, name: &str) -> Option<Path<'s>> {
        match (self.scope, self.other) {
            (Scope::Resource(_), Some(other)) => path::resolve_attribute(other, name).ok(),
            _ => None,
        }
    }

    fn value_path(
        &mut self,
        path: Path<'s>,
        start: &str,
        depth: usize,
    ) -> Result<Filter<'s>, Error> {
        if path.sub.is_some() || path.attribute.kind != Type::Complex {
            return Err(self.wrong_at(start, "only a complex attribute takes a `[…]` filter"));
        }
        self.take('[');
        let outer = self.scope;
        self.scope = Scope::Element(path.attribute);
        let mut inner = self.or(depth)?;
        self.expect(']')?;
        if let Some(rest) = self.rest.strip_prefix('.')
            && !self.reading.is_strict()
        {
            self.rest = rest;
            let start = self.rest;
            let name = self.word();
            let sub = self.resolve(name).map_err(|what| self.wrong_at(start, &what))?;
            inner = Filter::And(vec![inner, self.comparison(sub, start)?]);
        }
        self.scope = outer;
        Ok(Filter::Element(path, Box::new(inner)))
    }

    /// The operator and literal after an attribute.
    fn comparison(&mut self, path: Path<'s>, start: &str) -> Result<Filter<'s>, Error> {
        self.skip_spaces();
        let operator_start = self.rest;
        let word = self.word();
        if word.eq_ignore_ascii_case("pr") {
            return Ok(Filter::Present(path));
        }
        let operator = Operator::named(word).ok_or_else(|| {
            let found =
                if word.is_empty() { "nothing".into() } else { format!("`{}`", shorten(word)) };
            self.wrong_at(
                operator_start,
                &format!("expected one of eq ne co sw ew pr gt ge lt le, found {found}"),
            )
        })?;
        let path = path.comparable().ok_or_else(|| {
            self.wrong_at(start, &format!("`{path}` is complex; compare one of its sub-attributes"))
        })?;
        if self.reading.is_strict() && !self.rest.starts_with(' ') {
            return Err(self.wrong("expected a space and a value to compare with"));
        }
        self.skip_spaces();
        let literal_start = self.rest;
        let value = self.json_literal()?;
        let literal = typed(path, operator, &value, self.reading)
            .map_err(|what| self.wrong_at(literal_start, &what))?;
        Ok(Filter::Compare(path, operator, literal))
    }

    fn resolve(&self, name: &str) -> Result<Path<'s>, String> {
        match self.scope {
            Scope::Resource(resource_type) => path::resolve_attribute(resource_type, name),
            Scope::Element(parent) => match parent.sub(name) {
                Some(attribute) => Ok(Path { extension: None, attribute, sub: None }),
                None => {
                    Err(format!("`{}` is not a sub-attribute of `{}`", shorten(name), parent.name))
                }
            },
        }
    }

    /// A JSON string, number, `true`, `false` or `null`.
    fn json_literal(&mut self) -> Result<Value, Error> {
        let text = if self.rest.starts_with('"') {
            let end = end_of_string(self.rest)
                .ok_or_else(|| self.wrong("this string has no closing double quote"))?;
            self.advance(end)
        } else {
            let start = self.rest;
            let word = self.word();
            if word.is_empty() {
                return Err(self.wrong_at(start, "expected a value to compare with"));
            }
            word
        };
        let mut value: Option<Value> = serde_json::from_str(text).ok();
        // `True` and `NULL`; a text is what it is.
        if value.is_none() && !text.starts_with('"') && !self.reading.is_strict() {
            value = serde_json::from_str(&text.to_ascii_lowercase()).ok();
        }
        value.ok_or_else(|| {
            self.wrong(&format!("`{}` is no value; put text in double quotes", shorten(text)))
        })
    }

    /// Everything up to a space, bracket or quote.
    fn word(&mut self) -> &'t str {
        let ends = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | '[' | ']' | '"');
        let end = self.rest.find(ends).unwrap_or(self.rest.len());
        // `emails[…].value` begins its word after the dot; see value_path.
        self.advance(end)
    }

    fn advance(&mut self, bytes: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, wanted: char) -> bool {
        let after = self.rest.trim_start().strip_prefix(wanted);
        if let Some(rest) = after {
            self.rest = rest;
        }
        after.is_some()
    }

    fn expect(&mut self, wanted: char) -> Result<(), Error> {
        if self.take(wanted) {
            return Ok(());
        }
        self.skip_spaces();
        Err(self.wrong(&format!("expected `and`, `or` or `{wanted}`")))
    }

    fn keyword(&mut self, wanted: &str) -> bool {
        let before = self.rest;
        self.skip_spaces();
        if self.word().eq_ignore_ascii_case(wanted) {
            return true;
        }
        self.rest = before;
        false
    }

    fn wrong(&self, what: &str) -> Error {
        self.wrong_at(self.rest, what)
    }

    /// An error at where `rest` begins, counted in characters from 1.
    fn wrong_at(&self, rest: &str, what: &str) -> Error {
        let bytes = self.text.len().saturating_sub(rest.len());
        let position = self.text.get(..bytes).map_or(0, |before| before.chars().count());
        Error::invalid_filter(format!("filter, position {}: {what}", position.saturating_add(1)))
    }
}

fn one_or<'s>(
    mut terms: Vec<Filter<'s>>,
    many: impl FnOnce(Vec<Filter<'s>>) -> Filter<'s>,
) -> Filter<'s> {
    match (terms.len(), terms.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            terms.extend(last);
            many(terms)
        }
    }
}

/// What becomes of a comparison with an attribute that has no value: it matches
/// nothing, and its opposite everything. No alternative of none is ever true.
fn without_value<'s>(comparison: &Filter<'_>) -> Filter<'s> {
    let never = Filter::Or(Vec::new());
    match comparison {
        Filter::Compare(_, Operator::Ne, literal) if *literal != Literal::Null => {
            Filter::Not(Box::new(never))
        }
        Filter::Compare(_, Operator::Eq, Literal::Null) => Filter::Not(Box::new(never)),
        _ => never,
    }
}

/// RFC 7644 section 7.5.2: what may never be read may not be asked for in a
/// URL either, where logs and proxies keep it.
fn sensitive(path: &Path<'_>) -> Error {
    Error::of(ScimType::Sensitive, format!("`{path}` must not be part of a URL"))
}

/// Where the JSON string at the start of `text` ends, its quotes included.
fn end_of_string(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (index, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return index.checked_add(1),
            _ => {}
        }
    }
    None
}

/// Reads "true" and "false" in any case, and "1" and "0": Entra and templates
/// of OneLogin send booleans as text.
pub fn boolean_text(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

fn typed(
    path: Path<'_>,
    operator: Operator,
    value: &Value,
    reading: Reading,
) -> Result<Literal, String> {
    let attribute = path.leaf();
    let kind = attribute.kind;
    if (operator.is_ordering() && matches!(kind, Type::Boolean | Type::Binary))
        || (operator.is_substring()
            && matches!(kind, Type::Boolean | Type::Integer | Type::Decimal))
    {
        return Err(format!(
            "`{}` cannot compare the {} `{path}`",
            operator.name(),
            type_name(kind)
        ));
    }
    let mismatch = || format!("`{path}` is a {}; this value is not", type_name(kind));
    match (kind, value) {
        (_, Value::Null) if matches!(operator, Operator::Eq | Operator::Ne) => Ok(Literal::Null),
        (Type::Boolean, Value::Bool(value)) => Ok(Literal::Boolean(*value)),
        (Type::Boolean, Value::String(text)) if !reading.is_strict() => {
            boolean_text(text).map(Literal::Boolean).ok_or_else(mismatch)
        }
        (Type::Integer | Type::Decimal, Value::Number(number)) => {
            number.as_f64().map(Literal::Number).ok_or_else(mismatch)
        }
        (Type::DateTime, Value::String(text)) if !operator.is_substring() => Timestamp::parse(text)
            .map(Literal::Time)
            .ok_or_else(|| format!("`{path}` is a dateTime; write it as \"2026-11-23T21:05:17Z\"")),
        (Type::DateTime, Value::String(text)) => Ok(Literal::Text(text_of(text, true))),
        (Type::String | Type::Reference | Type::Binary, Value::String(text)) => {
            Ok(Literal::Text(text_of(text, attribute.case_exact)))
        }
        (Type::String | Type::Reference | Type::Binary | Type::DateTime, _) => {
            Err(format!("`{path}` is a {}; put its value in double quotes", type_name(kind)))
        }
        _ => Err(mismatch()),
    }
}

fn text_of(given: &str, case_exact: bool) -> Text {
    let key = if case_exact { given.to_owned() } else { fold(given) };
    Text { given: given.to_owned(), key }
}

fn type_name(kind: Type) -> &'static str {
    match kind {
        Type::String => "string",
        Type::Boolean => "boolean",
        Type::Decimal => "decimal",
        Type::Integer => "integer",
        Type::DateTime => "dateTime",
        Type::Binary => "binary",
        Type::Reference => "reference",
        Type::Complex => "complex attribute",
    }
}
