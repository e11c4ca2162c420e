//! Whom a provider's word stands for.
//!
//! The first sign-in finds the member by a claim and pins the provider's own name
//! for the person to them. From then on only that name counts, so that whoever
//! is given someone's old address does not become them.

use super::forbidden;
use crate::directory::audit::{self, Action, Actor};
use crate::directory::credential::Minted;
use crate::directory::members::{self, Member, NewMember, Source, unrefused};
use crate::directory::problem::Problem;
use crate::directory::sessions;
use crate::directory::sql::SqlError;
use crate::directory::sso::{MATCH_CLAIM, Settings};
use crate::directory::team::Team;
use crate::directory::team_id::TeamId;
use crate::directory::{Context, Failure, Timestamp, settings};
use crate::oidc::id_token::Person;
use serde_json::json;

/// What a sign-in led to.
pub enum Outcome {
    /// The member is in: their session, and the page to go to.
    SignedIn(Minted, String),
    /// It was only tried.
    Tested(Report),
}

/// What a test sign-in showed.
#[derive(Debug)]
pub struct Report {
    /// The provider's name for the person.
    pub subject: String,
    /// The claim that is matched, and what it says.
    pub claim: (String, String),
    /// The member it stands for, or why there is none.
    pub member: Result<Member, String>,
    /// The page to go back to.
    pub back: String,
}

fn pinned(context: &Context<'_>, issuer: &str, subject: &str) -> Result<Option<Member>, SqlError> {
    let member = context.sql.first(
        "SELECT member FROM pin WHERE issuer = ? AND subject = ?",
        &[issuer.into(), subject.into()],
        |mut row| row.integer(),
    )?;
    match member {
        Some(seq) => members::by_seq(context, seq),
        None => Ok(None),
    }
}

/// The member whom a person is, and whether they were pinned already; none where
/// the team has no such member.
fn find(
    context: &Context<'_>,
    settings: &Settings,
    person: &Person,
) -> Result<Option<(Member, bool)>, Failure<Problem>> {
    if let Some(member) = pinned(context, &settings.issuer, &person.subject)? {
        return Ok(Some((member, true)));
    }
    let name = settings.match_claim.as_deref().unwrap_or(MATCH_CLAIM);
    let Some(value) = person.claim(name) else {
        let message = format!(
            "Your identity provider does not say your `{name}`. Ask whoever runs it to send that."
        );
        return Err(forbidden("no_claim", message).into());
    };
    if name == "email" && person.has_unverified_email() {
        let message = "Your identity provider has not verified your email address.";
        return Err(forbidden("unverified_email", message).into());
    }
    let Some(member) = members::find_by_name(context, value)? else { return Ok(None) };
    let other = context.sql.first(
        "SELECT 1 FROM pin WHERE member = ? AND issuer = ?",
        &[member.seq.into(), settings.issuer.as_str().into()],
        |mut row| row.integer(),
    )?;
    if other.is_some() {
        let message = "This address belongs to someone who signed in before as another person at \
                       your identity provider. Ask a team admin to reset the sign-in pins.";
        return Err(forbidden("subject_changed", message).about(&member.id).into());
    }
    Ok(Some((member, false)))
}

fn unknown() -> Problem {
    let message = "You are not a member of this team. Ask whoever runs your identity provider to \
                   assign kafkaman to you.";
    forbidden("not_a_member", message)
}

/// Signs a verified person in.
///
/// # Errors
/// `not_a_member`, `no_claim`, `unverified_email`, `subject_changed`; what `policy`
/// and the seats refuse.
pub(super) fn admit(
    context: &Context<'_>,
    team: &Team,
    id: &TeamId,
    settings: &Settings,
    person: &Person,
    back: String,
) -> Result<Outcome, Failure<Problem>> {
    context.transaction(|| {
        let (member, is_pinned) = match find(context, settings, person)? {
            Some(found) => found,
            None => (join(context, team, settings, person)?, false),
        };
        let actor = Actor::Member(member.id.clone());
        let proven = person.authenticated.map(|at| Timestamp(at.saturating_mul(1000)));
        let method = (sessions::Method::Oidc, proven);
        let opened = sessions::open(context, &actor, team, id, &member, method);
        let (_, minted) = opened.map_err(|failure| match failure {
            Failure::Refused(problem) => Failure::Refused(problem.about(&member.id)),
            fault => fault,
        })?;
        if !is_pinned {
            context.sql.execute(
                "INSERT INTO pin (issuer, subject, member, created) VALUES (?, ?, ?, ?)",
                &[
                    settings.issuer.as_str().into(),
                    person.subject.as_str().into(),
                    member.seq.into(),
                    context.now.0.into(),
                ],
            )?;
            let detail = json!({ "issuer": settings.issuer, "subject": person.subject });
            audit::record(context, &actor, Action::SignInPinned, &member.id, &detail)?;
        }
        Ok(Outcome::SignedIn(minted, back))
    })
}

/// Adds whom the provider verified, where the team wants that.
fn join(
    context: &Context<'_>,
    team: &Team,
    sso: &Settings,
    person: &Person,
) -> Result<Member, Failure<Problem>> {
    let settings = settings::read(context)?;
    let claim = sso.match_claim.as_deref().unwrap_or(MATCH_CLAIM);
    let email = person.claim(claim).unwrap_or_default();
    if team.scim_enabled || !settings.just_in_time || members::check_email(email).is_err() {
        return Err(unknown().into());
    }
    let new =
        NewMember { name: &person.name(), email, role: settings.default_role, source: Source::Sso };
    let added = members::add(context, &new).map_err(unrefused)?;
    let detail = json!({ "userName": email, "role": settings.default_role, "by": "sso" });
    audit::record(context, &Actor::System, Action::MemberAdded, &added, &detail)?;
    members::fetch(context, &added)
}

/// What a sign-in would lead to.
pub(super) fn report(
    context: &Context<'_>,
    settings: &Settings,
    person: &Person,
    back: String,
) -> Result<Outcome, Failure<Problem>> {
    let name = settings.match_claim.as_deref().unwrap_or(MATCH_CLAIM);
    let member = match find(context, settings, person) {
        Ok(Some((member, _))) if member.is_active => Ok(member),
        Ok(Some((member, _))) => Err(format!("{} is suspended in this team.", member.name)),
        Ok(None) => Err("No member of this team has this as user name yet.".to_owned()),
        Err(Failure::Refused(problem)) => Err(problem.message),
        Err(Failure::Fault(fault)) => return Err(fault.into()),
    };
    Ok(Outcome::Tested(Report {
        subject: person.subject.clone(),
        claim: (name.to_owned(), person.claim(name).unwrap_or_default().to_owned()),
        member,
        back,
    }))
}

/// How many members are pinned.
pub fn pins(context: &Context<'_>) -> Result<i64, SqlError> {
    let counted = context.sql.first("SELECT count(*) FROM pin", &[], |mut row| row.integer())?;
    Ok(counted.unwrap_or(0))
}

/// Undoes all pins: the provider gives its people other names now. Sessions stay.
///
/// # Errors
/// A fault.
pub fn reset_pins(context: &Context<'_>, actor: &Actor) -> Result<(), Failure<Problem>> {
    context.transaction(|| {
        let undone =
            context.sql.all("DELETE FROM pin RETURNING member", &[], |mut row| row.integer())?;
        let detail = json!({ "members": undone.len() });
        Ok(audit::record(context, actor, Action::PinsReset, "", &detail)?)
    })
}

/// Forgets whom a member is at the provider: they are gone.
pub(in crate::directory) fn forget(context: &Context<'_>, seq: i64) -> Result<(), SqlError> {
    context.sql.execute("DELETE FROM pin WHERE member = ?", &[seq.into()])
}

/// Ends the sessions of a member, at the provider's word.
pub(super) fn sign_out(context: &Context<'_>, member: &Member) -> Result<(), Failure<Problem>> {
    let ended = sessions::end_of(context, member.seq)?;
    let detail = json!({ "ended": ended });
    let action = Action::SignedOutByProvider;
    Ok(audit::record(context, &Actor::System, action, &member.id, &detail)?)
}

/// The member whom the provider calls so.
pub(super) fn of_subject(
    context: &Context<'_>,
    issuer: &str,
    subject: &str,
) -> Result<Option<Member>, SqlError> {
    pinned(context, issuer, subject)
}
