//! `/Bulk` (RFC 7644 section 3.7): many changes in one request.
//!
//! Each operation happens whole or not at all, whatever becomes of the others,
//! and operations that refer to each other in a circle happen as one. An
//! operation waits for those whose `bulkId` it names; else the order is the
//! client's. Only a fault of ours undoes the whole request.

use super::answer::{unmet, with_body};
use super::ask::Ask;
use super::resources;
use crate::directory::SqlError;
use crate::directory::audit::{self, Actor};
use crate::directory::render;
use crate::directory::resource::{Kind, Stored};
use crate::directory::{Context, Failure, change};
use crate::scim::bulk::{self, Method, Operation, Refused};
use crate::scim::{Error, urn};
use http::{Response, StatusCode};
use serde_json::{Map, Value, json};
use std::collections::{BTreeSet, HashMap, HashSet};

/// Answers a request to `/Bulk`.
pub(super) fn answer(
    context: &Context<'_>,
    actor: &Actor,
    ask: &Ask,
) -> Result<Response<Vec<u8>>, Failure> {
    if ask.method != http::Method::POST {
        return Ok(unmet(ask, "POST"));
    }
    let request = bulk::parse(ask.object()?)?;
    let results = context.transaction(|| {
        let mut job = Job::new(context, actor, request);
        job.run()?;
        Ok::<_, Failure>(job.results)
    })?;
    let body = json!({
        "schemas": [urn::BULK_RESPONSE],
        // What `failOnErrors` kept from being carried out is not listed.
        "Operations": results.into_iter().flatten().collect::<Vec<_>>(),
    });
    Ok(with_body(StatusCode::OK, ask.media_type, body.to_string()))
}

/// A request being carried out.
struct Job<'a> {
    context: &'a Context<'a>,
    actor: &'a Actor,
    operations: Vec<Result<Operation, Refused>>,
    /// The bulkIds that each operation refers to.
    references: Vec<BTreeSet<String>>,
    results: Vec<Option<Value>>,
    /// The operations that wait, in the client's order.
    waiting: Vec<usize>,
    /// The ids behind bulkIds, as far as they exist.
    ids: HashMap<String, String>,
    /// The bulkIds whose resources may still come to exist.
    expected: HashSet<String>,
    errors_left: usize,
}

impl<'a> Job<'a> {
    fn new(context: &'a Context<'a>, actor: &'a Actor, request: bulk::Request) -> Self {
        let posts = request.operations.iter().flatten().filter(|own| own.method == Method::Post);
        let expected = posts.filter_map(|own| own.bulk_id.clone()).collect();
        let count = request.operations.len();
        let references = |own: &Result<Operation, Refused>| {
            own.as_ref().map(Operation::references).unwrap_or_default()
        };
        Self {
            context,
            actor,
            references: request.operations.iter().map(references).collect(),
            operations: request.operations,
            results: vec![None; count],
            waiting: (0..count).collect(),
            ids: HashMap::new(),
            expected,
            errors_left: request.fail_on_errors.unwrap_or(usize::MAX),
        }
    }

    fn run(&mut self) -> Result<(), Failure> {
        while !self.waiting.is_empty() && self.errors_left > 0 {
            let before = self.waiting.len();
            for index in std::mem::take(&mut self.waiting) {
                if self.errors_left > 0 && !self.try_one(index)? {
                    self.waiting.push(index);
                }
            }
            if self.waiting.len() == before {
                self.run_circle()?;
            }
        }
        Ok(())
    }

    /// Carries an operation out if nothing it refers to is still to come.
    fn try_one(&mut self, index: usize) -> Result<bool, Failure> {
        let Some(operation) = self.operations.get(index) else { return Ok(true) };
        let operation = match operation {
            Ok(operation) => operation,
            Err(Refused { method, bulk_id, target, error }) => {
                let location = target.as_ref().map(|target| {
                    let (endpoint, id) = &**target;
                    render::location(self.context, kind_at(endpoint), id).into()
                });
                let result = refused(method, bulk_id.as_deref(), location, error);
                audit::problem(self.context, self.actor, &format!("{method} in /Bulk"), error)?;
                self.fail_with(index, result);
                return Ok(true);
            }
        };
        let references = self.references.get(index).into_iter().flatten();
        let is_lost = |id: &&String| !self.ids.contains_key(*id) && !self.expected.contains(*id);
        if let Some(lost) = references.clone().find(is_lost) {
            let lost = crate::scim::error::shorten(lost);
            let detail = format!("no resource stands behind `bulkId:{lost}`");
            let operation = operation.clone();
            self.fail(index, &operation, &Error::status_only(409, detail))?;
            return Ok(true);
        }
        if !references.into_iter().all(|id| self.ids.contains_key(id)) {
            return Ok(false);
        }
        let resolved = operation.resolved(&self.ids, false);
        match carry_out(self.context, self.actor, &resolved) {
            Ok(stored) => self.succeed(index, &resolved, stored.as_ref()),
            Err(Failure::Refused(error)) => self.fail(index, &resolved, &error)?,
            Err(fault) => return Err(fault),
        }
        Ok(true)
    }

    /// Everything that waits does so in circles or behind one. What is to be
    /// created is, without the references nobody can follow yet, and then
    /// replaced by what it was to be (RFC 7644 section 3.7.1).
    fn run_circle(&mut self) -> Result<(), Failure> {
        let circle: Vec<(usize, Operation)> = self
            .waiting
            .iter()
            .filter_map(|index| Some((*index, self.operations.get(*index)?.as_ref().ok()?.clone())))
            .filter(|(_, operation)| operation.method == Method::Post)
            .collect();
        self.waiting.retain(|index| !circle.iter().any(|(other, _)| other == index));
        let (context, actor) = (self.context, self.actor);
        let mut ids = self.ids.clone();
        let made = context.transaction(|| {
            for (_, operation) in &circle {
                let stored = carry_out(context, actor, &operation.resolved(&ids, true))?;
                let bulk_id = operation.bulk_id.clone();
                ids.extend(bulk_id.zip(stored.map(|stored| stored.id)));
            }
            let mut made = Vec::with_capacity(circle.len());
            for (_, operation) in &circle {
                let mut whole = operation.resolved(&ids, false);
                whole.method = Method::Put;
                whole.id = operation.bulk_id.as_ref().and_then(|id| ids.get(id)).cloned();
                made.push(carry_out(context, actor, &whole)?);
            }
            Ok::<_, Failure>(made)
        });
        match made {
            Ok(made) => {
                self.ids = ids;
                for ((index, operation), stored) in circle.iter().zip(made) {
                    self.succeed(*index, operation, stored.as_ref());
                }
            }
            Err(Failure::Refused(error)) => {
                let detail = format!("operations that refer to each other: {}", error.detail());
                let error = Error::status_only(409, detail);
                for (index, operation) in &circle {
                    self.fail(*index, operation, &error)?;
                }
            }
            Err(fault) => return Err(fault),
        }
        Ok(())
    }

    fn succeed(&mut self, index: usize, operation: &Operation, stored: Option<&Stored>) {
        let mut result = start(operation.method.name(), operation.bulk_id.as_deref());
        let status = match operation.method {
            Method::Post => "201",
            Method::Put | Method::Patch => "200",
            Method::Delete => "204",
        };
        match stored {
            Some(stored) => {
                let head = render::head(self.context, stored);
                result.insert("version".into(), head.version.tag().into());
                result.insert("location".into(), head.location.into());
                let bulk_id = operation.bulk_id.clone();
                self.ids.extend(bulk_id.map(|bulk_id| (bulk_id, stored.id.clone())));
            }
            None => {
                result.extend(self.location(operation).map(|at| ("location".to_owned(), at)));
            }
        }
        result.insert("status".into(), status.into());
        self.put(index, result);
    }

    fn fail(&mut self, index: usize, operation: &Operation, error: &Error) -> Result<(), SqlError> {
        if operation.method == Method::Post
            && let Some(bulk_id) = &operation.bulk_id
        {
            self.expected.remove(bulk_id);
        }
        let location = self.location(operation);
        let method = operation.method.name();
        let result = refused(method, operation.bulk_id.as_deref(), location, error);
        let name = operation.id.as_deref().or(operation.bulk_id.as_deref()).unwrap_or_default();
        let asked = format!("{method} /{}/{name} in /Bulk", operation.endpoint);
        audit::problem(self.context, self.actor, &asked, error)?;
        self.fail_with(index, result);
        Ok(())
    }

    fn fail_with(&mut self, index: usize, result: Map<String, Value>) {
        self.errors_left = self.errors_left.saturating_sub(1);
        self.put(index, result);
    }

    fn put(&mut self, index: usize, result: Map<String, Value>) {
        if let Some(slot) = self.results.get_mut(index) {
            *slot = Some(result.into());
        }
    }

    /// Where the operation's resource is; nowhere for one that never was.
    fn location(&self, operation: &Operation) -> Option<Value> {
        let id = operation.id.as_deref()?;
        Some(render::location(self.context, kind_of(operation), id).into())
    }
}

fn start(method: &str, bulk_id: Option<&str>) -> Map<String, Value> {
    let mut result = Map::new();
    result.insert("method".into(), method.into());
    result.extend(bulk_id.map(|id| ("bulkId".to_owned(), id.into())));
    result
}

fn refused(
    method: &str,
    bulk_id: Option<&str>,
    location: Option<Value>,
    error: &Error,
) -> Map<String, Value> {
    let mut result = start(method, bulk_id);
    result.extend(location.map(|location| ("location".to_owned(), location)));
    result.insert("response".into(), error.to_json());
    result.insert("status".into(), error.status().to_string().into());
    result
}

fn kind_of(operation: &Operation) -> Kind {
    kind_at(&operation.endpoint)
}

fn kind_at(endpoint: &str) -> Kind {
    if endpoint == "Groups" { Kind::Group } else { Kind::User }
}

fn carry_out(
    context: &Context<'_>,
    actor: &Actor,
    operation: &Operation,
) -> Result<Option<Stored>, Failure> {
    let kind = kind_of(operation);
    let id = operation.id.as_deref().unwrap_or_default();
    let if_match = operation.version.as_deref();
    let data = operation.data.as_object().cloned().unwrap_or_default();
    // One that is refused leaves nothing of itself, and the others as they are.
    context.transaction(|| {
        let stored = match operation.method {
            Method::Post => resources::create(context, actor, kind, data)?,
            Method::Put => resources::replace(context, actor, kind, id, if_match, data)?,
            Method::Patch => resources::patch(context, actor, kind, id, if_match, data)?,
            Method::Delete => {
                change::delete(context, actor, kind, id, if_match)?;
                return Ok(None);
            }
        };
        Ok(Some(stored))
    })
}
