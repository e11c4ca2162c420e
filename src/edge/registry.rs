//! The Registry object: runs the steps that `api::operator` decides.
//!
//! Between its own two moments of synchronous work it calls a Team object;
//! what it wrote down before lets its alarm finish the matter if it never
//! hears the answer.

use super::log::Route;
use super::sql::{Database, Engine};
use super::{clock, convert, log, objects, settings, unreached};
use crate::api::operator::{self, Step};
use crate::directory::registry::CALL_MS;
use crate::directory::{Deployment, Fault};
use crate::entry::front::{self, Decision};
use crate::entry::registry as entry;
use crate::web::answered::Answered;
use http::request::Parts;
use std::rc::Rc;
use std::time::Duration;
use wasm_bindgen::prelude::*;
use worker::js_sys::Promise;
use worker::wasm_bindgen_futures::future_to_promise;
use worker::worker_sys::DurableObjectState;
use worker::{Env, Error, Result, State};

/// When to look after a call to a team whose end was never heard of.
const FINISH_AFTER: Duration = Duration::from_millis(CALL_MS.unsigned_abs());

/// The deployment's one Registry; `guard.mjs` has the class that the runtime knows.
#[wasm_bindgen]
pub struct Registry(Rc<Object>);

struct Object {
    state: State,
    env: Env,
    database: Database,
}

#[wasm_bindgen]
impl Registry {
    /// The object as the runtime makes it.
    #[wasm_bindgen(constructor)]
    pub fn new(state: DurableObjectState, env: Env) -> Self {
        let state = State::from(state);
        Self(Rc::new(Object { database: Database::new(state.storage()), state, env }))
    }

    /// Answers a request: with a promise of a `Response`.
    ///
    /// # Errors
    /// Where there is no answer; `guard.mjs` has one.
    pub fn fetch(&self, head: &str, body: Vec<u8>) -> std::result::Result<Promise, JsValue> {
        let started = clock::milliseconds();
        #[cfg(feature = "testing")]
        super::testing::count_wake();
        let head = convert::head(head)?;
        let object = Rc::clone(&self.0);
        Ok(future_to_promise(async move { object.answer(started, head, body).await }))
    }

    /// Finishes what a call to a team left open.
    pub fn alarm(&self) -> Promise {
        let object = Rc::clone(&self.0);
        future_to_promise(async move {
            object.finish().await?;
            Ok(JsValue::UNDEFINED)
        })
    }
}

impl Object {
    async fn answer(
        &self,
        started: u64,
        head: Parts,
        body: Vec<u8>,
    ) -> std::result::Result<JsValue, JsValue> {
        let deployment = settings::deployment(&self.env)?;
        let engine = Engine::new(&self.database);
        let mut request = http::Request::from_parts(head, body);
        let request_id = log::with_request_id(&mut request);
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let (head, body) = request.into_parts();
        // The Worker has decided the same; whose token it is, is in the head.
        let Decision::Registry(name) = front::decide(&deployment, &head) else {
            return Err(Error::RustError("not a request for the Registry".into()).into());
        };
        let request = http::Request::from_parts(head, body);
        let turn = entry::start(&settings::context(&engine, &deployment), &name, request);
        let (step, page) = turn.into_parts();
        let taken = self.take(&engine, &deployment, step).await;
        let taken = taken.unwrap_or_else(|error| {
            // What was begun is written down; the alarm finishes it.
            unreached::answered(&path, &error)
        });
        let Answered { response, fault, .. } =
            entry::finish(&settings::context(&engine, &deployment), page, taken);
        log::Line {
            env: &self.env,
            part: "registry",
            request_id: &request_id,
            team: None,
            route: Route::Of(&method, &path),
            status: response.status().as_u16(),
            started,
            rows: engine.rows(),
            fault: fault.map(|fault| fault.to_string()),
        }
        .answer(response)
    }

    async fn finish(&self) -> Result<()> {
        let deployment = settings::deployment(&self.env)?;
        let engine = Engine::new(&self.database);
        let steps = operator::unfinished(&settings::context(&engine, &deployment)).map_err(told)?;
        let mut failed = None;
        for step in steps {
            match self.take(&engine, &deployment, step).await {
                Ok(Answered { fault: None, .. }) => {}
                Ok(Answered { fault: Some(fault), .. }) => failed = Some(told(fault)),
                Err(error) => failed = Some(error),
            }
        }
        // The platform runs an alarm again that fails.
        failed.map_or(Ok(()), Err)
    }

    /// Takes a step to its answer.
    async fn take(
        &self,
        engine: &Engine<'_>,
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
            let told = stub.fetch(&convert::outgoing(call.request)?).await?;
            let told = convert::incoming(told).await?;
            step = operator::resume(&settings::context(engine, deployment), call.pending, &told);
        }
    }
}

fn told(fault: Fault) -> Error {
    Error::RustError(fault.to_string())
}
