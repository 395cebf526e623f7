//! What is shown of each statement, and what is missing.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::Deserialize;
use squall_conformance::{AnyCase, Bound, Case, Statement, Visible, clients, statements, untagged};
use squall_proto::Version;

use crate::sources::{Citation, Kind, Side};

/// A statement, with everything that names it.
pub(crate) struct Covered {
    pub(crate) version: Version,
    pub(crate) statement: &'static Statement,
    pub(crate) code: BTreeSet<(Side, String)>,
    pub(crate) tests: BTreeSet<(Side, String)>,
    /// The sections with a case about brokers, and how many each has.
    pub(crate) cases: BTreeMap<&'static str, usize>,
    /// The sections with a case about clients, and how many each has.
    pub(crate) client_cases: BTreeMap<&'static str, usize>,
}

/// What a statement asks for and has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Gap {
    /// It binds a server, and no line of ours that a broker runs cites it.
    BrokerCode,
    /// It binds a client, and no line of ours that a client runs cites it.
    ClientCode,
    /// A harness sees something of it at a server, and no conformance case decides it.
    Case,
    /// It binds a server where no harness sees it, and no test cites it.
    BrokerTest,
    /// It can be tested at a client, and no test with our client cites it.
    ClientTest,
    /// A harness sees something of it at a client, and no conformance case decides it.
    ClientCase,
}

/// Every statement of both versions, and the rules of 5.0 without a number, in the order of the standard.
pub(crate) fn coverage(citations: &[Citation]) -> Vec<Covered> {
    let numbered = Version::ALL.into_iter().flat_map(|version| {
        statements(version)
            .iter()
            .map(move |statement| (version, statement))
    });
    let all = numbered.chain(untagged().iter().map(|statement| (Version::V5, statement)));
    let mut by_id = BTreeMap::<(Version, &str), Vec<&Citation>>::new();
    for citation in citations {
        by_id
            .entry((citation.version, citation.id.as_str()))
            .or_default()
            .push(citation);
    }
    all.map(|(version, statement)| {
        let named = by_id
            .get(&(version, statement.id.as_str()))
            .map_or(&[][..], Vec::as_slice);
        Covered {
            version,
            statement,
            code: places(named, Kind::Code),
            tests: places(named, Kind::Test),
            cases: cases::<Case>(version, &statement.id),
            client_cases: cases::<clients::Case>(version, &statement.id),
        }
    })
    .collect()
}

fn places(named: &[&Citation], kind: Kind) -> BTreeSet<(Side, String)> {
    let of_kind = named.iter().filter(|citation| citation.kind == kind);
    of_kind
        .map(|citation| (citation.side, citation.place.clone()))
        .collect()
}

fn cases<C: AnyCase>(version: Version, id: &str) -> BTreeMap<&'static str, usize> {
    let mut found = BTreeMap::new();
    for section in C::sections() {
        let cases = section.cases.iter();
        let count = cases.filter(|case| case.covers(version).contains(&id)).count();
        if count > 0 {
            found.insert(section.number, count);
        }
    }
    found
}

impl Covered {
    /// What is missing.
    pub(crate) fn gaps(&self) -> BTreeSet<Gap> {
        let mut gaps = BTreeSet::new();
        let statement = self.statement;
        let mut ask = |gap: Gap, is_asked: bool, is_there: bool| {
            if is_asked && !is_there {
                gaps.insert(gap);
            }
        };
        ask(Gap::BrokerCode, self.binds_broker(), self.has_code(Side::Broker));
        ask(Gap::ClientCode, self.binds_client(), self.has_code(Side::Client));
        ask(Gap::Case, statement.server != Visible::No, !self.cases.is_empty());
        ask(
            Gap::BrokerTest,
            self.binds_broker() && statement.server == Visible::No,
            !self.tests.is_empty(),
        );
        ask(
            Gap::ClientTest,
            statement.client != Visible::No,
            self.has_test(Side::Client),
        );
        ask(
            Gap::ClientCase,
            statement.client != Visible::No,
            !self.client_cases.is_empty(),
        );
        gaps
    }

    pub(crate) fn key(&self) -> (Version, String) {
        (self.version, self.statement.id.clone())
    }

    pub(crate) fn has_code(&self, side: Side) -> bool {
        is_of(&self.code, side)
    }

    pub(crate) fn has_test(&self, side: Side) -> bool {
        is_of(&self.tests, side)
    }

    pub(crate) fn lacks_of_broker(&self) -> bool {
        let of_broker = [Gap::BrokerCode, Gap::Case, Gap::BrokerTest];
        self.gaps().iter().any(|gap| of_broker.contains(gap))
    }

    pub(crate) fn lacks_of_client(&self) -> bool {
        let of_client = [Gap::ClientCode, Gap::ClientTest, Gap::ClientCase];
        self.gaps().iter().any(|gap| of_client.contains(gap))
    }

    pub(crate) fn binds_broker(&self) -> bool {
        matches!(self.statement.bound, Bound::Server | Bound::Both)
    }

    pub(crate) fn binds_client(&self) -> bool {
        matches!(self.statement.bound, Bound::Client | Bound::Both)
    }
}

fn is_of(places: &BTreeSet<(Side, String)>, wanted: Side) -> bool {
    places
        .iter()
        .any(|(side, _)| *side == wanted || *side == Side::Both)
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BrokerCode => "broker code",
            Self::ClientCode => "client code",
            Self::Case => "a conformance case",
            Self::BrokerTest => "a test of the broker",
            Self::ClientTest => "a test of the client",
            Self::ClientCase => "a conformance case about clients",
        })
    }
}
