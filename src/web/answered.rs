//! An answer on its way out of an object: the response, what the runtime has
//! to do besides, and what the log should know.

use crate::directory::Fault;
use http::Response;

/// What the runtime has to do once the answer is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// Send it.
    Nothing,
    /// Empty the object's storage, then send it.
    DeleteEverything,
    /// Call `object::upkeep` at once, then send it.
    Upkeep,
    /// See that `object::upkeep` is called within `activity::WAIT_MS`, then send it.
    UpkeepSoon,
}

/// An answer, and what the log should know.
#[derive(Debug)]
pub struct Answered {
    /// The answer.
    pub response: Response<Vec<u8>>,
    /// What to do besides.
    pub after: After,
    /// What went wrong of ours; the answer does not say.
    pub fault: Option<Fault>,
}

impl Answered {
    /// An ordinary answer.
    pub fn of(response: Response<Vec<u8>>) -> Self {
        Self { response, after: After::Nothing, fault: None }
    }

    /// An answer in place of one that a fault of ours prevented.
    pub fn instead(response: Response<Vec<u8>>, fault: Fault) -> Self {
        Self { fault: Some(fault), ..Self::of(response) }
    }
}
