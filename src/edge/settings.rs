//! The deployment's settings, from the Worker's environment, and randomness: what the
//! runtime gives a request to be answered with.

use super::clock;
use crate::directory::schemas::Schemas;
use crate::directory::{Context, Deployment, Fault, Origin, Sql};
use std::cell::OnceCell;
use std::rc::Rc;
use worker::{Env, Error, Result};

/// The variable that says what is logged: `all`, or, by default, failures of ours.
const LOG: &str = "LOG";

thread_local! {
    /// Read once: an instance never sees another environment.
    static DEPLOYMENT: OnceCell<Rc<Deployment>> = const { OnceCell::new() };
    static LOGS_ALL: OnceCell<bool> = const { OnceCell::new() };
}

/// The settings.
///
/// # Errors
/// What is wrong with which setting. Every request fails until it is mended,
/// since nothing can be checked without secrets.
pub(super) fn deployment(env: &Env) -> Result<Rc<Deployment>> {
    if let Some(read) = DEPLOYMENT.with(|cell| cell.get().cloned()) {
        return Ok(read);
    }
    let text = |name: &str| env.var(name).map(|value| value.to_string()).unwrap_or_default();
    let (base_url, secrets) = (text("BASE_URL"), text("SIGNING_SECRETS"));
    let deployment = Deployment::read(&base_url, &secrets, &text("OPERATOR_TOKEN"))
        .map_err(|fault| Error::RustError(fault.to_string()))?;
    let deployment = Rc::new(deployment);
    DEPLOYMENT.with(|cell| drop(cell.set(deployment.clone())));
    Ok(deployment)
}

/// What a request to an object, or its alarm, may use.
pub(super) fn context<'a>(sql: &'a dyn Sql, deployment: &'a Deployment) -> Context<'a> {
    Context {
        sql,
        now: clock::now(),
        random: &random,
        deployment,
        schemas: Schemas::built_in(),
        origin: Origin::none(),
    }
}

/// Whether the deployment wants every request in the log.
pub(super) fn logs_all(env: &Env) -> bool {
    let read = || env.var(LOG).is_ok_and(|value| value.to_string() == "all");
    LOGS_ALL.with(|cell| *cell.get_or_init(read))
}

/// Fills a buffer from the platform's secure random source.
pub(super) fn random(bytes: &mut [u8]) -> std::result::Result<(), Fault> {
    getrandom::fill(bytes).map_err(|error| Fault::new(error.to_string()))
}
