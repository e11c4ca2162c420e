//! The Team object: one team's storage, and nothing of it in memory.
//!
//! Everything after the body is read is synchronous, so that no other request
//! comes between the first read of storage and the answer.

use super::sql::Engine;
use super::{clock, convert, log, settings};
use crate::api::scim;
use crate::directory::activity::WAIT_MS;
use crate::directory::schemas::Schemas;
use crate::directory::team_id::TeamId;
use crate::directory::{Context, Deployment, Origin, migrate};
use crate::entry::object::{self, Memory};
use crate::scim::Timestamp;
use crate::web::answered::{After, Answered};
use http::{HeaderValue, Request as HttpRequest, Response as HttpResponse};
use std::cell::Cell;
use std::time::Duration;
use worker::{Date, DurableObject, Env, Error, Request, Response, Result, State, durable_object};

/// When to take up a step of upkeep again that failed. The platform would try
/// six times and then never again.
const UPKEEP_RETRY: Duration = Duration::from_secs(60);
/// With an operator's token in this header, an answer says what it cost.
const DEBUG_HEADER: &str = "x-kafkaman-debug";

/// One team's Durable Object.
#[durable_object(alarm)]
pub(super) struct Team {
    state: State,
    env: Env,
    /// Whether this instance has seen to it that the tables are up to date.
    opened: Cell<bool>,
    /// What this instance knows and storage does not.
    memory: Memory,
}

impl DurableObject for Team {
    fn new(state: State, env: Env) -> Self {
        Self { state, env, opened: Cell::new(false), memory: Memory::default() }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        let started = Date::now().as_millis();
        let mut request = convert::whole(request).await?;
        #[cfg(feature = "testing")]
        {
            super::testing::count_wake();
            if super::testing::asks_for_alarm(&request) {
                let (read, written) = self.upkeep().await?;
                return Response::ok(format!("{read} {written}"));
            }
        }

        let name = self.state.id().name().unwrap_or_default();
        let team = TeamId::parse(&name)
            .ok_or_else(|| Error::RustError("a Team object has no team's name".into()))?;
        let deployment = settings::deployment(&self.env)?;
        let engine = Engine::new(self.state.storage());
        let context = context(&engine, &deployment);
        let request_id = log::with_request_id(&mut request);
        let route = log::route(request.method(), request.uri().path());
        let wants_debug = wants_debug(&context, &request);
        let is_new = !self.opened.get();
        let Answered { mut response, after, fault } = self.answer(&context, &team, request);
        match after {
            // A team from before there were alarms has none yet.
            After::Nothing
                if is_new && migrate::version(&engine).is_ok_and(|own| own.is_some()) =>
            {
                if self.state.storage().get_alarm().await?.is_none() {
                    self.state.storage().set_alarm(Duration::ZERO).await?;
                }
            }
            After::Nothing => {}
            After::DeleteEverything => {
                self.opened.set(false);
                self.state.storage().delete_alarm().await?;
                self.state.storage().delete_all().await?;
            }
            // In the same turn as the change, and so with it or not at all.
            After::Upkeep => self.state.storage().set_alarm(Duration::ZERO).await?,
            After::UpkeepSoon => self.see_to_upkeep_by(clock::now().plus(WAIT_MS)).await?,
        }
        if wants_debug {
            show_rows(&mut response, engine.rows());
        }
        log::Line {
            env: &self.env,
            part: "team",
            request_id: &request_id,
            team: Some(&name),
            route: &route,
            status: response.status().as_u16(),
            started,
            rows: engine.rows(),
            fault: fault.map(|fault| fault.to_string()),
        }
        .answer(response)
    }

    async fn alarm(&self) -> Result<Response> {
        self.upkeep().await?;
        Response::empty()
    }
}

impl Team {
    /// One step of what is done by alarm, then the next; returns the rows that it
    /// read and wrote.
    async fn upkeep(&self) -> Result<(usize, usize)> {
        let deployment = settings::deployment(&self.env)?;
        let engine = Engine::new(self.state.storage());
        let started = Date::now().as_millis();
        let done = object::upkeep(&context(&engine, &deployment), &self.memory);
        let next = match done {
            Ok(None) => None,
            Ok(Some(due)) => Some(delay_until(due)),
            Err(_) => Some(UPKEEP_RETRY),
        };
        log::Line {
            env: &self.env,
            part: "upkeep",
            request_id: &log::random_id(),
            team: self.state.id().name().as_deref(),
            route: "alarm",
            status: if done.is_ok() { 200 } else { 500 },
            started,
            rows: engine.rows(),
            fault: done.err().map(|fault| fault.to_string()),
        }
        .write();
        if let Some(delay) = next {
            self.state.storage().set_alarm(delay).await?;
        }
        Ok(engine.rows())
    }
}

fn delay_until(due: Timestamp) -> Duration {
    let delay = due.0.saturating_sub(clock::now().0);
    Duration::from_millis(u64::try_from(delay).unwrap_or(0))
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

impl Team {
    /// Sees that an alarm comes by then; setting one writes a row.
    async fn see_to_upkeep_by(&self, by: Timestamp) -> Result<()> {
        let storage = self.state.storage();
        if storage.get_alarm().await?.is_none_or(|set| set > by.0) {
            storage.set_alarm(delay_until(by)).await?;
        }
        Ok(())
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
