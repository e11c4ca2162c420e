//! A whole deployment in one process: the Worker's decisions, the Registry
//! and the Team objects, over native storages.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part of it")]

#[path = "sqlite.rs"]
mod sqlite;

use http::{Request, Response, StatusCode};
use kafkaman_scim::api::operator::{self, Step, TeamCall};
use kafkaman_scim::api::scim::discovery;
use kafkaman_scim::dashboard::sso;
use kafkaman_scim::directory::activity;
use kafkaman_scim::directory::schemas::Schemas;
use kafkaman_scim::directory::sign_in::{Errand, Found};
use kafkaman_scim::directory::team_id::TeamId;
use kafkaman_scim::directory::{Context, Deployment, Fault, Origin};
use kafkaman_scim::entry::front::{self, Decision};
use kafkaman_scim::entry::object::{self, Memory};
use kafkaman_scim::entry::registry;
use kafkaman_scim::scim::Timestamp;
use kafkaman_scim::web::answered::{After, Answered};
use serde_json::{Value, json};
pub use sqlite::Heard;
use sqlite::Sqlite;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// The operator's token in every world.
pub const OPERATOR_TOKEN: &str = "operator-token-of-the-native-world-0001";
/// The signing secrets of a new world.
pub const SIGNING_SECRETS: &str = "1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY";
/// Where its clock starts.
const START: i64 = 1_795_467_917_000;

/// What opens a team.
pub struct Team {
    /// Its first admin's token.
    pub admin: String,
    /// A SCIM API key.
    pub key: String,
}

/// What answers the errands of a sign-in.
type Provider = dyn Fn(&Errand) -> Found;

/// A deployment.
pub struct World {
    deployment: RefCell<Deployment>,
    now: Cell<i64>,
    drawn: Cell<u64>,
    registry: Sqlite,
    teams: RefCell<HashMap<String, Sqlite>>,
    /// What each team's object has in memory.
    memories: RefCell<HashMap<String, Rc<Memory>>>,
    /// Teams whose alarm is to come soon, and when.
    soon: RefCell<HashMap<String, i64>>,
    woken: Cell<usize>,
    provider: RefCell<Option<Box<Provider>>>,
    /// Set: the Registry's process dies when it is about to call a team, or
    /// right after the team answered.
    pub crash: Cell<Option<Crash>>,
}

/// Where a process dies.
#[derive(Clone, Copy, PartialEq)]
pub enum Crash {
    /// Before the team's object is called.
    BeforeCall,
    /// After it answered, before the Registry hears.
    AfterCall,
}

impl World {
    /// A deployment without teams.
    pub fn new() -> Self {
        Self {
            deployment: RefCell::new(deployment(SIGNING_SECRETS)),
            now: Cell::new(START),
            drawn: Cell::new(0),
            registry: Sqlite::new(),
            teams: RefCell::default(),
            memories: RefCell::default(),
            soon: RefCell::default(),
            woken: Cell::new(0),
            provider: RefCell::default(),
            crash: Cell::new(None),
        }
    }

    /// The SCIM base URL.
    pub fn base(&self) -> String {
        format!("{}/scim/v2", self.deployment.borrow().base_url)
    }

    /// Lets time pass.
    pub fn pass(&self, milliseconds: i64) {
        self.now.set(self.now.get() + milliseconds);
    }

    /// Redeploys with other signing secrets.
    pub fn sign_with(&self, secrets: &str) {
        *self.deployment.borrow_mut() = deployment(secrets);
    }

    /// How often an object has been called.
    pub fn woken(&self) -> usize {
        self.woken.get()
    }

    /// A team with an admin, an SSO method, SCIM switched on, and a key.
    pub fn team(&self, id: &str) -> Team {
        let admin = self.new_team(id);
        let saml = json!({
            "issuer": "https://app.onelogin.example/saml/metadata/1",
            "signInUrl": "https://acme.onelogin.example/trust/saml2/http-post/sso/1",
            "certificate": certificate(),
        });
        self.ok(&admin, "PUT", &format!("/teams/{id}/v1/sso/saml"), saml);
        self.ok(&admin, "POST", &format!("/teams/{id}/v1/scim/enable"), Value::Null);
        let path = format!("/teams/{id}/v1/scim/keys");
        let key = self.ok(&admin, "POST", &path, json!({ "name": "provider" }));
        Team { admin, key: key["key"].as_str().unwrap().to_owned() }
    }

    /// A team as an operator makes it; returns its admin's token.
    pub fn new_team(&self, id: &str) -> String {
        let (jurisdiction, slug) = id.split_once('.').map_or((None, id), |(j, s)| (Some(j), s));
        let mut body = json!({
            "id": slug, "name": "A team", "seats": 100_000,
            // A test asks more in a moment than any provider.
            "requestsPerSecond": 1_000_000, "requestBurst": 1_000_000,
            "admin": { "name": "The Admin", "email": "admin@kafkaman.example" },
        });
        if let Some(jurisdiction) = jurisdiction {
            body["jurisdiction"] = jurisdiction.into();
        }
        let made = self.ok(OPERATOR_TOKEN, "POST", "/operator/v1/teams", body);
        made["adminToken"].as_str().unwrap().to_owned()
    }

    /// Sends a request that must succeed; returns its JSON.
    #[track_caller]
    pub fn ok(&self, token: &str, method: &str, path: &str, body: Value) -> Value {
        let (status, body) = self.call(token, method, path, body);
        assert!(status.is_success(), "{method} {path}: {status} {body}");
        body
    }

    /// Sends a request with a bearer token and a JSON body (null: none).
    pub fn call(&self, token: &str, method: &str, path: &str, body: Value) -> (StatusCode, Value) {
        let mut request = Request::builder().method(method).uri(path);
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        let response = self.send(request.body(body).unwrap());
        let text = response.body();
        (response.status(), serde_json::from_slice(text).unwrap_or(Value::Null))
    }

    /// Sends a request, as `edge` does.
    pub fn send(&self, request: Request<Vec<u8>>) -> Response<Vec<u8>> {
        let (head, body) = request.into_parts();
        let decision = front::decide(&self.deployment.borrow(), &head);
        match decision {
            Decision::Answer(response) => response,
            Decision::Discovery => discovery::handle(&self.deployment.borrow().base_url, &head),
            Decision::SignIn(id) => self.sign_in(&id, Request::from_parts(head, body)),
            Decision::Team(id) => self.to_team(&id, Request::from_parts(head, body)),
            Decision::Registry(name) => {
                self.woken.set(self.woken.get() + 1);
                let request = Request::from_parts(head, body);
                let start = |context: &Context<'_>| registry::start(context, &name, request);
                let (step, page) = self.with(&self.registry, start).into_parts();
                let answered = Answered::of(self.take(step));
                let finish = |context: &Context<'_>| registry::finish(context, page, answered);
                self.with(&self.registry, finish).response
            }
        }
    }

    /// What the Registry's alarm does: finishes what a crash left.
    pub fn alarm(&self) {
        for step in self.with(&self.registry, operator::unfinished).unwrap() {
            self.take(step);
        }
    }

    /// Runs the errands of a sign-in, as the Worker does.
    fn sign_in(&self, id: &TeamId, request: Request<Vec<u8>>) -> Response<Vec<u8>> {
        let mut response = self.to_team(id, request);
        while response.headers().contains_key(sso::ERRAND) {
            let errand: Errand = serde_json::from_slice(response.body()).unwrap();
            let found = self.provider.borrow().as_ref().map(|provider| provider(&errand));
            let request = sso::back(errand, found.unwrap_or_default(), Origin::default());
            response = self.to_team(id, request);
        }
        response
    }

    /// What answers the errands of a sign-in.
    pub fn ask_provider(&self, provider: impl Fn(&Errand) -> Found + 'static) {
        *self.provider.borrow_mut() = Some(Box::new(provider));
    }

    fn take(&self, step: Step) -> Response<Vec<u8>> {
        match step {
            Step::Answer(answered) => answered.response,
            Step::CallTeam(call) => {
                let TeamCall { team, request, pending, .. } = *call;
                let crash = self.crash.take();
                if crash == Some(Crash::BeforeCall) {
                    return Response::new(Vec::new());
                }
                let told = self.to_team(&team, request);
                if crash == Some(Crash::AfterCall) {
                    return Response::new(Vec::new());
                }
                let next = |context: &Context<'_>| operator::resume(context, pending, &told);
                let next = self.with(&self.registry, next);
                self.take(next)
            }
        }
    }

    fn to_team(&self, id: &TeamId, request: Request<Vec<u8>>) -> Response<Vec<u8>> {
        self.woken.set(self.woken.get() + 1);
        let mut teams = self.teams.borrow_mut();
        let storage = teams.entry(id.to_string()).or_insert_with(Sqlite::new);
        let answered = self.with(storage, |context| {
            object::open(context).unwrap();
            object::handle(context, id, &self.memory(id.as_str()), request)
        });
        if let Some(fault) = answered.fault {
            panic!("a fault: {fault}");
        }
        if answered.after == After::DeleteEverything {
            *storage = Sqlite::new();
        }
        if answered.after == After::UpkeepSoon {
            let due = self.now.get() + activity::WAIT_MS;
            self.soon.borrow_mut().entry(id.to_string()).or_insert(due);
        }
        answered.response
    }

    /// What a team's alarm does until nothing is due now; returns in how many
    /// steps.
    pub fn upkeep(&self, id: &str) -> usize {
        let mut steps = 1;
        let memory = self.memory(id);
        let step = |context: &Context<'_>| object::upkeep(context, &memory).unwrap();
        while self.in_team(id, |context| step(context) <= Some(context.now)) {
            steps += 1;
        }
        steps
    }

    /// Nobody asks for a minute. An alarm that is due within it runs, and an object
    /// without requests leaves memory after some ten seconds, as Cloudflare has it.
    pub fn rest(&self, id: &str) {
        const IN_MEMORY_MS: i64 = 10_000;
        let due = self.soon.borrow_mut().remove(id);
        let leaves = self.now.get() + IN_MEMORY_MS;
        if due.is_some_and(|due| due < leaves) {
            self.upkeep(id);
        }
        self.pass(60_000);
        self.restart(id);
        if due.is_some() {
            self.upkeep(id);
        }
    }

    /// The process that runs a team's object ends, and another begins.
    pub fn restart(&self, id: &str) {
        self.memories.borrow_mut().remove(id);
    }

    fn memory(&self, id: &str) -> Rc<Memory> {
        Rc::clone(self.memories.borrow_mut().entry(id.to_owned()).or_default())
    }

    /// Runs something on a team's storage.
    pub fn in_team<T>(&self, id: &str, run: impl FnOnce(&Context<'_>) -> T) -> T {
        self.with(&self.teams.borrow()[id], run)
    }

    /// The statements that a team's object runs for a request, without those by which it
    /// sees to its tables first: the runtime's does that once.
    pub fn statements(&self, id: &str, request: Request<Vec<u8>>) -> Vec<Heard> {
        *self.teams.borrow()[id].heard.borrow_mut() = Some(Vec::new());
        let response = self.send(request);
        assert!(response.status().is_success(), "{response:?}");
        let heard = self.teams.borrow()[id].heard.take().unwrap();
        let last_of_opening = heard.iter().rposition(|own| own.text.contains("FROM migration"));
        heard.into_iter().skip(last_of_opening.unwrap() + 1).collect()
    }

    /// Runs something on the Registry's storage.
    pub fn in_registry<T>(&self, run: impl FnOnce(&Context<'_>) -> T) -> T {
        self.with(&self.registry, run)
    }

    fn with<T>(&self, sql: &Sqlite, run: impl FnOnce(&Context<'_>) -> T) -> T {
        let random = |bytes: &mut [u8]| -> Result<(), Fault> {
            for byte in bytes {
                // SplitMix64: unlike from draw to draw, the same from run to run.
                let drawn = self.drawn.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
                self.drawn.set(drawn);
                let mixed = (drawn ^ (drawn >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                *byte = (mixed >> 32) as u8;
            }
            Ok(())
        };
        self.now.set(self.now.get() + 1);
        let now = Timestamp(self.now.get());
        let deployment = self.deployment.borrow();
        let schemas = Schemas::built_in();
        run(&Context {
            sql,
            now,
            random: &random,
            deployment: &deployment,
            schemas,
            origin: Origin::none(),
        })
    }
}

fn deployment(secrets: &str) -> Deployment {
    Deployment::read("http://localhost:8787", secrets, OPERATOR_TOKEN).unwrap()
}

/// A certificate in shape: PEM around what begins as DER does.
pub fn certificate() -> String {
    let lines = ["MIIC".to_owned() + &"A".repeat(60), "A".repeat(64), "A".repeat(64)];
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}
