//! What the provider has been doing, and the alarm when too many people go.

use super::Outcome;
use super::page::{self, Frame, Notice};
use super::text;
use super::visit::Visit;
use crate::directory::activity::{self, Entry, Hour, Recent};
use crate::directory::departures::{self, Alarm, PAGE_MAX};
use crate::directory::problem::Problem;
use crate::scim::Timestamp;
use askama::Template;
use std::collections::HashSet;

/// Requests that the page shows.
const SHOWN: i64 = 100;
/// Hours that the chart shows, and how high its highest column is.
const HOURS: i64 = 48;
const HEIGHT: i64 = 60;
const HOUR_MS: i64 = 3_600_000;

/// One column of the chart: where it begins, and how high its parts are.
struct Column {
    x: i64,
    writes: i64,
    reads: i64,
    failures: i64,
    y_writes: i64,
    y_reads: i64,
    y_failures: i64,
    label: String,
}

#[derive(Template)]
#[template(path = "dashboard/provisioning.html")]
struct Page {
    frame: Frame,
    scim_enabled: bool,
    alarm: Option<Alarm>,
    recent: Recent,
    reads: i64,
    columns: Vec<Column>,
    has_columns: bool,
}

impl Page {
    fn problems(&self) -> impl Iterator<Item = &Entry> {
        self.recent.entries.iter().map(|(_, entry)| entry).filter(|entry| entry.status >= 400)
    }

    fn changes(&self) -> impl Iterator<Item = &Entry> {
        self.recent.entries.iter().map(|(_, entry)| entry).filter(|entry| entry.status < 400)
    }
}

pub(super) fn show(visit: &Visit<'_>) -> Outcome {
    shown(visit, None)
}

/// The page, and what was done if that takes numbers.
fn shown(visit: &Visit<'_>, done: Option<String>) -> Outcome {
    let mut frame = Frame::of(visit, "provisioning", "Provisioning")?;
    frame.notice = done.map(|text| Notice { is_refusal: false, text }).or(frame.notice);
    let context = visit.context();
    let recent = activity::recent(&context, visit.activity, None, SHOWN)?;
    let columns = columns(&activity::hours(&context)?, context.now);
    page::shown(&Page {
        frame,
        scim_enabled: visit.team.scim_enabled,
        alarm: departures::alarm(&context, visit.asked("after")?)?,
        reads: recent.reads.values().sum(),
        recent,
        has_columns: !columns.is_empty(),
        columns,
    })
}

fn columns(hours: &[Hour], now: Timestamp) -> Vec<Column> {
    let sum = |hour: &Hour| hour.reads.saturating_add(hour.writes).saturating_add(hour.failures);
    let since = now.plus(-HOURS * HOUR_MS);
    let shown = || hours.iter().filter(|hour| hour.at >= since);
    let most = shown().map(sum).max().unwrap_or(0).max(1);
    // Whatever came at all is seen.
    let height = |count: i64| match count {
        0 => 0,
        count => count.saturating_mul(HEIGHT).checked_div(most).unwrap_or(0).max(2),
    };
    let column = |hour: &Hour| {
        let age = now.0.saturating_sub(hour.at.0).checked_div(HOUR_MS).unwrap_or(0);
        let (reads, writes, failures) =
            (height(hour.reads), height(hour.writes), height(hour.failures));
        let ground = HEIGHT.saturating_add(4);
        Column {
            x: HOURS.saturating_sub(age).saturating_mul(10),
            y_writes: ground.saturating_sub(writes),
            y_reads: ground.saturating_sub(writes).saturating_sub(reads),
            y_failures: ground
                .saturating_sub(writes)
                .saturating_sub(reads)
                .saturating_sub(failures),
            writes,
            reads,
            failures,
            label: format!(
                "{}: {} reads, {} changes, {} problems",
                text::when(&hour.at),
                hour.reads,
                hour.writes,
                hour.failures
            ),
        }
    };
    shown().map(column).collect()
}

fn at(entry: &Entry) -> Timestamp {
    Timestamp(entry.at)
}

fn when(entry: &Entry) -> String {
    text::when(&at(entry))
}

/// What an admin can do about a refusal.
fn advice(entry: &Entry) -> &'static str {
    match entry.status {
        401 => "Paste the team's SCIM API key into the provider again.",
        403 if entry.reason.contains("seat") => {
            "Ask kafkaman for more seats, or unassign someone in the provider."
        }
        403 => "Switch SCIM on under Authentication.",
        404 => "The provider's link is stale. Sync this person or group there once more.",
        409 => "Someone has this name already. Link the two in the provider, or rename one there.",
        412 => "Two changes met. The provider repeats it by itself.",
        413 => "Have the provider send fewer changes at a time.",
        429 => {
            "The provider sends it again by itself. If it keeps meeting the limit, ask kafkaman \
             for a higher one."
        }
        400 => "Correct the attribute mapping in the provider.",
        _ => {
            "The provider tries again by itself. If it does not pass, tell kafkaman the request id."
        }
    }
}

pub(super) fn confirm(visit: &Visit<'_>) -> Outcome {
    departures::confirm(&visit.context(), &visit.actor())?;
    visit.done("/provisioning", "confirmed")
}

pub(super) fn undo(visit: &Visit<'_>) -> Outcome {
    let chosen: HashSet<String> = visit.form.all("member").map(str::to_owned).collect();
    let who = if visit.form.get("who") == "all" { None } else { Some(&chosen) };
    if who.is_some_and(HashSet::is_empty) {
        let message = "Tick whom to restore, or choose everybody. Nobody was restored.";
        return Err(Problem::invalid(message).into());
    }
    let undone = departures::undo(&visit.context(), &visit.actor(), who)?;
    let restored = undone.restored;
    let done = match undone.left {
        0 => format!("{restored} restored, none left, as they were."),
        left => format!("{restored} restored, {left} left. Restore them, or say it was meant."),
    };
    shown(visit, Some(done))
}
