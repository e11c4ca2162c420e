//! What a provider has been asking for: the team's last 1,000 SCIM requests,
//! reads as counts, writes and failures one by one, and how many came in each
//! hour.
//!
//! For an admin who watches a provider being set up, and for the chart beside
//! it. It is not the audit, which is written with each change and loses nothing:
//! requests are noted in memory and stored by alarm within five seconds of the
//! first that waits, so that a request costs no row. Five seconds in which any
//! came cost two rows written here and two for the alarm, and read one: a
//! provider that comes without a pause for an hour, 2,880 rows. A process that is
//! killed forgets those seconds.

use super::sql::SqlError;
use super::{Context, Fault, Timestamp};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

/// Requests that are remembered.
const REQUESTS_MAX: i64 = 1_000;
/// Bytes of requests that are stored at once: half of what a row may have. A
/// thousand ordinary ones have a third of it.
const BYTES_MAX: usize = super::sql::ROW_BYTES_MAX / 2;
/// Requests on a page at most.
pub const PAGE_MAX: i64 = 200;
/// How long a request may wait in memory before it is stored. An object that
/// nobody asks leaves memory after some ten seconds.
pub const WAIT_MS: i64 = 5_000;
const HOUR_MS: i64 = 60 * 60 * 1000;
/// How long hours are kept.
const HOURS_MS: i64 = 30 * 24 * HOUR_MS;

/// What a request came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was shown what it asked for: a question of this kind.
    Read(String),
    /// It was a change, and carried out.
    Written,
    /// It was refused, or failed.
    Failed,
}

/// One request that is shown by itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// When it came, in milliseconds.
    pub at: i64,
    /// The id of the key that it came with.
    pub key: String,
    /// Its method.
    pub method: String,
    /// Its path, without the query, which may name people.
    pub path: String,
    /// The status of its answer.
    pub status: u16,
    /// Why it was refused; empty if it was not.
    pub reason: String,
    /// The client's name for itself.
    pub client: String,
    /// Its id in the log.
    pub request_id: String,
}

/// Requests of a while.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct Chunk {
    /// When the first came, in milliseconds.
    since: i64,
    /// How many came.
    requests: i64,
    /// How many of them were changes that were carried out.
    writes: i64,
    /// How many were refused.
    failures: i64,
    /// How many of each kind were reads.
    reads: BTreeMap<String, i64>,
    /// The others, each with how many had come with it.
    entries: VecDeque<(i64, Entry)>,
    /// Bytes of the others as they are stored.
    #[serde(skip)]
    bytes: usize,
}

impl Chunk {
    /// Adds a request that is shown by itself, and forgets the oldest beyond what is
    /// remembered.
    fn push(&mut self, number: i64, entry: Entry) {
        self.bytes = self.bytes.saturating_add(size(&entry));
        self.entries.push_back((number, entry));
        let oldest = number.saturating_sub(REQUESTS_MAX);
        while let Some((own, entry)) = self.entries.front() {
            if *own > oldest && self.bytes <= BYTES_MAX {
                break;
            }
            self.bytes = self.bytes.saturating_sub(size(entry));
            self.entries.pop_front();
        }
    }
}

/// Bytes of an entry as it is stored, with its number.
fn size(entry: &Entry) -> usize {
    const NUMBER_BYTES: usize = 24;
    serde_json::to_string(entry).map_or(0, |text| text.len()).saturating_add(NUMBER_BYTES)
}

/// What came since it was last stored.
#[derive(Debug, Default)]
pub struct Activity(RefCell<Chunk>);

impl Activity {
    /// Notes a request. Returns whether it is the first that waits to be stored.
    pub fn note(&self, outcome: Outcome, entry: Entry) -> bool {
        let mut chunk = self.0.borrow_mut();
        let is_first = chunk.requests == 0;
        if is_first {
            chunk.since = entry.at;
        }
        chunk.requests = chunk.requests.saturating_add(1);
        let number = chunk.requests;
        let is_written = outcome == Outcome::Written;
        let count = match outcome {
            Outcome::Read(kind) => chunk.reads.entry(kind).or_default(),
            Outcome::Written | Outcome::Failed => {
                chunk.push(number, entry);
                if is_written { &mut chunk.writes } else { &mut chunk.failures }
            }
        };
        *count = count.saturating_add(1);
        is_first
    }

    /// Forgets what was stored.
    pub(super) fn clear(&self) {
        self.0.take();
    }
}

/// Stores what waits, in the caller's transaction; whoever calls then clears it.
pub(super) fn store(context: &Context<'_>, activity: &Activity) -> Result<(), Fault> {
    let chunk = activity.0.borrow();
    if chunk.requests == 0 {
        return Ok(());
    }
    let upto = stored(context)?.saturating_add(chunk.requests);
    let document = serde_json::to_string(&*chunk).map_err(|error| Fault::new(error.to_string()))?;
    context.sql.execute(
        "INSERT INTO activity (upto, document) VALUES (?, ?)",
        &[upto.into(), document.as_str().into()],
    )?;
    context.sql.execute(
        "DELETE FROM activity WHERE upto <= ?",
        &[upto.saturating_sub(REQUESTS_MAX).into()],
    )?;
    let hour = hour_of(chunk.since);
    context.sql.execute(
        "INSERT INTO activity_hour (hour, reads, writes, failures) VALUES (?, ?, ?, ?)
         ON CONFLICT (hour) DO UPDATE SET reads = reads + excluded.reads,
         writes = writes + excluded.writes, failures = failures + excluded.failures",
        &[
            hour.into(),
            chunk.reads.values().sum::<i64>().into(),
            chunk.writes.into(),
            chunk.failures.into(),
        ],
    )?;
    context.sql.execute(
        "DELETE FROM activity_hour WHERE hour < ?",
        &[hour.saturating_sub(HOURS_MS).into()],
    )?;
    Ok(())
}

/// How many requests are in storage or were, since the team's first.
fn stored(context: &Context<'_>) -> Result<i64, Fault> {
    let newest = "SELECT upto FROM activity ORDER BY upto DESC LIMIT 1";
    Ok(context.sql.first(newest, &[], |mut row| row.integer())?.unwrap_or(0))
}

fn hour_of(at: i64) -> i64 {
    at.saturating_sub(at.rem_euclid(HOUR_MS))
}

/// What the last requests were.
#[derive(Debug, Default)]
pub struct Recent {
    /// When the oldest of them came; `None` if there were none.
    pub since: Option<Timestamp>,
    /// How many reads there were of each kind.
    pub reads: BTreeMap<String, i64>,
    /// How many changes.
    pub writes: i64,
    /// How many were refused.
    pub failures: i64,
    /// The changes and refusals, the newest first, each with its number.
    pub entries: Vec<(i64, Entry)>,
}

/// What the last requests were, those that wait to be stored among them.
/// `before` leaves out entries from this number on, `count` is how many are
/// shown at most.
pub fn recent(
    context: &Context<'_>,
    activity: &Activity,
    before: Option<i64>,
    count: i64,
) -> Result<Recent, Fault> {
    let mut chunks = context
        .sql
        .all(
            "SELECT upto, document FROM activity ORDER BY upto DESC LIMIT ?",
            &[REQUESTS_MAX.into()],
            |mut row| Ok((row.integer()?, row.text()?)),
        )?
        .into_iter()
        .map(|(upto, document)| {
            let chunk = serde_json::from_str::<Chunk>(&document);
            Ok((upto, chunk.map_err(|_| Fault::new("a stored chunk of activity cannot be read"))?))
        })
        .collect::<Result<VecDeque<_>, Fault>>()?;
    let waiting = activity.0.borrow().clone();
    if waiting.requests > 0 {
        let stored = chunks.front().map_or(0, |(upto, _)| *upto);
        chunks.push_front((stored.saturating_add(waiting.requests), waiting));
    }
    let newest = chunks.front().map_or(0, |(upto, _)| *upto);
    let mut recent = Recent::default();
    for (upto, chunk) in chunks {
        if upto <= newest.saturating_sub(REQUESTS_MAX) {
            break;
        }
        recent.since = Some(Timestamp(chunk.since));
        for (kind, count) in chunk.reads {
            let sum = recent.reads.entry(kind).or_default();
            *sum = sum.saturating_add(count);
        }
        recent.writes = recent.writes.saturating_add(chunk.writes);
        recent.failures = recent.failures.saturating_add(chunk.failures);
        let first = upto.saturating_sub(chunk.requests);
        let numbered = chunk.entries.into_iter().rev();
        recent.entries.extend(numbered.map(|(own, entry)| (first.saturating_add(own), entry)));
    }
    recent.entries.retain(|(number, _)| before.is_none_or(|before| *number < before));
    recent.entries.truncate(usize::try_from(count.clamp(0, PAGE_MAX)).unwrap_or(0));
    Ok(recent)
}

/// How many requests came in an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hour {
    /// When it began.
    pub at: Timestamp,
    /// Reads.
    pub reads: i64,
    /// Changes that were carried out.
    pub writes: i64,
    /// Requests that were refused or failed.
    pub failures: i64,
}

/// The hours of the last 30 days in which requests came, the newest first.
/// What waits to be stored is not in them yet.
pub fn hours(context: &Context<'_>) -> Result<Vec<Hour>, SqlError> {
    context.sql.all(
        "SELECT hour, reads, writes, failures FROM activity_hour WHERE hour >= ?
         ORDER BY hour DESC",
        &[context.now.plus(HOURS_MS.saturating_neg()).0.into()],
        |mut row| {
            Ok(Hour {
                at: Timestamp(row.integer()?),
                reads: row.integer()?,
                writes: row.integer()?,
                failures: row.integer()?,
            })
        },
    )
}
