//! What a broker can do: what its CONNACK announces, and what it is seen to do. It judges nothing; a suite whose target is
//! known to lack something does not blame it for that.
//!
//! `announced` reads the CONNACK, `deeds` tries what a broker does or does not, `limits` looks for the largest that fits, and
//! `search` says what to try next.

mod announced;
mod deeds;
mod limits;
mod search;

use std::{collections::BTreeMap, io, pin::Pin, sync::Arc};

use futures_util::future::join_all;
use serde::Serialize;
use squall_proto::Version;

use crate::{Capability, Context, Outcome, Settings, Stop, Target, Transport, User};

/// What was found out about a broker.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Probed {
    /// What it calls itself in its `$SYS` topics.
    pub name: Option<String>,
    /// The versions it takes a CONNECT of: `3.1.1`, `5.0`.
    pub versions: Vec<String>,
    /// What it said to the others.
    pub refused: BTreeMap<String, String>,
    /// All that was found, in the order of the probes.
    pub found: Vec<Finding>,
    /// What it was seen not to do, and did not say that it does not, with the reason.
    pub lacks: BTreeMap<Capability, String>,
}

/// One thing that was found, by version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `Receive Maximum`, `Retained messages`.
    pub what: &'static str,
    /// With 3.1.1, if it was looked for.
    #[serde(rename = "3.1.1")]
    pub v3: Option<String>,
    /// With 5.0, if it was looked for.
    #[serde(rename = "5.0")]
    pub v5: Option<String>,
}

/// One way to find something out.
#[derive(Clone, Copy)]
struct Probe {
    what: &'static str,
    versions: &'static [Version],
    run: fn(Context) -> Running,
}

type Running = Pin<Box<dyn Future<Output = Outcome<Found>> + Send>>;

/// What a probe found.
struct Found {
    says: String,
    /// What the broker so was seen not to do.
    lacks: Vec<Capability>,
}

const BOTH: &[Version] = &Version::ALL;
const V3: &[Version] = &[Version::V3_1_1];
const V5: &[Version] = &[Version::V5];

/// Finds out what the broker can do, all things side by side.
///
/// # Errors
///
/// When it cannot be reached.
pub async fn probe(
    settings: &Settings,
    transport: &Arc<dyn Transport>,
    user: Option<User>,
) -> io::Result<Probed> {
    let said = Target::probe(
        transport,
        &Version::ALL,
        &settings.unique,
        settings.patience,
        user,
    )
    .await?;
    let said = Arc::new(said);
    let mut probed = Probed::default();
    for version in Version::ALL {
        match said.refuses(version) {
            Some(why) => drop(probed.refused.insert(version.to_string(), why.to_owned())),
            None => probed.versions.push(version.to_string()),
        }
    }
    let probes = [announced::PROBES, deeds::PROBES, limits::PROBES].concat();
    let findings = probes.iter().enumerate().map(|(place, probe)| {
        let versions = (0..).zip(probe.versions.iter().copied());
        let said = &said;
        let asked = versions.filter(|(_, version)| said.refuses(*version).is_none());
        join_all(asked.map(move |(nth, version)| {
            // No two have a Client Identifier in common.
            let unique = format!("{}{:03}", settings.unique, 2 * place + nth);
            found(version, *probe, unique, settings, transport, Arc::clone(said))
        }))
    });
    for (probe, found) in probes.iter().zip(join_all(findings).await) {
        probed.add(&said, probe.what, found);
    }
    Ok(probed)
}

async fn found(
    version: Version,
    probe: Probe,
    unique: String,
    settings: &Settings,
    transport: &Arc<dyn Transport>,
    target: Arc<Target>,
) -> (Version, Found) {
    let context = Context::new(version, settings.patience, target, Arc::clone(transport), unique);
    let found = (probe.run)(context.clone()).await;
    context.clean_up().await;
    (version, found.unwrap_or_else(|stop| Found::says(unknown(stop))))
}

impl Probed {
    fn add(&mut self, said: &Target, what: &'static str, found: Vec<(Version, Found)>) {
        let mut finding = Finding {
            what,
            v3: None,
            v5: None,
        };
        for (version, found) in found {
            self.note(said, version, what, &found);
            *match version {
                Version::V3_1_1 => &mut finding.v3,
                Version::V5 => &mut finding.v5,
            } = Some(found.says);
        }
        self.found.push(finding);
    }

    fn note(&mut self, said: &Target, version: Version, what: &str, found: &Found) {
        for capability in &found.lacks {
            if said.lacks(*capability).is_none() {
                let why = format!("{what} with {version}: {}", found.says);
                self.lacks.entry(*capability).or_insert(why);
            }
        }
        if what == deeds::NAME && found.says != deeds::NAMELESS {
            self.name.get_or_insert_with(|| found.says.clone());
        }
    }
}

impl Found {
    fn says(says: impl Into<String>) -> Self {
        Self {
            says: says.into(),
            lacks: Vec::new(),
        }
    }

    /// Yes, or no: then the broker lacks this.
    fn does(yes: bool, capability: Capability) -> Self {
        match yes {
            true => Self::says("yes"),
            false => Self {
                says: "no".into(),
                lacks: vec![capability],
            },
        }
    }
}

/// Why a probe found nothing, in words.
fn unknown(stop: Stop) -> String {
    let why = match stop {
        Stop::Broken { expected, got } => format!("expected {}, got {got}", expected.join(" or ")),
        Stop::Choice(why) | Stop::Unsupported(why) | Stop::Inconclusive(why) => why,
    };
    format!("unknown ({why})")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(what: &str, found: &Found) -> Probed {
        let mut probed = Probed::default();
        probed.note(&Target::default(), Version::V3_1_1, what, found);
        probed
    }

    #[test]
    fn what_a_broker_does_not_do_and_does_not_say_is_lacking() {
        let probed = noted("Retained messages", &Found::does(false, Capability::Retain));
        let why = probed.lacks.get(&Capability::Retain);
        assert_eq!(why.map(String::as_str), Some("Retained messages with 3.1.1: no"));
        let probed = noted("Retained messages", &Found::does(true, Capability::Retain));
        assert!(probed.lacks.is_empty());
    }

    #[test]
    fn a_broker_is_called_what_it_calls_itself() {
        let probed = noted(deeds::NAME, &Found::says("broker version 1.2"));
        assert_eq!(probed.name.as_deref(), Some("broker version 1.2"));
        assert_eq!(noted(deeds::NAME, &Found::says(deeds::NAMELESS)).name, None);
    }
}
