//! Two operators at once: the Registry hears answers in any order, and no
//! late one brings back a team that was deleted meanwhile.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(unreachable_pub, reason = "the storage is shared by several test files")]

#[path = "support/sqlite.rs"]
mod sqlite;

use http::{Request, Response};
use kafkaman_scim::api::operator::{self, Pending, Step};
use kafkaman_scim::directory::schemas::Schemas;
use kafkaman_scim::directory::{Context, Deployment, Fault, Origin};
use kafkaman_scim::scim::Timestamp;
use serde_json::{Value, json};
use sqlite::Sqlite;

const SECRETS: &str = "1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY";
const TOKEN: &str = "operator-token-of-the-native-world-0001";
const ACME: &str = "/operator/v1/teams/acme";

/// A Registry whose teams answer when the test says so.
struct Registry {
    storage: Sqlite,
    deployment: Deployment,
}

impl Registry {
    fn new() -> Self {
        let deployment = Deployment::read("http://localhost:8787", SECRETS, TOKEN).unwrap();
        Self { storage: Sqlite::new(), deployment }
    }

    fn with<T>(&self, run: impl FnOnce(&Context<'_>) -> T) -> T {
        let random = |_: &mut [u8]| -> Result<(), Fault> { Ok(()) };
        let now = Timestamp(1_795_467_917_000);
        let (sql, deployment, schemas) = (&self.storage, &self.deployment, Schemas::built_in());
        run(&Context { sql, now, random: &random, deployment, schemas, origin: Origin::none() })
    }

    fn start(&self, method: &str, path: &str, body: &Value) -> Step {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = Request::builder().method(method).uri(path).body(body).unwrap();
        self.with(|context| operator::start(context, "ann", request))
    }

    /// Starts what calls the team; the team has not answered yet.
    fn begin(&self, method: &str, path: &str, body: &Value) -> Pending {
        match self.start(method, path, body) {
            Step::CallTeam(call) => call.pending,
            Step::Answer(answered) => panic!("{method} {path}: {}", answered.response.status()),
        }
    }

    fn make(&self) -> Pending {
        let admin = json!({ "name": "Ada", "email": "ada@acme.example" });
        let body = json!({ "id": "acme", "name": "Acme", "admin": admin });
        self.begin("POST", "/operator/v1/teams", &body)
    }

    /// The team answers that all went well.
    fn end(&self, pending: Pending) -> u16 {
        let told = Response::new(json!({ "adminToken": "a token" }).to_string().into_bytes());
        status(self.with(|context| operator::resume(context, pending, &told)))
    }

    fn read(&self) -> u16 {
        status(self.start("GET", ACME, &Value::Null))
    }
}

fn status(step: Step) -> u16 {
    match step {
        Step::Answer(answered) => {
            assert!(answered.fault.is_none(), "{:?}", answered.fault);
            answered.response.status().as_u16()
        }
        Step::CallTeam(_) => panic!("another call"),
    }
}

#[test]
fn a_team_deleted_while_it_was_made_stays_deleted() {
    let registry = Registry::new();
    let making = registry.make();
    let deleting = registry.begin("DELETE", ACME, &Value::Null);
    assert_eq!(registry.end(deleting), 204);
    assert_eq!(registry.end(making), 409);
    assert_eq!(registry.read(), 404);
}

#[test]
fn a_team_being_deleted_is_not_revived_by_its_creation() {
    let registry = Registry::new();
    let making = registry.make();
    let deleting = registry.begin("DELETE", ACME, &Value::Null);
    assert_eq!(registry.end(making), 409);
    assert_eq!(registry.end(deleting), 204);
    assert_eq!(registry.read(), 404);
}

#[test]
fn a_team_deleted_while_it_was_suspended_or_resumed_stays_deleted() {
    for what in ["suspend", "resume"] {
        let registry = Registry::new();
        let making = registry.make();
        assert_eq!(registry.end(making), 201);
        let turning = registry.begin("POST", &format!("{ACME}/{what}"), &Value::Null);
        let deleting = registry.begin("DELETE", ACME, &Value::Null);
        assert_eq!(registry.end(deleting), 204);
        assert_eq!(registry.end(turning), 409, "{what}");
        assert_eq!(registry.read(), 404, "{what}");
    }
}
