//! The team API, `/teams/{team}/v1`: a team's admins run their team.
//!
//! One table of routes, one way to read a body, one shape of errors. The
//! Worker has seen to it that the credential is an admin token of this very
//! team with a good tag; here it is found out whether it still opens anything.

mod schemas;
mod settings;

use super::answered::{After, Answered};
use super::route::{Captures, Found, Route, find};
use super::{bearer, body, problem};
use crate::directory::audit::{self, Actor};
use crate::directory::credential::{Credential, Kind as CredentialKind, Minted};
use crate::directory::keys::{self, Key};
use crate::directory::problem::{Kind, Problem};
use crate::directory::sso::{self, Method as SsoMethod, Settings};
use crate::directory::team::{self, Team};
use crate::directory::team_id::TeamId;
use crate::directory::{Context, Failure, tokens};
use crate::scim::Timestamp;
use crate::scim::list::Parameters;
use http::{Method, Request, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use std::cell::Cell;

/// A request of an admin, on its way to an endpoint.
pub struct Call<'a> {
    context: &'a Context<'a>,
    team: Team,
    id: TeamId,
    actor: Actor,
    captures: Captures<'a>,
    parameters: Parameters,
    body: Vec<u8>,
    /// What the runtime has to do besides answering.
    after: &'a Cell<After>,
}

type Answer = Result<Response<Vec<u8>>, Failure<Problem>>;
/// What answers a call.
pub type Handler = fn(&Call<'_>) -> Answer;

/// The endpoints.
pub const ROUTES: &[Route<Handler>] = &[
    Route { method: Method::GET, pattern: "/teams/{team}/v1", handler: read_team },
    Route { method: Method::GET, pattern: "/teams/{team}/v1/sso", handler: list_sso },
    Route { method: Method::PUT, pattern: "/teams/{team}/v1/sso/{method}", handler: put_sso },
    Route { method: Method::DELETE, pattern: "/teams/{team}/v1/sso/{method}", handler: delete_sso },
    Route { method: Method::GET, pattern: "/teams/{team}/v1/scim", handler: read_scim },
    Route { method: Method::POST, pattern: "/teams/{team}/v1/scim/enable", handler: enable_scim },
    Route { method: Method::POST, pattern: "/teams/{team}/v1/scim/disable", handler: disable_scim },
    Route { method: Method::GET, pattern: "/teams/{team}/v1/scim/keys", handler: list_keys },
    Route { method: Method::POST, pattern: "/teams/{team}/v1/scim/keys", handler: generate_key },
    Route {
        method: Method::POST,
        pattern: "/teams/{team}/v1/scim/keys/{key}/regenerate",
        handler: regenerate_key,
    },
    Route {
        method: Method::DELETE,
        pattern: "/teams/{team}/v1/scim/keys/{key}",
        handler: revoke_key,
    },
    Route {
        method: Method::GET,
        pattern: "/teams/{team}/v1/scim/schemas",
        handler: schemas::list_all,
    },
    Route {
        method: Method::PUT,
        pattern: "/teams/{team}/v1/scim/schemas/{urn}",
        handler: schemas::register,
    },
    Route {
        method: Method::DELETE,
        pattern: "/teams/{team}/v1/scim/schemas/{urn}",
        handler: schemas::remove,
    },
    Route { method: Method::GET, pattern: "/teams/{team}/v1/settings", handler: settings::read },
    Route {
        method: Method::PATCH,
        pattern: "/teams/{team}/v1/settings",
        handler: settings::change,
    },
    Route { method: Method::GET, pattern: "/teams/{team}/v1/audit", handler: list_audit },
];

/// Answers a request to the team API.
pub fn handle(context: &Context<'_>, name: &TeamId, request: Request<Vec<u8>>) -> Answered {
    let after = Cell::new(After::Nothing);
    let answered = Answered::of_problem(answer(context, name, request, &after));
    Answered { after: after.get(), ..answered }
}

fn answer(
    context: &Context<'_>,
    name: &TeamId,
    request: Request<Vec<u8>>,
    after: &Cell<After>,
) -> Answer {
    let (head, body) = request.into_parts();
    let credential = bearer::token(&head.headers)
        .and_then(|text| Credential::read(&context.deployment.signing, text))
        .filter(|credential| credential.kind == CredentialKind::Admin && credential.team == *name)
        .ok_or_else(problem::unauthorized)?;
    let holder = tokens::authenticate(context, &credential)?;
    let admin = holder.and_then(|holder| holder.member).ok_or_else(problem::unauthorized)?;
    let Some(team) = team::read(context)? else { return Err(team::not_found().into()) };
    let (route, captures) = match find(ROUTES, &head.method, head.uri.path()) {
        Found::Route(route, captures) => (route, captures),
        Found::OtherMethods(allow) => return Ok(problem::unmet(&allow)),
        Found::Nothing => return Err(problem::no_such_path().into()),
    };
    if team.is_suspended && route.method != Method::GET {
        let message = "the team is suspended; its settings can be read, not changed";
        return Err(Problem::new(Kind::Forbidden, "team_suspended", message).into());
    }
    let call = Call {
        context,
        team,
        id: name.clone(),
        actor: Actor::Admin(admin),
        captures,
        parameters: Parameters::parse(head.uri.query().unwrap_or_default()),
        body,
        after,
    };
    (route.handler)(&call)
}

impl Call<'_> {
    /// The last variable segment of the path.
    fn last(&self) -> &str {
        self.captures.last().copied().unwrap_or_default()
    }
}

fn ok(body: &Value) -> Answer {
    Ok(problem::answer(StatusCode::OK, body))
}

fn read_team(call: &Call<'_>) -> Answer {
    let team = &call.team;
    ok(&json!({
        "id": team.id,
        "name": team.name,
        "state": if team.is_suspended { "suspended" } else { "live" },
        "seats": team.seats,
        "scimEnabled": team.scim_enabled,
        "createdAt": Timestamp(team.created).to_string(),
    }))
}

fn list_sso(call: &Call<'_>) -> Answer {
    let methods: Vec<Value> = sso::list(call.context)?
        .into_iter()
        .map(|configured| {
            json!({
                "method": configured.method.name(),
                "settings": configured.settings,
                "changedAt": configured.changed.to_string(),
            })
        })
        .collect();
    ok(&json!({ "methods": methods }))
}

fn sso_method(call: &Call<'_>) -> Result<SsoMethod, Problem> {
    SsoMethod::named(call.last()).ok_or_else(problem::no_such_path)
}

fn put_sso(call: &Call<'_>) -> Answer {
    let method = sso_method(call)?;
    let settings: Settings = body::read(&call.body)?;
    sso::put(call.context, &call.actor, call.team.scim_enabled, method, &settings)?;
    ok(&json!({ "method": method.name(), "settings": settings }))
}

fn delete_sso(call: &Call<'_>) -> Answer {
    sso::remove(call.context, &call.actor, call.team.scim_enabled, sso_method(call)?)?;
    Ok(problem::empty())
}

fn scim(call: &Call<'_>, team: &Team) -> Answer {
    let keys = keys::list(call.context)?;
    let last_used = keys.iter().filter_map(|key| key.last_used).max();
    ok(&json!({
        "enabled": team.scim_enabled,
        "baseUrl": format!("{}/scim/v2", call.context.deployment.base_url),
        "keyGenerated": !keys.is_empty(),
        "lastUsedAt": last_used.map(|at| at.to_string()),
    }))
}

fn read_scim(call: &Call<'_>) -> Answer {
    scim(call, &call.team)
}

fn enable_scim(call: &Call<'_>) -> Answer {
    scim(call, &team::set_scim(call.context, &call.actor, true)?)
}

fn disable_scim(call: &Call<'_>) -> Answer {
    scim(call, &team::set_scim(call.context, &call.actor, false)?)
}

fn shown(key: &Key) -> Value {
    json!({
        "id": key.id,
        "name": key.name,
        "state": key.state.name(),
        "createdAt": key.created.to_string(),
        "createdBy": key.created_by,
        "expiresAt": key.expires.map(|at| at.to_string()),
        "lastUsedAt": key.last_used.map(|at| at.to_string()),
    })
}

/// A new key with its secret, which is shown here and never again.
fn shown_once(key: &Key, minted: Minted) -> Response<Vec<u8>> {
    let mut body = shown(key);
    if let Value::Object(body) = &mut body {
        body.insert("key".into(), minted.text.into());
    }
    problem::answer(StatusCode::CREATED, &body)
}

fn list_keys(call: &Call<'_>) -> Answer {
    let keys: Vec<Value> = keys::list(call.context)?.iter().map(shown).collect();
    ok(&json!({ "keys": keys }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewKey {
    name: String,
    expires_at: Option<String>,
}

fn generate_key(call: &Call<'_>) -> Answer {
    let new: NewKey = body::read(&call.body)?;
    let expires = match &new.expires_at {
        None => None,
        Some(text) => Some(Timestamp::parse(text).ok_or_else(|| {
            Problem::invalid("`expiresAt` must be a time such as \"2027-01-31T00:00:00Z\"")
        })?),
    };
    let (key, minted) = keys::generate(call.context, &call.actor, &call.id, &new.name, expires)?;
    Ok(shown_once(&key, minted))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Regenerate {
    grace_seconds: i64,
}

fn regenerate_key(call: &Call<'_>) -> Answer {
    let asked: Regenerate = body::read(&call.body)?;
    let (key, minted) =
        keys::regenerate(call.context, &call.actor, &call.id, call.last(), asked.grace_seconds)?;
    Ok(shown_once(&key, minted))
}

fn revoke_key(call: &Call<'_>) -> Answer {
    keys::revoke(call.context, &call.actor, call.last())?;
    Ok(problem::empty())
}

fn list_audit(call: &Call<'_>) -> Answer {
    audit_page(call.context, &call.parameters)
}

/// A page of an audit log: `?before=` the number of a record, `?count=`.
pub(super) fn audit_page(context: &Context<'_>, parameters: &Parameters) -> Answer {
    let before = whole(parameters, "before")?;
    let count = whole(parameters, "count")?.unwrap_or(audit::PAGE_MAX);
    let records: Vec<Value> = audit::page(context, before, count)?
        .into_iter()
        .map(|record| {
            json!({
                "seq": record.seq,
                "at": record.at.to_string(),
                "actor": record.actor,
                "action": record.action,
                "subject": record.subject,
                "detail": record.detail,
            })
        })
        .collect();
    ok(&json!({ "records": records }))
}

/// A query parameter that is a number from 0 on.
pub(super) fn whole(parameters: &Parameters, name: &str) -> Result<Option<i64>, Problem> {
    let text = parameters.get(name).map_err(|error| Problem::invalid(error.detail()))?;
    let Some(text) = text else { return Ok(None) };
    let number = text
        .parse()
        .ok()
        .filter(|number| (0..=crate::directory::sql::INTEGER_MAX).contains(number));
    let message = || Problem::invalid(format!("`{name}` must be a whole number from 0 on"));
    Ok(Some(number.ok_or_else(message)?))
}
