use std::collections::BTreeMap;

use squall_proto::{Packet, Version};

use crate::trace::{What, WireId};

/// The version that is spoken on each connection, as its CONNECT said.
#[derive(Default)]
pub(super) struct Versions(BTreeMap<WireId, Version>);

impl Versions {
    /// `None` before its CONNECT.
    pub(super) fn known(&self, wire: WireId) -> Option<Version> {
        self.0.get(&wire).copied()
    }

    /// What is said before a CONNECT, or without one, is in the words of 3.1.1.
    pub(super) fn of(&self, wire: WireId) -> Version {
        self.known(wire).unwrap_or(Version::V3_1_1)
    }

    pub(super) fn observe(&mut self, what: &What) {
        if let What::Sent {
            wire,
            packet: Packet::Connect(connect),
            ..
        } = what
        {
            self.0.entry(*wire).or_insert(connect.version);
        }
    }
}
