//! What a Team object answers: to providers, to admins, to the Registry.

use super::front;
use crate::api::{activity, control, scim, team};
use crate::dashboard::{self, break_glass, sso};
use crate::directory::activity::Activity;
use crate::directory::audit::Actor;
use crate::directory::credential::{Credential, Kind};
use crate::directory::schemas::Schemas;
use crate::directory::team_id::TeamId;
use crate::directory::tokens::{self, Holder};
use crate::directory::{Context, Failure, Fault, migrate, sql, upkeep};
use crate::scim::{Error, Timestamp};
use crate::web::answered::{After, Answered};
use crate::web::{bearer, origin};
use http::{Request, Response};

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

/// Does one step of what is done by alarm; returns when the next is due, if this
/// is a team.
///
/// # Errors
/// A fault; nothing of the step stays.
pub fn upkeep(context: &Context<'_>, activity: &Activity) -> Result<Option<Timestamp>, Fault> {
    // An alarm may be the first thing that a new build hears.
    open(context)?;
    if migrate::version(context.sql)?.is_none() {
        return Ok(None);
    }
    upkeep::step(context, activity).map(Some)
}

/// Answers a request to the Team object of this id, and notes it if it came from
/// a provider.
pub fn handle(
    context: &Context<'_>,
    id: &TeamId,
    activity: &Activity,
    request: Request<Vec<u8>>,
) -> Answered {
    let origin = origin::of(request.headers());
    let context = context.with_origin(&origin);
    let path = request.uri().path();
    if path == sso::BACK {
        return sso::resume(&context, id, &request);
    }
    if path.starts_with("/-/") {
        return control::handle(&context, id, &request);
    }
    if let Some(link) = break_glass::credential(context.deployment, path) {
        return match link {
            Some(link) => break_glass::handle(&context, id, &link, request.method()),
            None => Answered::of(break_glass::dead()),
        };
    }
    if sso::team(request.method(), path).is_some() {
        return sso::handle(&context, id, request);
    }
    if path.starts_with("/teams/") {
        if dashboard::is_page(path) {
            return dashboard::handle(&context, id, activity, request);
        }
        return team::handle(&context, id, activity, request);
    }
    from_provider(&context, id, activity, request).unwrap_or_else(scim::failed)
}

fn from_provider(
    context: &Context<'_>,
    id: &TeamId,
    activity: &Activity,
    request: Request<Vec<u8>>,
) -> Result<Answered, Fault> {
    let credential = bearer::token(request.headers())
        .and_then(|text| Credential::read(&context.deployment.signing, text))
        .filter(|credential| credential.kind == Kind::Scim && credential.team == *id);
    let holder = match &credential {
        Some(credential) => tokens::authenticate(context, credential)?,
        None => None,
    };
    let Some(holder) = holder else { return Ok(Answered::of(front::scim_unauthorized())) };
    let asked = activity::Asked::of(context, &holder.id, &request);
    let response = answer_provider(context, holder, request);
    let is_first = asked.note(activity, response.as_ref().ok());
    let answered = response.map_or_else(scim::failed, Answered::of);
    let after = if is_first { After::UpkeepSoon } else { answered.after };
    Ok(Answered { after, ..answered })
}

fn answer_provider(
    context: &Context<'_>,
    holder: Holder,
    request: Request<Vec<u8>>,
) -> Result<Response<Vec<u8>>, Fault> {
    if !holder.scim_enabled {
        let detail = "SCIM is switched off for this team; a team admin can switch it on under \
                      Authentication";
        return Ok(scim::refusal(&Error::status_only(403, detail), scim::SCIM_JSON));
    }
    if !holder.is_probed {
        crate::directory::team::note_probe(context)?;
    }
    let schemas = Schemas::read(context, holder.schemas)?;
    scim::handle(&context.with_schemas(&schemas), &Actor::Key(holder.id), request)
}
