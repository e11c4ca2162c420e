//! Whether the objects answer: the Registry's storage is read, and that of a team
//! if one is named. Nothing is written, so that it can be asked all the time.

use super::{Begun, Call, Outcome, answered, call_team, teams};
use crate::api::problem;
use crate::directory::problem::Problem;
use crate::directory::team_id::TeamId;
use crate::directory::{Context, Fault, migrate, registry, team};
use crate::web::answered::Answered;
use http::{Response, StatusCode};
use serde_json::{Value, json};

/// Where one asks.
pub(super) const PATH: &str = "/operator/v1/health";

pub(super) fn check(call: &Call<'_>) -> Outcome {
    let named = call.parameters.get("team").map_err(|error| Problem::invalid(error.detail()))?;
    let Some(named) = named else {
        return answered(StatusCode::OK, &healthy(call.context, Value::Null)?);
    };
    let id = TeamId::parse(named).ok_or_else(team::not_found)?;
    let entry = teams::settled(registry::fetch(call.context, &id)?)?;
    Ok(call_team(&call.operator, &entry, Begun::Health))
}

/// Goes on where the team's object answered.
pub(super) fn finish(context: &Context<'_>, team: &TeamId, told: &Response<Vec<u8>>) -> Outcome {
    if !told.status().is_success() {
        return Err(Fault::new(format!("{team} answered {}", told.status())).into());
    }
    let body: Value = serde_json::from_slice(told.body()).unwrap_or_default();
    let team = json!({ "id": team.as_str(), "tables": body.get("tables") });
    answered(StatusCode::OK, &healthy(context, team)?)
}

fn healthy(context: &Context<'_>, team: Value) -> Result<Value, Fault> {
    let tables = migrate::version(context.sql)?;
    Ok(json!({ "status": "ok", "registry": { "tables": tables }, "team": team }))
}

/// 503: whatever it was, something does not answer.
pub(super) fn ill(fault: Fault) -> Answered {
    let message = "an object could not be read; the log says why";
    Answered::instead(problem::shaped(StatusCode::SERVICE_UNAVAILABLE, "unhealthy", message), fault)
}
