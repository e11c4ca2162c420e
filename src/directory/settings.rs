//! What a team decides about itself.
//!
//! Kept as JSON in the team's row, so that a setting costs no migration. What
//! is not said is at its default, and what cannot be is refused when it is set.

use super::audit::{self, Action, Actor};
use super::members::Role;
use super::problem::Problem;
use super::{Context, Failure, Fault};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

const MINUTE_SECONDS: i64 = 60;
const DAY_SECONDS: i64 = 24 * 60 * MINUTE_SECONDS;

/// The settings.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Settings {
    /// Whether what providers send is read strictly. Kept in a column of its
    /// own, because every SCIM request asks.
    #[serde(skip_deserializing)]
    pub strict_mode: bool,
    /// The role of whom a provider adds.
    pub default_role: Role,
    /// Whether someone whom single sign-on verified is added when they first sign
    /// in, while SCIM is off.
    pub just_in_time: bool,
    /// Seconds without a sign of life after which a session ends.
    pub session_idle_seconds: i64,
    /// Seconds after which a session ends whatever happens.
    pub session_lifetime_seconds: i64,
    /// Days for which the audit log is kept.
    pub audit_days: i64,
    /// Suspensions and deletions within an hour beyond which an alarm is raised,
    /// in percent of the active members before ...
    pub brake_percent: i64,
    /// ... if they are more members than this, too.
    pub brake_members: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            strict_mode: false,
            default_role: Role::Developer,
            just_in_time: false,
            // With "Do Nothing" at the provider no call ever comes, so that a
            // session must end by itself.
            session_idle_seconds: 30 * MINUTE_SECONDS,
            session_lifetime_seconds: 8 * 60 * MINUTE_SECONDS,
            audit_days: 180,
            brake_percent: 20,
            brake_members: 10,
        }
    }
}

impl Settings {
    fn check(&self) -> Result<(), Problem> {
        for (name, value, least, most) in [
            ("sessionIdleSeconds", self.session_idle_seconds, MINUTE_SECONDS, 30 * DAY_SECONDS),
            (
                "sessionLifetimeSeconds",
                self.session_lifetime_seconds,
                MINUTE_SECONDS,
                90 * DAY_SECONDS,
            ),
            ("auditDays", self.audit_days, 30, 3_650),
            ("brakePercent", self.brake_percent, 1, 100),
            ("brakeMembers", self.brake_members, 0, 1_000_000),
        ] {
            if !(least..=most).contains(&value) {
                return Err(Problem::invalid(format!("`{name}` must be from {least} to {most}")));
            }
        }
        if self.default_role == Role::Admin {
            let message = "`defaultRole` must be developer or billing: an identity provider makes \
                           nobody admin";
            return Err(Problem::invalid(message));
        }
        Ok(())
    }
}

/// The team's settings.
pub fn read(context: &Context<'_>) -> Result<Settings, Fault> {
    let found = context.sql.first("SELECT settings, strict FROM team", &[], |mut row| {
        Ok((row.text()?, row.boolean()?))
    })?;
    let (text, strict_mode) = found.unwrap_or_else(|| ("{}".into(), false));
    Ok(Settings { strict_mode, ..parse(&text)? })
}

/// The settings in the column of that name, for who reads others with it: all but
/// `strict_mode`.
pub(super) fn parse(text: &str) -> Result<Settings, Fault> {
    serde_json::from_str(text).map_err(|_| Fault::new("the team's settings cannot be read"))
}

/// Changes the settings that `changes` names, to what it says; `null` is the
/// default.
///
/// # Errors
/// `invalid` with the setting's name.
pub fn change(
    context: &Context<'_>,
    actor: &Actor,
    mut changes: Map<String, Value>,
) -> Result<Settings, Failure<Problem>> {
    context.transaction(|| {
        let before = read(context)?;
        let strict_mode = match changes.remove("strictMode") {
            None => before.strict_mode,
            Some(Value::Null) => false,
            Some(Value::Bool(strict)) => strict,
            Some(_) => return Err(Problem::invalid("`strictMode` must be true or false").into()),
        };
        let mut wanted = object(&before)?;
        wanted.remove("strictMode");
        for (name, value) in changes {
            match value {
                Value::Null => drop(wanted.remove(&name)),
                value => drop(wanted.insert(name, value)),
            }
        }
        let settings: Settings = serde_json::from_value(wanted.clone().into())
            .map_err(|error| Problem::invalid(format!("settings: {error}")))?;
        settings.check()?;
        let after = Settings { strict_mode, ..settings };
        if after == before {
            return Ok(after);
        }
        context.sql.execute(
            "UPDATE team SET settings = ?, strict = ?",
            &[Value::Object(wanted).to_string().into(), strict_mode.into()],
        )?;
        let detail = json!({ "changed": audit::changes(&object(&before)?, &object(&after)?) });
        audit::record(context, actor, Action::SettingsChanged, "", &detail)?;
        Ok(after)
    })
}

fn object(settings: &Settings) -> Result<Map<String, Value>, Fault> {
    match serde_json::to_value(settings) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(Fault::new("settings are no object")),
    }
}
