//! Lists (RFC 7644 sections 3.4.2 and 3.4.2.4): the query and the response.

use super::error::shorten;
use super::filter::{self, Filter};
use super::project::Projection;
use super::schema::ResourceType;
use super::sort::Sort;
use super::{Error, ScimType, urn};
use serde_json::{Map, Value};

/// Resources on a page when the client does not say: authentik and Keycloak
/// page without `count`.
pub const PAGE_DEFAULT: i64 = 100;
/// Resources on a page at most: `filter.maxResults`. With members left to a
/// request of their own, a page stays under a megabyte.
pub const PAGE_MAX: i64 = 200;

/// What a list request asks for.
#[derive(Debug)]
pub struct Query<'s> {
    /// Which resources.
    pub filter: Option<Filter<'s>>,
    /// In which order; the order of creation if `None`.
    pub sort: Option<Sort<'s>>,
    /// Where the page begins.
    pub paging: Paging,
    /// How many to show at most.
    pub count: i64,
    /// What the query is, as [`Parameters::identity`] has it.
    pub identity: String,
    /// Which of their attributes.
    pub projection: Projection<'s>,
}

/// How a client finds its way through the pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Paging {
    /// By the index of the first result, counted from 1 (RFC 7644 section
    /// 3.4.2.4). The default, because clients from before cursors expect it.
    Index(i64),
    /// By what the last page said (RFC 9865 section 2); empty for the first.
    Cursor(String),
}

/// The query parameters, decoded, in the order in which they came. Those that
/// nobody defined are ignored (Entra adds `aadOptscim062020` to every URL).
#[derive(Debug, Default)]
pub struct Parameters(pub Vec<(String, String)>);

impl Parameters {
    /// Decodes a query string.
    pub fn parse(query: &str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// Reads the body of a search by POST, whose members are the parameters
    /// of a GET (RFC 7644 section 3.4.3).
    ///
    /// # Errors
    /// 400 `invalidSyntax` for a body that is no search request.
    pub fn from_search(body: Map<String, Value>) -> Result<Self, Error> {
        let mut parameters = Vec::new();
        let mut is_search = false;
        for (name, value) in body {
            let text = match value {
                Value::Array(values) if name.eq_ignore_ascii_case("schemas") => {
                    is_search = values.iter().any(|urn| urn == urn::SEARCH_REQUEST);
                    continue;
                }
                Value::Null => continue,
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                Value::Array(names) if names.iter().all(Value::is_string) => {
                    names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")
                }
                _ => {
                    return Err(Error::invalid_syntax(format!(
                        "`{}` must be a string, a number or a list of names",
                        shorten(&name)
                    )));
                }
            };
            parameters.push((name, text));
        }
        if !is_search {
            let urn = urn::SEARCH_REQUEST;
            let detail = format!("a search must name `{urn}` in `schemas`");
            return Err(Error::invalid_syntax(detail));
        }
        Ok(Self(parameters))
    }

    /// All that makes the query what it is: every parameter but the cursor.
    /// Two requests with the same are pages of the same.
    pub fn identity(&self) -> String {
        let mut all = self.without("cursor").0;
        all.sort();
        form_urlencoded::Serializer::new(String::new()).extend_pairs(all).finish()
    }

    /// The parameter of this name, ignoring case.
    ///
    /// # Errors
    /// 400 `invalidValue` if it is given twice.
    pub fn get(&self, name: &str) -> Result<Option<&str>, Error> {
        let mut named = self.0.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
        let first = named.next().map(|(_, value)| value.as_str());
        match named.next() {
            None => Ok(first),
            Some(_) => Err(Error::invalid_value(format!("`{name}` is given twice"))),
        }
    }

    /// All parameters but those of this name.
    #[must_use]
    pub fn without(&self, name: &str) -> Self {
        let others = self.0.iter().filter(|(own, _)| !own.eq_ignore_ascii_case(name));
        Self(others.cloned().collect())
    }

    /// The projection that the parameters ask for.
    ///
    /// # Errors
    /// As [`Projection::parse`].
    pub fn projection<'s>(&self, resource_type: &'s ResourceType) -> Result<Projection<'s>, Error> {
        let attributes = self.get("attributes")?;
        Projection::parse(resource_type, attributes, self.get("excludedAttributes")?)
    }
}

impl<'s> Query<'s> {
    /// Reads the parameters of a list of resources of one type.
    ///
    /// # Errors
    /// 400 `invalidFilter`, `invalidPath` or `invalidValue`, 403 `sensitive`.
    pub fn parse(resource_type: &'s ResourceType, parameters: &Parameters) -> Result<Self, Error> {
        Self::parse_among(resource_type, None, parameters)
    }

    /// As [`Query::parse`], for one of two types that a query is about: its
    /// filter may name what only the `other` has.
    ///
    /// # Errors
    /// As [`Query::parse`].
    pub fn parse_among(
        resource_type: &'s ResourceType,
        other: Option<&'s ResourceType>,
        parameters: &Parameters,
    ) -> Result<Self, Error> {
        let filter = match parameters.get("filter")? {
            // An empty filter is refused like any other that says nothing: a
            // client that looks someone up would adopt whoever came first.
            Some(text) => Some(filter::parse_among(resource_type, other, text)?),
            None => None,
        };
        // RFC 7644 section 3.4.2.4: a start below 1 is 1, a count below 0 is 0.
        let count = whole(parameters, "count");
        let (paging, count) = match parameters.get("cursor")? {
            Some(cursor) => {
                let count = count.map_err(|error| error.as_type(ScimType::InvalidCount))?;
                (Paging::Cursor(cursor.to_owned()), count)
            }
            None => {
                let start_index = whole(parameters, "startIndex")?.unwrap_or(1).max(1);
                (Paging::Index(start_index), count?)
            }
        };
        let count = count.unwrap_or(PAGE_DEFAULT).clamp(0, PAGE_MAX);
        let (by, order) = (parameters.get("sortBy")?, parameters.get("sortOrder")?);
        Ok(Self {
            filter,
            sort: Sort::parse(resource_type, by, order)?,
            paging,
            count,
            identity: parameters.identity(),
            projection: parameters.projection(resource_type)?,
        })
    }
}

/// A whole number; one too large for us is as good as the largest.
fn whole(parameters: &Parameters, name: &str) -> Result<Option<i64>, Error> {
    let Some(text) = parameters.get(name)?.map(str::trim) else { return Ok(None) };
    if text.is_empty() {
        return Ok(None);
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Error::invalid_value(format!(
            "`{name}` must be a whole number, not `{}`",
            shorten(text)
        )));
    }
    let too_large = if text.starts_with('-') { i64::MIN } else { i64::MAX };
    Ok(Some(text.parse().unwrap_or(too_large)))
}

/// One page of results.
#[derive(Debug, Default)]
pub struct Page {
    /// How many resources match in all.
    pub total: i64,
    /// The resources shown, each as its JSON text.
    pub resources: Vec<String>,
    /// The index of the first, where the client pages by index.
    pub start_index: Option<i64>,
    /// The way to the next page; none from the last.
    pub next_cursor: Option<String>,
    /// The way back; none from the first.
    pub previous_cursor: Option<String>,
}

impl Page {
    /// The text of the ListResponse message of RFC 7644 section 3.4.2, with the
    /// attributes that RFC 9865 section 2 adds.
    pub fn to_json(&self) -> String {
        let mut text =
            format!("{{\"schemas\":[\"{}\"],\"totalResults\":{}", urn::LIST_RESPONSE, self.total);
        if let Some(start_index) = self.start_index {
            text.push_str(&format!(",\"startIndex\":{start_index}"));
        }
        text.push_str(&format!(",\"itemsPerPage\":{}", self.resources.len()));
        // A cursor has letters, digits, `-` and `_` alone.
        let cursors =
            [("previousCursor", &self.previous_cursor), ("nextCursor", &self.next_cursor)];
        for (name, cursor) in cursors {
            if let Some(cursor) = cursor {
                text.push_str(&format!(",\"{name}\":\"{cursor}\""));
            }
        }
        text.push_str(",\"Resources\":[");
        text.push_str(&self.resources.join(","));
        text.push_str("]}");
        text
    }
}
