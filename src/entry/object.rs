//! What a Team object answers: to providers, to admins, to the Registry.

use super::front;
use crate::api::{activity, control, scim, team};
use crate::dashboard::{self, break_glass, sso};
use crate::directory::activity::Activity;
use crate::directory::audit::Actor;
use crate::directory::credential::{Credential, Kind};
use crate::directory::schemas::Schemas;
use crate::directory::team_id::TeamId;
use crate::directory::throttle::{Rate, Throttle};
use crate::directory::tokens::{self, Holder};
use crate::directory::{Context, Failure, Fault, migrate, sql, upkeep};
use crate::scim::{Error, Timestamp};
use crate::web::answered::{After, Answered};
use crate::web::headers::put;
use crate::web::{bearer, origin};
use http::{Request, Response, header};

/// What a Team object has in memory, and may lose. No answer rests on it alone.
#[derive(Debug, Default)]
pub struct Memory {
    /// What its provider asked for and is not stored yet.
    pub activity: Activity,
    /// How much its provider asked for lately.
    pub throttle: Throttle,
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

/// Does one step of what is done by alarm; returns when the next is due, if this
/// is a team.
///
/// # Errors
/// A fault; nothing of the step stays.
pub fn upkeep(context: &Context<'_>, memory: &Memory) -> Result<Option<Timestamp>, Fault> {
    // An alarm may be the first thing that a new build hears.
    open(context)?;
    if migrate::version(context.sql)?.is_none() {
        return Ok(None);
    }
    upkeep::step(context, &memory.activity).map(Some)
}

/// Answers a request to the Team object of this id, and notes it if it came from
/// a provider.
pub fn handle(
    context: &Context<'_>,
    id: &TeamId,
    memory: &Memory,
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
            return dashboard::handle(&context, id, &memory.activity, request);
        }
        return team::handle(&context, id, &memory.activity, request);
    }
    from_provider(&context, id, memory, request).unwrap_or_else(scim::failed)
}

fn from_provider(
    context: &Context<'_>,
    id: &TeamId,
    memory: &Memory,
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
    let response = match memory.throttle.take(holder.rate, context.now) {
        Ok(()) => answer_provider(context, holder, request),
        Err(seconds) => Ok(too_many(holder.rate, seconds)),
    };
    let is_first = asked.note(&memory.activity, response.as_ref().ok());
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
    tokens::note_use(context, &holder)?;
    if !holder.is_probed {
        crate::directory::team::note_probe(context)?;
    }
    let schemas = Schemas::read(context, holder.schemas)?;
    scim::handle(&context.with_schemas(&schemas), &Actor::Key(holder.id), request)
}

/// 429: what was asked is put off, whatever it is. Costs no row.
fn too_many(rate: Rate, seconds: i64) -> Response<Vec<u8>> {
    let (per_second, burst) = (rate.per_second(), rate.burst());
    let detail = format!(
        "too many requests: this team's identity provider may send {per_second} a second, and \
         {burst} at once. Send this one again in {seconds} s; if a sync keeps meeting this limit, \
         ask kafkaman for a higher one"
    );
    let mut response = scim::refusal(&Error::status_only(429, detail), scim::SCIM_JSON);
    put(&mut response, header::RETRY_AFTER, &seconds.to_string());
    response
}
