//! The runtime's requests and responses to `http`'s, and back.

use http::request::Parts;
use http::{HeaderValue, Method, Request as HttpRequest, Response as HttpResponse, StatusCode};
use js_sys::Uint8Array;
use worker::{Error, Headers, Request, RequestInit, Response, ResponseBuilder, Result};

/// Bytes of a body that are read at all: what the largest endpoint takes, and
/// one more so that it can see that there was more.
const BODY_BYTES_READ: usize = (8 << 20) + 1;

/// The headers that anything here reads. Each is asked for by name: a client may
/// send fifty others, and every one would cost a way out of the wasm and back.
/// Several of one name arrive as one, joined by commas.
const HEADERS: &[&str] = &[
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
    #[cfg(feature = "testing")]
    "x-testing-alarm",
    #[cfg(feature = "testing")]
    "x-testing-trap",
];

/// Those that only browsers send to some purpose. What providers ask is not asked
/// for them.
const BROWSER_HEADERS: &[&str] = &["cookie", "origin", "sec-fetch-site"];

/// A request's method, target and headers; its body stays unread. The path is
/// as the client sent it: nothing is decoded before it is matched.
pub(super) fn head(request: &Request) -> Result<Parts> {
    let inner = request.inner();
    let url = inner.url();
    let target = after_authority(&url);
    let mut builder = HttpRequest::builder();
    if let Ok(method) = Method::from_bytes(inner.method().as_bytes()) {
        builder = builder.method(method);
    }
    let mut parts = builder.uri(target).body(()).map_err(told)?.into_parts().0;
    let headers = inner.headers();
    let by_browsers = if target.starts_with("/scim/") { &[] } else { BROWSER_HEADERS };
    for name in HEADERS.iter().chain(by_browsers) {
        let value = headers.get(name).ok().flatten();
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            parts.headers.insert(*name, value);
        }
    }
    Ok(parts)
}

/// A whole request. Its body is read as it arrives and no further than the
/// largest that any endpoint takes, whatever length was announced.
pub(super) async fn whole(mut request: Request) -> Result<HttpRequest<Vec<u8>>> {
    let parts = head(&request)?;
    let mut body = Vec::new();
    if request.inner().body().is_some() {
        let mut stream = request.stream()?;
        while let Some(chunk) = futures_util::StreamExt::next(&mut stream).await {
            let room = BODY_BYTES_READ.saturating_sub(body.len());
            let chunk = chunk?;
            body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
            if body.len() == BODY_BYTES_READ {
                break;
            }
        }
    }
    Ok(HttpRequest::from_parts(parts, body))
}

/// A request of ours to another object. Host and scheme mean nothing there.
pub(super) fn outgoing(request: HttpRequest<Vec<u8>>) -> Result<Request> {
    let (parts, body) = request.into_parts();
    let mut init = RequestInit::new();
    init.with_method(worker::Method::Post);
    // A redirect is for whoever asked us, not for us to follow.
    init.with_redirect(worker::RequestRedirect::Manual);
    init.with_body(Some(Uint8Array::from(body.as_slice()).into()));
    Request::new_with_init(&format!("https://object{}", parts.uri.path()), &init)
}

/// The answer of another object.
pub(super) async fn incoming(mut response: Response) -> Result<HttpResponse<Vec<u8>>> {
    let mut whole = HttpResponse::new(response.bytes().await?);
    *whole.status_mut() = StatusCode::from_u16(response.status_code()).map_err(told)?;
    Ok(whole)
}

/// The runtime's form of a response.
pub(super) fn response(response: HttpResponse<Vec<u8>>) -> Result<Response> {
    let (parts, body) = response.into_parts();
    let headers = Headers::new();
    for (name, value) in &parts.headers {
        headers.append(name.as_str(), value.to_str().map_err(told)?)?;
    }
    let builder = ResponseBuilder::new().with_status(parts.status.as_u16()).with_headers(headers);
    // The runtime refuses a body, be it empty, for these.
    Ok(if body.is_empty() { builder.empty() } else { builder.fixed(body) })
}

/// What follows scheme and host in a URL.
fn after_authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').and_then(|start| rest.get(start..)).unwrap_or("/")
}

fn told(error: impl std::fmt::Display) -> Error {
    Error::RustError(error.to_string())
}
