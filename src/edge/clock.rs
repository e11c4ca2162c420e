//! The clock, read once a request or alarm. The platform's own, which stands
//! still while a request computes.

use crate::scim::Timestamp;
use worker::Date;

/// The time.
pub(super) fn now() -> Timestamp {
    let now = Timestamp(i64::try_from(Date::now().as_millis()).unwrap_or(0));
    #[cfg(feature = "testing")]
    let now = now.plus(super::testing::ahead());
    now
}
