//! What there must be one of at least.

use super::{Checked, Path, problem};
use crate::scenario::{Acknowledges, Scenario};

pub(super) fn least(scenario: &Scenario) -> Checked {
    let (root, broker) = (Path::default(), &scenario.broker);
    let is_none = [
        ("receive_maximum", broker.receive_maximum == Some(0)),
        ("inflight", broker.inflight == Some(0)),
        ("packet_size", broker.packet_size == Some(0)),
    ];
    one_at_least(&is_none, &root.key("broker"))?;
    for (name, client) in &scenario.clients {
        let path = root.key("clients").key(name);
        one_at_least(&[("count", client.count == Some(0))], &path)?;
        let reads = client.reads.is_some_and(|reads| reads.bytes == 0);
        one_at_least(&[("bytes", reads)], &path.key("reads"))?;
        let reversed = client.application.acknowledges == Acknowledges::Reversed(0);
        one_at_least(&[("acknowledges", reversed)], &path.key("application"))?;
    }
    Ok(())
}

fn one_at_least(is_none: &[(&str, bool)], path: &Path) -> Checked {
    match is_none.iter().find(|(_, is_none)| *is_none) {
        Some((key, _)) => problem(&path.key(key), "0 is none at all", "write at least 1"),
        None => Ok(()),
    }
}
