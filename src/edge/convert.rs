//! The runtime's requests and responses to `http`'s, and back.

use super::glue;
use http::request::Parts;
use http::{
    HeaderName, HeaderValue, Method, Request as HttpRequest, Response as HttpResponse, StatusCode,
};
use wasm_bindgen::prelude::*;
use worker::js_sys::Uint8Array;
use worker::wasm_bindgen_futures::JsFuture;
use worker::web_sys::{Request, RequestInit, RequestRedirect, Response};
use worker::{Error, Result};

/// The headers that anything here reads. A client may send fifty others. Several of
/// one name arrive as one, joined by commas.
const HEADERS: [&str; 17] = [
    "authorization",
    "accept",
    "content-type",
    "content-length",
    "content-encoding",
    "if-match",
    "if-none-match",
    "prefer",
    "cf-ray",
    "x-request-id",
    "user-agent",
    "cf-connecting-ip",
    "cf-ipcountry",
    "x-kafkaman-debug",
    "cookie",
    "origin",
    "sec-fetch-site",
];
#[cfg(feature = "testing")]
const TESTING_HEADERS: [&str; 2] = ["x-testing-alarm", "x-testing-trap"];
#[cfg(not(feature = "testing"))]
const TESTING_HEADERS: [&str; 0] = [];

/// A request's method, target and headers, as `guard.mjs` writes them down: method
/// and URL, then a header's name and its value in turn, a line each. The path is as
/// the client sent it: nothing is decoded before it is matched.
///
/// # Errors
/// If method or target are none that HTTP has.
pub(super) fn head(text: &str) -> Result<Parts> {
    let mut lines = text.split('\n');
    let mut parts = HttpRequest::new(()).into_parts().0;
    parts.method = Method::from_bytes(lines.next().unwrap_or_default().as_bytes()).map_err(told)?;
    parts.uri = after_authority(lines.next().unwrap_or_default()).parse().map_err(told)?;
    while let (Some(name), Some(value)) = (lines.next(), lines.next()) {
        let known = HEADERS.iter().chain(&TESTING_HEADERS).find(|known| **known == name);
        if let (Some(name), Ok(value)) = (known, HeaderValue::from_str(value)) {
            parts.headers.insert(HeaderName::from_static(name), value);
        }
    }
    Ok(parts)
}

/// A request of ours to another object. Host and scheme mean nothing there.
pub(super) fn outgoing(request: HttpRequest<Vec<u8>>) -> Result<Request> {
    let (parts, body) = request.into_parts();
    let init = RequestInit::new();
    init.set_method("POST");
    // A redirect is for whoever asked us, not for us to follow.
    init.set_redirect(RequestRedirect::Manual);
    init.set_body(&Uint8Array::from(body.as_slice()).into());
    let url = format!("https://object{}", parts.uri.path());
    Ok(Request::new_with_str_and_init(&url, &init)?)
}

/// The answer of another object.
pub(super) async fn incoming(response: Response) -> Result<HttpResponse<Vec<u8>>> {
    let body = JsFuture::from(response.array_buffer()?).await?;
    let mut whole = HttpResponse::new(Uint8Array::new(&body).to_vec());
    *whole.status_mut() = StatusCode::from_u16(response.status()).map_err(told)?;
    Ok(whole)
}

/// The runtime's form of a response.
///
/// # Errors
/// If a header is one that the runtime refuses.
pub(super) fn response(response: &HttpResponse<Vec<u8>>) -> std::result::Result<JsValue, JsValue> {
    let (mut names, mut values) = (String::with_capacity(128), String::with_capacity(384));
    for (name, value) in response.headers() {
        if !names.is_empty() {
            names.push('\n');
            values.push('\n');
        }
        names.push_str(name.as_str());
        // Values are ours, and text.
        values.push_str(value.to_str().unwrap_or_default());
    }
    glue::respond(response.status().as_u16(), &names, &values, response.body())
}

/// What follows scheme and host in a URL.
fn after_authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').and_then(|start| rest.get(start..)).unwrap_or("/")
}

fn told(error: impl std::fmt::Display) -> Error {
    Error::RustError(error.to_string())
}
