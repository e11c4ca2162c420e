//! A visit: who looks at which page of which team, and may they?

use super::form::Form;
use super::page::{self, Notice};
use super::{Outcome, cookie, sign_in};
use crate::directory::activity::Activity;
use crate::directory::audit::Actor;
use crate::directory::members::{self, Member, Role};
use crate::directory::problem::Problem;
use crate::directory::schemas::Schemas;
use crate::directory::sessions::{self, Session};
use crate::directory::team::Team;
use crate::directory::team_id::TeamId;
use crate::directory::{Context, Failure, Fault};
use crate::scim::list::Parameters;
use crate::web::answered::After;
use http::request::Parts;
use http::{HeaderMap, Method, header};
use std::borrow::Cow;
use std::cell::Cell;
use subtle::ConstantTimeEq;

/// Who may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// A team admin.
    Admin,
    /// A team admin who proved themselves within the hour.
    Recent,
    /// Any member.
    Member,
}

/// A visit.
pub(super) struct Visit<'a> {
    base: &'a Context<'a>,
    schemas: Cow<'static, Schemas>,
    pub(super) activity: &'a Activity,
    pub(super) team: Team,
    pub(super) id: &'a TeamId,
    pub(super) session: Session,
    pub(super) captures: Vec<&'a str>,
    pub(super) query: Parameters,
    pub(super) form: Form,
    pub(super) notice: Option<Notice>,
    /// What every form of ours carries, and no other site's can.
    pub(super) form_token: String,
    pub(super) after: &'a Cell<After>,
}

/// The session that stands behind a request's cookie.
pub(super) fn session(
    context: &Context<'_>,
    headers: &HeaderMap,
    team: &TeamId,
) -> Result<Option<Session>, Fault> {
    match cookie::session(context.deployment, headers, team) {
        Some(credential) => sessions::find(context, &credential),
        None => Ok(None),
    }
}

impl<'a> Visit<'a> {
    pub(super) fn new(
        context: &'a Context<'a>,
        activity: &'a Activity,
        team: Team,
        id: &'a TeamId,
        session: Session,
        after: &'a Cell<After>,
    ) -> Result<Self, Fault> {
        Ok(Self {
            base: context,
            schemas: Schemas::read(context, team.schemas)?,
            activity,
            team,
            id,
            form_token: sessions::form_token(context, id, &session),
            session,
            captures: Vec::new(),
            query: Parameters::default(),
            form: Form::default(),
            notice: None,
            after,
        })
    }

    /// What the directory works with, the team's own schemas among it.
    pub(super) fn context(&self) -> Context<'_> {
        self.base.with_schemas(&self.schemas)
    }

    /// Reads the query, and what a change before this page left to say.
    pub(super) fn read(&mut self, head: &Parts) {
        self.query = Parameters::parse(head.uri.query().unwrap_or_default());
        let done = self.query.get("done").ok().flatten();
        self.notice = done.and_then(Notice::done);
    }

    /// The answer for a visitor who may not see this.
    pub(super) fn admission(&self, access: &Access, head: &Parts) -> Option<Outcome> {
        let is_admin = self.session.member.role == Role::Admin;
        if *access != Access::Member && !is_admin {
            // A developer who opens the team finds themselves.
            if head.uri.path() == self.path("") {
                return Some(Ok(page::see(&self.path("/me"))));
            }
            let why = "Only a team admin can see this page. Your own page has what is yours.";
            return Some(Ok(page::forbidden("For team admins", why, &self.path("/me"))));
        }
        if head.method != Method::POST {
            return None;
        }
        if self.team.is_suspended && !head.uri.path().ends_with("/sign-out") {
            let why = "kafkaman suspended this team: everything can be read, nothing changed.";
            return Some(Ok(page::forbidden("The team is suspended", why, &self.path(""))));
        }
        if *access == Access::Recent && !self.session.is_recently_proven(self.base.now) {
            return Some(Ok(sign_in::again(self.id, &self.path("/authentication"))));
        }
        None
    }

    /// Reads a form of ours; the answer to any other.
    pub(super) fn read_form(&mut self, head: &Parts, body: &[u8]) -> Option<Outcome> {
        let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
        let is_ours = text("origin").is_none_or(|origin| origin == self.base.deployment.base_url)
            && text("sec-fetch-site").is_none_or(|site| site == "same-origin")
            && text(header::CONTENT_TYPE.as_str())
                .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        let form = Form::read(body)
            .filter(|_| is_ours)
            .filter(|form| form.get("form").as_bytes().ct_eq(self.form_token.as_bytes()).into());
        match form {
            Some(form) => {
                self.form = form;
                None
            }
            None => {
                let why = "This form is from another sign-in or another site, so nothing was \
                           changed. Open the page afresh and try again.";
                Some(Ok(page::forbidden("Nothing was changed", why, &self.path(""))))
            }
        }
    }

    /// Whom the audit will name.
    pub(super) fn actor(&self) -> Actor {
        let id = self.session.member.id.clone();
        if self.session.member.role == Role::Admin { Actor::Admin(id) } else { Actor::Member(id) }
    }

    /// A path of this team's pages.
    pub(super) fn path(&self, rest: &str) -> String {
        format!("/teams/{}{rest}", self.id)
    }

    /// Back to a page, which says what was done.
    pub(super) fn done(&self, rest: &str, what: &str) -> Outcome {
        Ok(page::see(&format!("{}?done={what}", self.path(rest))))
    }

    /// The variable segment after the team's.
    pub(super) fn named(&self) -> &str {
        self.captures.get(1).copied().unwrap_or_default()
    }

    /// A query parameter, empty where there is none.
    pub(super) fn asked(&self, name: &str) -> Result<&str, Problem> {
        let found = self.query.get(name).map_err(|error| Problem::invalid(error.detail()))?;
        Ok(found.unwrap_or_default())
    }

    /// The member whom the path names.
    pub(super) fn member(&self) -> Result<Member, Failure<Problem>> {
        members::fetch(&self.context(), self.named())
    }
}
