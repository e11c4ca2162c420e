//! What a Team object answers: to providers, to admins, to the Registry.

use super::{bearer, control, front, problem, scim, team};
use crate::directory::audit::Actor;
use crate::directory::credential::Credential;
use crate::directory::problem::Problem;
use crate::directory::team_id::TeamId;
use crate::directory::{Context, Failure, Fault, migrate, sql, tokens};
use crate::scim::Error;
use http::{Request, Response, StatusCode};

/// What the runtime has to do once the answer is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// Send it.
    Nothing,
    /// Empty the object's storage, then send it.
    DeleteEverything,
}

/// An answer, and what the log should know.
#[derive(Debug)]
pub struct Answered {
    /// The answer.
    pub response: Response<Vec<u8>>,
    /// What to do besides.
    pub after: After,
    /// What went wrong of ours; the answer does not say.
    pub fault: Option<Fault>,
}

impl Answered {
    /// An ordinary answer.
    pub fn of(response: Response<Vec<u8>>) -> Self {
        Self { response, after: After::Nothing, fault: None }
    }

    /// The answer of the team's or operator's API.
    pub(super) fn of_problem(result: Result<Response<Vec<u8>>, Failure<Problem>>) -> Self {
        match result {
            Ok(response) => Self::of(response),
            Err(Failure::Refused(problem)) => Self::of(problem::refusal(&problem)),
            Err(Failure::Fault(fault)) => {
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                let message = "the service failed; nothing was changed";
                let response = problem::shaped(status, "internal", message);
                Self { fault: Some(fault), ..Self::of(response) }
            }
        }
    }

    /// The answer to a provider when something of ours went wrong.
    pub fn failed(fault: Fault) -> Self {
        let error = Error::status_only(500, "the service failed; nothing was changed");
        let response = scim::refusal(&error, scim::SCIM_JSON);
        Self { fault: Some(fault), ..Self::of(response) }
    }
}

/// Brings the tables of a Team object up to date, if it is a team. To be done
/// once by every new instance, before it answers.
///
/// # Errors
/// A fault if a migration failed; nothing of it stays.
pub fn open(context: &Context<'_>) -> Result<(), Fault> {
    if migrate::version(context.sql)?.is_none() {
        return Ok(());
    }
    let migrated: Result<(), Failure<Fault>> = sql::transaction(context.sql, || {
        migrate::apply(context.sql, migrate::TEAM)?;
        Ok(())
    });
    migrated.map_err(|failure| match failure {
        Failure::Refused(fault) | Failure::Fault(fault) => fault,
    })
}

/// Answers a request to the Team object of this id.
pub fn handle(context: &Context<'_>, id: &TeamId, request: Request<Vec<u8>>) -> Answered {
    let path = request.uri().path();
    if path.starts_with("/-/") {
        return control::handle(context, id, &request);
    }
    if path.starts_with("/teams/") {
        return team::handle(context, id, request);
    }
    from_provider(context, id, request).map_or_else(Answered::failed, Answered::of)
}

fn from_provider(
    context: &Context<'_>,
    id: &TeamId,
    request: Request<Vec<u8>>,
) -> Result<Response<Vec<u8>>, Fault> {
    let credential = bearer::token(request.headers())
        .and_then(|text| Credential::read(&context.deployment.signing, text))
        .filter(|credential| credential.team == *id);
    let holder = match &credential {
        Some(credential) => tokens::authenticate(context, credential)?,
        None => None,
    };
    let Some(holder) = holder else { return Ok(front::scim_unauthorized()) };
    if !holder.scim_enabled {
        let detail = "SCIM is switched off for this team; a team admin can switch it on under \
                      Authentication";
        return Ok(scim::refusal(&Error::status_only(403, detail), scim::SCIM_JSON));
    }
    scim::handle(context, &Actor::Key(holder.id), request)
}
