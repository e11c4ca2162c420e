//! The audit log. (Placeholder until the real one lands: signatures only.)

use super::{Context, Fault};
use serde_json::Value;

/// Who did something.
#[derive(Clone, Debug)]
pub struct Actor(pub String);

/// What was done.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "placeholder")]
pub enum Action {
    MemberProvisioned,
    MemberUpdated,
    MemberSuspended,
    MemberReactivated,
    MemberDeleted,
    MemberAdopted,
    GroupCreated,
    GroupUpdated,
    GroupDeleted,
    AttributesIgnored,
    MembersUnknown,
}

/// Records an action in the caller's transaction.
pub fn record(
    _context: &Context<'_>,
    _actor: &Actor,
    _action: Action,
    _subject: &str,
    _detail: &Value,
) -> Result<(), Fault> {
    Ok(())
}
