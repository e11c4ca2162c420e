//! Who is calling, and may they?

use crate::directory::audit::Actor;
use crate::directory::credential::{Credential, Kind};
use crate::directory::members::Role;
use crate::directory::problem::{Kind as ProblemKind, Problem};
use crate::directory::service_tokens::Scope;
use crate::directory::sessions::{self, Session};
use crate::directory::team_id::TeamId;
use crate::directory::tokens::{self, Holder};
use crate::directory::{Context, Fault};
use crate::scim::Timestamp;
use crate::web::bearer;
use http::HeaderMap;

/// Who may call an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// An admin of the team, by token or session.
    Admin,
    /// The same; by session if they proved themselves within the hour.
    Recent,
    /// Any member, by session; an admin by token too.
    Member,
    /// A service whose token is good for this.
    Service(Scope),
}

/// Who calls.
pub(super) enum Caller {
    /// An active admin, by token: their id.
    Admin(String),
    /// An active member, by session.
    Member(Box<Session>),
    /// A service.
    Service {
        /// Its token's id.
        id: String,
        /// What that is good for, separated by spaces.
        scopes: String,
    },
}

impl Caller {
    /// The member who calls, if one does.
    pub(super) fn member(&self) -> Option<&str> {
        match self {
            Self::Admin(id) => Some(id),
            Self::Member(session) => Some(&session.member.id),
            Self::Service { .. } => None,
        }
    }
}

/// Finds out whose credential a request carries. `None` if it opens nothing
/// here, for whatever reason.
pub(super) fn caller(
    context: &Context<'_>,
    headers: &HeaderMap,
    team: &TeamId,
) -> Result<Option<Caller>, Fault> {
    let credential = bearer::token(headers)
        .and_then(|text| Credential::read(&context.deployment.signing, text))
        .filter(|credential| credential.team == *team);
    let Some(credential) = credential else { return Ok(None) };
    Ok(match credential.kind {
        Kind::Scim | Kind::BreakGlass => None,
        Kind::Admin => {
            let holder = holder(context, &credential)?;
            holder.and_then(|holder| holder.member).map(Caller::Admin)
        }
        Kind::Service => {
            let holder = holder(context, &credential)?;
            holder.map(|holder| Caller::Service { id: holder.id, scopes: holder.scopes })
        }
        Kind::Session => {
            let session = sessions::find(context, &credential)?;
            session.map(|session| Caller::Member(Box::new(session)))
        }
    })
}

/// Whose token it is, and that it is used.
fn holder(context: &Context<'_>, token: &Credential) -> Result<Option<Holder>, Fault> {
    let holder = tokens::authenticate(context, token)?;
    if let Some(holder) = &holder {
        tokens::note_use(context, holder)?;
    }
    Ok(holder)
}

/// Whether the caller may, and under what name the audit will know them.
///
/// # Errors
/// 403 with what it takes.
pub(super) fn admitted(caller: &Caller, access: Access, now: Timestamp) -> Result<Actor, Problem> {
    let refused = |code, message| Err(Problem::new(ProblemKind::Forbidden, code, message));
    match (access, caller) {
        (Access::Admin | Access::Recent | Access::Member, Caller::Admin(id)) => {
            Ok(Actor::Admin(id.clone()))
        }
        (Access::Member, Caller::Member(session)) => Ok(Actor::Member(session.member.id.clone())),
        (Access::Admin | Access::Recent, Caller::Member(session)) => match session.member.role {
            Role::Admin if access == Access::Recent && !session.is_recently_proven(now) => refused(
                "recent_sign_in_required",
                "this takes that you proved within the last hour who you are; sign in afresh",
            ),
            Role::Admin => Ok(Actor::Admin(session.member.id.clone())),
            Role::Billing | Role::Developer => {
                refused("admin_required", "only a team admin can do this")
            }
        },
        (Access::Service(scope), Caller::Service { id, scopes }) => {
            if scopes.split(' ').any(|own| own == scope.name()) {
                return Ok(Actor::Service(id.clone()));
            }
            let message = format!("this takes a service token with the scope `{}`", scope.name());
            Err(Problem::new(ProblemKind::Forbidden, "scope_required", message))
        }
        (Access::Service(_), _) => refused("service_required", "this is for kafkaman's services"),
        (_, Caller::Service { .. }) => {
            refused("member_required", "this is for people; a service token cannot be used here")
        }
    }
}
