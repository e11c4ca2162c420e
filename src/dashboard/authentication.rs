//! How the team signs in, and the switch, keys and progress of SCIM.

use super::Outcome;
use super::page::{self, Frame};
use super::text;
use super::visit::Visit;
use crate::directory::keys::{self, Key, State};
use crate::directory::problem::Problem;
use crate::directory::resource::Kind;
use crate::directory::sso::{self, Configured, Method, Settings};
use crate::directory::team::{self, Progress};
use crate::directory::{resource, sign_in};
use askama::Template;

#[derive(Template)]
#[template(path = "dashboard/authentication.html")]
struct Page {
    frame: Frame,
    oidc: Option<Configured>,
    saml: Option<Configured>,
    /// What the form holds: what was typed, or what is set.
    typed: Typed,
    redirect_uri: String,
    sso_count: usize,
    scim_enabled: bool,
    base_url: String,
    keys: Vec<Key>,
    progress: Progress,
    has_groups: bool,
    /// How many members are tied to the provider's names for them.
    pins: i64,
    /// The secret of a key that was made just now.
    secret: Option<String>,
}

/// The fields of the sign-in form.
#[derive(Default)]
struct Typed {
    /// Which of the two forms is open.
    is_oidc: bool,
    issuer: String,
    client_id: String,
    match_claim: String,
    saml_issuer: String,
    sign_in_url: String,
    certificate: String,
}

pub(super) fn show(visit: &Visit<'_>) -> Outcome {
    shown(visit, None)
}

/// The page, with the secret of a new key, which it shows once.
pub(super) fn shown(visit: &Visit<'_>, secret: Option<String>) -> Outcome {
    let context = visit.context();
    let methods = sso::list(&context)?;
    let of = |method| methods.iter().find(|own| own.method == method).cloned();
    let (oidc, saml) = (of(Method::Oidc), of(Method::Saml));
    let base = &context.deployment.base_url;
    page::shown(&Page {
        frame: Frame::of(visit, "authentication", "Authentication")?,
        typed: typed(visit, oidc.as_ref(), saml.as_ref()),
        oidc,
        saml,
        redirect_uri: format!("{base}{}", visit.path("/sign-in/callback")),
        sso_count: methods.len(),
        scim_enabled: team::read(&context)?.is_some_and(|team| team.scim_enabled),
        base_url: format!("{base}/scim/v2"),
        keys: keys::list(&context)?,
        progress: team::progress(&context)?,
        has_groups: resource::total(&context, Kind::Group)? > 0,
        pins: sign_in::pins(&context)?,
        secret,
    })
}

fn typed(visit: &Visit<'_>, oidc: Option<&Configured>, saml: Option<&Configured>) -> Typed {
    let form = &visit.form;
    let was = |own: Option<&Configured>, read: fn(&Settings) -> Option<String>| {
        own.and_then(|own| read(&own.settings)).unwrap_or_default()
    };
    let mut typed = Typed {
        is_oidc: match form.get("method") {
            "oidc" => true,
            "saml" => false,
            _ => saml.is_none(),
        },
        issuer: was(oidc, |own| Some(own.issuer.clone())),
        client_id: was(oidc, |own| own.client_id.clone()),
        match_claim: was(oidc, |own| own.match_claim.clone()),
        saml_issuer: was(saml, |own| Some(own.issuer.clone())),
        sign_in_url: was(saml, |own| own.sign_in_url.clone()),
        certificate: was(saml, |own| own.certificate.clone()),
    };
    if form.get("method") == "oidc" {
        typed.issuer = form.get("issuer").into();
        typed.client_id = form.get("clientId").into();
        typed.match_claim = form.get("matchClaim").into();
    } else if form.get("method") == "saml" {
        typed.saml_issuer = form.get("issuer").into();
        typed.sign_in_url = form.get("signInUrl").into();
        typed.certificate = form.get("certificate").into();
    }
    typed
}

fn method(visit: &Visit<'_>) -> Result<Method, Problem> {
    let found = Method::named(visit.form.get("method"));
    found.ok_or_else(|| Problem::invalid("choose SAML or OpenID Connect"))
}

pub(super) fn set_sso(visit: &Visit<'_>) -> Outcome {
    let method = method(visit)?;
    let filled = |name| visit.form.filled(name).map(str::to_owned);
    let settings = Settings {
        issuer: visit.form.get("issuer").to_owned(),
        sign_in_url: filled("signInUrl"),
        certificate: filled("certificate"),
        client_id: filled("clientId"),
        client_secret: filled("clientSecret"),
        match_claim: filled("matchClaim"),
    };
    let scim_enabled = visit.team.scim_enabled;
    sso::put(&visit.context(), &visit.actor(), scim_enabled, method, &settings)?;
    visit.done("/authentication", "sso")
}

pub(super) fn remove_sso(visit: &Visit<'_>) -> Outcome {
    let method = method(visit)?;
    sso::remove(&visit.context(), &visit.actor(), visit.team.scim_enabled, method)?;
    visit.done("/authentication", "sso-removed")
}

pub(super) fn reset_pins(visit: &Visit<'_>) -> Outcome {
    sign_in::reset_pins(&visit.context(), &visit.actor())?;
    visit.done("/authentication", "pins")
}

pub(super) fn set_scim(visit: &Visit<'_>) -> Outcome {
    let on = visit.form.get("scim") == "on";
    team::set_scim(&visit.context(), &visit.actor(), on)?;
    visit.done("/authentication", if on { "scim-on" } else { "scim-off" })
}
