//! How a team's members sign in: SAML or OpenID Connect.
//!
//! In scope: the settings, and the rule that SCIM stands on exactly one
//! method. Out of scope: signing anyone in.

use super::audit::{self, Action, Actor};
use super::problem::{self, Problem};
use super::sealed::{self, Sealed};
use super::{Context, Failure, Fault, Timestamp, sessions};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Characters in a setting; a certificate with a 4096-bit key has 3,000.
const SETTING_CHARS_MAX: usize = 8_192;
/// What a client secret is sealed for.
const SECRET_PURPOSE: &str = "client secret";

/// The two methods there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// SAML 2.0.
    Saml,
    /// OpenID Connect.
    Oidc,
}

impl Method {
    /// The method of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Saml, Self::Oidc].into_iter().find(|method| method.name() == name)
    }

    /// The name in paths and in storage.
    pub fn name(self) -> &'static str {
        match self {
            Self::Saml => "saml",
            Self::Oidc => "oidc",
        }
    }
}

/// What an identity provider's page tells to paste here.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Settings {
    /// Who the provider says it is: SAML's entity id, OpenID's issuer URL.
    pub issuer: String,
    /// Where people are sent to sign in. OpenID providers publish it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_in_url: Option<String>,
    /// SAML: the X.509 certificate that assertions are signed with, in PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// OpenID Connect: the name under which the provider knows us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// OpenID Connect: the secret that goes with it. It is sealed on its own, never
    /// among the settings, and never shown again.
    #[serde(default, skip_serializing)]
    pub client_secret: Option<String>,
    /// OpenID Connect: the claim that is a member's `userName`, `email` unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub match_claim: Option<String>,
}

impl Settings {
    /// Whether it is the same but for the client secret.
    fn is_same_as(&self, other: &Self) -> bool {
        let bare = |own: &Self| Self { client_secret: None, ..own.clone() };
        bare(self) == bare(other)
    }
}

/// The claim that is a member's `userName` unless the admin says otherwise.
pub const MATCH_CLAIM: &str = "email";

/// A method that is set.
#[derive(Clone, Debug)]
pub struct Configured {
    /// Which one.
    pub method: Method,
    /// Its settings.
    pub settings: Settings,
    /// When they last changed.
    pub changed: Timestamp,
    /// Whether a client secret is kept with them.
    pub has_secret: bool,
}

/// The methods that are set.
pub fn list(context: &Context<'_>) -> Result<Vec<Configured>, Fault> {
    let rows: Vec<(String, String, i64, bool)> = context.sql.all(
        "SELECT kind, settings, changed, secret IS NOT NULL FROM sso_method ORDER BY kind",
        &[],
        |mut row| Ok((row.text()?, row.text()?, row.integer()?, row.boolean()?)),
    )?;
    rows.into_iter()
        .map(|(kind, settings, changed, has_secret)| {
            let method = Method::named(&kind);
            let settings = serde_json::from_str(&settings).ok();
            match (method, settings) {
                (Some(method), Some(settings)) => {
                    Ok(Configured { method, settings, changed: Timestamp(changed), has_secret })
                }
                _ => Err(Fault::new("a stored SSO method cannot be read")),
            }
        })
        .collect()
}

/// Sets a method, or changes its settings. `scim_enabled` is the team's.
///
/// # Errors
/// `invalid` with the setting's name; `scim_needs_one_sso_method` for a second
/// method while SCIM is on.
pub fn put(
    context: &Context<'_>,
    actor: &Actor,
    scim_enabled: bool,
    method: Method,
    settings: &Settings,
) -> Result<(), Failure<Problem>> {
    check(method, settings).map_err(Problem::invalid)?;
    let text = serde_json::to_string(settings).map_err(|error| Fault::new(error.to_string()))?;
    context.transaction(|| {
        let methods = list(context)?;
        let others = methods.iter().any(|configured| configured.method != method);
        let before = methods.into_iter().find(|configured| configured.method == method);
        if others && scim_enabled {
            return Err(scim_is_on("turn SCIM off before you add a second SSO method").into());
        }
        let is_same = before.as_ref().is_some_and(|own| own.settings.is_same_as(settings));
        if is_same && settings.client_secret.is_none() {
            return Ok(());
        }
        context.sql.execute(
            "INSERT INTO sso_method (kind, settings, changed) VALUES (?, ?, ?)
             ON CONFLICT (kind) DO UPDATE SET settings = excluded.settings,
             changed = excluded.changed",
            &[method.name().into(), text.as_str().into(), context.now.0.into()],
        )?;
        let secret_moved = keep_secret(context, method, settings, before.as_ref())?;
        if is_same && !secret_moved {
            return Ok(());
        }
        // With another secret it is still the same provider that says who they are.
        if !is_same {
            sessions::end_by(context, actor, method.name())?;
        }
        let before = before.map(|own| own.settings);
        let detail = changed(before.as_ref(), Some(settings), secret_moved)?;
        Ok(audit::record(context, actor, Action::SsoConfigured, method.name(), &detail)?)
    })
}

/// Removes a method. `scim_enabled` is the team's.
///
/// # Errors
/// `sso_not_found`; `scim_needs_one_sso_method` while SCIM is on.
pub fn remove(
    context: &Context<'_>,
    actor: &Actor,
    scim_enabled: bool,
    method: Method,
) -> Result<(), Failure<Problem>> {
    context.transaction(|| {
        let found = list(context)?.into_iter().find(|configured| configured.method == method);
        let Some(before) = found else {
            let message = format!("the team has no {} settings", method.name());
            return Err(Problem::new(problem::Kind::NotFound, "sso_not_found", message).into());
        };
        if scim_enabled {
            return Err(scim_is_on("turn SCIM off before you remove the SSO method").into());
        }
        context.sql.execute("DELETE FROM sso_method WHERE kind = ?", &[method.name().into()])?;
        sessions::end_by(context, actor, method.name())?;
        let detail = changed(Some(&before.settings), None, before.has_secret)?;
        Ok(audit::record(context, actor, Action::SsoRemoved, method.name(), &detail)?)
    })
}

/// What the audit says of a change. Of a secret it says that there was a change.
fn changed(
    before: Option<&Settings>,
    after: Option<&Settings>,
    secret_moved: bool,
) -> Result<Value, Fault> {
    let object = |settings: Option<&Settings>| match settings.map(serde_json::to_value) {
        None => Ok(Map::new()),
        Some(Ok(Value::Object(object))) => Ok(object),
        Some(_) => Err(Fault::new("SSO settings are no object")),
    };
    let mut changed = audit::changes(&object(before)?, &object(after)?);
    if let (Value::Object(changed), true) = (&mut changed, secret_moved) {
        changed.insert("clientSecret".into(), "changed".into());
    }
    Ok(json!({ "changed": changed }))
}

/// Seals a client secret that was given. Without one the old one stays, unless it
/// was another client's. Returns whether it is another now, or none.
fn keep_secret(
    context: &Context<'_>,
    method: Method,
    settings: &Settings,
    before: Option<&Configured>,
) -> Result<bool, Fault> {
    if let Some(secret) = &settings.client_secret {
        if client_secret(context)?.as_ref() == Some(secret) {
            return Ok(false);
        }
        store_secret(context, method, secret)?;
        return Ok(true);
    }
    let is_same_client = before.is_some_and(|own| {
        own.settings.issuer == settings.issuer && own.settings.client_id == settings.client_id
    });
    if !is_same_client {
        let forget = "UPDATE sso_method SET secret = NULL, secret_version = NULL WHERE kind = ?";
        context.sql.execute(forget, &[method.name().into()])?;
    }
    Ok(!is_same_client && before.is_some_and(|own| own.has_secret))
}

fn store_secret(context: &Context<'_>, method: Method, secret: &str) -> Result<(), Fault> {
    let sealed = sealed::seal(context, SECRET_PURPOSE, secret)?;
    Ok(context.sql.execute(
        "UPDATE sso_method SET secret = ?, secret_version = ? WHERE kind = ?",
        &[sealed.bytes.as_slice().into(), i64::from(sealed.version).into(), method.name().into()],
    )?)
}

fn sealed_secret(context: &Context<'_>) -> Result<Option<Sealed>, Fault> {
    let found = context.sql.first(
        "SELECT secret, secret_version FROM sso_method WHERE kind = 'oidc' AND secret IS NOT NULL",
        &[],
        |mut row| Ok((row.blob()?, row.integer()?)),
    )?;
    Ok(found.map(|(bytes, version)| Sealed { bytes, version: u8::try_from(version).unwrap_or(0) }))
}

/// The client secret of OpenID Connect, if one is kept.
pub(super) fn client_secret(context: &Context<'_>) -> Result<Option<String>, Fault> {
    match sealed_secret(context)? {
        Some(sealed) => sealed::open(context, SECRET_PURPOSE, &sealed),
        None => Ok(None),
    }
}

/// Seals the client secret under the current signing secret, if an earlier one
/// still opens it, so that the earlier one can be retired.
pub(super) fn reseal(context: &Context<'_>) -> Result<(), Fault> {
    let Some(sealed) = sealed_secret(context)? else { return Ok(()) };
    if sealed.version == context.deployment.signing.current_version() {
        return Ok(());
    }
    match sealed::open(context, SECRET_PURPOSE, &sealed)? {
        Some(secret) => store_secret(context, Method::Oidc, &secret),
        None => Ok(()),
    }
}

fn scim_is_on(message: &str) -> Problem {
    Problem::new(problem::Kind::Conflict, "scim_needs_one_sso_method", message)
}

fn check(method: Method, settings: &Settings) -> Result<(), String> {
    let all = [
        ("issuer", Some(&settings.issuer)),
        ("signInUrl", settings.sign_in_url.as_ref()),
        ("certificate", settings.certificate.as_ref()),
        ("clientId", settings.client_id.as_ref()),
        ("clientSecret", settings.client_secret.as_ref()),
        ("matchClaim", settings.match_claim.as_ref()),
    ];
    for (name, value) in all {
        if value.is_some_and(|value| value.trim().is_empty() || value.len() > SETTING_CHARS_MAX) {
            return Err(format!("`{name}` must have 1 to {SETTING_CHARS_MAX} characters"));
        }
    }
    if let Some(url) = &settings.sign_in_url {
        check_url("signInUrl", url)?;
    }
    match method {
        Method::Saml => {
            let of_oidc = [
                ("clientId", &settings.client_id),
                ("clientSecret", &settings.client_secret),
                ("matchClaim", &settings.match_claim),
            ];
            if let Some((name, _)) = of_oidc.iter().find(|(_, value)| value.is_some()) {
                return Err(format!("`{name}` belongs to OpenID Connect; SAML has none"));
            }
            if settings.sign_in_url.is_none() {
                return Err("`signInUrl` is required: the provider's SAML 2.0 endpoint".into());
            }
            match &settings.certificate {
                Some(certificate) => check_certificate(certificate),
                None => Err("`certificate` is required: the provider's X.509 certificate".into()),
            }
        }
        Method::Oidc => {
            if settings.certificate.is_some() {
                return Err("`certificate` belongs to SAML; OpenID Connect has none".into());
            }
            if settings.client_id.is_none() {
                return Err("`clientId` is required: the provider's name for this app".into());
            }
            check_url("issuer", &settings.issuer)
        }
    }
}

/// `https`, or `http` to this machine, where nobody listens in; a host, and no
/// user before it. Whether anything answers there shows when it is used. (The
/// `url` crate would do this too, and add 70 KB to the compressed wasm.)
fn check_url(name: &str, url: &str) -> Result<(), String> {
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, "443"));
    let is_plain =
        url.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte));
    let has_host = !host.is_empty() && !authority.contains('@');
    let has_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let is_safe =
        scheme == "https" || (scheme == "http" && matches!(host, "localhost" | "127.0.0.1"));
    if is_plain && has_host && has_port && is_safe {
        return Ok(());
    }
    Err(format!("`{name}` must be an https URL"))
}

/// A PEM certificate, or its base64 alone, that begins as DER does.
fn check_certificate(text: &str) -> Result<(), String> {
    let base64: String = text
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .flat_map(str::chars)
        .filter(|c| !c.is_whitespace())
        .collect();
    let der = BASE64_STANDARD.decode(base64).unwrap_or_default();
    // A SEQUENCE with a long length: every X.509 certificate.
    if der.len() > 100 && der.starts_with(&[0x30, 0x82]) {
        return Ok(());
    }
    Err("`certificate` must be an X.509 certificate in PEM (-----BEGIN CERTIFICATE-----)".into())
}
