//! Providers, admins, people signing in and the clock, in any order: whatever
//! happens, what must always hold of a team's storage holds.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/acme.rs"]
mod acme;

use acme::Acme;
use acme::world::OPERATOR_TOKEN;
use http::StatusCode;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const NAMES: [&str; 5] = ["ada", "Bob", "cleo", "dot", "eve"];

/// One thing that happens; numbers choose people, groups and sessions among
/// those that there were so far.
#[derive(Clone, Debug)]
enum Event {
    Create(usize, bool),
    SetActive(usize, bool),
    Rename(usize, usize),
    Delete(usize),
    Group(usize, usize),
    Join(usize, usize),
    Leave(usize, usize),
    DeleteGroup(usize),
    SetRole(usize, usize),
    Remove(usize),
    Reactivate(usize),
    Restore(usize),
    Undo,
    Scim(bool),
    Seats(i64),
    SignIn(usize),
    SignOut(usize),
    Sso,
    Pass(i64),
    Alarm,
}

fn event() -> impl Strategy<Value = Event> {
    let n = || 0..8usize;
    prop_oneof![
        4 => (0..NAMES.len(), any::<bool>()).prop_map(|(n, active)| Event::Create(n, active)),
        4 => (n(), any::<bool>()).prop_map(|(n, active)| Event::SetActive(n, active)),
        1 => (n(), 0..NAMES.len()).prop_map(|(n, name)| Event::Rename(n, name)),
        2 => n().prop_map(Event::Delete),
        1 => (0..3usize, n()).prop_map(|(name, n)| Event::Group(name, n)),
        2 => (n(), n()).prop_map(|(g, n)| Event::Join(g, n)),
        1 => (n(), n()).prop_map(|(g, n)| Event::Leave(g, n)),
        1 => n().prop_map(Event::DeleteGroup),
        1 => (n(), 0..3usize).prop_map(|(n, role)| Event::SetRole(n, role)),
        1 => n().prop_map(Event::Remove),
        1 => n().prop_map(Event::Reactivate),
        1 => n().prop_map(Event::Restore),
        1 => Just(Event::Undo),
        1 => any::<bool>().prop_map(Event::Scim),
        1 => (1..5i64).prop_map(Event::Seats),
        5 => n().prop_map(Event::SignIn),
        1 => n().prop_map(Event::SignOut),
        1 => Just(Event::Sso),
        1 => (1..120i64).prop_map(|minutes| Event::Pass(minutes * 60_000)),
        1 => Just(Event::Alarm),
    ]
}

struct Run {
    acme: Acme,
    key: String,
    service: String,
    people: Vec<String>,
    groups: Vec<String>,
    sessions: Vec<String>,
}

impl Run {
    fn new() -> Self {
        let acme = Acme::enabled();
        acme.ok("PATCH", "/settings", json!({ "brakeMembers": 1, "brakePercent": 10 }));
        let key = acme.key("provider").1;
        let scopes = json!({ "name": "login", "scopes": ["sessions"] });
        let service =
            acme.ok("POST", "/service-tokens", scopes)["token"].as_str().unwrap().to_owned();
        let (people, groups, sessions) = (Vec::new(), Vec::new(), Vec::new());
        Self { acme, key, service, people, groups, sessions }
    }

    fn scim(&self, method: &str, path: &str, body: Value) -> (StatusCode, Value) {
        self.acme.world.call(&self.key, method, &format!("/scim/v2{path}"), body)
    }

    fn patch(&self, path: &str, operation: Value) {
        self.scim("PATCH", path, json!({ "schemas": [PATCH], "Operations": [operation] }));
    }

    /// Lets it happen, or has it refused.
    fn play(&mut self, event: &Event) {
        let pick = |list: &[String], n: usize| match list.len() {
            0 => "nobody".to_owned(),
            count => list[n % count].clone(),
        };
        let person = |n: usize| pick(&self.people, n);
        let group = |n: usize| pick(&self.groups, n);
        let admin = |method: &str, path: String, body: Value| {
            self.acme.call(method, &path, body);
        };
        match event {
            Event::Create(n, active) => {
                let body = json!({ "userName": NAMES[*n], "active": active });
                let made = self.scim("POST", "/Users", body).1;
                self.people.extend(made["id"].as_str().map(str::to_owned));
            }
            Event::SetActive(n, active) => {
                let operation = json!({ "op": "replace", "path": "active", "value": active });
                self.patch(&format!("/Users/{}", person(*n)), operation);
            }
            Event::Rename(n, name) => {
                let operation =
                    json!({ "op": "replace", "path": "userName", "value": NAMES[*name] });
                self.patch(&format!("/Users/{}", person(*n)), operation);
            }
            Event::Delete(n) => {
                self.scim("DELETE", &format!("/Users/{}", person(*n)), Value::Null);
            }
            Event::Group(name, n) => {
                let members = json!([{ "value": person(*n) }, { "value": group(*n) }]);
                let body = json!({ "displayName": format!("g{name}"), "members": members });
                let made = self.scim("POST", "/Groups", body).1;
                self.groups.extend(made["id"].as_str().map(str::to_owned));
            }
            Event::Join(g, n) => {
                let value = json!([{ "value": person(*n) }]);
                let operation = json!({ "op": "add", "path": "members", "value": value });
                self.patch(&format!("/Groups/{}", group(*g)), operation);
            }
            Event::Leave(g, n) => {
                let path = format!("members[value eq \"{}\"]", person(*n));
                self.patch(
                    &format!("/Groups/{}", group(*g)),
                    json!({ "op": "remove", "path": path }),
                );
            }
            Event::DeleteGroup(g) => {
                self.scim("DELETE", &format!("/Groups/{}", group(*g)), Value::Null);
            }
            Event::SetRole(n, role) => {
                let role = ["admin", "billing", "developer"][*role];
                admin("PATCH", format!("/members/{}", person(*n)), json!({ "role": role }));
            }
            Event::Remove(n) => admin("DELETE", format!("/members/{}", person(*n)), Value::Null),
            Event::Reactivate(n) => {
                admin("POST", format!("/members/{}/reactivate", person(*n)), Value::Null);
            }
            Event::Restore(n) => {
                admin("POST", format!("/departed/{}/restore", person(*n)), Value::Null);
            }
            Event::Undo => admin("POST", "/brake/undo".into(), json!({})),
            Event::Scim(on) => {
                let path = if *on { "/scim/enable" } else { "/scim/disable" };
                admin("POST", path.into(), Value::Null);
            }
            Event::Seats(seats) => {
                let body = json!({ "seats": seats });
                self.acme.world.call(OPERATOR_TOKEN, "PATCH", "/operator/v1/teams/acme", body);
            }
            Event::SignIn(n) => {
                let body = json!({ "member": { "id": person(*n) }, "method": "saml" });
                let path = "/teams/acme/v1/sessions";
                let opened = self.acme.world.call(&self.service, "POST", path, body).1;
                self.sessions.extend(opened["token"].as_str().map(str::to_owned));
            }
            Event::SignOut(n) => {
                let body = json!({ "token": pick(&self.sessions, *n) });
                let path = "/teams/acme/v1/sessions/end";
                self.acme.world.call(&self.service, "POST", path, body);
            }
            Event::Sso => {
                // Another provider each time: the same settings change nothing.
                let mut settings = acme::saml();
                let number = self.number("SELECT coalesce(max(seq), 0) FROM audit");
                settings["issuer"] = json!(format!("https://idp.example/{number}"));
                admin("PUT", "/sso/saml".into(), settings);
            }
            Event::Pass(milliseconds) => {
                self.acme.world.pass(*milliseconds);
            }
            Event::Alarm => {
                self.acme.world.upkeep("acme");
            }
        }
    }

    /// What an admin would want to know that it changed, by the id that the audit has it
    /// under: of a person their state, role and attributes, of a group its attributes
    /// and members, and, under no id, what the team decided.
    fn facts(&self) -> BTreeMap<String, Fact> {
        let statement = "
            SELECT id, active || coalesce(role, '') || document,
                   (SELECT group_concat(m.id) FROM membership AS ms
                    JOIN resource AS m ON m.seq = ms.member_seq WHERE ms.group_seq = r.seq)
            FROM resource AS r
            UNION ALL
            SELECT '', scim_enabled || ' ' || seats || settings
                   || (SELECT coalesce(group_concat(settings), '') FROM sso_method), NULL FROM team";
        let read = |context: &kafkaman_scim::directory::Context<'_>| {
            context.sql.all(statement, &[], |mut row| {
                let (id, state) = (row.text()?, row.text()?);
                let members = row.optional_text()?.unwrap_or_default();
                let members = members.split(',').filter(|id| !id.is_empty());
                let members = members.map(str::to_owned).collect();
                Ok((id, Fact { state, members }))
            })
        };
        self.acme.world.in_team("acme", read).unwrap().into_iter().collect()
    }

    /// Whom the records after this one are about.
    fn subjects(&self, seq: i64) -> BTreeSet<String> {
        let statement = "SELECT DISTINCT subject FROM audit WHERE seq > ?";
        let read = |context: &kafkaman_scim::directory::Context<'_>| {
            context.sql.all(statement, &[seq.into()], |mut row| row.text())
        };
        self.acme.world.in_team("acme", read).unwrap().into_iter().collect()
    }

    fn number(&self, statement: &str) -> i64 {
        let read = |context: &kafkaman_scim::directory::Context<'_>| {
            context.sql.first(statement, &[], |mut row| row.integer())
        };
        self.acme.world.in_team("acme", read).unwrap().unwrap()
    }
}

/// What the audit must tell of when it changes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fact {
    state: String,
    members: BTreeSet<String>,
}

/// What changed without a record about it, going from these facts to those. Whoever is
/// gone is in no group, and it is their record that says so.
fn untold(
    before: &BTreeMap<String, Fact>,
    after: &BTreeMap<String, Fact>,
    told: &BTreeSet<String>,
) -> Vec<String> {
    let is_here = |id: &&String| before.contains_key(*id) && after.contains_key(*id);
    let kept = |facts: &BTreeMap<String, Fact>, id: &str| {
        let fact = facts.get(id)?;
        let members: BTreeSet<_> = fact.members.iter().filter(is_here).cloned().collect();
        Some((fact.state.clone(), members))
    };
    let ids: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    ids.into_iter()
        .filter(|id| kept(before, id) != kept(after, id))
        .filter(|id| if id.is_empty() { told.is_empty() } else { !told.contains(*id) })
        .cloned()
        .collect()
}

/// What must count nothing, whatever happened.
const NEVER: [(&str, &str); 9] = [
    ("a session of who may not work here",
     "session AS s LEFT JOIN resource AS r ON r.seq = s.member AND r.type = 'User' AND r.active = 1
      WHERE r.seq IS NULL"),
    ("a name twice",
     "(SELECT 1 FROM resource GROUP BY type, key HAVING count(*) > 1)"),
    ("a member that is nobody",
     "membership AS m LEFT JOIN resource AS r ON r.seq = m.member_seq WHERE r.seq IS NULL"),
    ("members of no group",
     "membership AS m LEFT JOIN resource AS r ON r.seq = m.group_seq AND r.type = 'Group'
      WHERE r.seq IS NULL"),
    ("a lookup of nobody",
     "lookup AS l LEFT JOIN resource AS r ON r.seq = l.seq WHERE r.seq IS NULL"),
    ("a wrong total",
     "tally AS t WHERE t.type IN ('User', 'Group')
      AND t.total <> (SELECT count(*) FROM resource WHERE type = t.type)"),
    ("a wrong number of seats taken",
     "tally AS t WHERE t.type = 'Active'
      AND t.total <> (SELECT count(*) FROM resource WHERE type = 'User' AND active = 1)"),
    ("a state that the document does not say",
     "resource WHERE type = 'User' AND active <> json_extract(document, '$.active')"),
    ("someone here and gone",
     "departed AS d JOIN resource AS r ON r.id = d.id"),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_must_hold_holds(events in proptest::collection::vec(event(), 60)) {
        let mut run = Run::new();
        let active = "SELECT total FROM tally WHERE type = 'Active'";
        let records = "SELECT coalesce(max(seq), 0) FROM audit";
        let (mut taken, mut seq) = (run.number(active), run.number(records));
        let mut facts = run.facts();
        for event in &events {
            run.play(event);
            for (what, rows) in NEVER {
                prop_assert_eq!(run.number(&format!("SELECT count(*) FROM {rows}")), 0, "{} after {:?}", what, event);
            }
            let (now_taken, now_seq) = (run.number(active), run.number(records));
            let seats = run.number("SELECT seats FROM team");
            prop_assert!(now_taken <= seats.max(taken), "{now_taken} of {seats} seats after {event:?}");
            let (now_facts, told) = (run.facts(), run.subjects(seq));
            let untold = untold(&facts, &now_facts, &told);
            prop_assert!(untold.is_empty(), "no record of {untold:?} after {event:?}: {told:?}");
            prop_assert!(now_seq >= seq);
            (taken, seq, facts) = (now_taken, now_seq, now_facts);
            for token in &run.sessions {
                let body = json!({ "token": token });
                let seen = run.acme.world.call(&run.service, "POST", "/teams/acme/v1/sessions/introspect", body).1;
                if seen["active"] == true {
                    let member = &seen["session"]["member"];
                    prop_assert_eq!(&member["state"], "active");
                }
            }
        }
    }
}
