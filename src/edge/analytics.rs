//! One data point a request or alarm for Workers Analytics Engine, of what the log
//! says. Only where the deployment has bound a dataset.

use super::log::Line;
use std::cell::OnceCell;
use worker::{AnalyticsEngineDataPointBuilder, Env, Result};

/// The binding in `wrangler.toml`.
const BINDING: &str = "ANALYTICS";
/// What stands where a team's id would, for what was about none.
const NO_TEAM: &str = "-";

thread_local! {
    /// Looked up once: an instance never sees another environment.
    static IS_BOUND: OnceCell<bool> = const { OnceCell::new() };
}

/// Writes a line's data point.
pub(super) fn write(env: &Env, line: &Line<'_>, milliseconds: u64) {
    let look = || env.analytics_engine(BINDING).is_ok();
    if IS_BOUND.with(|cell| *cell.get_or_init(look)) {
        // What is counted is not worth a request.
        drop(send(env, line, milliseconds));
    }
}

fn send(env: &Env, line: &Line<'_>, milliseconds: u64) -> Result<()> {
    let count = |rows: usize| u32::try_from(rows).unwrap_or(u32::MAX);
    AnalyticsEngineDataPointBuilder::new()
        .indexes([line.team.unwrap_or(NO_TEAM)])
        .add_blob(line.part)
        .add_blob(line.route.to_string().as_str())
        .add_double(line.status)
        .add_double(u32::try_from(milliseconds).unwrap_or(u32::MAX))
        .add_double(count(line.rows.0))
        .add_double(count(line.rows.1))
        .write_to(&env.analytics_engine(BINDING)?)
}
