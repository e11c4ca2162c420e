//! What the Registry tells a Team object, under `/-/`.
//!
//! Not reachable from outside: the Worker forwards nothing whose path begins
//! so, and the Registry acts for operators alone.

use super::problem;
use crate::directory::audit::Actor;
use crate::directory::problem::{Kind, Problem};
use crate::directory::service_tokens::Scope;
use crate::directory::team::{self, Limits, NewTeam};
use crate::directory::team_id::TeamId;
use crate::directory::throttle::Rate;
use crate::directory::{Context, Failure, break_glass, migrate, service_tokens, tokens, transfer};
use crate::web::answered::{After, Answered};
use http::{Request, Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// One thing to do, in the name of an operator.
#[derive(Debug, Deserialize, Serialize)]
pub struct Command {
    /// The operator's name.
    pub operator: String,
    /// What to do.
    pub task: Task,
}

/// What there is to do.
#[derive(Debug, Deserialize, Serialize)]
pub enum Task {
    /// Become a team.
    Create {
        /// The team's name.
        name: String,
        /// Its seats.
        seats: i64,
        /// How much its provider may ask.
        #[serde(default)]
        rate: Rate,
        /// The first admin's name.
        admin_name: String,
        /// The first admin's address.
        admin_email: String,
    },
    /// Make a token for the first active admin.
    IssueAdminToken,
    /// Be suspended.
    Suspend,
    /// Go on.
    Resume,
    /// Have these limits.
    SetLimits(Limits),
    /// Make a link that makes someone admin.
    BreakGlass {
        /// Their name.
        name: String,
        /// Their address.
        email: String,
    },
    /// Make a token for one of kafkaman's services.
    IssueServiceToken {
        /// Its name.
        name: String,
        /// What it is good for.
        scopes: BTreeSet<Scope>,
    },
    /// Name the tokens of kafkaman's services.
    ListServiceTokens,
    /// Revoke one of them.
    RevokeServiceToken {
        /// Its id.
        id: String,
    },
    /// Give a chunk of an export.
    Export {
        /// What the chunk before called `next`.
        after: Option<String>,
    },
    /// Take in a chunk of an export.
    Import {
        /// Its lines.
        chunk: String,
    },
    /// Name the credentials that still work and carry a tag of this version.
    CredentialsUnder {
        /// The signing secret's version.
        signing_version: u8,
    },
    /// Say whether it can be read.
    Health,
    /// Forget everything.
    Delete,
}

impl Command {
    /// The request that carries the command to the Team object.
    pub fn into_request(self) -> Request<Vec<u8>> {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut request = Request::new(body);
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = http::Uri::from_static("/-/command");
        request
    }
}

/// Carries a command out.
pub fn handle(context: &Context<'_>, id: &TeamId, request: &Request<Vec<u8>>) -> Answered {
    match serde_json::from_slice::<Command>(request.body()) {
        Ok(Command { task: Task::Delete, .. }) => {
            // The runtime empties the storage once this is the answer.
            Answered { after: After::DeleteEverything, ..Answered::of(problem::empty()) }
        }
        Ok(command) => {
            // A team's alarm begins with it.
            let after = match command.task {
                Task::Create { .. } => After::Upkeep,
                _ => After::Nothing,
            };
            let answered = problem::answered(carry_out(context, id, command));
            let is_made = answered.response.status().is_success();
            Answered { after: if is_made { after } else { After::Nothing }, ..answered }
        }
        Err(_) => Answered::of(problem::refusal(&problem::no_such_path())),
    }
}

fn carry_out(
    context: &Context<'_>,
    id: &TeamId,
    command: Command,
) -> Result<Response<Vec<u8>>, Failure<Problem>> {
    let takes_part = matches!(
        command.task,
        Task::Import { .. } | Task::CredentialsUnder { .. } | Task::SetLimits(_) | Task::Health
    );
    if !takes_part && transfer::is_unfinished(context)? {
        let message = "the team is being imported; send the rest of its export, or delete it";
        return Err(Problem::new(Kind::Conflict, "import_unfinished", message).into());
    }
    let operator = command.operator;
    let actor = Actor::Operator(operator.clone());
    let token = match command.task {
        Task::Create { name, seats, rate, admin_name, admin_email } => {
            let new = NewTeam { name, seats, rate, admin_name, admin_email };
            Some(team::create(context, &actor, id, &new)?)
        }
        Task::IssueAdminToken => {
            if team::read(context)?.is_none() {
                return Err(team::not_found().into());
            }
            Some(context.transaction(|| tokens::issue_to_first_admin(context, &actor, id))?)
        }
        Task::Suspend | Task::Resume => {
            let suspended = matches!(command.task, Task::Suspend);
            team::set_suspended(context, &actor, suspended)?;
            None
        }
        Task::SetLimits(limits) => {
            team::set_limits(context, &actor, &limits)?;
            None
        }
        Task::BreakGlass { name, email } => {
            let (link, minted) = break_glass::issue(context, &operator, id, &name, &email)?;
            return Ok(problem::answer(
                StatusCode::CREATED,
                &json!({
                    "url": break_glass::url(context.deployment, id, &minted.text),
                    "name": link.name,
                    "email": link.email,
                    "expiresAt": link.expires.to_string(),
                }),
            ));
        }
        Task::IssueServiceToken { name, scopes } => {
            if team::read(context)?.is_none() {
                return Err(team::not_found().into());
            }
            let (token, minted) = service_tokens::issue(context, &actor, id, &name, &scopes)?;
            let body = super::team::service_tokens::shown_once(&token, minted);
            return Ok(problem::answer(StatusCode::CREATED, &body));
        }
        Task::ListServiceTokens => {
            if team::read(context)?.is_none() {
                return Err(team::not_found().into());
            }
            let tokens = service_tokens::list(context)?;
            let tokens: Vec<Value> =
                tokens.iter().map(super::team::service_tokens::shown).collect();
            return Ok(problem::answer(StatusCode::OK, &json!({ "serviceTokens": tokens })));
        }
        Task::RevokeServiceToken { id } => {
            if team::read(context)?.is_none() {
                return Err(team::not_found().into());
            }
            service_tokens::revoke(context, &actor, &id)?;
            None
        }
        Task::Export { after } => {
            let chunk = transfer::export(context, &actor, after.as_deref())?;
            return Ok(problem::lines(chunk.into_bytes()));
        }
        Task::Import { chunk } => {
            let progress = transfer::import(context, &actor, &chunk)?;
            let body = json!({ "chunk": progress.reached, "finished": progress.is_finished });
            return Ok(problem::answer(StatusCode::OK, &body));
        }
        Task::CredentialsUnder { signing_version } => {
            let live = tokens::live_under(context, signing_version)?;
            return Ok(problem::answer(StatusCode::OK, &json!({ "credentials": live })));
        }
        Task::Health => {
            if team::read(context)?.is_none() {
                return Err(team::not_found().into());
            }
            let tables = migrate::version(context.sql)?;
            return Ok(problem::answer(StatusCode::OK, &json!({ "tables": tables })));
        }
        Task::Delete => None,
    };
    let token = token.map(|minted| minted.text);
    Ok(problem::answer(StatusCode::OK, &json!({ "adminToken": token })))
}
