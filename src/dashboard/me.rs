//! A member's own page: who they are here, what the identity provider manages and
//! why, and where they are signed in.

use super::Outcome;
use super::page::{self, Frame, method_name};
use super::text;
use super::visit::Visit;
use super::{cookie, sign_in};
use crate::directory::members::{self, Member};
use crate::directory::membership::InGroup;
use crate::directory::policy::{self, Action, Refusal};
use crate::directory::problem::Problem;
use crate::directory::{Failure, rosters, sessions};
use askama::Template;

#[derive(Template)]
#[template(path = "dashboard/me.html")]
struct Page {
    frame: Frame,
    member: Member,
    groups: Vec<InGroup>,
    sessions: Vec<sessions::Own>,
    own_session: String,
    leaving: Result<(), Refusal>,
    email: Result<(), Refusal>,
    password: Result<(), Refusal>,
}

fn member(visit: &Visit<'_>) -> Result<Member, Failure<Problem>> {
    members::fetch(&visit.context(), &visit.session.member.id)
}

pub(super) fn show(visit: &Visit<'_>) -> Outcome {
    let context = visit.context();
    let member = member(visit)?;
    let (team, state) = (visit.team.state(&context, None)?, members::state_of(&context, &member)?);
    let may = |action| policy::decide(team, state, action);
    page::shown(&Page {
        frame: Frame::of(visit, "me", "Your account")?,
        groups: rosters::groups_of(&context, &member)?,
        sessions: sessions::list(&context, &member)?,
        own_session: visit.session.id.clone(),
        leaving: may(Action::LeaveTeam),
        email: may(Action::ChangeEmail),
        password: may(Action::ChangePassword),
        member,
    })
}

fn permit(visit: &Visit<'_>, member: &Member, action: Action) -> Result<(), Failure<Problem>> {
    let context = visit.context();
    let state = members::state_of(&context, member)?;
    let decision = policy::decide(visit.team.state(&context, None)?, state, action);
    Ok(decision.map_err(sessions::refused)?)
}

pub(super) fn set_email(visit: &Visit<'_>) -> Outcome {
    let (context, member) = (visit.context(), member(visit)?);
    context.transaction(|| {
        permit(visit, &member, Action::ChangeEmail)?;
        members::set_email(&context, &visit.actor(), &member, visit.form.get("email"))
    })?;
    visit.done("/me", "email")
}

pub(super) fn leave(visit: &Visit<'_>) -> Outcome {
    members::remove(&visit.context(), &visit.actor(), &visit.session.member.id)?;
    let gone = sign_in::left(visit.id);
    Ok(page::with_cookie(gone, &cookie::forget_session(visit.id)))
}

pub(super) fn end_session(visit: &Visit<'_>) -> Outcome {
    sessions::end(&visit.context(), &visit.actor(), &member(visit)?, visit.named())?;
    visit.done("/me", "session-ended")
}

pub(super) fn sign_out(visit: &Visit<'_>) -> Outcome {
    let own = &visit.session;
    sessions::end(&visit.context(), &visit.actor(), &own.member, &own.id)?;
    Ok(page::with_cookie(sign_in::signed_out(visit.id), &cookie::forget_session(visit.id)))
}
