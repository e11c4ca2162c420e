//! The Team object: one team's storage, and nothing of it in memory.
//!
//! A request is answered in one call into the wasm, its body read by then, so that
//! no other request comes between the first read of storage and the answer.

use super::log::Route;
use super::sql::{Database, Engine};
use super::{clock, convert, log, settings};
use crate::api::scim;
use crate::directory::activity::WAIT_MS;
use crate::directory::team_id::TeamId;
use crate::directory::{Context, Fault, migrate};
use crate::entry::object::{self, Memory};
use crate::scim::Timestamp;
use crate::web::answered::{After, Answered};
use http::request::Parts;
use http::{HeaderValue, Request as HttpRequest, Response as HttpResponse};
use std::cell::Cell;
use std::time::Duration;
use wasm_bindgen::prelude::*;
use worker::wasm_bindgen_futures::future_to_promise;
use worker::worker_sys::DurableObjectState;
use worker::{Env, Error, Result, State, Storage};

/// When to take up a step of upkeep again that failed. The platform would try
/// six times and then never again.
const UPKEEP_RETRY: Duration = Duration::from_secs(60);
/// With an operator's token in this header, an answer says what it cost.
const DEBUG_HEADER: &str = "x-kafkaman-debug";

/// One team's Durable Object; `guard.mjs` has the class that the runtime knows.
#[wasm_bindgen]
pub struct Team {
    state: State,
    env: Env,
    database: Database,
    /// The object's name.
    name: String,
    /// Whether this instance has seen to it that the tables are up to date.
    opened: Cell<bool>,
    /// What this instance knows and storage does not.
    memory: Memory,
}

#[wasm_bindgen]
impl Team {
    /// The object as the runtime makes it.
    #[wasm_bindgen(constructor)]
    pub fn new(state: DurableObjectState, env: Env) -> Self {
        let state = State::from(state);
        Self {
            name: state.id().name().unwrap_or_default(),
            database: Database::new(state.storage()),
            state,
            env,
            opened: Cell::new(false),
            memory: Memory::default(),
        }
    }

    /// Answers a request: with a `Response`, or a promise of one.
    ///
    /// # Errors
    /// Where there is no answer; `guard.mjs` has one.
    pub fn fetch(&self, head: &str, body: Vec<u8>) -> std::result::Result<JsValue, JsValue> {
        let started = clock::milliseconds();
        let head = convert::head(head)?;
        #[cfg(feature = "testing")]
        {
            super::testing::count_wake();
            if super::testing::asks_for_alarm(&head) {
                return self.upkeep_now();
            }
        }
        self.respond(started, head, body)
    }

    /// What is done by alarm: one step, then the next is awaited.
    ///
    /// # Errors
    /// Where the runtime takes no alarm.
    pub fn alarm(&self) -> std::result::Result<JsValue, JsValue> {
        let (next, _) = self.upkeep()?;
        let storage = self.state.storage();
        Ok(future_to_promise(async move {
            if let Some(delay) = next {
                storage.set_alarm(delay).await?;
            }
            Ok(JsValue::UNDEFINED)
        })
        .into())
    }
}

impl Team {
    fn respond(
        &self,
        started: u64,
        head: Parts,
        body: Vec<u8>,
    ) -> std::result::Result<JsValue, JsValue> {
        let team = TeamId::parse(&self.name)
            .ok_or_else(|| Error::RustError("a Team object has no team's name".into()))?;
        let deployment = settings::deployment(&self.env)?;
        let engine = Engine::new(&self.database);
        let context = settings::context(&engine, &deployment);
        let mut request = HttpRequest::from_parts(head, body);
        let request_id = log::with_request_id(&mut request);
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let wants_debug = wants_debug(&context, &request);
        let is_new = !self.opened.get();
        let Answered { mut response, after, fault } = self.answer(&context, &team, request);
        let is_team = || migrate::version(&engine).is_ok_and(|version| version.is_some());
        let then = match after {
            // A team from before there were alarms has none yet.
            After::Nothing if is_new && is_team() => Some(Then::AlarmBy(clock::now())),
            After::Nothing => None,
            After::DeleteEverything => {
                self.opened.set(false);
                Some(Then::Delete)
            }
            After::Upkeep => Some(Then::Alarm),
            After::UpkeepSoon => Some(Then::AlarmBy(clock::now().plus(WAIT_MS))),
        };
        if wants_debug {
            show_rows(&mut response, engine.rows());
        }
        let answer = log::Line {
            env: &self.env,
            part: "team",
            request_id: &request_id,
            team: Some(&self.name),
            route: Route::Of(&method, &path),
            status: response.status().as_u16(),
            started,
            rows: engine.rows(),
            fault: fault.map(|fault| fault.to_string()),
        }
        .answer(response)?;
        let Some(then) = then else { return Ok(answer) };
        let storage = self.state.storage();
        Ok(future_to_promise(async move {
            then.run(&storage).await?;
            Ok(answer)
        })
        .into())
    }

    /// One step of what is done by alarm: when the next is due, and the rows that
    /// this one read and wrote.
    fn upkeep(&self) -> Result<(Option<Duration>, (usize, usize))> {
        let deployment = settings::deployment(&self.env)?;
        let engine = Engine::new(&self.database);
        let started = clock::milliseconds();
        let done = object::upkeep(&settings::context(&engine, &deployment), &self.memory);
        let next = match &done {
            Ok(due) => due.map(delay_until),
            Err(_) => Some(UPKEEP_RETRY),
        };
        log::Line {
            env: &self.env,
            part: "upkeep",
            request_id: &log::random_id(),
            team: Some(&self.name),
            route: Route::Named("alarm"),
            status: if done.is_ok() { 200 } else { 500 },
            started,
            rows: engine.rows(),
            fault: done.err().map(|fault: Fault| fault.to_string()),
        }
        .write();
        Ok((next, engine.rows()))
    }

    fn answer(
        &self,
        context: &Context<'_>,
        team: &TeamId,
        request: HttpRequest<Vec<u8>>,
    ) -> Answered {
        if !self.opened.get() {
            if let Err(fault) = object::open(context) {
                return scim::failed(fault);
            }
            self.opened.set(true);
        }
        #[cfg(feature = "testing")]
        if super::testing::asks_for_trap(&request) {
            return super::testing::trap_after(context, || {
                object::handle(context, team, &self.memory, request)
            });
        }
        object::handle(context, team, &self.memory, request)
    }

    /// Runs the alarm's work, for the suite: answers with the rows that it cost.
    #[cfg(feature = "testing")]
    fn upkeep_now(&self) -> std::result::Result<JsValue, JsValue> {
        let (next, (read, written)) = self.upkeep()?;
        let response = HttpResponse::new(format!("{read} {written}").into_bytes());
        let answer = convert::response(&response)?;
        let storage = self.state.storage();
        Ok(future_to_promise(async move {
            if let Some(delay) = next {
                storage.set_alarm(delay).await?;
            }
            Ok(answer)
        })
        .into())
    }
}

/// What is done of the runtime's before an answer is sent. It is in the same turn as
/// the change, and so with it or not at all.
enum Then {
    /// Empty the storage.
    Delete,
    /// Have the alarm run at once.
    Alarm,
    /// See that it runs by then.
    AlarmBy(Timestamp),
}

impl Then {
    async fn run(self, storage: &Storage) -> Result<()> {
        match self {
            Self::Delete => {
                storage.delete_alarm().await?;
                storage.delete_all().await
            }
            Self::Alarm => storage.set_alarm(Duration::ZERO).await,
            // Setting one writes a row.
            Self::AlarmBy(due) => match storage.get_alarm().await? {
                Some(set) if set <= due.0 => Ok(()),
                _ => storage.set_alarm(delay_until(due)).await,
            },
        }
    }
}

fn delay_until(due: Timestamp) -> Duration {
    let delay = due.0.saturating_sub(clock::now().0);
    Duration::from_millis(u64::try_from(delay).unwrap_or(0))
}

fn wants_debug(context: &Context<'_>, request: &HttpRequest<Vec<u8>>) -> bool {
    let token = request.headers().get(DEBUG_HEADER).and_then(|value| value.to_str().ok());
    token.is_some_and(|token| context.deployment.operator(token).is_some())
}

fn show_rows(response: &mut HttpResponse<Vec<u8>>, (read, written): (usize, usize)) {
    for (name, rows) in [("x-rows-read", read), ("x-rows-written", written)] {
        response.headers_mut().insert(name, HeaderValue::from(rows));
    }
}
