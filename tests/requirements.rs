//! What the documents say is shown by a story or a test is: every reference in
//! `docs/requirements.md` and `docs/tolerances.md` leads to one that exists.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};

/// What a row may say for itself where nothing shows the requirement.
const EXCUSES: [&str; 3] = ["not applicable: ", "decided otherwise", "not held: "];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The rows of a document's tables without their heads, cell by cell, each
/// under the heading of second order that it stands below.
fn rows(text: &str) -> Vec<(String, Vec<String>)> {
    let mut heading = String::new();
    let mut rows = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    for (index, line) in lines.iter().enumerate() {
        if let Some(title) = line.strip_prefix("## ") {
            title.clone_into(&mut heading);
        }
        let is_head = lines.get(index + 1).is_some_and(|next| next.starts_with("|---"));
        if line.starts_with("| ") && !is_head {
            let cells = line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned());
            rows.push((heading.clone(), cells.collect()));
        }
    }
    rows
}

/// What stands in backticks and names a story or a test: what has a slash.
fn references(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).filter(|text| text.contains('/')).collect()
}

/// Whether a reference leads to something: `tests/file.rs::test`, another file
/// of the tests, a story, or stories by `folder/` or `folder/name-*`.
fn exists(reference: &str) -> bool {
    if let Some((file, test)) = reference.split_once("::") {
        return fs::read_to_string(root().join(file)).is_ok_and(|text| has_test(&text, test));
    }
    if reference.starts_with("tests/") {
        return root().join(reference).is_file();
    }
    let stories = root().join("tests/exchanges");
    let (folder, name) = reference.rsplit_once('/').unwrap_or(("", reference));
    if !name.is_empty() && !name.contains('*') {
        return stories.join(format!("{reference}.json")).is_file();
    }
    let (start, end) = name.split_once('*').unwrap_or_default();
    let Ok(entries) = fs::read_dir(stories.join(folder)) else { return false };
    entries.into_iter().any(|entry| {
        let own = entry.unwrap().file_name().into_string().unwrap();
        own.strip_suffix(".json").is_some_and(|own| own.starts_with(start) && own.ends_with(end))
    })
}

/// Whether a file has a test of this name.
fn has_test(text: &str, name: &str) -> bool {
    text.split("#[test]").skip(1).any(|after| {
        after.split_once("fn ").is_some_and(|(_, rest)| rest.starts_with(&format!("{name}(")))
    })
}

/// What is wrong with a row of `docs/requirements.md`.
fn requirement(heading: &str, cells: &[String]) -> Vec<String> {
    let [section, requirement, held_by] = cells else {
        return vec![format!("{} cells instead of 3: {cells:?}", cells.len())];
    };
    let mut found = Vec::new();
    let number: String = heading.chars().filter(char::is_ascii_digit).collect();
    let rfc = fs::read_to_string(root().join(format!("docs/rfc/rfc{number}.txt")));
    let is_heading = |line: &str| line.starts_with(&format!("{section}.  "));
    if !rfc.is_ok_and(|text| text.lines().any(is_heading)) {
        found.push(format!("`{heading}` has no section {section}"));
    }
    let words = ["MUST", "MUST NOT", "SHALL", "SHALL NOT", "SHOULD", "REQUIRED", "RECOMMENDED"];
    if !words.iter().any(|word| requirement.contains(word)) {
        found.push(format!("`{requirement}` says how strongly it binds nowhere"));
    }
    let named = references(held_by);
    if named.is_empty() && !EXCUSES.iter().any(|excuse| held_by.contains(excuse)) {
        found.push(format!("nothing shows `{requirement}`, and nothing says why"));
    }
    found.extend(named.iter().filter(|one| !exists(one)).map(|one| format!("{one} is nowhere")));
    found
}

/// What is wrong with a row of `docs/tolerances.md`, whose third cell names stories.
fn tolerance(cells: &[String]) -> Vec<String> {
    let named = references(cells.get(2).map_or("", String::as_str));
    if named.is_empty() {
        return vec![format!("no story: {cells:?}")];
    }
    let missing = named.into_iter().filter(|one| !exists(one));
    missing.map(|one| format!("{one} is nowhere")).collect()
}

#[test]
fn what_shows_a_requirement_exists() {
    let rows = rows(&read("docs/requirements.md"));
    assert!(rows.len() > 200, "{} rows were found", rows.len());
    let found: Vec<String> =
        rows.iter().flat_map(|(heading, cells)| requirement(heading, cells)).collect();
    assert!(found.is_empty(), "docs/requirements.md:\n{}", found.join("\n"));
}

#[test]
fn what_shows_a_tolerance_exists() {
    let rows = rows(&read("docs/tolerances.md"));
    assert!(rows.len() > 15, "{} rows were found", rows.len());
    let found: Vec<String> = rows.iter().flat_map(|(_, cells)| tolerance(cells)).collect();
    assert!(found.is_empty(), "docs/tolerances.md:\n{}", found.join("\n"));
}

#[test]
fn what_leads_nowhere_is_found() {
    for reference in [
        "rfc/patch/add-member",
        "entra/",
        "tolerance/restore-*",
        "tests/e2e/limits.test.mjs",
        "tests/requirements.rs::what_leads_nowhere_is_found",
    ] {
        assert!(exists(reference), "{reference}");
    }
    for reference in [
        "rfc/patch/add-nobody",
        "rfc/patch",
        "nowhere/",
        "tolerance/nothing-*",
        "tests/e2e/nothing.test.mjs",
        "tests/nothing.rs::exists",
        "tests/requirements.rs::exists",
        "tests/requirements.rs::what_leads",
    ] {
        assert!(!exists(reference), "{reference}");
    }
    let row = |section: &str, what: &str, held_by: &str| {
        let cells = [section, what, held_by].map(str::to_owned);
        requirement("RFC 7644: Protocol", &cells).len()
    };
    assert_eq!(row("3.3", "it is so (MUST)", "`rfc/me`"), 0);
    assert_eq!(row("3.3", "it is so (MUST)", "not applicable: there is none"), 0);
    assert_eq!(row("3.99", "it is so (MUST)", "`rfc/me`"), 1);
    assert_eq!(row("3.3", "it is so", "`rfc/me`"), 1);
    assert_eq!(row("3.3", "it is so (MUST)", "perhaps"), 1);
    assert_eq!(row("3.3", "it is so (MUST)", "`rfc/me`, `rfc/you`, `rfc/them`"), 2);
    assert_eq!(
        tolerance(&["it is so".to_owned(), "Entra".to_owned(), "`rfc/you`".to_owned()]).len(),
        1
    );
}
