//! What a provider has been asking for.

use super::{Answer, Call, next, ok, whole};
use crate::directory::activity::{self, Entry, Hour, PAGE_MAX};
use crate::scim::Timestamp;
use serde_json::{Value, json};

/// The last requests: counts of reads, and a page of changes and refusals, the
/// newest first; and how many came in each hour.
pub(super) fn read(call: &Call<'_>) -> Answer {
    let before = whole(&call.parameters, "after")?;
    let count = whole(&call.parameters, "count")?.unwrap_or(PAGE_MAX);
    let recent = activity::recent(call.context, call.activity, before, count)?;
    let hours: Vec<Value> = activity::hours(call.context)?.iter().map(hour).collect();
    let next = next(&recent.entries, count, |(number, _)| (*number).into());
    ok(&json!({
        "since": recent.since.map(|at| at.to_string()),
        "reads": recent.reads,
        "writes": recent.writes,
        "failures": recent.failures,
        "requests": recent.entries.iter().map(shown).collect::<Vec<_>>(),
        "next": next,
        "hours": hours,
    }))
}

fn shown((number, entry): &(i64, Entry)) -> Value {
    json!({
        "seq": number,
        "at": Timestamp(entry.at).to_string(),
        "key": entry.key,
        "method": entry.method,
        "path": entry.path,
        "status": entry.status,
        "reason": Some(&entry.reason).filter(|reason| !reason.is_empty()),
        "client": entry.client,
        "requestId": entry.request_id,
    })
}

fn hour(hour: &Hour) -> Value {
    json!({
        "at": hour.at.to_string(),
        "reads": hour.reads,
        "writes": hour.writes,
        "failures": hour.failures,
    })
}
