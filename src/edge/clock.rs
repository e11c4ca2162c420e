//! The clock, read once a request or alarm. The platform's own, which stands
//! still while a request computes.

use crate::scim::Timestamp;
use worker::js_sys::Date;

/// The platform's time: milliseconds since 1970, whatever a suite makes of it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time of ours")]
pub(super) fn milliseconds() -> u64 {
    Date::now() as u64
}

/// The time.
pub(super) fn now() -> Timestamp {
    let now = Timestamp(i64::try_from(milliseconds()).unwrap_or(0));
    #[cfg(feature = "testing")]
    let now = now.plus(super::testing::ahead());
    now
}
