//! `docs/BUGS.md` names what would catch each bug: everything it names is there.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot read the sources should stop there"
)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The numbers of the bugs, and what stands in backticks beside each.
fn rows() -> Vec<(u32, Vec<String>)> {
    let text = fs::read_to_string(root().join("docs/BUGS.md")).unwrap();
    let numbered = text.lines().filter_map(|line| {
        let (number, rest) = line.strip_prefix("| ")?.split_once(" | ")?;
        let last = rest.trim_end_matches([' ', '|']).rsplit(" | ").next()?;
        let names = last.split('`').skip(1).step_by(2).map(str::to_owned);
        Some((number.parse().ok()?, names.collect()))
    });
    numbered.collect()
}

/// The names of all tests, and of all cases.
fn tests_and_cases() -> BTreeSet<String> {
    let mut files = Vec::new();
    for folder in ["core", "sim", "conformance", "reports", "tests"] {
        rust_files(&root().join(folder), &mut files);
    }
    let texts: Vec<String> = files
        .iter()
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    let names = texts.iter().flat_map(|text| text.lines()).filter_map(name);
    names.map(str::to_owned).collect()
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.join("CACHEDIR.TAG").exists() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The function or the case that begins on this line.
fn name(line: &str) -> Option<&str> {
    let line = line.trim_start();
    if let Some(case) = line.strip_prefix("name: \"") {
        return case.strip_suffix("\",");
    }
    let function = line.trim_start_matches("async ").strip_prefix("fn ")?;
    function.split_once('(').map(|(name, _)| name)
}

#[test]
fn everything_that_is_said_to_catch_a_bug_is_there() {
    let known = tests_and_cases();
    let is_there = |name: &String| {
        known.contains(name) || root().join(name).is_file() || root().join("scenarios").join(name).is_file()
    };
    let rows = rows();
    let named = rows
        .iter()
        .flat_map(|(number, names)| names.iter().map(move |name| (number, name)));
    let missing: Vec<_> = named
        .filter(|(_, name)| !name.starts_with("cargo ") && !is_there(name))
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_bug_is_listed_once() {
    let numbers: Vec<u32> = rows().into_iter().map(|(number, _)| number).collect();
    let distinct: BTreeSet<u32> = numbers.iter().copied().collect();
    assert_eq!(numbers.len(), distinct.len());
    assert!(numbers.len() > 80, "the table is read: {}", numbers.len());
}
