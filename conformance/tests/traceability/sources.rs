//! The files that may cite statements, and what a citation in each of them is worth.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use squall_proto::Version;

use crate::citations::{Cited, bracketed, prose, returned};

/// Whose code it is, or whose behaviour a test is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    Broker,
    Client,
    /// Code that both use, or a run in which both take part.
    Both,
    /// The codec by itself: no proof that a broker or a client does anything with its verdict.
    Codec,
}

/// What a citation shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Code,
    Test,
}

/// A statement named somewhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Citation {
    pub(crate) version: Version,
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) side: Side,
    /// The file as the table shows it.
    pub(crate) place: String,
    /// The file from the root, and the line.
    pub(crate) line: String,
}

/// Every citation of the tree.
pub(crate) fn citations() -> Vec<Citation> {
    let mut found = Vec::new();
    for folder in ["core", "sim", "scenarios", "src", "tests", "fuzz"] {
        for path in files(&root().join(folder)) {
            let path = path.strip_prefix(root()).expect("below the root").to_path_buf();
            let name = path.to_str().expect("our names are plain").to_owned();
            let text = || fs::read_to_string(root().join(&path)).expect("the sources can be read");
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("rs") => rust(&name, &text(), &mut found),
                Some("yaml") => scenario(&name, &text(), &mut found),
                Some("hex") => packet(&name, &text(), &mut found),
                Some("snap") if name.contains("/corpus__") => outcomes(&name, &text(), &mut found),
                Some(_) | None => {}
            }
        }
    }
    found
}

pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Rust: what stands in or above a test counts as that test's, the rest of a `src` as code, the rest of a `tests` as nothing.
fn rust(name: &str, text: &str, found: &mut Vec<Citation>) {
    let tests = tests(text);
    let is_code = name.contains("/src/") && !name.starts_with("sim/");
    let is_check = name.starts_with("sim/src/checks/") && !name.contains("/tests/");
    for (nth, line) in text.lines().enumerate() {
        let kind = if tests.contains(&nth) || is_check {
            Kind::Test
        } else if is_code {
            Kind::Code
        } else {
            continue;
        };
        let ids = bracketed(line).chain(if kind == Kind::Code {
            returned(line)
        } else {
            Vec::new()
        });
        for (version, id) in ids {
            found.push(citation(name, nth, (version, id), kind));
        }
    }
}

/// The numbers of the lines that belong to a test: the docs above it and its body.
fn tests(text: &str) -> BTreeSet<usize> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = BTreeSet::new();
    for (nth, line) in lines.iter().enumerate() {
        if !["#[test]", "#[tokio::test"]
            .iter()
            .any(|mark| line.trim_start().starts_with(mark))
        {
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        let is_above = |line: &&&str| {
            ["///", "//", "#"]
                .iter()
                .any(|mark| line.trim_start().starts_with(mark))
        };
        let above = lines
            .get(..nth)
            .unwrap_or_default()
            .iter()
            .rev()
            .take_while(is_above)
            .count();
        let end = format!("{}}}", " ".repeat(indent));
        let body = lines
            .get(nth..)
            .unwrap_or_default()
            .iter()
            .take_while(|line| **line != end)
            .count();
        found.extend(nth - above..nth + body);
    }
    found
}

fn scenario(name: &str, text: &str, found: &mut Vec<Citation>) {
    for cited in prose(text) {
        found.push(citation(name, 0, cited, Kind::Test));
    }
}

/// A packet written by hand, which a test decodes.
fn packet(name: &str, text: &str, found: &mut Vec<Citation>) {
    for (nth, line) in text.lines().enumerate() {
        for cited in bracketed(line) {
            found.push(citation(name, nth, cited, Kind::Test));
        }
    }
}

/// What the packets of the corpus decode to: the statement that each breaks, by the version that begins its name.
fn outcomes(name: &str, text: &str, found: &mut Vec<Citation>) {
    for (nth, line) in text.lines().enumerate() {
        let version = if line.starts_with("v3_") {
            Version::V3_1_1
        } else {
            Version::V5
        };
        let statement = line
            .split_once(": 0x")
            .and_then(|(_, error)| bracketed(error).next());
        if let Some((_, id)) = statement {
            found.push(citation(name, nth, (version, id), Kind::Test));
        }
    }
}

fn citation(name: &str, nth: usize, (version, id): Cited, kind: Kind) -> Citation {
    Citation {
        version,
        id,
        kind,
        side: side(name, kind),
        place: shown(name),
        line: format!("{name}:{}", nth + 1),
    }
}

fn side(name: &str, kind: Kind) -> Side {
    let is_of = |side: &str| name.contains(&format!("/{side}/")) || name.ends_with(&format!("/{side}.rs"));
    let is_codec =
        name.starts_with("core/proto/tests/") || (name.starts_with("core/proto/") && kind == Kind::Test);
    if !name.starts_with("core/") {
        Side::Both
    } else if name.contains("/client/") {
        Side::Client
    } else if is_of("broker") {
        Side::Broker
    } else if is_of("client") {
        Side::Client
    } else if is_codec {
        Side::Codec
    } else {
        Side::Both
    }
}

/// `proto/broker/connect`, `proto tests/client/publish`, `scenarios/name`, `proto tests/corpus/connect`.
fn shown(name: &str) -> String {
    let name = name.strip_prefix("core/").unwrap_or(name);
    let (name, _) = name.rsplit_once('.').unwrap_or((name, ""));
    if let Some((_, packet)) = name.split_once("/corpus__") {
        return format!("proto tests/corpus/{packet}");
    }
    if let Some((folder, _)) = name.contains("/corpus/").then(|| name.rsplit_once('/')).flatten() {
        return folder.replacen("/tests/", " tests/", 1);
    }
    name.replacen("/src/", "/", 1).replacen("/tests/", " tests/", 1)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(folder, &mut found);
    found.sort();
    found
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.expect("the sources can be read").path();
        if path.is_dir() && !path.join("CACHEDIR.TAG").exists() {
            walk(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn what_stands_above_and_in_a_test_is_the_tests_and_the_rest_is_code() {
    let text = "// [MQTT-1-1]\nfn code() {}\n\n/// [MQTT-2-2]\n#[test]\nfn holds() {\n    // [MQTT-3-3]\n}\n// [MQTT-4-4]\n";
    let mut found = Vec::new();
    rust("core/proto/src/broker/end.rs", text, &mut found);
    let kinds: Vec<_> = found
        .iter()
        .map(|citation| (citation.id.as_str(), citation.kind))
        .collect();
    assert_eq!(
        kinds,
        [
            ("MQTT-1-1", Kind::Code),
            ("MQTT-2-2", Kind::Test),
            ("MQTT-3-3", Kind::Test),
            ("MQTT-4-4", Kind::Code)
        ]
    );
    assert!(found.iter().all(|citation| citation.side == Side::Broker));
    found.clear();
    rust("core/proto/tests/client/rig.rs", text, &mut found);
    assert_eq!(found.len(), 2, "what helps a test shows nothing");
}

#[test]
fn a_place_is_shown_without_what_every_path_has() {
    assert_eq!(shown("core/proto/src/broker/connect.rs"), "proto/broker/connect");
    assert_eq!(
        shown("core/proto/tests/client/publish.rs"),
        "proto tests/client/publish"
    );
    assert_eq!(
        shown("core/proto/tests/snapshots/corpus__connect.snap"),
        "proto tests/corpus/connect"
    );
    assert_eq!(
        shown("core/proto/tests/corpus/connect/v3_minimal.hex"),
        "proto tests/corpus/connect"
    );
    assert_eq!(shown("scenarios/a.yaml"), "scenarios/a");
}
