//! Routes as a table: one row an endpoint, matched on the path as it was sent.
//!
//! Nothing is percent-decoded, before matching or after: no name of ours needs
//! it, and a path that reads one way here and another there is how checks are
//! walked around.

use http::Method;

/// One endpoint.
pub struct Route<H> {
    /// Its method.
    pub method: Method,
    /// Its path; a segment in braces stands for anything but an empty one.
    pub pattern: &'static str,
    /// What answers it.
    pub handler: H,
}

/// What the path's variable segments are, in order.
pub type Captures<'p> = Vec<&'p str>;

/// What a request's method and path lead to.
pub enum Found<'r, 'p, H> {
    /// An endpoint.
    Route(&'r Route<H>, Captures<'p>),
    /// A path that has other methods: these.
    OtherMethods(String),
    /// Nothing.
    Nothing,
}

/// Looks a request up in the table.
pub fn find<'r, 'p, H>(routes: &'r [Route<H>], method: &Method, path: &'p str) -> Found<'r, 'p, H> {
    let mut allowed = Vec::new();
    for route in routes {
        let Some(captures) = captures(route.pattern, path) else { continue };
        if route.method == *method {
            return Found::Route(route, captures);
        }
        allowed.push(route.method.as_str());
    }
    if allowed.is_empty() { Found::Nothing } else { Found::OtherMethods(allowed.join(", ")) }
}

fn captures<'p>(pattern: &str, path: &'p str) -> Option<Captures<'p>> {
    let mut captures = Vec::new();
    let (mut wanted, mut found) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return Some(captures),
            (Some(name), Some(text)) if name.starts_with('{') && !text.is_empty() => {
                captures.push(text);
            }
            (Some(name), Some(text)) if name == text => {}
            _ => return None,
        }
    }
}
