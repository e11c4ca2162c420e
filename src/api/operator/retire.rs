//! Whether a signing secret can be dropped from the settings.

use super::{Begun, Call, Outcome, answered, call_team};
use crate::api::problem;
use crate::directory::team_id::TeamId;
use crate::directory::{Context, Fault, registry};
use http::{Response, StatusCode};
use serde_json::{Value, json};

/// Finds out whether a signing secret can be dropped from the settings: asks
/// every team for credentials that still need it.
pub(super) fn retire(call: &Call<'_>) -> Outcome {
    let version = call.captures.first().and_then(|text| text.parse().ok());
    let version = version.ok_or_else(problem::no_such_path)?;
    ask_team_after(call.context, &call.operator, "", version, Vec::new())
}

pub(super) fn ask_next(
    context: &Context<'_>,
    operator: String,
    team: &TeamId,
    version: u8,
    mut in_use: Vec<Value>,
    told: &Response<Vec<u8>>,
) -> Outcome {
    let body: Value = serde_json::from_slice(told.body()).unwrap_or_default();
    match body.get("credentials") {
        Some(Value::Array(credentials)) if credentials.is_empty() => {}
        Some(credentials) => {
            in_use.push(json!({ "team": team.as_str(), "credentials": credentials }));
        }
        None => return Err(Fault::new(format!("the team answered {}", told.status())).into()),
    }
    ask_team_after(context, &operator, team.as_str(), version, in_use)
}

fn ask_team_after(
    context: &Context<'_>,
    operator: &str,
    after: &str,
    version: u8,
    in_use: Vec<Value>,
) -> Outcome {
    if let Some(entry) = registry::page(context, "", after, 1)?.first() {
        return Ok(call_team(operator, entry, Begun::Retire { version, in_use }));
    }
    if in_use.is_empty() {
        let message = "no credential needs this secret; drop it from SIGNING_SECRETS";
        return answered(StatusCode::OK, &json!({ "version": version, "message": message }));
    }
    let message = format!("{} teams have credentials that work and need it", in_use.len());
    let error = json!({ "code": "signing_secret_in_use", "message": message, "teams": in_use });
    answered(StatusCode::CONFLICT, &json!({ "error": error }))
}
