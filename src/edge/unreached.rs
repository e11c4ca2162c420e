//! Calls to objects, and what the platform says of those that fail. What comes of
//! it is `entry::unreached`'s.

use super::objects::Object;
use crate::directory::Fault;
use crate::entry::unreached::{self, Failed};
use crate::web::answered::Answered;
use http::request::Parts;
use js_sys::Reflect;
use worker::{Env, Error, Request, Response, Result};

/// Asks an object; once more, and by a new stub, where that may help.
///
/// # Errors
/// The answer in place of the object's.
pub(super) async fn ask(
    env: &Env,
    object: &Object,
    head: &Parts,
    request: Request,
) -> std::result::Result<Response, Answered> {
    // A handle on the same request; what is repeated has no body to be used up.
    let again = Clone::clone(request.inner());
    let mut asked = once(env, object, request).await;
    if asked.as_ref().is_err_and(|error| unreached::is_repeated(&head.method, failed(error))) {
        asked = once(env, object, again.into()).await;
    }
    asked.map_err(|error| answered(head.uri.path(), &error))
}

async fn once(env: &Env, object: &Object, request: Request) -> Result<Response> {
    #[cfg(feature = "testing")]
    if let Some(error) = super::testing::pretended() {
        return Err(error);
    }
    object.stub(env)?.fetch_with_request(request).await
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
