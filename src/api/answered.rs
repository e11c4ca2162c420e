//! An answer on its way out of an object: the response, what the runtime has
//! to do besides, and what the log should know.

use super::{problem, scim};
use crate::directory::problem::Problem;
use crate::directory::{Failure, Fault};
use crate::scim::Error;
use http::{Response, StatusCode};

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

    /// The answer of the team's or operator's API.
    pub fn of_problem(result: Result<Response<Vec<u8>>, Failure<Problem>>) -> Self {
        match result {
            Ok(response) => Self::of(response),
            Err(Failure::Refused(problem)) => Self::of(problem::refusal(&problem)),
            Err(Failure::Fault(fault)) => {
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                let message = "the service failed; see what has come of it before you ask again";
                let response = problem::shaped(status, "internal", message);
                Self { fault: Some(fault), ..Self::of(response) }
            }
        }
    }

    /// The answer to a provider when something of ours went wrong.
    pub fn failed(fault: Fault) -> Self {
        let error = Error::status_only(500, "the service failed and could not answer; ask again");
        let response = scim::refusal(&error, scim::SCIM_JSON);
        Self { fault: Some(fault), ..Self::of(response) }
    }
}
