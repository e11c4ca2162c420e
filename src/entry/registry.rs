//! What the Registry object answers: the operator API, and the operator's page.
//!
//! The page's forms become requests to the API, so that a [`Turn`] ends in an
//! answer of the API or in a page that shows it.

use crate::api::operator::{self, Step};
use crate::dashboard::operator as page;
use crate::directory::Context;
use crate::web::answered::Answered;
use crate::web::origin;
use http::{HeaderMap, Request};

/// What is under way.
pub struct Turn {
    /// What to do next.
    step: Step,
    /// Whether a page shows what comes of it, and the headers it was asked with.
    page: Option<HeaderMap>,
}

/// Begins to answer a request of this operator.
pub fn start(context: &Context<'_>, operator: &str, request: Request<Vec<u8>>) -> Turn {
    if !page::is_its(request.uri().path()) {
        return Turn { step: operator::start(context, operator, request), page: None };
    }
    let origin = origin::of(request.headers());
    let context = &context.with_origin(&origin);
    if let Some(fault) = operator::prepare(context).err() {
        let broken = crate::dashboard::broken();
        return Turn { step: Step::Answer(Answered::instead(broken, fault)), page: None };
    }
    let (head, body) = request.into_parts();
    match page::asked(context, &head, &body) {
        page::Turn::Answer(answered) => Turn { step: Step::Answer(answered), page: None },
        page::Turn::Ask(mut request) => {
            *request.headers_mut() = head.headers.clone();
            let step = operator::start(context, operator, request);
            Turn { step, page: Some(head.headers) }
        }
    }
}

/// What is sent, when the API has answered.
pub fn finish(context: &Context<'_>, page: Option<HeaderMap>, answered: Answered) -> Answered {
    match page {
        Some(headers) if answered.fault.is_none() => page::answered(context, &headers, &answered),
        Some(_) => Answered { response: crate::dashboard::broken(), ..answered },
        None => answered,
    }
}

impl Turn {
    /// Its two parts.
    pub fn into_parts(self) -> (Step, Option<HeaderMap>) {
        (self.step, self.page)
    }
}
