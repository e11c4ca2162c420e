//! The Registry object.

use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

/// The deployment's one Registry.
#[durable_object(fetch)]
pub(super) struct Registry {
    state: State,
    _env: Env,
}

impl DurableObject for Registry {
    fn new(state: State, env: Env) -> Self {
        Self { state, _env: env }
    }

    async fn fetch(&self, _request: Request) -> Result<Response> {
        self.state.storage().sql().exec("CREATE TABLE IF NOT EXISTS t (a) STRICT", None).ok();
        Response::ok("{}")
    }
}
