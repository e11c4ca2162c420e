//! The team itself: made by an operator, suspended, switched to SCIM.

use super::audit::{self, Action, Actor};
use super::credential::Minted;
use super::members::{self, NewMember, Role, Source};
use super::policy::TeamState;
use super::problem::{Kind, Problem};
use super::sql::SqlError;
use super::team_id::TeamId;
use super::throttle::Rate;
use super::{Context, Failure, Fault, Timestamp, migrate, schemas, sessions, sso, tokens};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What an operator says of a new team.
#[derive(Clone, Debug)]
pub struct NewTeam {
    /// Its name as shown.
    pub name: String,
    /// How many active members it may have.
    pub seats: i64,
    /// How much its provider may ask.
    pub rate: Rate,
    /// The first admin's name.
    pub admin_name: String,
    /// The first admin's address, which is their `userName`.
    pub admin_email: String,
}

/// A team as it stands.
#[derive(Clone, Debug)]
pub struct Team {
    /// Its id.
    pub id: String,
    /// Its name as shown.
    pub name: String,
    /// Whether an operator suspended it: SCIM goes on, admins only read.
    pub is_suspended: bool,
    /// How many active members it may have.
    pub seats: i64,
    /// How much its provider may ask.
    pub rate: Rate,
    /// Whether providers may use it.
    pub scim_enabled: bool,
    /// When it was made, in milliseconds.
    pub created: i64,
    /// What its schemas are.
    pub schemas: schemas::Setting,
}

impl Team {
    /// The team as `policy` looks at it, for a sign-in by this method if it is
    /// one.
    pub fn state(
        &self,
        context: &Context<'_>,
        method: Option<sessions::Method>,
    ) -> Result<TeamState, Fault> {
        let methods = sso::list(context)?;
        let is_it =
            |own: &sso::Configured| method.is_none_or(|method| method.name() == own.method.name());
        Ok(TeamState {
            is_suspended: self.is_suspended,
            scim_enabled: self.scim_enabled,
            has_sso: methods.iter().any(is_it),
        })
    }
}

/// Makes this object a team, with its tables, its first admin and a token for
/// them. Where it is one already, an earlier call ended without its answer:
/// the admin gets a new token.
///
/// # Errors
/// `invalid` for an admin who cannot be a member.
pub fn create(
    context: &Context<'_>,
    actor: &Actor,
    id: &TeamId,
    new: &NewTeam,
) -> Result<Minted, Failure<Problem>> {
    context.transaction(|| {
        if migrate::version(context.sql)?.is_some() {
            return tokens::issue_to_first_admin(context, actor, id);
        }
        migrate::apply(context.sql, migrate::TEAM)?;
        context.sql.execute(
            "INSERT INTO team (one, id, name, state, seats, scim_enabled, created,
                 requests_per_second, request_burst)
             VALUES (1, ?, ?, 'live', ?, 0, ?, ?, ?)",
            &[
                id.as_str().into(),
                new.name.as_str().into(),
                new.seats.into(),
                context.now.0.into(),
                new.rate.per_second.into(),
                new.rate.burst.into(),
            ],
        )?;
        let admin = NewMember {
            name: &new.admin_name,
            email: &new.admin_email,
            role: Role::Admin,
            source: Source::Team,
        };
        let admin = members::add(context, &admin).map_err(|failure| match failure {
            Failure::Refused(error) => {
                Problem::invalid(format!("admin: {}", error.detail())).into()
            }
            Failure::Fault(fault) => Failure::Fault(fault),
        })?;
        audit::record(context, actor, Action::TeamCreated, id.as_str(), &json!({}))?;
        Ok(tokens::issue(context, actor, id, &admin)?)
    })
}

/// The team. `None` if the object is none.
pub fn read(context: &Context<'_>) -> Result<Option<Team>, SqlError> {
    let found = context.sql.first(
        "SELECT id, name, state, seats, scim_enabled, created, strict, schemas_version,
             requests_per_second, request_burst FROM team",
        &[],
        |mut row| {
            Ok(Team {
                id: row.text()?,
                name: row.text()?,
                is_suspended: row.text()? == "suspended",
                seats: row.integer()?,
                scim_enabled: row.boolean()?,
                created: row.integer()?,
                schemas: schemas::Setting::read(&mut row)?,
                rate: Rate::read(&mut row)?,
            })
        },
    );
    match found {
        Err(error) if error.is_missing_table() => Ok(None),
        found => found,
    }
}

/// Suspends the team, or lets it go on.
pub fn set_suspended(
    context: &Context<'_>,
    actor: &Actor,
    suspended: bool,
) -> Result<(), Failure<Problem>> {
    context.transaction(|| {
        let Some(team) = read(context)? else { return Err(not_found().into()) };
        if team.is_suspended == suspended {
            return Ok(());
        }
        let (state, action) = match suspended {
            true => ("suspended", Action::TeamSuspended),
            false => ("live", Action::TeamResumed),
        };
        context.sql.execute("UPDATE team SET state = ?", &[state.into()])?;
        Ok(audit::record(context, actor, action, &team.id, &json!({}))?)
    })
}

/// Keeps that a provider came for the first time, and what it called itself.
pub fn note_probe(context: &Context<'_>) -> Result<(), SqlError> {
    context.sql.execute(
        "UPDATE team SET probed = ?, probed_by = ? WHERE probed IS NULL",
        &[context.now.0.into(), context.origin.client.as_str().into()],
    )
}

/// How far a provider has come.
#[derive(Clone, Debug)]
pub struct Progress {
    /// When it first came with a key that works.
    pub probed: Option<Timestamp>,
    /// What it called itself.
    pub probed_by: String,
    /// When it added its first User.
    pub first_user: Option<Timestamp>,
}

/// How far the team's provider has come.
pub fn progress(context: &Context<'_>) -> Result<Progress, SqlError> {
    let found =
        context.sql.first("SELECT probed, probed_by, first_user FROM team", &[], |mut row| {
            Ok(Progress {
                probed: row.optional_integer()?.map(Timestamp),
                probed_by: row.text()?,
                first_user: row.optional_integer()?.map(Timestamp),
            })
        })?;
    Ok(found.unwrap_or(Progress { probed: None, probed_by: String::new(), first_user: None }))
}

/// What an operator changes of a team's limits; what is not said stays.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Limits {
    /// How many active members it may have.
    pub seats: Option<i64>,
    /// How much its provider may ask.
    pub rate: Rate,
}

/// Changes the team's limits.
pub fn set_limits(
    context: &Context<'_>,
    actor: &Actor,
    limits: &Limits,
) -> Result<(), Failure<Problem>> {
    context.transaction(|| {
        let Some(team) = read(context)? else { return Err(not_found().into()) };
        let seats = limits.seats.unwrap_or(team.seats);
        let rate = team.rate.with(limits.rate);
        if seats != team.seats {
            context.sql.execute("UPDATE team SET seats = ?", &[seats.into()])?;
            let detail = json!({ "from": team.seats, "to": seats });
            audit::record(context, actor, Action::SeatsSet, &team.id, &detail)?;
        }
        if rate != team.rate {
            context.sql.execute(
                "UPDATE team SET requests_per_second = ?, request_burst = ?",
                &[rate.per_second.into(), rate.burst.into()],
            )?;
            let detail = json!({ "from": shown(team.rate), "to": shown(rate) });
            audit::record(context, actor, Action::RateSet, &team.id, &detail)?;
        }
        Ok(())
    })
}

fn shown(rate: Rate) -> Value {
    json!({ "requestsPerSecond": rate.per_second(), "requestBurst": rate.burst() })
}

/// Switches SCIM on or off.
///
/// # Errors
/// `sso_required` or `sso_ambiguous` unless exactly one SSO method is set:
/// with SCIM on, members sign in through it alone.
pub fn set_scim(
    context: &Context<'_>,
    actor: &Actor,
    enabled: bool,
) -> Result<Team, Failure<Problem>> {
    context.transaction(|| {
        let Some(team) = read(context)? else { return Err(not_found().into()) };
        if team.scim_enabled == enabled {
            return Ok(team);
        }
        let methods = sso::list(context)?;
        if enabled && methods.is_empty() {
            return Err(Problem::new(
                Kind::Conflict,
                "sso_required",
                "SCIM needs single sign-on: configure SAML or OpenID Connect first",
            )
            .into());
        }
        if enabled && methods.len() > 1 {
            return Err(Problem::new(
                Kind::Conflict,
                "sso_ambiguous",
                "SCIM needs exactly one SSO method; remove SAML or OpenID Connect first",
            )
            .into());
        }
        context.sql.execute("UPDATE team SET scim_enabled = ?", &[enabled.into()])?;
        if enabled {
            sessions::end_without_sso(context, actor)?;
        }
        let action = if enabled { Action::ScimEnabled } else { Action::ScimDisabled };
        audit::record(context, actor, action, &team.id, &json!({}))?;
        Ok(Team { scim_enabled: enabled, ..team })
    })
}

/// The refusal where there is no team.
pub fn not_found() -> Problem {
    Problem::new(Kind::NotFound, "team_not_found", "there is no such team")
}
