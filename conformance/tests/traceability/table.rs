//! The coverage table as people read it: `docs/COVERAGE.md`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use squall_conformance::{Bound, Visible};
use squall_proto::Version;

use crate::{
    coverage::Covered,
    exceptions::{Exceptions, reason},
    sources::Side,
};

/// Places shown of a statement before the rest is a number.
const PLACES_MAX: usize = 4;

/// The whole document.
pub(crate) fn table(covered: &[Covered], exceptions: &Exceptions) -> String {
    let mut text = String::from(HEAD);
    text.push_str(&summary(covered, exceptions));
    text.push_str(&excepted(covered, exceptions));
    for (title, of) in groups() {
        let _ = write!(
            text,
            "\n## {title}\n\n| statement | binds | what it asks for | code | tests |\n|---|---|---|---|---|\n"
        );
        for covered in covered.iter().filter(|covered| of(covered)) {
            text.push_str(&row(covered));
        }
    }
    text
}

const HEAD: &str = "# Coverage

Every normative statement of MQTT 3.1.1 and 5.0: where it is implemented, and what tests it. Written by a test, never by hand:
`SQUALL_UPDATE_COVERAGE=1 cargo test -p squall-conformance --test traceability`. Places are files: `proto/` and `node/` are `core/*/src/`,
`proto tests/` and `node tests/` are `core/*/tests/`; `suite` is `conformance/src/sections/`, `clients` is `conformance/src/clients/sections/`, with the number of cases of a section.
";

type Group = (&'static str, fn(&Covered) -> bool);

fn groups() -> [Group; 3] {
    [
        ("MQTT 5.0", |covered| {
            covered.version == Version::V5 && is_numbered(covered)
        }),
        ("MQTT 5.0, rules without a number", |covered| {
            !is_numbered(covered)
        }),
        ("MQTT 3.1.1", |covered| covered.version == Version::V3_1_1),
    ]
}

fn is_numbered(covered: &Covered) -> bool {
    covered.statement.id.starts_with("MQTT-")
}

fn summary(covered: &[Covered], exceptions: &Exceptions) -> String {
    let mut text = String::from(
        "\n| | statements | implemented | visible | tested | excepted |\n|---|---|---|---|---|---|\n",
    );
    for (title, of) in groups() {
        let group: Vec<_> = covered.iter().filter(|covered| of(covered)).collect();
        let count =
            |wanted: &dyn Fn(&Covered) -> bool| group.iter().filter(|covered| wanted(covered)).count();
        let _ = writeln!(
            text,
            "| {title}, broker | {} | {} | {} | {} | {} |",
            count(&Covered::binds_broker),
            count(&|covered| covered.binds_broker() && covered.has_code(Side::Broker)),
            count(&|covered| covered.statement.server != Visible::No),
            count(&|covered| covered.statement.server != Visible::No && !covered.cases.is_empty()),
            count(&|covered| exceptions.contains_key(&covered.key()) && covered.lacks_of_broker()),
        );
        let _ = writeln!(
            text,
            "| {title}, client | {} | {} | {} | {} | {} |",
            count(&Covered::binds_client),
            count(&|covered| covered.binds_client() && covered.has_code(Side::Client)),
            count(&|covered| covered.statement.client != Visible::No),
            count(&|covered| covered.statement.client != Visible::No && !covered.client_cases.is_empty()),
            count(&|covered| exceptions.contains_key(&covered.key()) && covered.lacks_of_client()),
        );
    }
    text.push_str(
        "\n`statements` bind the side, `implemented` ones are cited beside code that it runs. `visible` ones can be decided from outside at that \
         side (also where they bind its peer: then its reaction is), `tested` ones have a conformance case.\n",
    );
    text
}

fn excepted(covered: &[Covered], exceptions: &Exceptions) -> String {
    let mut by_reason = BTreeMap::<String, Vec<String>>::new();
    for covered in covered {
        if let Some(why) = reason(covered, exceptions) {
            let version = if covered.version == Version::V3_1_1 {
                "v3 "
            } else {
                ""
            };
            let gaps: Vec<_> = covered.gaps().iter().map(ToString::to_string).collect();
            let because = format!("{} | {why}", gaps.join(", "));
            by_reason
                .entry(because)
                .or_default()
                .push(format!("{version}{}", covered.statement.id));
        }
    }
    let mut text = String::from("\n## Exceptions\n\n| statements | have no | because |\n|---|---|---|\n");
    for (because, ids) in by_reason {
        let _ = writeln!(text, "| {} | {because} |", ids.join(", "));
    }
    text
}

fn row(covered: &Covered) -> String {
    let statement = covered.statement;
    let bound = match statement.bound {
        Bound::Both => "both",
        Bound::Client => "client",
        Bound::Server => "server",
        Bound::Other => "neither",
    };
    let code = places(&covered.code, Vec::new());
    let mut suites: Vec<_> = suite("suite", &covered.cases).collect();
    suites.extend(suite("clients", &covered.client_cases));
    let tests = places(&covered.tests, suites);
    let gist = statement.gist.replace('|', "\\|");
    format!("| {} | {bound} | {gist} | {code} | {tests} |\n", statement.id)
}

fn suite(name: &str, cases: &BTreeMap<&str, usize>) -> impl Iterator<Item = String> {
    cases
        .iter()
        .map(move |(section, count)| format!("{name} {section} ({count})"))
}

fn places(places: &BTreeSet<(Side, String)>, mut shown: Vec<String>) -> String {
    let names: BTreeSet<_> = places.iter().map(|(_, place)| place).collect();
    shown.extend(names.iter().take(PLACES_MAX).map(|place| (*place).clone()));
    let more = names.len().saturating_sub(PLACES_MAX);
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    shown.join(", ")
}
