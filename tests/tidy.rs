//! The codebase's own rules, held by tests.
//!
//! Each rule is a function from a file's path and text to findings, and each
//! has a test that it finds what it forbids. `citations` says how comments
//! cite an RFC.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "tidy/citations.rs"]
mod citations;
#[path = "tidy/layers.rs"]
mod layers;
#[path = "tidy/rust.rs"]
mod rust;
#[path = "tidy/schemas.rs"]
mod schemas;

use std::fs;
use std::path::Path;

/// Lines in a source file: what a reader can hold in the head.
const LINES_MAX: usize = 450;
/// The files whose samples break the rules on purpose.
const OWN_PATH: &str = "tests/tidy";
/// What an unfinished file contains.
const UNFINISHED: [&str; 5] = ["TODO", "FIXME", "dbg!", "#[ignore", "todo!"];

/// Path, from the root of the repository, and text.
type File = (String, String);

fn files(folder: &str, extension: &str) -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|own| own == extension) {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                found.push((name, fs::read_to_string(path).unwrap()));
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no .{extension} files under {folder}");
    found
}

fn rust_files() -> Vec<File> {
    [files("src", "rs"), files("tests", "rs")].concat()
}

/// Fails with everything that a rule finds in the files.
fn hold(files: &[File], rule: impl Fn(&str, &str) -> Vec<String>) {
    let found: Vec<String> = files
        .iter()
        .flat_map(|(path, text)| {
            rule(path, text).into_iter().map(move |what| format!("{path}: {what}"))
        })
        .collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

fn length(_path: &str, text: &str) -> Vec<String> {
    let lines = text.lines().count();
    if lines < LINES_MAX { vec![] } else { vec![format!("{lines} lines; split it")] }
}

fn finished(path: &str, text: &str) -> Vec<String> {
    let marks =
        UNFINISHED.iter().filter(|mark| !path.starts_with(OWN_PATH) && text.contains(**mark));
    marks.map(|mark| format!("contains {mark}")).collect()
}

fn introduced(_path: &str, text: &str) -> Vec<String> {
    if text.starts_with("//! ") { vec![] } else { vec!["does not say in `//!` what it is".into()] }
}

#[test]
fn files_are_short_finished_and_introduced() {
    hold(&rust_files(), length);
    hold(&rust_files(), finished);
    hold(&rust_files(), introduced);
}

#[test]
fn long_unfinished_and_unexplained_files_are_found() {
    assert_eq!(length("a.rs", &"\n".repeat(LINES_MAX)).len(), 1);
    assert_eq!(length("a.rs", &"\n".repeat(LINES_MAX - 1)).len(), 0);
    for mark in UNFINISHED {
        assert_eq!(finished("a.rs", mark).len(), 1);
    }
    assert_eq!(introduced("a.rs", "use std::fs;\n//! Late.").len(), 1);
}
