//! The audit log: filtered, by the page, and exported.

use super::{Answer, Call, next, ok, whole};
use crate::api::problem;
use crate::directory::Context;
use crate::directory::audit;
use crate::scim::list::Parameters;
use crate::web::audit::{self as shown, query};
use serde_json::{Value, json};

pub(super) fn list(call: &Call<'_>) -> Answer {
    page(call.context, &call.parameters)
}

/// A page of a log, a team's or the operators': `?action=`, `?actor=`,
/// `?subject=`, `?since=`, `?until=`, `?count=`, and `?after=` what the last page
/// called `next`.
pub(in crate::api) fn page(context: &Context<'_>, parameters: &Parameters) -> Answer {
    let mut query = query(parameters)?;
    query.before = whole(parameters, "after")?;
    query.count = whole(parameters, "count")?.unwrap_or(query.count);
    let records = audit::page(context, &query)?;
    let next = next(&records, query.count, |last| last.seq.into());
    let records: Vec<Value> = records.iter().map(shown::record).collect();
    ok(&json!({ "records": records, "next": next }))
}

/// The log as a file: `?format=ndjson` or `csv`, with the filters of the list,
/// newest first, `?count=` or 10,000 records at most.
pub(super) fn export(call: &Call<'_>) -> Answer {
    let mut query = query(&call.parameters)?;
    query.before = whole(&call.parameters, "after")?;
    let most = whole(&call.parameters, "count")?;
    let file = shown::export(call.context, query, most, call.parameter("format")?)?;
    Ok(problem::download(file.media_type, file.name, file.text))
}
