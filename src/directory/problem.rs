//! Why the team's or operator's side refuses something: a stable code for
//! programs, a sentence for the person who must act.

/// What kind of refusal it is; the API gives each an HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The request is not one.
    Invalid,
    /// No credential that opens this, or none at all.
    Unauthorized,
    /// The caller may not do this, or not now.
    Forbidden,
    /// What it is about does not exist.
    NotFound,
    /// It contradicts what is there.
    Conflict,
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Its kind.
    pub kind: Kind,
    /// A word that stays the same for ever.
    pub code: &'static str,
    /// What was wrong and what to do.
    pub message: String,
    /// The id of the member it is about, for the audit; empty if none is known.
    pub about: String,
}

impl Problem {
    /// A refusal of this kind.
    pub fn new(kind: Kind, code: &'static str, message: impl Into<String>) -> Self {
        Self { kind, code, message: message.into(), about: String::new() }
    }

    /// The same, about this member.
    pub fn about(self, id: &str) -> Self {
        Self { about: id.to_owned(), ..self }
    }

    /// The request is not one: `invalid`.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, "invalid", message)
    }
}

impl From<Problem> for super::Failure<Problem> {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}
