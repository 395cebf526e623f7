//! That each case can fail, and by what.

use std::sync::{Arc, OnceLock};

use squall_conformance::{Case, Selected, select};
use squall_proto::Version;
use squall_reports::{TestResult, Verdict};
use squall_sim::world::OurBroker;

use crate::{
    in_a_world,
    mutation::{ALL, websocket},
    over::{Over, in_a_world_over},
    table::{Row, Table, Tried, fails, first},
};

pub(crate) const TABLE: Table = Table {
    file: "CASE_MUTATIONS.md",
    head: "# What fails each case about brokers\n\nOur broker passes each case; with the mutation on the wire between it and the case, the case \
           fails, or records another choice. `broker` says which\nof our brokers a case is shown with: one \
           that it makes sense with. Cases about WebSocket are shown over it.",
    command: "SQUALL_UPDATE_MUTATIONS=1 cargo test -p squall-conformance --test self_check -- table",
    columns: &["case", "version", "broker", "fails under"],
};

/// A case with one version, and what came of it at our broker, found out once.
pub(crate) struct AtOurs {
    pub(crate) selected: Selected<Case>,
    written: Option<Row>,
    sound: OnceLock<(OurBroker, TestResult)>,
}

impl AtOurs {
    /// Every case.
    pub(crate) fn all() -> Vec<Arc<Self>> {
        let mut rows = TABLE.rows();
        let cases: Vec<Selected<Case>> = select(&Version::ALL, &[]);
        let tried = cases.into_iter().map(|selected| Self {
            selected,
            written: rows.remove(&(selected.case.name.to_owned(), selected.version.to_string())),
            sound: OnceLock::new(),
        });
        tried.map(Arc::new).collect()
    }

    /// A broker of ours that the case makes sense with, the plain one if it does with none, and what comes of it there: of the first, if
    /// the table does not say which.
    pub(crate) fn sound(&self) -> &(OurBroker, TestResult) {
        self.sound.get_or_init(|| {
            let written = self.written.as_ref().and_then(|row| row.get(2));
            let mut brokers = OurBroker::ALL;
            brokers.sort_by_key(|broker| written.is_none_or(|written| written != name(*broker)));
            let tried = |broker: OurBroker| (broker, self.at(broker));
            let makes_sense = |(_, result): &(OurBroker, TestResult)| {
                !matches!(result.verdict, Verdict::Unsupported { .. })
            };
            let found = brokers.into_iter().map(tried).find(makes_sense);
            found.unwrap_or_else(|| tried(OurBroker::Plain))
        })
    }

    /// Whether it runs over WebSocket alone.
    pub(crate) fn is_about_websocket(&self) -> bool {
        self.selected.section.number == "6"
    }

    fn at(&self, broker: OurBroker) -> TestResult {
        match self.is_about_websocket() {
            true => in_a_world_over(self.selected, broker, Over::Ws, None),
            false => in_a_world(self.selected, broker, None),
        }
    }
}

impl Tried for AtOurs {
    type Case = Case;

    fn selected(&self) -> Selected<Case> {
        self.selected
    }

    fn written(&self) -> Option<&Row> {
        self.written.as_ref()
    }

    fn found(&self) -> Row {
        let (selected, written) = (self.selected, self.written());
        let (broker, sound) = self.sound();
        let is_failed = |mutated: &TestResult| fails(&mutated.verdict, &sound.verdict);
        let found = match self.is_about_websocket() {
            true => first(websocket::ALL.iter().copied(), written, |broken| {
                is_failed(&in_a_world_over(selected, *broker, Over::Ws, Some(broken)))
            }),
            false => first(ALL.iter().copied(), written, |mutation| {
                is_failed(&in_a_world(selected, *broker, Some(mutation)))
            }),
        };
        let version = selected.version.to_string();
        [selected.case.name, &version, name(*broker), found]
            .map(str::to_owned)
            .into()
    }
}

const fn name(broker: OurBroker) -> &'static str {
    match broker {
        OurBroker::Plain => "plain",
        OurBroker::Strict => "strict",
        OurBroker::Restricted => "restricted",
        OurBroker::Authenticating => "authenticating",
    }
}
