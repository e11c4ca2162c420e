//! What only the end-to-end suite may do, behind the feature `testing`, which
//! no deployed build has: trap on purpose, and count how often an object was
//! woken.

use crate::api::answered::Answered;
use crate::directory::{Context, Failure, Fault, sql};
use http::Request as HttpRequest;
use std::cell::Cell;
use worker::{Request, Response, Result};

/// A request with this header traps after it has written, in a transaction.
const TRAP_HEADER: &str = "x-testing-trap";

thread_local! {
    static WOKEN: Cell<u32> = const { Cell::new(0) };
}

/// Counts a call of an object.
pub(super) fn count_wake() {
    WOKEN.with(|woken| woken.set(woken.get().saturating_add(1)));
}

/// Answers the suite's own paths at the Worker.
pub(super) fn route(request: &Request) -> Option<Result<Response>> {
    match request.path().as_str() {
        "/-testing/woken" => Some(Response::ok(WOKEN.with(Cell::get).to_string())),
        "/-testing/trap" => core::arch::wasm32::unreachable(),
        _ => None,
    }
}

/// Whether this request is to trap in its object.
pub(super) fn asks_for_trap(request: &HttpRequest<Vec<u8>>) -> bool {
    request.headers().contains_key(TRAP_HEADER)
}

/// Does the work and traps before its transaction ends.
pub(super) fn trap_after(context: &Context<'_>, work: impl FnOnce() -> Answered) -> Answered {
    let trapped: std::result::Result<(), Failure<Fault>> = sql::transaction(context.sql, || {
        work();
        core::arch::wasm32::unreachable()
    });
    drop(trapped);
    Answered::failed(Fault::new("a trap that did not happen"))
}
