//! The error that goes on the wire (RFC 7644 section 3.12).
//!
//! An [`Error`] is written for the administrator who reads the identity
//! provider's log: it says what was wrong, where in their input, and what to
//! change. Faults of our own are not here: see `directory::Fault`.

use serde_json::{Map, Value};
use std::fmt;

/// The `schemas` URN of an error message.
pub const ERROR_URN: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// A detail error keyword, RFC 7644 section 3.12, Table 9.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScimType {
    /// The filter syntax was invalid, or the attribute cannot be compared so.
    InvalidFilter,
    /// The filter yields more results than the server is willing to compute.
    TooMany,
    /// A unique attribute value is already in use.
    Uniqueness,
    /// The modification is not compatible with the attribute's mutability.
    Mutability,
    /// The request body's structure was invalid.
    InvalidSyntax,
    /// The `path` of a PATCH operation was malformed.
    InvalidPath,
    /// The `path` yielded no attribute that could be operated on.
    NoTarget,
    /// A required value was missing, or a value did not fit the attribute.
    InvalidValue,
    /// The protocol version asked for is not supported.
    InvalidVers,
    /// The cursor is none of ours, or belongs to another query (RFC 9865
    /// section 2.1).
    InvalidCursor,
    /// The cursor is too old (RFC 9865 section 2.1).
    ExpiredCursor,
    /// The count is no number, or not that of the first page (RFC 9865 section
    /// 2.1).
    InvalidCount,
    /// The request would disclose sensitive information in a URI.
    Sensitive,
}

impl ScimType {
    /// The keyword as Table 9 spells it.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::InvalidFilter => "invalidFilter",
            Self::TooMany => "tooMany",
            Self::Uniqueness => "uniqueness",
            Self::Mutability => "mutability",
            Self::InvalidSyntax => "invalidSyntax",
            Self::InvalidPath => "invalidPath",
            Self::NoTarget => "noTarget",
            Self::InvalidValue => "invalidValue",
            Self::InvalidVers => "invalidVers",
            Self::InvalidCursor => "invalidCursor",
            Self::ExpiredCursor => "expiredCursor",
            Self::InvalidCount => "invalidCount",
            Self::Sensitive => "sensitive",
        }
    }

    /// The HTTP status that Table 9's keyword goes with.
    fn status(self) -> u16 {
        match self {
            Self::Uniqueness => 409,
            Self::Sensitive => 403,
            _ => 400,
        }
    }
}

/// A refusal in SCIM's own shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    status: u16,
    scim_type: Option<ScimType>,
    detail: String,
}

impl Error {
    /// An error with a Table 9 keyword, which decides the HTTP status.
    pub fn of(scim_type: ScimType, detail: impl Into<String>) -> Self {
        Self { status: scim_type.status(), scim_type: Some(scim_type), detail: detail.into() }
    }

    /// An error with an HTTP status and no keyword.
    pub fn status_only(status: u16, detail: impl Into<String>) -> Self {
        Self { status, scim_type: None, detail: detail.into() }
    }

    /// 400 `invalidFilter`.
    pub fn invalid_filter(detail: impl Into<String>) -> Self {
        Self::of(ScimType::InvalidFilter, detail)
    }

    /// 400 `invalidSyntax`.
    pub fn invalid_syntax(detail: impl Into<String>) -> Self {
        Self::of(ScimType::InvalidSyntax, detail)
    }

    /// 400 `invalidValue`.
    pub fn invalid_value(detail: impl Into<String>) -> Self {
        Self::of(ScimType::InvalidValue, detail)
    }

    /// 400 `invalidPath`.
    pub fn invalid_path(detail: impl Into<String>) -> Self {
        Self::of(ScimType::InvalidPath, detail)
    }

    /// 400 `noTarget`.
    pub fn no_target(detail: impl Into<String>) -> Self {
        Self::of(ScimType::NoTarget, detail)
    }

    /// 400 `mutability`.
    pub fn mutability(detail: impl Into<String>) -> Self {
        Self::of(ScimType::Mutability, detail)
    }

    /// 409 `uniqueness`.
    pub fn uniqueness(detail: impl Into<String>) -> Self {
        Self::of(ScimType::Uniqueness, detail)
    }

    /// 404: no resource of this type has this id.
    pub fn not_found(resource_type: &str, id: &str) -> Self {
        Self::status_only(
            404,
            format!("{resource_type} `{}` does not exist in this team", shorten(id)),
        )
    }

    /// The HTTP status code.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The Table 9 keyword, if the error has one.
    pub fn scim_type(&self) -> Option<ScimType> {
        self.scim_type
    }

    /// The sentence for the administrator.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The same error with another keyword of the same status.
    #[must_use]
    pub fn as_type(mut self, scim_type: ScimType) -> Self {
        self.scim_type = Some(scim_type);
        self
    }

    /// The same error, its detail preceded by where in the request it arose,
    /// as in ``Operations[3]: `foo` is not an attribute of User``.
    #[must_use]
    pub fn at(mut self, place: &str) -> Self {
        self.detail = format!("{place}: {}", self.detail);
        self
    }

    /// The message of RFC 7644 section 3.12. `status` is a string there.
    pub fn to_json(&self) -> Value {
        let mut message = Map::new();
        message.insert("schemas".into(), Value::from(vec![ERROR_URN]));
        if let Some(scim_type) = self.scim_type {
            message.insert("scimType".into(), scim_type.keyword().into());
        }
        message.insert("detail".into(), self.detail.as_str().into());
        message.insert("status".into(), self.status.to_string().into());
        Value::Object(message)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.scim_type {
            Some(scim_type) => {
                write!(f, "{} {}: {}", self.status, scim_type.keyword(), self.detail)
            }
            None => write!(f, "{}: {}", self.status, self.detail),
        }
    }
}

impl std::error::Error for Error {}

/// A client's text, cut so that an error never echoes a megabyte back.
pub fn shorten(text: &str) -> String {
    /// Enough to recognise any id, URN or attribute path by.
    const ECHO_CHARS_MAX: usize = 80;
    if text.chars().count() <= ECHO_CHARS_MAX {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(ECHO_CHARS_MAX).collect();
    cut.push('…');
    cut
}
