//! What the fuzzer once found interesting, through the same checks again.
//!
//! Every file under `fuzz/corpus` is given to the check that is named like its
//! folder, without the fuzzer and without its toolchain. `fuzz/README.md` says
//! what each check holds and how the corpus grows.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "../fuzz/checks.rs"]
mod checks;

use std::collections::BTreeMap;
use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

/// Bytes in a file that is kept. A larger one says nothing that a part of it
/// does not, and nobody reads it.
const KEPT_BYTES_MAX: usize = 4_096;
/// Bytes in all files that are kept.
const CORPUS_BYTES_MAX: usize = 300_000;

/// The files of every folder, by the folder's name.
fn corpus() -> BTreeMap<String, Vec<(String, Vec<u8>)>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let mut corpus = BTreeMap::new();
    for folder in fs::read_dir(root).unwrap() {
        let folder = folder.unwrap().path();
        let mut files: Vec<(String, Vec<u8>)> = fs::read_dir(&folder)
            .unwrap()
            .map(|file| file.unwrap().path())
            .map(|path| (name(&path), fs::read(path).unwrap()))
            .collect();
        files.sort();
        corpus.insert(name(&folder), files);
    }
    corpus
}

#[test]
fn every_check_holds_for_its_corpus() {
    let corpus = corpus();
    let mut failed = Vec::new();
    for (target, files) in &corpus {
        let check = checks::ALL.iter().find(|(name, _)| name == target);
        let (_, check) = check.unwrap_or_else(|| panic!("corpus/{target} has no check"));
        for (name, bytes) in files {
            // All of them, whatever the first says. The panic itself is printed.
            if catch_unwind(|| check(bytes)).is_err() {
                failed.push(format!("{target}/{name}"));
            }
        }
    }
    assert!(failed.is_empty(), "under fuzz/corpus:\n{}\n", failed.join("\n"));
}

#[test]
fn every_check_has_a_target_and_a_corpus() {
    let corpus = corpus();
    for (target, _) in checks::ALL {
        // Files that a local run added have no extension and do not count.
        let files = corpus.get(target).into_iter().flatten();
        assert!(files.filter(|(name, _)| name.contains('.')).count() > 0, "corpus/{target}");
        let file = format!("{}/fuzz/fuzz_targets/{target}.rs", env!("CARGO_MANIFEST_DIR"));
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(text.contains(&format!("checks::{target}(data)")), "{file}");
    }
}

#[test]
fn the_corpus_stays_small() {
    let mut sum = 0;
    for (target, files) in corpus() {
        for (name, bytes) in files.iter().filter(|(name, _)| name.contains('.')) {
            assert!(bytes.len() <= KEPT_BYTES_MAX, "{target}/{name}: {} bytes", bytes.len());
            sum += bytes.len();
        }
    }
    assert!(sum <= CORPUS_BYTES_MAX, "{sum} bytes; keep what differs");
}
