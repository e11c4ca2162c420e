//! Replays every exchange under `tests/exchanges` natively.
//!
//! `tests/e2e/exchanges.test.mjs` replays the same files on workerd. What a
//! file may say is in `tests/exchanges/README.md`.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/pattern.rs"]
mod pattern;
#[path = "support/world.rs"]
mod world;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use http::{Request, Response};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use world::World;

macro_rules! folder_tests {
    ($($test:ident: $folder:literal,)*) => {$(
        #[test]
        fn $test() {
            replay_folder($folder);
        }
    )*

    #[test]
    fn every_folder_is_replayed() {
        let mut found: Vec<String> = fs::read_dir(root()).unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_dir())
            .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
            .collect();
        found.sort();
        let mut replayed = vec![$($folder.to_owned()),*];
        replayed.sort();
        assert_eq!(found, replayed);
    }};
}

folder_tests! {
    authentik: "authentik",
    bad_inputs: "bad-inputs",
    entra: "entra",
    extensions: "extensions",
    google: "google",
    isolation: "isolation",
    jumpcloud: "jumpcloud",
    keycloak: "keycloak",
    okta: "okta",
    onelogin: "onelogin",
    ping: "ping",
    rfc: "rfc",
    rippling: "rippling",
    strict: "strict",
    tolerance: "tolerance",
}

/// `folder/story` in backticks is a file here; `folder/story-*` at least one.
#[test]
fn every_story_that_the_docs_name_exists() {
    let mut paths = Vec::new();
    files(&root(), &mut paths);
    let name = |path: PathBuf| path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
    let stories: Vec<String> = paths.into_iter().map(name).collect();
    for document in ["docs/rules.md", "docs/bad-inputs.md"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
        let text = fs::read_to_string(path).unwrap();
        let table = text.lines().filter(|line| line.starts_with('|'));
        let quoted = table.flat_map(|line| line.split('`').skip(1).step_by(2));
        let is_ours = |name: &&str| {
            let folder = name.split_once('/').map_or("", |(folder, _)| folder);
            !folder.is_empty() && root().join(folder).is_dir()
        };
        for named in quoted.filter(is_ours) {
            let found = match named.split_once('*') {
                Some((start, _)) => stories.iter().any(|story| story.starts_with(start)),
                None => stories.contains(&format!("{named}.json")),
            };
            assert!(found, "{document}: `{named}`");
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exchanges")
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
}

/// Replays a folder's files and fails with all that differed in any of them.
fn replay_folder(folder: &str) {
    let mut paths = Vec::new();
    files(&root().join(folder), &mut paths);
    paths.sort();
    let wanted = std::env::var("EXCHANGE").unwrap_or_default();
    let mut report = String::new();
    let (mut replayed, mut failed) = (0, 0);
    for path in paths {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        if !name.contains(&wanted) {
            continue;
        }
        replayed += 1;
        let story: Value = serde_json::from_slice(&fs::read(&path).unwrap())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        for mode in modes(&story) {
            let is_strict = mode == "strict";
            let differences =
                Story::new(story["keepAdmin"] == true, is_strict).replay(&story, is_strict);
            if !differences.is_empty() {
                failed += 1;
                writeln!(report, "\n{name} ({mode}): {}", story["name"]).unwrap();
                for difference in differences {
                    writeln!(report, "  {difference}").unwrap();
                }
            }
        }
    }
    assert!(report.is_empty(), "{failed} of {replayed} exchanges failed\n{report}");
}

/// How the story's team reads: once for each.
fn modes(story: &Value) -> Vec<String> {
    let modes = story["modes"].as_array().cloned().unwrap_or_else(|| vec!["tolerant".into()]);
    let modes = modes.iter().map(|mode| mode.as_str().unwrap().to_owned());
    modes.inspect(|mode| assert!(["tolerant", "strict"].contains(&mode.as_str()))).collect()
}

struct Story {
    world: World,
    /// Credentials by the word that `as` says.
    keys: HashMap<&'static str, String>,
    names: HashMap<String, String>,
}

impl Story {
    /// Two teams. Unless `keep_admin`, nobody is in them.
    fn new(keep_admin: bool, is_strict: bool) -> Self {
        let world = World::new();
        let (ours, other) = (world.team("acme"), world.team("other"));
        if is_strict {
            let settings = serde_json::json!({ "strictMode": true });
            world.ok(&ours.admin, "PATCH", "/teams/acme/v1/settings", settings);
        }
        if !keep_admin {
            for team in [&ours, &other] {
                let list = world.ok(&team.key, "GET", "/scim/v2/Users", Value::Null);
                let path =
                    format!("/scim/v2/Users/{}", list["Resources"][0]["id"].as_str().unwrap());
                world.ok(&team.key, "DELETE", &path, Value::Null);
            }
        }
        let names =
            [("base", world.base()), ("team", "acme".to_owned()), ("key", ours.key.clone())];
        Self {
            world,
            keys: HashMap::from([("scim", ours.key), ("admin", ours.admin), ("other", other.key)]),
            names: names.map(|(name, value)| (name.to_owned(), value)).into(),
        }
    }

    /// What differed, step by step.
    fn replay(mut self, story: &Value, is_strict: bool) -> Vec<String> {
        let mut found = unknown_keys(story, &["name", "source", "keepAdmin", "modes", "steps"]);
        for (index, step) in story["steps"].as_array().unwrap().iter().enumerate() {
            let (first, last) = match step["repeat"].as_array() {
                Some(range) => (range[0].as_u64().unwrap(), range[1].as_u64().unwrap()),
                None => (0, 0),
            };
            for n in first..=last {
                let step = rewrite(step, &|text| Ok(text.replace("${n}", &n.to_string()))).unwrap();
                let differences = self.step(&step, is_strict).unwrap_or_else(|broken| vec![broken]);
                if !differences.is_empty() {
                    let request = &step["request"];
                    let at =
                        format!("step {}: {} {}", index + 1, request["method"], request["path"]);
                    found.push(format!("{at}\n      {}", differences.join("\n      ")));
                }
            }
        }
        found
    }

    /// Plays one step. An `Err` is a slip in the file, or a capture that an
    /// earlier difference left out.
    fn step(&mut self, step: &Value, is_strict: bool) -> Result<Vec<String>, String> {
        const KEYS: [&str; 6] = ["note", "repeat", "request", "response", "strict", "capture"];
        let mut found = unknown_keys(step, &KEYS);
        let expected = if is_strict { step.get("strict") } else { None };
        let expected = expected.unwrap_or(&step["response"]);
        let expected = rewrite(expected, &|text| self.expand(text))?;
        found.extend(unknown_keys(&expected, &["status", "headers", "body"]));
        let request = rewrite(&step["request"], &|text| self.expand(text))?;
        let response = self.world.send(self.request(&request)?);

        let status = response.status().as_u16();
        if expected.get("status").is_some_and(|expected| *expected != status) {
            found.push(format!("status: expected {}, got {status}", expected["status"]));
        }
        let headers = headers(&response);
        if let Some(expected) = expected.get("headers") {
            found.extend(pattern::differences(expected, Some(&Value::Object(headers.clone()))));
        }
        let text = String::from_utf8_lossy(response.body());
        let body: Option<Value> = match text.as_ref() {
            "" => None,
            text => Some(serde_json::from_str(text).map_err(|error| format!("{error}: {text}"))?),
        };
        match expected.get("body") {
            Some(Value::Null) if body.is_some() => found.push("expected no body".to_owned()),
            None | Some(Value::Null) => {}
            Some(expected) => found.extend(pattern::differences(expected, body.as_ref())),
        }
        let header = |name: &str| headers.get(name).and_then(Value::as_str).map(str::to_owned);
        found.extend(pattern::manners(status, header, body.as_ref()));
        if !found.is_empty() {
            found.push(format!("answer: {status} {}", text.chars().take(1000).collect::<String>()));
        }
        // What a strict team refuses is not there to be captured.
        let is_refused = is_strict && step.get("strict").is_some() && status >= 400;
        let captures = if is_refused { None } else { step["capture"].as_object() };
        for (name, pointer) in captures.into_iter().flatten() {
            let value = body.as_ref().and_then(|body| body.pointer(pointer.as_str()?)?.as_str());
            match value {
                Some(value) => drop(self.names.insert(name.clone(), value.to_owned())),
                None => found.push(format!("nothing to capture as {name} at {pointer}")),
            }
        }
        Ok(found)
    }

    fn request(&self, step: &Value) -> Result<Request<Vec<u8>>, String> {
        const KEYS: [&str; 8] =
            ["method", "path", "as", "authorization", "headers", "body", "text", "base64"];
        if let Some(slip) = unknown_keys(step, &KEYS).pop() {
            return Err(slip);
        }
        let mut headers = HashMap::new();
        let who = step["as"].as_str().unwrap_or("scim");
        if let Some(key) = self.keys.get(who) {
            headers.insert("authorization", format!("Bearer {key}"));
        }
        if let Some(authorization) = step["authorization"].as_str() {
            headers.insert("authorization", authorization.to_owned());
        }
        let body = if let Some(text) = step["text"].as_str() {
            Some(text.as_bytes().to_vec())
        } else if let Some(text) = step["base64"].as_str() {
            Some(BASE64_STANDARD.decode(text).map_err(|error| error.to_string())?)
        } else {
            step.get("body").map(|body| body.to_string().into_bytes())
        };
        if body.is_some() {
            headers.insert("content-type", "application/scim+json".to_owned());
        }
        for (name, value) in step["headers"].as_object().into_iter().flatten() {
            match value.as_str() {
                Some(value) => drop(headers.insert(name, value.to_owned())),
                None => drop(headers.remove(name.as_str())),
            }
        }
        let path = step["path"].as_str().unwrap_or_default();
        let mut request = Request::builder()
            .method(step["method"].as_str().unwrap_or_default())
            .uri(format!("{}{path}", self.world.base().trim_end_matches("/scim/v2")));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.body(body.unwrap_or_default()).map_err(|error| error.to_string())
    }

    /// Puts captured names and repetitions into a text.
    fn expand(&self, text: &str) -> Result<String, String> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}').ok_or_else(|| format!("`{text}`: no }}"))?;
            out.push_str(before);
            let repetition =
                name.split_once('*').and_then(|(count, what)| Some((count.parse().ok()?, what)));
            if let Some((count, what)) = repetition {
                for n in 1..=count {
                    let n: usize = n;
                    out.push_str(&what.replace('#', &n.to_string()));
                }
            } else {
                let value =
                    self.names.get(name).ok_or_else(|| format!("`{name}`: not captured"))?;
                out.push_str(value);
            }
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }
}

fn headers(response: &Response<Vec<u8>>) -> Map<String, Value> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    response.headers().iter().map(|(name, value)| (name.to_string(), text(value).into())).collect()
}

/// The value with every string in it, keys too, rewritten.
fn rewrite(
    value: &Value,
    change: &dyn Fn(&str) -> Result<String, String>,
) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => Value::String(change(text)?),
        Value::Array(items) => {
            Value::Array(items.iter().map(|item| rewrite(item, change)).collect::<Result<_, _>>()?)
        }
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(name, value)| Ok((change(name)?, rewrite(value, change)?)))
                .collect::<Result<_, String>>()?,
        ),
        other => other.clone(),
    })
}

/// A misspelt key would check nothing and pass.
fn unknown_keys(object: &Value, known: &[&str]) -> Vec<String> {
    let names = object.as_object().into_iter().flatten().map(|(name, _)| name);
    names
        .filter(|name| !known.contains(&name.as_str()))
        .map(|name| format!("`{name}` is no key here"))
        .collect()
}
