//! What the sources cite is what the standard says, and every statement that binds a broker or a client has its code and its tests.
//!
//! [`citations`] reads ids out of text, [`sources`] walks the tree, [`coverage`] puts both beside the statements, [`exceptions`] says what
//! rightly is missing, [`table`] shows it all.

mod citations;
mod coverage;
mod exceptions;
mod sources;
mod table;

use squall_conformance::{AnyCase as _, SECTIONS, Visible, statement};
use squall_proto::Version;

use crate::{
    coverage::coverage,
    exceptions::{exceptions, judge},
    sources::{citations, root},
    table::table,
};

#[test]
fn every_citation_is_a_statement_of_its_version() {
    let found = citations();
    let wrong: Vec<_> = found
        .iter()
        .filter(|cited| statement(cited.version, &cited.id).is_none())
        .map(|cited| {
            format!(
                "{}: {} is no statement of {}",
                cited.line, cited.id, cited.version
            )
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(found.len() > 400, "the walk finds only {} citations", found.len());
}

#[test]
fn every_statement_has_its_code_and_its_tests_or_an_exception() {
    let exceptions = exceptions();
    let covered = coverage(&citations());
    let wrong: Vec<_> = covered
        .iter()
        .flat_map(|covered| judge(covered, &exceptions))
        .collect();
    assert!(wrong.is_empty(), "{} in all: {wrong:#?}", wrong.len());
}

/// `SQUALL_UPDATE_COVERAGE=1` writes it.
#[test]
fn the_coverage_table_is_up_to_date() {
    let table = table(&coverage(&citations()), &exceptions());
    let path = root().join("docs/COVERAGE.md");
    if std::env::var_os("SQUALL_UPDATE_COVERAGE").is_some() {
        std::fs::write(&path, &table).expect("docs/ can be written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let stale = table
        .lines()
        .zip(committed.lines())
        .find(|(now, then)| now != then);
    assert!(
        table == committed,
        "docs/COVERAGE.md is old: SQUALL_UPDATE_COVERAGE=1 cargo test -p squall-conformance --test traceability: {stale:#?}"
    );
}

#[test]
fn every_exception_is_about_a_statement() {
    let unknown: Vec<_> = exceptions()
        .into_keys()
        .filter(|(version, id)| statement(*version, id).is_none())
        .collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
}

#[test]
fn every_case_names_statements_that_a_harness_can_see_something_of() {
    for case in SECTIONS.iter().flat_map(|section| section.cases) {
        for version in Version::ALL {
            for id in case.covers(version) {
                let visible = statement(version, id).is_some_and(|statement| statement.server != Visible::No);
                assert!(visible, "{}: {id} cannot be seen at a server", case.name);
            }
        }
    }
}

#[test]
fn the_list_of_ambiguities_names_cases_that_there_are() {
    let text = std::fs::read_to_string(root().join("docs/AMBIGUITIES.md")).expect("docs/ can be read");
    let rows: Vec<_> = text.lines().filter(|line| line.starts_with("| A")).collect();
    assert_eq!(rows.len(), 53);
    for row in rows {
        let named = row
            .trim_end_matches(" |")
            .rsplit(" | ")
            .next()
            .unwrap_or_default();
        let names: Vec<_> = named
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|name| name.contains('_'))
            .collect();
        assert!(!names.is_empty() || named.starts_with("none: "), "{row}");
        for name in names {
            let mut cases = SECTIONS.iter().flat_map(|section| section.cases);
            assert!(cases.any(|case| case.name == name), "{name} is no case");
        }
    }
}
