//! The audit log as whoever asks for it gets it: its filters, and as a file.

use crate::directory::audit::{self, PAGE_MAX, Query, Record};
use crate::directory::problem::Problem;
use crate::directory::sql::SqlError;
use crate::directory::{Context, Failure};
use crate::scim::Timestamp;
use crate::scim::list::Parameters;
use serde_json::{Value, json};

/// Records in one export; what is older is in the next, from `?after=` on.
const EXPORT_MAX: i64 = 10_000;

/// The filters that a query names: `?action=`, `?actor=`, `?subject=`, `?since=`
/// and `?until=`; from the newest record on, a page of the greatest length.
///
/// # Errors
/// `invalid` for a time that is none, or a parameter that is there twice.
pub fn query(parameters: &Parameters) -> Result<Query<'_>, Problem> {
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
        before: None,
        action: text("action")?,
        actor: text("actor")?,
        subject: text("subject")?,
        since: instant("since")?,
        until: instant("until")?,
        count: PAGE_MAX,
    })
}

/// A record on the wire.
pub fn record(record: &Record) -> Value {
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

/// A file to keep.
pub struct File {
    /// What it holds.
    pub media_type: &'static str,
    /// What it is called.
    pub name: &'static str,
    /// Its text.
    pub text: String,
}

/// The log as a file, `ndjson` (the default) or `csv`, with these filters, newest
/// first, `most` or 10,000 records at most.
///
/// # Errors
/// `invalid` for another format.
pub fn export(
    context: &Context<'_>,
    query: Query<'_>,
    most: Option<i64>,
    format: Option<&str>,
) -> Result<File, Failure<Problem>> {
    let (media_type, name, line): (_, _, fn(&Record) -> String) = match format {
        None | Some("ndjson") => {
            ("application/x-ndjson", "audit.ndjson", |own| record(own).to_string())
        }
        Some("csv") => ("text/csv; charset=utf-8", "audit.csv", csv),
        Some(_) => return Err(Problem::invalid("`format` must be ndjson or csv").into()),
    };
    let mut text = String::new();
    if media_type.starts_with("text/csv") {
        text.push_str("seq,at,actor,action,subject,detail,client,ip,requestId\r\n");
    }
    for record in all(context, query, most.unwrap_or(EXPORT_MAX).min(EXPORT_MAX))? {
        text.push_str(&line(&record));
        text.push('\n');
    }
    Ok(File { media_type, name, text })
}

/// The number of the last record that an export holds, if it does not hold all.
///
/// # Errors
/// A fault of storage.
pub fn exported_upto(context: &Context<'_>, query: &Query<'_>) -> Result<Option<i64>, SqlError> {
    audit::nth(context, query, EXPORT_MAX)
}

fn all(
    context: &Context<'_>,
    mut query: Query<'_>,
    most: i64,
) -> Result<Vec<Record>, Failure<Problem>> {
    let mut records: Vec<Record> = Vec::new();
    loop {
        let read = i64::try_from(records.len()).unwrap_or(most);
        query.count = PAGE_MAX.min(most.saturating_sub(read));
        let page = audit::page(context, &query)?;
        let Some(last) = page.last() else { return Ok(records) };
        query.before = Some(last.seq);
        records.extend(page);
    }
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
