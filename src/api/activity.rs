//! What a provider's request is noted as, see `directory::activity`.

use crate::directory::Context;
use crate::directory::activity::{Activity, Entry, Outcome};
use http::{Method, Request, Response};
use serde_json::Value;

/// Characters of a path that are noted; ids have 36.
const PATH_CHARS_MAX: usize = 120;
/// Characters of a refusal that are noted.
const REASON_CHARS_MAX: usize = 300;

/// A request, as far as it is noted before it is answered.
pub struct Asked {
    entry: Entry,
    /// What kind of question it is, if it is one.
    question: Option<String>,
}

impl Asked {
    /// Of a request that came with this key.
    pub fn of(context: &Context<'_>, key: &str, request: &Request<Vec<u8>>) -> Self {
        let path = request.uri().path();
        let method = request.method();
        let is_search = path.ends_with("/.search");
        let reads = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) || is_search;
        let entry = Entry {
            at: context.now.0,
            key: key.to_owned(),
            method: method.to_string(),
            path: path.chars().take(PATH_CHARS_MAX).collect(),
            status: 0,
            reason: String::new(),
            client: context.origin.client.clone(),
            request_id: context.origin.request_id.clone(),
        };
        Self { entry, question: reads.then(|| question(path).to_owned()) }
    }

    /// Notes it with its answer, or none if something of ours went wrong.
    /// Returns whether it is the first that waits to be stored.
    pub fn note(self, activity: &Activity, answer: Option<&Response<Vec<u8>>>) -> bool {
        let Self { mut entry, question } = self;
        entry.status = answer.map_or(500, |answer| answer.status().as_u16());
        let outcome = match (entry.status, question) {
            (400.., _) => Outcome::Failed,
            (_, Some(question)) => Outcome::Read(question),
            (_, None) => Outcome::Written,
        };
        if outcome == Outcome::Failed {
            entry.reason = answer.map(reason).unwrap_or_default();
        }
        activity.note(outcome, entry)
    }
}

/// What is asked, without what it is asked about.
fn question(path: &str) -> &'static str {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty()).skip(2);
    match (segments.next(), segments.next()) {
        (Some("Users"), None | Some(".search")) => "list of users",
        (Some("Users"), Some(_)) => "one user",
        (Some("Groups"), None | Some(".search")) => "list of groups",
        (Some("Groups"), Some(_)) => "one group",
        (None | Some(".search"), _) => "list of everything",
        _ => "discovery",
    }
}

/// The sentence of a refusal.
fn reason(answer: &Response<Vec<u8>>) -> String {
    let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    let detail = body.get("detail").and_then(Value::as_str).unwrap_or_default();
    detail.chars().take(REASON_CHARS_MAX).collect()
}
