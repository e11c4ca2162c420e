//! The audit log: filtered, by the page, and exported.

use super::{Answer, Call, next, ok, whole};
use crate::api::problem;
use crate::directory::audit::{self, PAGE_MAX, Query, Record};
use crate::directory::problem::Problem;
use crate::directory::{Context, Failure};
use crate::scim::Timestamp;
use crate::scim::list::Parameters;
use http::Response;
use serde_json::{Value, json};

/// Records in one export; what is older is in the next, from `?after=` on.
const EXPORT_MAX: i64 = 10_000;

pub(super) fn list(call: &Call<'_>) -> Answer {
    page(call.context, &call.parameters)
}

/// A page of a log, a team's or the operators': `?action=`, `?actor=`,
/// `?subject=`, `?since=`, `?until=`, `?count=`, and `?after=` what the last page
/// called `next`.
pub(in crate::api) fn page(context: &Context<'_>, parameters: &Parameters) -> Answer {
    let query = query(parameters)?;
    let records = audit::page(context, &query)?;
    let next = next(&records, query.count, |last| last.seq.into());
    let records: Vec<Value> = records.iter().map(shown).collect();
    ok(&json!({ "records": records, "next": next }))
}

fn query(parameters: &Parameters) -> Result<Query<'_>, Problem> {
    let text = |name| {
        let text = parameters.get(name).map_err(|error| Problem::invalid(error.detail()))?;
        Ok::<_, Problem>(text.unwrap_or_default())
    };
    let instant = |name| {
        let given = parameters.get(name).map_err(|error| Problem::invalid(error.detail()))?;
        let read = |text| {
            let message = || format!("`{name}` must be a time such as \"2027-01-31T00:00:00Z\"");
            Timestamp::parse(text).ok_or_else(|| Problem::invalid(message()))
        };
        given.map(read).transpose()
    };
    Ok(Query {
        before: whole(parameters, "after")?,
        action: text("action")?,
        actor: text("actor")?,
        subject: text("subject")?,
        since: instant("since")?,
        until: instant("until")?,
        count: whole(parameters, "count")?.unwrap_or(PAGE_MAX),
    })
}

fn shown(record: &Record) -> Value {
    json!({
        "seq": record.seq,
        "at": record.at.to_string(),
        "actor": record.actor,
        "action": record.action,
        "subject": record.subject,
        "detail": record.detail,
        "client": record.client,
        "ip": record.ip,
        "requestId": record.request_id,
    })
}

/// The log as a file: `?format=ndjson` or `csv`, with the filters of the list,
/// newest first, 10,000 records at most.
pub(super) fn export(call: &Call<'_>) -> Answer {
    let query = query(&call.parameters)?;
    let (media_type, line): (_, fn(&Record) -> String) = match call.parameter("format")? {
        None | Some("ndjson") => ("application/x-ndjson", |record| shown(record).to_string()),
        Some("csv") => ("text/csv; charset=utf-8", csv),
        Some(_) => return Err(Problem::invalid("`format` must be ndjson or csv").into()),
    };
    let mut text = String::new();
    if media_type.starts_with("text/csv") {
        text.push_str("seq,at,actor,action,subject,detail,client,ip,requestId\r\n");
    }
    for record in all(call.context, query)? {
        text.push_str(&line(&record));
        text.push('\n');
    }
    Ok(download(media_type, text))
}

fn all(context: &Context<'_>, mut query: Query<'_>) -> Result<Vec<Record>, Failure<Problem>> {
    let mut records: Vec<Record> = Vec::new();
    query.count = PAGE_MAX;
    while i64::try_from(records.len()).is_ok_and(|count| count < EXPORT_MAX) {
        let page = audit::page(context, &query)?;
        let Some(last) = page.last() else { break };
        query.before = Some(last.seq);
        records.extend(page);
    }
    Ok(records)
}

fn download(media_type: &str, text: String) -> Response<Vec<u8>> {
    let extension = if media_type.starts_with("text/csv") { "csv" } else { "ndjson" };
    problem::download(media_type, &format!("audit.{extension}"), text)
}

fn csv(record: &Record) -> String {
    let cells = [
        record.seq.to_string(),
        record.at.to_string(),
        record.actor.clone(),
        record.action.clone(),
        record.subject.clone(),
        record.detail.to_string(),
        record.client.clone(),
        record.ip.clone(),
        record.request_id.clone(),
    ];
    let mut line = cells.map(|cell| csv_cell(&cell)).join(",");
    line.push('\r');
    line
}

/// A cell in quotes (RFC 4180 section 2). One that a spreadsheet would take for
/// a formula begins with an apostrophe.
fn csv_cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let mark = if is_formula { "'" } else { "" };
    format!("\"{mark}{}\"", text.replace('"', "\"\""))
}
