//! Statements that rightly have no code, case or test of ours, with the reason.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use squall_proto::Version;

use crate::coverage::{Covered, Gap};

/// Why some statements lack something.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exception {
    /// `3.1.1` or `5.0`.
    version: String,
    /// The statements it is about.
    ids: Vec<String>,
    /// What they lack.
    lacks: BTreeSet<Gap>,
    /// A sentence; what there is instead.
    why: Option<String>,
    /// What is still to be done.
    todo: Option<String>,
}

/// The exceptions by statement.
pub(crate) type Exceptions = BTreeMap<(Version, String), Exception>;

/// Reads `exceptions.toml`.
pub(crate) fn exceptions() -> Exceptions {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        #[serde(default)]
        exception: Vec<Exception>,
    }
    let file: File =
        toml::from_str(include_str!("exceptions.toml")).expect("exceptions.toml is as it should be");
    let mut found = Exceptions::new();
    for exception in file.exception {
        let version = Version::ALL
            .into_iter()
            .find(|version| version.to_string() == exception.version)
            .expect("an exception is for 3.1.1 or for 5.0");
        assert!(
            exception.why.is_some() != exception.todo.is_some(),
            "{:?}: either `why` or `todo`",
            exception.ids
        );
        for id in &exception.ids {
            let earlier = found.insert((version, id.clone()), exception.clone());
            assert!(earlier.is_none(), "{id} of {version} has two exceptions");
        }
    }
    found
}

/// What is wrong between what a statement lacks and what its exception says.
pub(crate) fn judge(covered: &Covered, exceptions: &Exceptions) -> Vec<String> {
    let (version, id) = (covered.version, &covered.statement.id);
    let gaps = covered.gaps();
    let exception = exceptions.get(&covered.key());
    let excused = exception
        .map(|exception| exception.lacks.clone())
        .unwrap_or_default();
    let missing = gaps
        .difference(&excused)
        .map(|gap| format!("{id} of {version} lacks {gap}: {}", covered.statement.gist));
    let stale = excused
        .difference(&gaps)
        .filter(|_| exception.is_some_and(|exception| exception.why.is_some()))
        .map(|gap| format!("{id} of {version} has {gap}: take it off its exception"));
    missing.chain(stale).collect()
}

/// The reason as the table shows it.
pub(crate) fn reason(covered: &Covered, exceptions: &Exceptions) -> Option<String> {
    let exception = exceptions.get(&covered.key())?;
    let todo = exception.todo.as_ref().map(|todo| format!("to do: {todo}"));
    exception.why.clone().or(todo)
}
