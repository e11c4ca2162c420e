//! Layers point downwards, and each keeps to its own means.

use crate::rust::{Kind, only, tokens};
use crate::{files, hold};

/// The crates of the runtime.
const RUNTIME: [&str; 4] = ["worker", "wasm_bindgen", "wasm_bindgen_futures", "js_sys"];
/// How statements start.
const SQL: [&str; 5] = ["SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM", "CREATE TABLE"];

fn layering(path: &str, text: &str) -> Vec<String> {
    let layer = layer(path);
    let above: &[&str] = match layer {
        "scim" | "oidc" => &["directory", "web", "api", "dashboard", "entry", "edge"],
        "directory" => &["web", "api", "dashboard", "entry", "edge"],
        "web" => &["api", "dashboard", "entry", "edge"],
        "api" => &["dashboard", "entry", "edge"],
        "dashboard" => &["api", "entry", "edge"],
        "entry" => &["edge"],
        _ => &[],
    };
    let mut found = Vec::new();
    let code = only(Kind::Code, text);
    let tokens = tokens(&code);
    for module in modules_named(&tokens) {
        if above.contains(&module) {
            found.push(format!("`{layer}` must not use `{module}`"));
        }
    }
    if layer != "edge" {
        let runtime = tokens.iter().filter(|token| RUNTIME.contains(token));
        found.extend(runtime.map(|name| format!("only `edge` may name `{name}`")));
    }
    if ["scim", "oidc", "directory"].contains(&layer)
        && tokens.windows(2).any(|pair| pair == ["http", "::"])
    {
        found.push(format!("`{layer}` must not name `http`"));
    }
    if layer != "directory" {
        let literals = only(Kind::Literal, text);
        let sql = SQL.iter().filter(|keyword| literals.contains(**keyword));
        found.extend(sql.map(|keyword| format!("SQL outside `directory`: {keyword}")));
    }
    found
}

/// `scim` for `src/scim.rs` and everything under `src/scim/`.
fn layer(path: &str) -> &str {
    let inner = path.strip_prefix("src/").unwrap_or_default();
    inner.split('/').next().unwrap_or_default().trim_end_matches(".rs")
}

/// The modules named after `crate::` or `super::`, in braces or not.
fn modules_named<'t>(tokens: &[&'t str]) -> Vec<&'t str> {
    let mut named = Vec::new();
    for (at, pair) in tokens.windows(2).enumerate() {
        if !["crate", "super"].contains(&pair[0]) || pair[1] != "::" {
            continue;
        }
        let mut depth = 0;
        for (token, before) in tokens[at + 2..].iter().zip(&tokens[at + 1..]) {
            match *token {
                "{" => depth += 1,
                "}" => depth -= 1,
                name if depth == 0 || depth == 1 && ["{", ","].contains(before) => named.push(name),
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    named
}

#[test]
fn layers_point_downwards() {
    hold(&files("src", "rs"), layering);
}

#[test]
fn layering_finds_every_way_up() {
    let finds = |path, text| layering(path, text).len();
    assert_eq!(finds("src/scim/a.rs", "use crate::directory::Fault;"), 1);
    assert_eq!(finds("src/scim.rs", "use super::{scim::x::{api}, api::{scim}, edge};"), 2);
    assert_eq!(finds("src/directory/sql.rs", "fn f() { crate :: api::g() }"), 1);
    assert_eq!(finds("src/api/a.rs", "use crate::dashboard; use crate::scim;"), 1);
    assert_eq!(finds("src/dashboard/a.rs", "use crate::{\n    api,\n    edge,\n};"), 2);
    assert_eq!(finds("src/lib.rs", "use worker::Env;"), 1);
    assert_eq!(finds("src/directory.rs", "fn f(_: http::Method) {}"), 1);
    assert_eq!(finds("src/api.rs", "const Q: &str = \"DELETE FROM t\";"), 1);
    assert_eq!(finds("src/edge/a.rs", "exec(r#\"SELECT \"a\" \"#)"), 1);
}

#[test]
fn layering_accepts_what_is_allowed() {
    let accepts = |path, text| assert_eq!(layering(path, text), Vec::<String>::new());
    accepts("src/scim/a.rs", "// crate::api, worker\nconst A: &str = \"crate::edge\"; // SELECT x");
    accepts("src/scim/a.rs", "const QUOTE: char = '\"'; // crate::api\nfn f<'a>(r: &'a str) {}");
    accepts("src/scim/a.rs", "f(br##\"\"# crate::api \"##, r#type, '\\'', \"\\\"worker\")");
    accepts("src/directory/a.rs", "use crate::scim::{self, Error}; f(\"SELECT 1\")");
    accepts("src/api/a.rs", "use crate::{directory, scim}; use http::Request;");
    accepts("src/edge/a.rs", "use crate::api; use worker::Env;");
}
