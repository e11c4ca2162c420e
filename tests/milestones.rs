//! Pages by index, deep in a team that many came to, left and were restored to: they
//! are those of a list that is counted from its beginning, and they cost no more.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/world.rs"]
mod world;

use kafkaman_scim::directory::Context;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use world::World;

/// What happens to a team between looks at its lists. Ids are numbers here.
#[derive(Clone, Debug)]
enum Event {
    /// Every `step`th from a number on, as far as it is not there.
    Come { from: u32, step: u32, count: u32 },
    /// All whose numbers are within.
    Go { from: u32, to: u32 },
    /// One takes the place that it had long ago.
    Return { of: u32, to: u32 },
}

/// As many as there are between three milestones or four.
const MANY: u32 = 5_000;

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (0..MANY, 1..4_u32, 1..2_500_u32).prop_map(|(from, step, count)| Event::Come {
            from,
            step,
            count
        }),
        (0..MANY, 0..MANY).prop_map(|(from, count)| Event::Go { from, to: from + count }),
        (0..MANY, 0..2 * MANY).prop_map(|(of, to)| Event::Return { of, to }),
    ]
}

fn id(number: u32) -> String {
    format!("{number:08}")
}

fn happen(context: &Context<'_>, known: &mut BTreeSet<String>, event: &Event) {
    let execute = |sql: &str, list: Value| {
        context.sql.execute(sql, &[list.to_string().into()]).unwrap();
    };
    match event {
        Event::Come { from, step, count } => {
            let ids = (0..*count).map(|n| id(from + n * step));
            let new: Vec<String> = ids.filter(|id| !known.contains(id)).collect();
            execute(
                "INSERT INTO resource (type, id, key, active, version, created, modified, source,
                     display, document)
                 SELECT 'User', value, hex(randomblob(8)), 1, 1, 0, 0, 'scim', '', '{}'
                 FROM json_each(?)",
                json!(new),
            );
            known.extend(new);
        }
        Event::Go { from, to } => {
            let gone: Vec<String> = known.range(id(*from)..id(*to)).cloned().collect();
            execute(
                "DELETE FROM resource WHERE type = 'User' AND id IN
                 (SELECT value FROM json_each(?))",
                json!(gone),
            );
            known.retain(|id| !gone.contains(id));
        }
        Event::Return { of, to } => {
            let Some(old) = known.range(id(*of)..).next().cloned() else { return };
            if known.insert(id(*to)) {
                known.remove(&old);
                execute(
                    "UPDATE resource SET id = wanted.new FROM
                     (SELECT value ->> 0 AS old, value ->> 1 AS new FROM json_each(?)) AS wanted
                     WHERE resource.type = 'User' AND resource.id = wanted.old",
                    json!([[old, id(*to)]]),
                );
            }
        }
    }
}

/// How many resources each milestone says, and how many there are.
fn counts(context: &Context<'_>) -> Vec<(i64, i64)> {
    let statement = "SELECT resources, (
             SELECT count(*) FROM resource AS r WHERE r.type = m.type AND r.id >= m.first
             AND r.id < coalesce((SELECT min(first) FROM milestone AS next
                                  WHERE next.type = m.type AND next.first > m.first), 'z'))
         FROM milestone AS m WHERE type = 'User' ORDER BY first";
    context.sql.all(statement, &[], |mut row| Ok((row.integer()?, row.integer()?))).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn pages_are_where_counting_from_the_beginning_finds_them(
        events in proptest::collection::vec(event(), 1..8),
        places in proptest::collection::vec(1..6_000_usize, 6),
    ) {
        let world = World::new();
        let key = world.team("acme").key;
        let mut known: BTreeSet<String> = world.in_team("acme", |context| {
            let ids = "SELECT id FROM resource WHERE type = 'User'";
            context.sql.all(ids, &[], |mut row| row.text()).unwrap().into_iter().collect()
        });
        for event in &events {
            world.in_team("acme", |context| {
                happen(context, &mut known, event);
                for (said, counted) in counts(context) {
                    assert_eq!(said, counted);
                }
            });
        }
        for start in places {
            let path = format!("/scim/v2/Users?startIndex={start}&count=3&attributes=id");
            let page = world.ok(&key, "GET", &path, Value::Null);
            let found = page["Resources"].as_array().cloned().unwrap_or_default();
            let found: Vec<&str> = found.iter().map(|own| own["id"].as_str().unwrap()).collect();
            let expected: Vec<&str> =
                known.iter().skip(start - 1).take(3).map(String::as_str).collect();
            prop_assert_eq!(found, expected, "from {}", start);
        }
    }
}

#[test]
fn milestones_stand_neither_close_nor_far() {
    let world = World::new();
    world.team("acme");
    world.in_team("acme", |context| {
        let mut known = BTreeSet::new();
        // Two in turn between those that are there, so that every part grows.
        for round in 0..4 {
            let come = Event::Come { from: round, step: 4, count: 5_000 };
            happen(context, &mut known, &come);
        }
        let stand = counts(context);
        assert!(stand.iter().all(|(said, _)| (500..=2_000).contains(said)), "{stand:?}");
        assert!(stand.len() <= 40, "{}", stand.len());
        happen(context, &mut known, &Event::Go { from: 0, to: 30_000 });
        assert_eq!(counts(context), [(0, 0), (1, 1)], "the first milestone, and the admin");
    });
}
