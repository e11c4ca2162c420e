//! What to do at the identity provider, with the team's own values filled in.

use super::Outcome;
use super::page::{self, Frame};
use super::visit::Visit;
use askama::Template;

#[derive(Template)]
#[template(path = "dashboard/guide.html")]
struct Guide {
    frame: Frame,
    is_onelogin: bool,
    is_okta: bool,
    base_url: String,
    redirect_uri: String,
    sign_in: String,
}

pub(super) fn show(visit: &Visit<'_>) -> Outcome {
    let provider = visit.named();
    let title = match provider {
        "onelogin" => "Set up OneLogin",
        "okta" => "Set up Okta",
        "entra" => "Set up Microsoft Entra ID",
        _ => return Ok(page::lost()),
    };
    let base = &visit.context().deployment.base_url;
    page::shown(&Guide {
        frame: Frame::of(visit, "authentication", title)?,
        is_onelogin: provider == "onelogin",
        is_okta: provider == "okta",
        base_url: format!("{base}/scim/v2"),
        redirect_uri: format!("{base}{}", visit.path("/sign-in/callback")),
        sign_in: format!("{base}{}", visit.path("/sign-in")),
    })
}
