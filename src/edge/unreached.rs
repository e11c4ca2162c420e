//! Calls to objects, and what the platform says of those that fail. What comes of
//! it is `entry::unreached`'s.

use super::objects::Object;
use crate::directory::Fault;
use crate::entry::unreached::{self, Failed};
use crate::web::answered::Answered;
use http::request::Parts;
use worker::js_sys::Reflect;
use worker::web_sys::{Request, Response};
use worker::{Env, Error, Result};

/// Asks an object; once more, and by a new stub, where that may help.
///
/// # Errors
/// The answer in place of the object's.
pub(super) async fn ask(
    env: &Env,
    object: &Object,
    head: &Parts,
    request: &Request,
) -> std::result::Result<Response, Answered> {
    match once(env, object, request).await {
        Ok(response) => Ok(response),
        Err(error) => ask_again(env, object, head, request, error).await,
    }
}

/// What is left to do where asking an object ended with this error.
///
/// # Errors
/// The answer in place of the object's.
pub(super) async fn ask_again(
    env: &Env,
    object: &Object,
    head: &Parts,
    request: &Request,
    error: Error,
) -> std::result::Result<Response, Answered> {
    let path = head.uri.path();
    if !unreached::is_repeated(&head.method, failed(&error)) {
        return Err(answered(path, &error));
    }
    // What is repeated has no body that could be used up.
    once(env, object, request).await.map_err(|error| answered(path, &error))
}

async fn once(env: &Env, object: &Object, request: &Request) -> Result<Response> {
    #[cfg(feature = "testing")]
    if let Some(error) = super::testing::pretended() {
        return Err(error.into());
    }
    object.stub(env)?.fetch(request).await
}

/// The answer to a request for this path where calling an object ended so.
pub(super) fn answered(path: &str, error: &Error) -> Answered {
    unreached::answer(path, failed(error), Fault::new(error.to_string()))
}

/// What the platform marked an error with.
fn failed(error: &Error) -> Failed {
    let says = |mark: &str| match error {
        Error::UnknownJsError { original, .. } => {
            Reflect::get(original, &mark.into()).is_ok_and(|value| value.is_truthy())
        }
        _ => false,
    };
    Failed { is_overloaded: says("overloaded"), is_retryable: says("retryable") }
}
