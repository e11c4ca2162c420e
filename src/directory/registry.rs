//! Which teams there are, and what operators did: the Registry object's data.
//!
//! A team's life is written down here before the Team object hears of it
//! (creating, deleting) and again after it did (live, gone), so that whatever
//! a crash leaves in between is known and can be finished. It is never on a
//! SCIM request's way.

use super::audit::{self, Action, Actor};
use super::problem::{Kind, Problem};
use super::sql::{Row, SqlError};
use super::team::{Limits, NewTeam};
use super::team_id::TeamId;
use super::throttle::Rate;
use super::{Context, Failure, Timestamp};
use serde_json::{Value, json};

/// How long a call to a team's object can take: after that, it is taken up
/// again.
pub const CALL_MS: i64 = 60_000;
/// Teams on a page at most.
pub const PAGE_MAX: i64 = 200;

/// Where a team is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Its object is being told.
    Creating,
    /// It works.
    Live,
    /// An operator suspended it.
    Suspended,
    /// Its object is being emptied.
    Deleting,
    /// It was deleted. Its id is not given again.
    Gone,
}

impl State {
    const ALL: [Self; 5] =
        [Self::Creating, Self::Live, Self::Suspended, Self::Deleting, Self::Gone];

    /// The word that is stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Live => "live",
            Self::Suspended => "suspended",
            Self::Deleting => "deleting",
            Self::Gone => "gone",
        }
    }
}

/// A team as the Registry knows it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its id.
    pub id: TeamId,
    /// Where it is in its life.
    pub state: State,
    /// When it was asked for.
    pub created: Timestamp,
    /// Where its object should live, as Cloudflare names places.
    pub location_hint: Option<String>,
    /// What the operator asked for.
    pub new: NewTeam,
}

const COLUMNS: &str = "id, state, created, location_hint, name, seats, request, \
                       requests_per_second, request_burst";

fn read(mut row: Row<'_>) -> Result<Entry, SqlError> {
    let id =
        TeamId::parse(&row.text()?).ok_or_else(|| SqlError::new("a stored team id is none"))?;
    let state = row.text()?;
    let state = State::ALL.into_iter().find(|own| own.name() == state);
    let created = Timestamp(row.integer()?);
    let location_hint = row.optional_text()?;
    let (name, seats) = (row.text()?, row.integer()?);
    let request: Value = serde_json::from_str(&row.text()?).unwrap_or_default();
    let text =
        |name: &str| request.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(Entry {
        id,
        state: state.ok_or_else(|| SqlError::new("a stored team state is none"))?,
        created,
        location_hint,
        new: NewTeam {
            name,
            seats,
            admin_name: text("name"),
            admin_email: text("email"),
            rate: Rate::read(&mut row)?,
        },
    })
}

/// The team of this id.
pub fn find(context: &Context<'_>, id: &TeamId) -> Result<Option<Entry>, SqlError> {
    let sql = format!("SELECT {COLUMNS} FROM team WHERE id = ?");
    context.sql.first(&sql, &[id.as_str().into()], read)
}

/// As [`find`], for a team that works or could.
///
/// # Errors
/// `team_not_found` if there is none, or none any more.
pub fn fetch(context: &Context<'_>, id: &TeamId) -> Result<Entry, Failure<Problem>> {
    let found = find(context, id)?.filter(|entry| entry.state != State::Gone);
    found.ok_or_else(|| super::team::not_found().into())
}

/// A page of teams by id, those after `after` whose id or name contains `search`,
/// ignoring the case of ASCII; deleted ones are left out.
pub fn page(
    context: &Context<'_>,
    search: &str,
    after: &str,
    count: i64,
) -> Result<Vec<Entry>, SqlError> {
    context.sql.all(
        &format!(
            "SELECT {COLUMNS} FROM team WHERE id > ? AND state <> 'gone'
             AND instr(lower(id || char(10) || name), ?) > 0 ORDER BY id LIMIT ?"
        ),
        &[after.into(), search.to_ascii_lowercase().into(), count.clamp(0, PAGE_MAX).into()],
        read,
    )
}

/// Teams whose creation or deletion is not finished.
pub fn unfinished(context: &Context<'_>) -> Result<Vec<Entry>, SqlError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM team WHERE state IN ('creating', 'deleting') ORDER BY id LIMIT 50"
    );
    context.sql.all(&sql, &[], read)
}

/// Writes down that a team is to be. A second call while the first is not
/// finished finds what that one asked for, and finishes it.
///
/// # Errors
/// `team_exists` for an id that is or was in use.
pub fn begin(
    context: &Context<'_>,
    id: &TeamId,
    new: &NewTeam,
    location_hint: Option<&str>,
) -> Result<Entry, Failure<Problem>> {
    context.transaction(|| {
        if let Some(entry) = find(context, id)? {
            // A call that is this old has ended, one way or another.
            let is_stale = entry.created <= context.now.plus(-CALL_MS);
            if entry.state == State::Creating && is_stale {
                return Ok(entry);
            }
            let message = match entry.state {
                State::Gone | State::Deleting => {
                    "a team of this id was deleted; its id is not given again"
                }
                State::Creating => "a team of this id is being created; ask again in a minute",
                State::Live | State::Suspended => "a team of this id exists already",
            };
            return Err(Problem::new(Kind::Conflict, "team_exists", message).into());
        }
        let request = json!({ "name": new.admin_name, "email": new.admin_email });
        context.sql.execute(
            "INSERT INTO team (id, name, state, seats, created, request, location_hint,
                 requests_per_second, request_burst)
             VALUES (?, ?, 'creating', ?, ?, ?, ?, ?, ?)",
            &[
                id.as_str().into(),
                new.name.as_str().into(),
                new.seats.into(),
                context.now.0.into(),
                request.to_string().into(),
                location_hint.into(),
                new.rate.per_second.into(),
                new.rate.burst.into(),
            ],
        )?;
        Ok(Entry {
            id: id.clone(),
            state: State::Creating,
            created: context.now,
            location_hint: location_hint.map(str::to_owned),
            new: new.clone(),
        })
    })
}

/// Moves a team on in its life and says so in the operators' audit, if
/// `action` is one. A team that is gone keeps nothing but its id.
///
/// # Errors
/// `team_deleted` for a team that was to live on but was deleted while its
/// object was being told: what came late brings nothing back.
pub fn advance(
    context: &Context<'_>,
    actor: &Actor,
    id: &TeamId,
    state: State,
    action: Option<Action>,
) -> Result<(), Failure<Problem>> {
    context.transaction(|| {
        let lives_on = matches!(state, State::Live | State::Suspended);
        let is_leaving = |entry: &Entry| matches!(entry.state, State::Deleting | State::Gone);
        if lives_on && find(context, id)?.as_ref().is_none_or(is_leaving) {
            let message = "the team was deleted meanwhile";
            return Err(Problem::new(Kind::Conflict, "team_deleted", message).into());
        }
        let parameters = [state.name().into(), id.as_str().into()];
        context.sql.execute("UPDATE team SET state = ? WHERE id = ?", &parameters)?;
        if matches!(state, State::Live | State::Gone) {
            // The admin's name and address are the team's, not ours to keep.
            let sql = "UPDATE team SET request = '{}' WHERE id = ?";
            context.sql.execute(sql, &[id.as_str().into()])?;
        }
        if let Some(action) = action {
            audit::record(context, actor, action, id.as_str(), &json!({}))?;
        }
        Ok(())
    })
}

/// Takes back [`begin`]: the team could not be made, and its id is free.
pub fn abandon(context: &Context<'_>, id: &TeamId) -> Result<(), SqlError> {
    let sql = "DELETE FROM team WHERE id = ? AND state = 'creating'";
    context.sql.execute(sql, &[id.as_str().into()])
}

/// Keeps what a team's limits are now.
pub fn set_limits(
    context: &Context<'_>,
    actor: &Actor,
    id: &TeamId,
    limits: &Limits,
) -> Result<(), Failure<Problem>> {
    let Limits { seats, rate } = *limits;
    context.transaction(|| {
        context.sql.execute(
            "UPDATE team SET seats = coalesce(?, seats),
                 requests_per_second = coalesce(?, requests_per_second),
                 request_burst = coalesce(?, request_burst) WHERE id = ?",
            &[seats.into(), rate.per_second.into(), rate.burst.into(), id.as_str().into()],
        )?;
        if let Some(seats) = seats {
            let detail = json!({ "seats": seats });
            audit::record(context, actor, Action::SeatsSet, id.as_str(), &detail)?;
        }
        if rate != Rate::default() {
            let detail =
                json!({ "requestsPerSecond": rate.per_second, "requestBurst": rate.burst });
            audit::record(context, actor, Action::RateSet, id.as_str(), &detail)?;
        }
        Ok(())
    })
}

/// Records what an operator did to a team that stays as it is.
pub fn note(
    context: &Context<'_>,
    actor: &Actor,
    id: &TeamId,
    action: Action,
    detail: &Value,
) -> Result<(), SqlError> {
    audit::record(context, actor, action, id.as_str(), detail)
}
