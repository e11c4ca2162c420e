//! The Team object.

use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

/// One team's Durable Object.
#[durable_object(fetch)]
pub(super) struct Team {
    state: State,
    _env: Env,
}

impl DurableObject for Team {
    fn new(state: State, env: Env) -> Self {
        Self { state, _env: env }
    }

    async fn fetch(&self, _request: Request) -> Result<Response> {
        self.state.storage().sql().exec("CREATE TABLE IF NOT EXISTS t (a) STRICT", None).ok();
        Response::ok("{}")
    }
}
