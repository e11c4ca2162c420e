//! What only the end-to-end suite may do, behind the feature `testing`, which
//! no deployed build has: trap on purpose, count how often an object was woken,
//! put the clock forward, have a team's alarm run now, and pretend that an object
//! cannot be reached.

use super::convert;
use crate::api::scim;
use crate::directory::{Context, Failure, Fault, sql};
use crate::web::answered::Answered;
use http::request::Parts;
use http::{Request as HttpRequest, Response};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use wasm_bindgen::JsValue;
use worker::js_sys;

/// A request with this header traps after it has written, in a transaction.
const TRAP_HEADER: &str = "x-testing-trap";

/// A request with this header that reaches a team's object runs its alarm.
const ALARM_HEADER: &str = "x-testing-alarm";

thread_local! {
    static AHEAD: Cell<i64> = const { Cell::new(0) };
    static WOKEN: Cell<u32> = const { Cell::new(0) };
    static UNREACHED: RefCell<VecDeque<String>> = const { RefCell::new(VecDeque::new()) };
}

/// Counts a call of an object.
pub(super) fn count_wake() {
    WOKEN.with(|woken| woken.set(woken.get().saturating_add(1)));
}

/// By how many milliseconds the clock is put forward.
pub(super) fn ahead() -> i64 {
    AHEAD.with(Cell::get)
}

/// Answers the suite's own paths at the Worker.
pub(super) fn route(head: &Parts) -> Option<Result<JsValue, JsValue>> {
    let ok = |text: String| Some(convert::response(&Response::new(text.into_bytes())));
    let path = head.uri.path();
    if let Some(ahead) = path.strip_prefix("/-testing/ahead/") {
        AHEAD.with(|cell| cell.set(ahead.parse().unwrap_or(0)));
        return ok(ahead.to_owned());
    }
    if let Some(marks) = path.strip_prefix("/-testing/unreached/") {
        let marks = marks.split(',').map(str::to_owned);
        UNREACHED.with_borrow_mut(|unreached| unreached.extend(marks));
        return ok(String::new());
    }
    match path {
        "/-testing/woken" => ok(WOKEN.with(Cell::get).to_string()),
        "/-testing/trap" => core::arch::wasm32::unreachable(),
        _ => None,
    }
}

/// The error that the next call of an object is to end with, if it is to: marked
/// as one of the platform's is.
pub(super) fn pretended() -> Option<JsValue> {
    let mark = UNREACHED.with_borrow_mut(VecDeque::pop_front)?;
    let error = js_sys::Error::new("pretended");
    drop(js_sys::Reflect::set(&error, &mark.into(), &true.into()));
    Some(error.into())
}

/// Whether this request is to trap in its object.
pub(super) fn asks_for_trap(request: &HttpRequest<Vec<u8>>) -> bool {
    request.headers().contains_key(TRAP_HEADER)
}

/// Whether this request is to run its object's alarm.
pub(super) fn asks_for_alarm(head: &Parts) -> bool {
    head.headers.contains_key(ALARM_HEADER)
}

/// Does the work and traps before its transaction ends.
pub(super) fn trap_after(context: &Context<'_>, work: impl FnOnce() -> Answered) -> Answered {
    let trapped: Result<(), Failure<Fault>> = sql::transaction(context.sql, || {
        work();
        core::arch::wasm32::unreachable()
    });
    drop(trapped);
    scim::failed(Fault::new("a trap that did not happen"))
}
