//! What a Team object wants fetched of an identity provider: the Worker does it, so
//! that the object never waits between reading and writing.

use super::{convert, glue, objects};
use crate::dashboard::sso::{ERRAND, back};
use crate::directory::sign_in::{Errand, Found};
use crate::directory::team_id::TeamId;
use crate::web::origin;
use http::HeaderMap;
use wasm_bindgen::JsCast;
use worker::js_sys::Array;
use worker::wasm_bindgen_futures::JsFuture;
use worker::{Env, Error, Result, web_sys};

/// Errands of one request: a document, a code's exchange, keys.
const ERRANDS_MAX: usize = 4;
/// How long a provider may take to answer one, in milliseconds.
const PATIENCE_MS: u32 = 6_000;
/// Bytes of an answer; nothing of a provider's has a tenth of it.
const BODY_BYTES_MAX: u32 = 256 << 10;

/// Takes a sign-in to its team's object, and runs the errands that it gives.
pub(super) async fn sign_in(
    env: &Env,
    team: &TeamId,
    headers: &HeaderMap,
    request: &web_sys::Request,
) -> Result<web_sys::Response> {
    let stub = objects::team(env, team, None)?;
    let mut response = stub.fetch(request).await?;
    for _ in 0..ERRANDS_MAX {
        if !response.headers().has(ERRAND)? {
            return Ok(response);
        }
        let errand = convert::incoming(response).await?;
        let errand: Errand = serde_json::from_slice(errand.body())?;
        // A provider that cannot be reached is an answer, too.
        let found = run(&errand).await.unwrap_or_default();
        let again = back(errand, found, origin::of(headers));
        response = stub.fetch(&convert::outgoing(again)?).await?;
    }
    Err(Error::RustError("a sign-in gives errands without end".into()))
}

/// `None` if nothing answered, or not in time, or with too much.
async fn run(errand: &Errand) -> Option<Found> {
    let (authorization, body) = (errand.authorization.as_deref(), errand.body.as_deref());
    let answer = glue::ask(&errand.url, authorization, body, PATIENCE_MS, BODY_BYTES_MAX).ok()?;
    let answer: Array = JsFuture::from(answer).await.ok()?.dyn_into().ok()?;
    let status = answer.get(0).as_f64()?;
    let body = answer.get(1).as_string()?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an HTTP status")]
    Some(Found { status: status as u16, body })
}
