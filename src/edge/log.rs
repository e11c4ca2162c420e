//! One JSON line a request, for whoever operates the deployment.
//!
//! Ids only: no secret, no name, no address, no query (a filter holds them).

use serde_json::{Value, json};
use worker::console_log;

/// What a line says.
pub(super) struct Line<'a> {
    /// Which part answered: `worker`, `team` or `registry`.
    pub(super) part: &'a str,
    /// The id that the client got in `X-Request-Id`.
    pub(super) request_id: &'a str,
    /// The team, if the request was for one.
    pub(super) team: Option<&'a str>,
    /// Method and path, its ids left out.
    pub(super) route: &'a str,
    /// The HTTP status.
    pub(super) status: u16,
    /// Milliseconds by the platform's clock, which stands still while a
    /// request computes: what it shows is waiting.
    pub(super) milliseconds: i64,
    /// Rows read and written.
    pub(super) rows: (usize, usize),
    /// What went wrong of ours.
    pub(super) fault: Option<&'a str>,
}

impl Line<'_> {
    /// Writes the line.
    pub(super) fn write(&self) {
        let mut line = json!({
            "part": self.part,
            "requestId": self.request_id,
            "team": self.team,
            "route": self.route,
            "status": self.status,
            "ms": self.milliseconds,
            "rowsRead": self.rows.0,
            "rowsWritten": self.rows.1,
        });
        if let (Some(fault), Value::Object(line)) = (self.fault, &mut line) {
            line.insert("fault".into(), fault.into());
        }
        console_log!("{line}");
    }
}
