//! Break-glass links: an operator appoints an admin where no admin is left who
//! could.
//!
//! Such a link is for one person, works once and for a quarter of an hour. It
//! makes them admin, adding them if the team has no such member, whether SCIM is
//! on or off. It brings nobody back who is suspended: that is for their provider
//! to say, and the operator appoints someone else.

use super::audit::{self, Action, Actor};
use super::credential::{self, Credential, Kind, Minted};
use super::members::{self, Member, NewMember, Role, Source};
use super::problem::{self, Problem};
use super::sql::{self, SqlError};
use super::team::{self, Team};
use super::team_id::TeamId;
use super::{Context, Deployment, Failure, Fault, Timestamp, seats, sessions};
use crate::scim::filter::fold;
use serde_json::json;

/// How long a link works.
const LIFE_MS: i64 = 15 * 60 * 1000;

/// A link that works still.
#[derive(Clone, Debug)]
pub struct Link {
    /// The name of the person it is for.
    pub name: String,
    /// Their address, which is their `userName`.
    pub email: String,
    /// Until when it works.
    pub expires: Timestamp,
    operator: String,
}

/// Makes a link for a person; an earlier one for them works no longer.
///
/// # Errors
/// `invalid`, `team_suspended`, `member_suspended`, `no_free_seat`.
pub fn issue(
    context: &Context<'_>,
    operator: &str,
    id: &TeamId,
    name: &str,
    email: &str,
) -> Result<(Link, Minted), Failure<Problem>> {
    context.transaction(|| {
        let Some(team) = team::read(context)? else { return Err(team::not_found().into()) };
        members::check_email(email)?;
        let member = appointed(context, &team, email)?;
        if member.is_none() && seats::taken(context)? >= team.seats {
            let message = "the team has no free seat for a new admin; give it more seats first";
            return Err(Problem::new(problem::Kind::Conflict, "no_free_seat", message).into());
        }
        context.sql.execute("DELETE FROM break_glass WHERE email = ?", &[fold(email).into()])?;
        let minted = credential::mint(context, Kind::BreakGlass, id)?;
        let expires = context.now.plus(LIFE_MS);
        context.sql.execute(
            "INSERT INTO break_glass (id, hash, name, email, operator, expires)
             VALUES (?, ?, ?, ?, ?, ?)",
            &[
                minted.id.as_str().into(),
                minted.hash.as_slice().into(),
                name.into(),
                fold(email).into(),
                operator.into(),
                expires.0.into(),
            ],
        )?;
        let actor = Actor::Operator(operator.to_owned());
        let detail = json!({ "link": minted.id, "email": email });
        audit::record(context, &actor, Action::BreakGlassIssued, id.as_str(), &detail)?;
        let (name, email) = (name.to_owned(), fold(email));
        Ok((Link { name, email, expires, operator: operator.to_owned() }, minted))
    })
}

/// The address of a link.
pub fn url(deployment: &Deployment, team: &TeamId, text: &str) -> String {
    format!("{}/teams/{team}/break-glass/{text}", deployment.base_url)
}

/// The link behind a credential with a good tag, if it works still.
pub fn find(context: &Context<'_>, credential: &Credential) -> Result<Option<Link>, Fault> {
    let found = context.sql.first(
        "SELECT hash, name, email, operator, expires FROM break_glass
         WHERE id = ? AND used IS NULL AND expires > ?",
        &[credential.id.as_str().into(), context.now.0.into()],
        |mut row| {
            let is_it = credential.has_hash(&row.blob()?);
            let (name, email, operator) = (row.text()?, row.text()?, row.text()?);
            let expires = Timestamp(row.integer()?);
            Ok(is_it.then_some(Link { name, email, expires, operator }))
        },
    );
    match found {
        Err(error) if error.is_missing_table() => Ok(None),
        found => Ok(found?.flatten()),
    }
}

/// Makes the person admin, spends the link and signs them in, whether the team has
/// single sign-on or not. `None` if the link works no longer.
///
/// # Errors
/// `team_suspended`, `member_suspended`, `no_free_seat`; the link stays good
/// then.
pub fn consume(
    context: &Context<'_>,
    team: &TeamId,
    credential: &Credential,
) -> Result<Option<Minted>, Failure<Problem>> {
    context.transaction(|| {
        let Some(link) = find(context, credential)? else { return Ok(None) };
        let Some(state) = team::read(context)? else { return Err(team::not_found().into()) };
        let actor = Actor::Operator(link.operator.clone());
        let admin = match appointed(context, &state, &link.email)? {
            Some(member) => members::set_role(context, &actor, &member.id, Role::Admin)?.id,
            None => {
                let new = NewMember {
                    name: &link.name,
                    email: &link.email,
                    role: Role::Admin,
                    source: Source::Team,
                };
                let admin = members::add(context, &new).map_err(members::unrefused)?;
                let detail = json!({ "userName": link.email, "role": Role::Admin });
                audit::record(context, &actor, Action::MemberAdded, &admin, &detail)?;
                admin
            }
        };
        context.sql.execute(
            "UPDATE break_glass SET used = ? WHERE id = ?",
            &[context.now.0.into(), credential.id.as_str().into()],
        )?;
        let detail = json!({ "link": credential.id });
        audit::record(context, &actor, Action::BreakGlassUsed, &admin, &detail)?;
        let admin = members::fetch(context, &admin)?;
        let method = (sessions::Method::BreakGlass, Some(context.now));
        let (_, minted) = sessions::open(context, &actor, &state, team, &admin, method)?;
        Ok(Some(minted))
    })
}

/// The member of this address who can be made admin, or `None` if there is no
/// such member and one can be added.
fn appointed(
    context: &Context<'_>,
    team: &Team,
    email: &str,
) -> Result<Option<Member>, Failure<Problem>> {
    if team.is_suspended {
        let message = "the team is suspended; resume it before you appoint an admin";
        return Err(Problem::new(problem::Kind::Conflict, "team_suspended", message).into());
    }
    let member = members::find_by_name(context, email)?;
    if member.as_ref().is_some_and(|member| !member.is_active) {
        let message = "this person is suspended, and a link brings nobody back; appoint someone \
                       else, or have them reactivated";
        return Err(Problem::new(problem::Kind::Conflict, "member_suspended", message).into());
    }
    Ok(member)
}

/// Removes links whose time is over; returns whether there may be more.
pub(super) fn prune(context: &Context<'_>, rows: i64) -> Result<bool, SqlError> {
    sql::prune(context.sql, "break_glass", "id", "expires", context.now.0, rows)
}
