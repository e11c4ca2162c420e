//! The audit log, with its filters, and as a file.

use super::Outcome;
use super::page::{self, Frame};
use super::text;
use super::visit::Visit;
use crate::directory::audit::{self, Record};
use crate::directory::problem::Problem;
use crate::scim::Timestamp;
use crate::scim::list::Parameters;
use crate::web::audit::{export as as_file, exported_upto, query};
use crate::web::headers::put;
use askama::Template;
use http::{Response, header};

/// Records on a page.
const PAGE: i64 = 50;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

#[derive(Template)]
#[template(path = "dashboard/audit.html")]
struct Page<'a> {
    frame: Frame,
    action: &'a str,
    actor: &'a str,
    subject: &'a str,
    since: &'a str,
    until: &'a str,
    records: Vec<Record>,
    next: Option<i64>,
    /// The last record that an export holds, if there are more.
    rest: Option<i64>,
    /// The filters once more, for the addresses of next page and export.
    filters: String,
}

/// The filters as the API has them; an empty field is none, a day begins at midnight
/// and ends with the next.
fn filters(visit: &Visit<'_>) -> Result<Parameters, Problem> {
    let mut filters = Vec::new();
    for name in ["action", "actor", "subject"] {
        filters.push((name.to_owned(), visit.asked(name)?.trim().to_owned()));
    }
    for (name, days) in [("since", 0), ("until", 1)] {
        let day = visit.asked(name)?;
        if !day.is_empty() {
            let midnight = format!("{day}T00:00:00Z");
            // Of what is no day the query says so.
            let at = Timestamp::parse(&midnight).map(|at| at.plus(DAY_MS * days).to_string());
            filters.push((name.to_owned(), at.unwrap_or(midnight)));
        }
    }
    Ok(Parameters(filters))
}

pub(super) fn show(visit: &Visit<'_>) -> Outcome {
    let parameters = filters(visit)?;
    let mut query = query(&parameters)?;
    let rest = exported_upto(&visit.context(), &query)?;
    query.before = visit.asked("after")?.parse().ok();
    query.count = PAGE.saturating_add(1);
    let mut records = audit::page(&visit.context(), &query)?;
    let next = super::groups::next(&mut records, PAGE).map(|last: &Record| last.seq);
    let mut again = form_urlencoded::Serializer::new(String::new());
    for name in ["action", "actor", "subject", "since", "until"] {
        again.append_pair(name, visit.asked(name)?);
    }
    page::shown(&Page {
        frame: Frame::of(visit, "audit", "Audit log")?,
        action: visit.asked("action")?,
        actor: visit.asked("actor")?,
        subject: visit.asked("subject")?,
        since: visit.asked("since")?,
        until: visit.asked("until")?,
        records,
        next,
        rest,
        filters: again.finish(),
    })
}

pub(super) fn export(visit: &Visit<'_>) -> Outcome {
    let parameters = filters(visit)?;
    let format = Some(visit.asked("format")?).filter(|format| !format.is_empty());
    let mut query = query(&parameters)?;
    query.before = visit.asked("after")?.parse().ok();
    let file = as_file(&visit.context(), query, None, format)?;
    let mut response = Response::new(file.text.into_bytes());
    put(&mut response, header::CONTENT_TYPE, file.media_type);
    let disposition = format!("attachment; filename=\"{}\"", file.name);
    put(&mut response, header::CONTENT_DISPOSITION, &disposition);
    put(&mut response, header::CACHE_CONTROL, "no-store");
    put(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    Ok(response)
}
