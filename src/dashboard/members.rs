//! Who is in the team: the list, those who left, adding by hand.

use super::Outcome;
use super::page::{self, Frame};
use super::text;
use super::visit::Visit;
use crate::directory::departures::{self, Departed};
use crate::directory::members::{self, Member, NewMember, Query, Role, Source, unrefused};
use crate::directory::membership::InGroup;
use crate::directory::problem::{Kind, Problem};
use crate::directory::{audit, rosters, seats};
use askama::Template;
use serde_json::json;

/// Members on a page.
const PAGE: i64 = 50;

#[derive(Template)]
#[template(path = "dashboard/members.html")]
struct List<'a> {
    frame: Frame,
    shows_suspended: bool,
    search: &'a str,
    members: Vec<(Member, Vec<InGroup>)>,
    next: Option<String>,
    seats: i64,
    taken: i64,
    scim_enabled: bool,
}

pub(super) fn list(visit: &Visit<'_>) -> Outcome {
    let context = visit.context();
    let shows_suspended = visit.asked("state")? == "suspended";
    let search = visit.asked("search")?;
    let query = Query {
        active: !shows_suspended,
        search,
        after: visit.asked("after")?,
        count: PAGE.saturating_add(1),
    };
    let mut found = members::list(&context, &query)?;
    let next = super::groups::next(&mut found, PAGE).map(|last: &Member| last.id.clone());
    let groups = rosters::groups_of_all(&context, &found)?;
    page::shown(&List {
        frame: Frame::of(visit, "members", "Members")?,
        shows_suspended,
        search,
        members: found.into_iter().zip(groups).collect(),
        next,
        seats: visit.team.seats,
        taken: seats::taken(&context)?,
        scim_enabled: visit.team.scim_enabled,
    })
}

pub(super) fn add(visit: &Visit<'_>) -> Outcome {
    if visit.team.scim_enabled {
        let message = "the identity provider manages who is in the team; add the person there";
        return Err(Problem::new(Kind::Conflict, "managed_by_identity_provider", message).into());
    }
    let role = Role::named(visit.form.get("role")).unwrap_or(Role::Developer);
    let new = NewMember {
        name: visit.form.get("name"),
        email: visit.form.get("email"),
        role,
        source: Source::Team,
    };
    let context = visit.context();
    context.transaction(|| {
        let id = members::add(&context, &new).map_err(unrefused)?;
        let detail = json!({ "userName": new.email, "role": role });
        Ok(audit::record(&context, &visit.actor(), audit::Action::MemberAdded, &id, &detail)?)
    })?;
    visit.done("", "member-added")
}

#[derive(Template)]
#[template(path = "dashboard/departed.html")]
struct Gone {
    frame: Frame,
    departed: Vec<Departed>,
    next: Option<String>,
}

pub(super) fn departed(visit: &Visit<'_>) -> Outcome {
    let after = visit.asked("after")?;
    let mut found = departures::list(&visit.context(), after, PAGE.saturating_add(1))?;
    let next = super::groups::next(&mut found, PAGE).map(|last: &Departed| last.id.clone());
    let frame = Frame::of(visit, "members", "Deleted members")?;
    page::shown(&Gone { frame, departed: found, next })
}

pub(super) fn restore(visit: &Visit<'_>) -> Outcome {
    let member = departures::restore(&visit.context(), &visit.actor(), visit.named())?;
    visit.done(&format!("/members/{}", member.id), "restored")
}
