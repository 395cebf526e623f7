//! What the sources cite is what the standard says: every id in a comment of `core` is a statement of the version it is cited for.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use squall_conformance::{SECTIONS, statements};
use squall_proto::Version;

#[test]
fn every_citation_in_core_is_a_statement_of_its_version() {
    let mut cited = BTreeSet::new();
    let mut wrong = Vec::new();
    for file in sources() {
        let text = fs::read_to_string(&file).unwrap();
        for (nth, line) in text.lines().enumerate() {
            for (version, id) in citations(line) {
                if statements(version).iter().any(|statement| statement.id == id) {
                    cited.insert((version, id.to_owned()));
                } else {
                    wrong.push(format!(
                        "{}:{}: {id} is no statement of {version}",
                        file.display(),
                        nth + 1
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(cited.len() > 100, "the walk finds only {} citations", cited.len());
}

#[test]
fn every_case_names_statements_that_a_harness_can_see_something_of() {
    use squall_conformance::Visible;
    for case in SECTIONS.iter().flat_map(|section| section.cases) {
        for version in Version::ALL {
            for id in case.covers(version) {
                let statement = statements(version).iter().find(|statement| statement.id == *id);
                let visible = statement.is_some_and(|statement| statement.server != Visible::No);
                // The transport is what every case stands on.
                assert!(
                    visible || *id == "MQTT-7.1.1-1",
                    "{}: {id} cannot be seen at a server",
                    case.name
                );
            }
        }
    }
}

/// The ids in brackets on a line, with the version each is cited for.
fn citations(line: &str) -> impl Iterator<Item = (Version, &str)> {
    line.split('[').skip(1).filter_map(|after| {
        let (cited, _) = after.split_once(']')?;
        let (version, id) = match cited.strip_prefix("v3 ") {
            Some(id) => (Version::V3_1_1, id),
            None => (Version::V5, cited),
        };
        id.starts_with("MQTT-").then_some((version, id))
    })
}

fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../core"), &mut found);
    found
}

fn walk(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("the sources can be read") {
        let path = entry.expect("the sources can be read").path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn a_citation_says_its_version() {
    let found: Vec<_> = citations("// [MQTT-3.3.1-5] [v3 MQTT-3.3.1-7] [`Packet`] and so on").collect();
    assert_eq!(
        found,
        [(Version::V5, "MQTT-3.3.1-5"), (Version::V3_1_1, "MQTT-3.3.1-7")]
    );
}
