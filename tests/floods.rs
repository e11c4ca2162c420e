//! Sign-ins that nobody finishes and tokens that nobody signed: they keep no one
//! else out, and send us nowhere again and again.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/stage.rs"]
mod stage;

use http::Request;
use kafkaman_scim::directory::sign_in::Found;
use serde_json::json;
use stage::provider::{ISSUER, Key};
use stage::{ADMIN, KEY, Stage, code};
use std::cell::Cell;
use std::rc::Rc;

/// What a browser at this address gets that begins a sign-in.
fn begun_at(stage: &Stage, address: &str) -> String {
    let request = Request::get("/teams/acme/sign-in/start").header("cf-connecting-ip", address);
    code(&stage.acme.world.send(request.body(Vec::new()).unwrap()))
}

#[test]
fn a_flood_of_sign_ins_keeps_nobody_else_out() {
    let stage = Stage::new();
    let asked = stage.begin("");
    for address in 0..36 {
        for _ in 0..30 {
            assert_eq!(begun_at(&stage, &format!("192.0.2.{address}")), "in");
        }
    }
    assert_eq!(begun_at(&stage, "198.51.100.1"), "in");
    let waiting = stage.acme.world.in_team("acme", |context| {
        let count = "SELECT count(*) FROM sign_in";
        context.sql.first(count, &[], |mut row| row.integer()).unwrap()
    });
    assert_eq!(waiting, Some(1_000));
    let token = KEY.token(&stage.claims(&asked, "ol-1", ADMIN));
    assert_eq!(code(&stage.come_back(&asked, token)), "in", "who began before it comes back");
}

#[test]
fn a_network_of_addresses_is_one() {
    let stage = Stage::new();
    stage.begin("");
    for host in 0..30 {
        assert_eq!(begun_at(&stage, &format!("2001:db8:1:2:{host:x}::1")), "in");
    }
    assert_eq!(begun_at(&stage, "2001:db8:1:2:ffff::1"), "too_many_sign_ins");
    assert_eq!(begun_at(&stage, "2001:db8:1:3::1"), "in");
}

#[test]
fn forged_logouts_do_not_send_us_to_a_provider_that_does_not_answer() {
    let stage = Stage::new();
    let asked = Rc::new(Cell::new(0));
    let counting = Rc::clone(&asked);
    stage.acme.world.ask_provider(move |_| {
        counting.set(counting.get() + 1);
        Found::default()
    });
    let forge = || {
        let token = Key::P256(9).token(&json!({ "iss": ISSUER, "sub": "x" }));
        let request = Request::post("/teams/acme/sign-in/logout")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("logout_token={token}").into_bytes());
        assert_eq!(stage.acme.world.send(request.unwrap()).status(), 400);
    };
    for _ in 0..5 {
        forge();
    }
    assert_eq!(asked.get(), 1, "its document, once");
    stage.acme.world.pass(60_000);
    forge();
    assert_eq!(asked.get(), 2);
    stage.acme.world.pass(60_000);
    // The document comes, the keys do not.
    let (answering, counting) = (Rc::clone(&stage.provider), Rc::clone(&asked));
    stage.acme.world.ask_provider(move |errand| {
        counting.set(counting.get() + 1);
        match errand.url.ends_with("/certs") {
            true => Found { status: 503, body: String::new() },
            false => answering.borrow_mut().answer(errand),
        }
    });
    for _ in 0..5 {
        forge();
    }
    assert_eq!(asked.get(), 4, "the document and the keys, once");
}
