//! Every numbered normative statement of both standards, once.

use std::sync::LazyLock;

use serde::Deserialize;
use squall_proto::Version;

/// One numbered normative sentence of one version of the standard.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// `MQTT-3.1.2-24`. The same number often means something else in the other version.
    pub id: String,
    /// Who must keep it.
    pub bound: Bound,
    /// What it asks for, in our words.
    pub gist: String,
    /// Whether a harness can decide it at a server.
    pub server: Visible,
    /// Whether a harness can decide it at a client.
    pub client: Visible,
    /// What deciding it takes beyond a connection: `wait`, `reconnect`, `auth`, `ws`, `opt:..` (an optional feature), `limit:..`
    /// (a server configured so).
    #[serde(default)]
    pub needs: Vec<String>,
    /// What to know before testing it; empty where there is nothing.
    #[serde(default)]
    pub note: String,
}

/// Whom a statement binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// Clients and servers.
    Both,
    /// Clients.
    Client,
    /// Neither by itself: a statement about conformance.
    Other,
    /// Servers.
    Server,
}

/// Whether something can be decided from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visible {
    /// All of it.
    Yes,
    /// Only one half of it, or only the reaction to its breach.
    Partly,
    /// Nothing of it.
    No,
}

/// Why a statements file cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the statements cannot be read")]
pub struct StatementsError(#[from] toml::de::Error);

/// The statements of one version, in the order of the standard.
#[must_use]
pub fn statements(version: Version) -> &'static [Statement] {
    static V3_1_1: LazyLock<Vec<Statement>> =
        LazyLock::new(|| ours(include_str!("../statements/v3.1.1.toml")));
    static V5_0: LazyLock<Vec<Statement>> = LazyLock::new(|| ours(include_str!("../statements/v5.0.toml")));
    match version {
        Version::V3_1_1 => &V3_1_1,
        Version::V5 => &V5_0,
    }
}

/// Rules of 5.0 that the standard states without a number, under ids of ours: `X5-3.3.4-1`.
#[must_use]
pub fn untagged() -> &'static [Statement] {
    static UNTAGGED: LazyLock<Vec<Statement>> =
        LazyLock::new(|| ours(include_str!("../statements/v5.0-untagged.toml")));
    &UNTAGGED
}

/// The statement with this id; `None` where the version has no such statement.
#[must_use]
pub fn statement(version: Version, id: &str) -> Option<&'static Statement> {
    let extra = match version {
        Version::V3_1_1 => &[],
        Version::V5 => untagged(),
    };
    statements(version)
        .iter()
        .chain(extra)
        .find(|statement| statement.id == id)
}

/// Reads a statements file.
///
/// # Errors
///
/// What is no TOML, an unknown key or word, a key that is missing.
pub fn parse(text: &str) -> Result<Vec<Statement>, StatementsError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        statement: Vec<Statement>,
    }
    Ok(toml::from_str::<File>(text)?.statement)
}

fn ours(text: &str) -> Vec<Statement> {
    parse(text).expect("a test reads the files that are built in")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_version_has_every_statement_once() {
        for (version, count) in [(Version::V3_1_1, 141), (Version::V5, 251)] {
            let ids: BTreeSet<_> = statements(version)
                .iter()
                .map(|statement| &statement.id)
                .collect();
            assert_eq!(statements(version).len(), count, "{version}");
            assert_eq!(ids.len(), count, "{version}");
        }
    }

    #[test]
    fn each_rule_without_a_number_has_an_id_of_its_own() {
        let ids: BTreeSet<_> = untagged().iter().map(|statement| &statement.id).collect();
        assert_eq!(ids.len(), 91);
        assert!(ids.iter().all(|id| id.starts_with("X5-")));
        assert_eq!(statement(Version::V5, "X5-1.5.4-1"), untagged().first());
        assert_eq!(statement(Version::V3_1_1, "X5-1.5.4-1"), None);
    }

    #[test]
    fn a_word_that_is_no_side_is_an_error() {
        let text = "[[statement]]\nid = 'a'\nbound = 'nobody'\ngist = ''\nserver = 'yes'\nclient = 'no'\n";
        assert!(parse(text).is_err());
    }
}
