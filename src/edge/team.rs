//! The Team object: one team's storage, and nothing of it in memory.
//!
//! Everything after the body is read is synchronous, so that no other request
//! comes between the first read of storage and the answer.

use super::settings;
use super::sql::Engine;
use super::{convert, log, random};
use crate::api::object::{self, After};
use crate::directory::{Context, Fault};
use crate::scim::Timestamp;
use worker::{Date, DurableObject, Env, Request, Response, Result, State, durable_object};

/// One team's Durable Object.
#[durable_object(fetch)]
pub(super) struct Team {
    state: State,
    env: Env,
}

impl DurableObject for Team {
    fn new(state: State, env: Env) -> Self {
        Self { state, env }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        #[cfg(feature = "testing")]
        super::testing::count_wake();
        let started = Date::now().as_millis();
        let request = convert::whole(request).await?;
        let request_id = super::request_id(&request);
        let route = log::route(request.method(), request.uri().path());
        let engine = Engine::new(self.state.storage());
        let name = self.state.id().name();
        let deployment = settings::deployment(&self.env)?;
        let now = Timestamp(i64::try_from(started).unwrap_or(0));
        let context = Context { sql: &engine, now, random: &random, deployment: &deployment };
        #[cfg(feature = "testing")]
        super::testing::trap_if_asked(&context, &request);
        let mut answered = match name.as_deref() {
            Some(name) => object::team(&context, name, request),
            None => return Err(Fault::new("a Team object without a name").to_string().into()),
        };
        if answered.after == After::DeleteEverything {
            self.state.storage().delete_all().await?;
        }
        let debug = settings::wants_rows(&deployment, &answered);
        log::Line {
            part: "team",
            request_id: &request_id,
            team: name.as_deref(),
            route: &route,
            status: answered.response.status().as_u16(),
            milliseconds: 0,
            rows: engine.rows(),
            fault: answered.fault.as_ref().map(ToString::to_string).as_deref(),
        }
        .write();
        let _ = (&mut answered, debug);
        convert::response(answered.response)
    }
}
