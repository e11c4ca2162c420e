//! What a Team object wants fetched of an identity provider: the Worker does it, so
//! that the object never waits between reading and writing.

use super::{convert, objects};
use crate::dashboard::sso::{ERRAND, back};
use crate::directory::sign_in::{Errand, Found};
use crate::directory::team_id::TeamId;
use crate::web::origin;
use futures_util::future::{Either, select};
use http::HeaderMap;
use std::pin::pin;
use std::time::Duration;
use worker::{
    AbortController, Delay, Env, Error, Fetch, Headers, Method, Request, RequestInit,
    RequestRedirect, Result, web_sys,
};

/// Errands of one request: a document, a code's exchange, keys.
const ERRANDS_MAX: usize = 4;
/// How long a provider may take to answer one.
const PATIENCE: Duration = Duration::from_secs(6);
/// Bytes of an answer; nothing of a provider's has a tenth of it.
const BODY_BYTES_MAX: usize = 256 << 10;

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

async fn run(errand: &Errand) -> Result<Found> {
    let headers = Headers::new();
    headers.set("accept", "application/json")?;
    if let Some(authorization) = &errand.authorization {
        headers.set("authorization", authorization)?;
    }
    let mut init = RequestInit::new();
    if let Some(body) = &errand.body {
        headers.set("content-type", "application/x-www-form-urlencoded")?;
        init.with_method(Method::Post).with_body(Some(body.as_str().into()));
    }
    // Nobody but the address that was checked is asked.
    init.with_headers(headers).with_redirect(RequestRedirect::Manual);
    let controller = AbortController::default();
    let signal = controller.signal();
    let request = Request::new_with_init(&errand.url, &init)?;
    let answer = pin!(async {
        let mut response = Fetch::Request(request).send_with_signal(&signal).await?;
        let status = response.status_code();
        let mut bytes = Vec::new();
        let mut stream = response.stream()?;
        while let Some(chunk) = futures_util::StreamExt::next(&mut stream).await {
            bytes.extend_from_slice(&chunk?);
            if bytes.len() > BODY_BYTES_MAX {
                return Err(Error::RustError("the provider's answer is too long".into()));
            }
        }
        let body = String::from_utf8(bytes).unwrap_or_default();
        Ok(Found { status, body })
    });
    match select(answer, pin!(Delay::from(PATIENCE))).await {
        Either::Left((found, _)) => found,
        Either::Right(_) => {
            controller.abort();
            Ok(Found::default())
        }
    }
}
