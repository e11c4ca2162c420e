//! Words on pages: instants, lists, roles.

use crate::directory::members::{Role, Source};
use crate::scim::Timestamp;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// An instant: `24 Nov 2026, 14:03 UTC`.
pub(super) fn when(at: &Timestamp) -> String {
    let text = at.to_string();
    let part = |from, to| text.get(from..to).unwrap_or_default();
    let month =
        part(5, 7).parse::<usize>().ok().and_then(|month| MONTHS.get(month.checked_sub(1)?));
    let day = part(8, 10).trim_start_matches('0');
    format!("{day} {} {}, {} UTC", month.unwrap_or(&""), part(0, 4), part(11, 16))
}

/// A role, as a word on a page.
pub(super) fn role(role: &Role) -> &'static str {
    match role {
        Role::Admin => "Admin",
        Role::Billing => "Billing",
        Role::Developer => "Developer",
    }
}

/// Who manages a member.
pub(super) fn source(source: &Source) -> &'static str {
    match source {
        Source::Scim => "Identity provider",
        Source::Sso => "Team admins, joined by single sign-on",
        Source::Team => "Team admins",
    }
}

/// A sentence of the APIs without its marks of code, which are for programs.
pub(super) fn prose(sentence: &str) -> String {
    sentence.chars().filter(|c| *c != '`').collect()
}

/// Who did something, as the audit has them.
pub(super) fn actor(actor: &str) -> String {
    match actor.split_once(':') {
        Some(("operator", name)) => format!("kafkaman ({name})"),
        Some(("admin", _)) => "A team admin".into(),
        Some(("member", _)) => "The member".into(),
        Some(("key", _)) => "Identity provider".into(),
        Some(("service", _)) => "A kafkaman service".into(),
        _ => "kafkaman".into(),
    }
}
