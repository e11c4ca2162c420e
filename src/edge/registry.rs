//! The Registry object: runs the steps that `api::operator` decides.
//!
//! Between its own two moments of synchronous work it calls a Team object;
//! what it wrote down before lets its alarm finish the matter if it never
//! hears the answer.

use super::sql::Engine;
use super::{clock, convert, log, objects, settings, unreached};
use crate::api::operator::{self, Step};
use crate::directory::registry::CALL_MS;
use crate::directory::schemas::Schemas;
use crate::directory::{Context, Deployment, Fault, Origin};
use crate::entry::front::{self, Decision};
use crate::entry::registry as entry;
use crate::web::answered::Answered;
use std::time::Duration;
use worker::{Date, DurableObject, Env, Error, Request, Response, Result, State, durable_object};

/// When to look after a call to a team whose end was never heard of.
const FINISH_AFTER: Duration = Duration::from_millis(CALL_MS.unsigned_abs());

/// The deployment's one Registry.
#[durable_object(alarm)]
pub(super) struct Registry {
    state: State,
    env: Env,
}

impl DurableObject for Registry {
    fn new(state: State, env: Env) -> Self {
        Self { state, env }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        let started = Date::now().as_millis();
        let mut request = convert::whole(request).await?;
        #[cfg(feature = "testing")]
        super::testing::count_wake();

        let deployment = settings::deployment(&self.env)?;
        let engine = Engine::new(self.state.storage());
        let request_id = log::with_request_id(&mut request);
        let route = log::route(request.method(), request.uri().path());
        let (head, body) = request.into_parts();
        let path = head.uri.path().to_owned();
        // The Worker has decided the same; whose token it is, is in the head.
        let Decision::Registry(name) = front::decide(&deployment, &head) else {
            return Err(Error::RustError("not a request for the Registry".into()));
        };
        let request = http::Request::from_parts(head, body);
        let turn = entry::start(&context(&engine, &deployment), &name, request);
        let (step, page) = turn.into_parts();
        let taken = self.take(&engine, &deployment, step).await;
        let taken = taken.unwrap_or_else(|error| {
            // What was begun is written down; the alarm finishes it.
            unreached::answered(&path, &error)
        });
        let Answered { response, fault, .. } =
            entry::finish(&context(&engine, &deployment), page, taken);
        log::Line {
            env: &self.env,
            part: "registry",
            request_id: &request_id,
            team: None,
            route: &route,
            status: response.status().as_u16(),
            started,
            rows: engine.rows(),
            fault: fault.map(|fault| fault.to_string()),
        }
        .answer(response)
    }

    async fn alarm(&self) -> Result<Response> {
        let deployment = settings::deployment(&self.env)?;
        let engine = Engine::new(self.state.storage());
        let steps = operator::unfinished(&context(&engine, &deployment)).map_err(told)?;
        let mut failed = None;
        for step in steps {
            match self.take(&engine, &deployment, step).await {
                Ok(Answered { fault: None, .. }) => {}
                Ok(Answered { fault: Some(fault), .. }) => failed = Some(told(fault)),
                Err(error) => failed = Some(error),
            }
        }
        if let Some(error) = failed {
            // The platform runs an alarm again that fails.
            return Err(error);
        }
        Response::empty()
    }
}

impl Registry {
    /// Takes a step to its answer.
    async fn take(
        &self,
        engine: &Engine,
        deployment: &Deployment,
        mut step: Step,
    ) -> Result<Answered> {
        loop {
            let call = match step {
                Step::Answer(answered) => return Ok(answered),
                Step::CallTeam(call) => call,
            };
            if call.pending.is_written_down() {
                self.state.storage().set_alarm(FINISH_AFTER).await?;
            }
            let stub = objects::team(&self.env, &call.team, call.location_hint.as_deref())?;
            let told = stub.fetch_with_request(convert::outgoing(call.request)?).await?;
            let told = convert::incoming(told).await?;
            step = operator::resume(&context(engine, deployment), call.pending, &told);
        }
    }
}

fn context<'a>(engine: &'a Engine, deployment: &'a Deployment) -> Context<'a> {
    Context {
        sql: engine,
        now: clock::now(),
        random: &settings::random,
        deployment,
        schemas: Schemas::built_in(),
        origin: Origin::none(),
    }
}

fn told(fault: Fault) -> Error {
    Error::RustError(fault.to_string())
}
