//! A SCIM request, read: path, query, conditions, body, media types.

use crate::scim::error::shorten;
use crate::scim::list::Parameters;
use crate::scim::schema::Reading;
use crate::scim::{Error, json};
use http::request::Parts;
use http::{HeaderMap, Method, header};
use serde_json::{Map, Value};

/// SCIM's own media type (RFC 7644 section 3.1), sent without a parameter:
/// Entra and published checkers compare it whole.
pub const SCIM_JSON: &str = "application/scim+json";
const PLAIN_JSON: &str = "application/json";
/// SCIM's media type the wrong way round, as clients in the field have it.
const REVERSED_JSON: &str = "application/json+scim";

/// Bytes in the body of a group, where 100,000 members fit, or of a bulk
/// request (`maxPayloadSize`).
pub(super) const LARGE_BODY_BYTES_MAX: usize = 8 << 20;
/// Bytes in any other body; a User with a photograph inline has a tenth.
const BODY_BYTES_MAX: usize = 1 << 20;

/// A request, ready to be answered.
pub(super) struct Ask {
    /// The method.
    pub(super) method: Method,
    /// What follows `/scim/v2`, split at slashes. A base URL that was pasted
    /// with a slash at its end makes an empty segment, which is left out.
    pub(super) segments: Vec<String>,
    /// The query.
    pub(super) parameters: Parameters,
    /// The media type of the answer.
    pub(super) media_type: &'static str,
    /// `If-Match`.
    pub(super) if_match: Option<String>,
    /// `If-None-Match`.
    pub(super) if_none_match: Option<String>,
    /// Whether the client asked for no body back (RFC 7240 section 4.2).
    pub(super) wants_minimal: bool,
    body: Vec<u8>,
    body_type: BodyType,
}

/// What the request says of its body.
enum BodyType {
    Json,
    Refused(String),
}

impl Ask {
    /// Reads a request whose path is below `/scim/v2`.
    ///
    /// # Errors
    /// 406 if no media type of ours is acceptable; 404 for an empty segment in
    /// the path where the team reads strictly.
    pub(super) fn read(head: &Parts, body: Vec<u8>, reading: Reading) -> Result<Self, Error> {
        let path = head.uri.path().strip_prefix("/scim/v2").unwrap_or_default();
        if reading.is_strict() && (path.contains("//") || path.len() > 1 && path.ends_with('/')) {
            let detail = "there is no such endpoint: the path has an empty segment";
            return Err(Error::status_only(404, detail));
        }
        let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
        let media_type = accepted(&head.headers).ok_or_else(|| {
            Error::status_only(406, format!("answers are `{SCIM_JSON}` or `{PLAIN_JSON}`"))
        })?;
        let prefer = text(header::HeaderName::from_static("prefer")).unwrap_or_default();
        Ok(Self {
            method: head.method.clone(),
            segments: path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect(),
            parameters: Parameters::parse(head.uri.query().unwrap_or_default()),
            media_type,
            if_match: text(header::IF_MATCH).map(str::to_owned),
            if_none_match: text(header::IF_NONE_MATCH).map(str::to_owned),
            wants_minimal: prefer
                .split([',', ';'])
                .any(|word| word.trim().eq_ignore_ascii_case("return=minimal")),
            body,
            body_type: body_type(&head.headers, reading),
        })
    }

    /// The body as a JSON object.
    ///
    /// # Errors
    /// 415 for another media type, 413 above the endpoint's limit, 400
    /// `invalidSyntax`.
    pub(super) fn object(&self) -> Result<Map<String, Value>, Error> {
        if let BodyType::Refused(why) = &self.body_type {
            return Err(Error::status_only(415, why.as_str()));
        }
        let is_large = |name: &String| name == "Groups" || name == "Bulk";
        let is_large = self.segments.first().is_some_and(is_large);
        let bytes_max = if is_large { LARGE_BODY_BYTES_MAX } else { BODY_BYTES_MAX };
        if self.body.len() > bytes_max {
            return Err(Error::status_only(
                413,
                format!("the body has more than the {bytes_max} bytes that are read here"),
            ));
        }
        json::parse_object(&self.body)
    }
}

/// The media type for answers to these headers; SCIM's own where they leave
/// no choice, so that errors too have one.
pub(super) fn media_type(headers: &HeaderMap) -> &'static str {
    accepted(headers).unwrap_or(SCIM_JSON)
}

/// The media type that `Accept` asks for: `application/json` only if it names
/// that and nothing that SCIM's own satisfies.
fn accepted(headers: &HeaderMap) -> Option<&'static str> {
    let mut ranges = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|range| range.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
        .filter(|range| !range.is_empty())
        .peekable();
    if ranges.peek().is_none() {
        return Some(SCIM_JSON);
    }
    let mut plain = None;
    for range in ranges {
        match range.as_str() {
            SCIM_JSON | "*/*" | "application/*" => return Some(SCIM_JSON),
            PLAIN_JSON => plain = Some(PLAIN_JSON),
            _ => {}
        }
    }
    plain
}

fn body_type(headers: &HeaderMap, reading: Reading) -> BodyType {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(encoding) = text(header::CONTENT_ENCODING)
        && !encoding.eq_ignore_ascii_case("identity")
    {
        return BodyType::Refused(format!(
            "send the body as it is; `Content-Encoding: {}` is not read",
            shorten(encoding)
        ));
    }
    let Some(value) = text(header::CONTENT_TYPE) else {
        return BodyType::Refused(format!("a body needs `Content-Type: {SCIM_JSON}`"));
    };
    let mut parts = value.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let tolerated = if reading.is_strict() { SCIM_JSON } else { REVERSED_JSON };
    if ![SCIM_JSON, PLAIN_JSON, tolerated].iter().any(|own| own.eq_ignore_ascii_case(essence)) {
        return BodyType::Refused(format!(
            "bodies are read as `{SCIM_JSON}` or `{PLAIN_JSON}`, not `{}`",
            shorten(essence)
        ));
    }
    let charset = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    });
    match charset {
        Some(charset) if !["utf-8", "utf8"].iter().any(|own| own.eq_ignore_ascii_case(charset)) => {
            BodyType::Refused(format!("JSON is UTF-8, not `{}`", shorten(charset)))
        }
        _ => BodyType::Json,
    }
}
