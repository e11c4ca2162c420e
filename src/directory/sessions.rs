//! Sessions: who is signed in, until when.
//!
//! kafkaman's login service verifies a person and asks for a session; whether
//! there may be one is `policy`'s. A session is a row that is there or not: what
//! ends a member's right to work deletes their rows in its own transaction, so
//! that a session asked about after the answer is dead, without exception.

use super::audit::{self, Action, Actor};
use super::credential::{self, Credential, Kind, Minted};
use super::members::{self, Member};
use super::policy::{self, Action as Wish};
use super::problem::{self, Problem};
use super::sql::{self, SqlError, Value as Sql};
use super::team::Team;
use super::team_id::TeamId;
use super::{Context, Failure, Fault, Timestamp, settings};
use serde_json::json;

/// How far a session's last sign of life may lag behind what is stored, so that
/// asking about it writes at most once a minute.
const SEEN_MS: i64 = 60_000;
/// Sessions that a member may have; the oldest end when there are more.
const SESSIONS_MAX: i64 = 50;
/// How long ago a person may have proved themselves who changes keys or single
/// sign-on.
const RECENT_MS: i64 = 60 * 60 * 1000;

/// How a person was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// With a password.
    Password,
    /// With a Google account.
    Google,
    /// By SAML.
    Saml,
    /// By OpenID Connect.
    Oidc,
    /// By an operator's break-glass link.
    BreakGlass,
}

impl Method {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Password, "password"),
        (Self::Google, "google"),
        (Self::Saml, "saml"),
        (Self::Oidc, "oidc"),
        (Self::BreakGlass, "break_glass"),
    ];

    /// The method of this name, of those that a login service may have verified
    /// someone by.
    pub fn named(name: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(_, own)| *own == name).map(|(own, _)| *own);
        found.filter(|method| *method != Self::BreakGlass)
    }

    /// The name that is stored and shown.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(own, _)| *own == self).map_or("", |(_, name)| name)
    }

    /// What `policy` is asked; none for what an operator vouches for.
    fn wish(self) -> Option<Wish> {
        match self {
            Self::Password => Some(Wish::SignInByPassword),
            Self::Google => Some(Wish::SignInByGoogle),
            Self::Saml | Self::Oidc => Some(Wish::SignInBySso),
            Self::BreakGlass => None,
        }
    }
}

/// A session that stands.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub member: Member,
    /// How they signed in.
    pub method: String,
    /// When it began.
    pub created: Timestamp,
    /// When it ends whatever happens.
    pub expires: Timestamp,
    /// When the member last proved themselves, to the provider or to us; `None`
    /// where nobody said. A provider that knows the browser lets people in without.
    proven: Option<Timestamp>,
}

impl Session {
    /// Whether the member proved themselves within the last hour: what changes keys
    /// or single sign-on takes that, so that a screen left open cannot do it.
    pub fn is_recently_proven(&self, now: Timestamp) -> bool {
        self.proven.is_some_and(|proven| now.0.saturating_sub(proven.0) <= RECENT_MS)
    }
}

/// Opens a session for a member who was verified by this method, and `proven` then
/// if it is known when.
///
/// # Errors
/// `member_not_found`; what `policy` refuses, as 403.
pub fn open(
    context: &Context<'_>,
    actor: &Actor,
    team: &Team,
    id: &TeamId,
    member: &Member,
    (method, proven): (Method, Option<Timestamp>),
) -> Result<(Session, Minted), Failure<Problem>> {
    context.transaction(|| {
        if let Some(wish) = method.wish() {
            let state = members::state_of(context, member)?;
            policy::decide(team.state(context, Some(method))?, state, wish).map_err(refused)?;
        }
        let settings = settings::read(context)?;
        let minted = credential::mint(context, Kind::Session, id)?;
        let now = context.now;
        let expires = now.plus(settings.session_lifetime_seconds.saturating_mul(1000));
        context.sql.execute(
            "DELETE FROM session WHERE id IN (SELECT id FROM session WHERE member = ?
             ORDER BY created DESC LIMIT -1 OFFSET ?)",
            &[member.seq.into(), SESSIONS_MAX.saturating_sub(1).into()],
        )?;
        context.sql.execute(
            "INSERT INTO session (id, member, hash, signing_version, method, created, seen, expires,
                                  proven)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            &[
                minted.id.as_str().into(),
                member.seq.into(),
                minted.hash.as_slice().into(),
                i64::from(minted.signing_version).into(),
                method.name().into(),
                now.0.into(),
                now.0.into(),
                expires.0.into(),
                proven.map(|at| at.0).into(),
            ],
        )?;
        context.sql.execute(
            "UPDATE resource SET signed_in = ? WHERE seq = ?",
            &[now.0.into(), member.seq.into()],
        )?;
        let detail = json!({ "session": minted.id, "method": method.name() });
        audit::record(context, actor, Action::SignedIn, &member.id, &detail)?;
        let session = Session {
            id: minted.id.clone(),
            member: member.clone(),
            method: method.name().to_owned(),
            created: now,
            expires,
            proven,
        };
        Ok((session, minted))
    })
}

/// What policy refuses, as the team API says it.
pub fn refused(refusal: policy::Refusal) -> Problem {
    Problem::new(problem::Kind::Forbidden, refusal.code, refusal.message)
}

/// The session behind a credential with a good tag, if it still stands: known,
/// neither too old nor idle too long, and its member active.
pub fn find(context: &Context<'_>, credential: &Credential) -> Result<Option<Session>, Fault> {
    let found = context.sql.first(
        "SELECT member, hash, method, created, seen, expires, proven FROM session WHERE id = ?",
        &[credential.id.as_str().into()],
        |mut row| {
            let member = row.integer()?;
            let is_it = credential.has_hash(&row.blob()?);
            let method = row.text()?;
            let (created, seen) = (row.integer()?, row.integer()?);
            let times = (created, seen, row.integer()?, row.optional_integer()?);
            Ok(is_it.then_some((member, method, times)))
        },
    );
    let found = match found {
        Err(error) if error.is_missing_table() => return Ok(None),
        found => found?.flatten(),
    };
    let Some((seq, method, (created, seen, expires, proven))) = found else { return Ok(None) };
    let (idle, lifetime) = limits(context)?;
    let expires = expires.min(created.saturating_add(lifetime));
    let now = context.now.0;
    if now >= expires || now.saturating_sub(seen) >= idle {
        return Ok(None);
    }
    let Some(member) = members::by_seq(context, seq)?.filter(|member| member.is_active) else {
        return Ok(None);
    };
    if now.saturating_sub(seen) >= SEEN_MS.min(idle / 10) {
        context.sql.execute(
            "UPDATE session SET seen = ? WHERE id = ?",
            &[now.into(), credential.id.as_str().into()],
        )?;
    }
    let (created, expires) = (Timestamp(created), Timestamp(expires));
    let (id, proven) = (credential.id.clone(), proven.map(Timestamp));
    Ok(Some(Session { id, member, method, created, expires, proven }))
}

/// For how long a session may rest, and may live, in milliseconds. Both hold for
/// sessions that were opened before they were set.
fn limits(context: &Context<'_>) -> Result<(i64, i64), Fault> {
    let settings = settings::read(context)?;
    let idle = settings.session_idle_seconds.saturating_mul(1000);
    Ok((idle, settings.session_lifetime_seconds.saturating_mul(1000)))
}

/// A session as its member sees it.
#[derive(Clone, Debug)]
pub struct Own {
    /// Its id.
    pub id: String,
    /// How they signed in.
    pub method: String,
    /// When it began.
    pub created: Timestamp,
    /// When it last gave a sign of life, to the minute.
    pub seen: Timestamp,
}

/// The sessions of a member that are not over, the newest first.
pub fn list(context: &Context<'_>, member: &Member) -> Result<Vec<Own>, Fault> {
    let (idle, lifetime) = limits(context)?;
    let now = context.now;
    let found = context.sql.all(
        "SELECT id, method, created, seen FROM session WHERE member = ? AND expires > ?
         AND created > ? AND seen > ? ORDER BY created DESC",
        &[
            member.seq.into(),
            now.0.into(),
            now.plus(lifetime.saturating_neg()).0.into(),
            now.plus(idle.saturating_neg()).0.into(),
        ],
        |mut row| {
            Ok(Own {
                id: row.text()?,
                method: row.text()?,
                created: Timestamp(row.integer()?),
                seen: Timestamp(row.integer()?),
            })
        },
    )?;
    Ok(found)
}

/// What a session's forms carry, so that no other site can send one in its
/// name.
pub fn form_token(context: &Context<'_>, team: &TeamId, session: &Session) -> String {
    let key = context.deployment.signing.derived("form", team.as_str());
    let token = credential::sha256(&[key.as_slice(), session.id.as_bytes()].concat());
    credential::hex(&token)
}

/// Ends one session of a member. Once is enough.
///
/// # Errors
/// A fault of storage.
pub fn end(
    context: &Context<'_>,
    actor: &Actor,
    member: &Member,
    id: &str,
) -> Result<(), Failure<Problem>> {
    context.transaction(|| {
        let ended = context.sql.all(
            "DELETE FROM session WHERE id = ? AND member = ? RETURNING id",
            &[id.into(), member.seq.into()],
            |mut row| row.text(),
        )?;
        for session in ended {
            let detail = json!({ "session": session });
            audit::record(context, actor, Action::SessionEnded, &member.id, &detail)?;
        }
        Ok(())
    })
}

/// Ends all sessions of a member; returns how many there were. Part of the
/// transaction that ends their right to them.
pub fn end_of(context: &Context<'_>, member: i64) -> Result<usize, SqlError> {
    let ended = context.sql.all(
        "DELETE FROM session WHERE member = ? RETURNING id",
        &[member.into()],
        |mut row| row.text(),
    )?;
    Ok(ended.len())
}

/// Ends every session that another way than single sign-on, or an operator,
/// opened: SCIM is on now.
pub(super) fn end_without_sso(context: &Context<'_>, actor: &Actor) -> Result<(), SqlError> {
    let others = "method NOT IN ('saml', 'oidc', 'break_glass')";
    end_many(context, actor, others, &[], "scim.enabled")
}

/// Ends every session that this method of single sign-on opened: its settings
/// changed, and who they were verified by is no longer who verifies.
pub(super) fn end_by(context: &Context<'_>, actor: &Actor, method: &str) -> Result<(), SqlError> {
    end_many(context, actor, "method = ?", &[method.into()], "sso.changed")
}

fn end_many(
    context: &Context<'_>,
    actor: &Actor,
    which: &str,
    values: &[Sql],
    why: &str,
) -> Result<(), SqlError> {
    let statement = format!("DELETE FROM session WHERE {which} RETURNING id");
    let ended = context.sql.all(&statement, values, |mut row| row.text())?.len();
    if ended == 0 {
        return Ok(());
    }
    let detail = json!({ "sessions": ended, "because": why });
    audit::record(context, actor, Action::SessionEnded, "", &detail)
}

/// Removes sessions whose time is over; returns whether there may be more.
pub fn prune(context: &Context<'_>, rows: i64) -> Result<bool, SqlError> {
    sql::prune(context.sql, "session", "id", "expires", context.now.0, rows)
}
