//! What an administrator does to clients, whatever they do themselves.

use super::{Broker, Cause, Output, session_expiry::SessionEvent};
use crate::{Instant, Text};

/// What an administrator does to the client of a Client Identifier. Where there is no such client, nothing happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Administration {
    /// Its connection is closed, in 5.0 with 0x98 (Administrative action). Its Will and its session take their course, and it may
    /// connect again.
    Kick(Text),
    /// Its session ends, and its connection with it, as by [`Administration::Kick`]. A Will that still waits is published.
    EndSession(Text),
    /// From now on its CONNECT is refused with 0x87 (Not authorized; 3.1.1: 0x05). A connection or session that it has goes on.
    Bar(Text),
    /// Its CONNECT is refused no more.
    Admit(Text),
}

impl Administration {
    /// Whom it is about.
    pub const fn client_id(&self) -> &Text {
        match self {
            Self::Kick(client_id)
            | Self::EndSession(client_id)
            | Self::Bar(client_id)
            | Self::Admit(client_id) => client_id,
        }
    }
}

impl Broker {
    pub(super) fn administer(&mut self, now: Instant, what: Administration, out: &mut impl Output) {
        match what {
            Administration::Kick(client_id) => self.kick(now, &client_id, out),
            Administration::EndSession(client_id) => {
                self.kick(now, &client_id, out);
                // It may have ended with its connection.
                if let Some(key) = self.by_client_id.get(&client_id).copied() {
                    self.session_ends(now, key, SessionEvent::Revoked, out);
                }
            }
            Administration::Bar(client_id) => _ = self.barred.insert(client_id.detached()),
            Administration::Admit(client_id) => _ = self.barred.remove(&client_id),
        }
    }

    fn kick(&mut self, now: Instant, client_id: &Text, out: &mut impl Output) {
        if let Some(key) = self.by_client_id.get(client_id).copied() {
            self.refuse(now, key, Cause::Administrative, out);
        }
    }

    /// Whether the broker has a session of this Client Identifier.
    pub fn has_session(&self, client_id: &Text) -> bool {
        self.by_client_id.contains_key(client_id)
    }

    /// Whether a client with this Client Identifier is connected.
    pub fn is_connected(&self, client_id: &Text) -> bool {
        let key = self.by_client_id.get(client_id);
        key.is_some_and(|key| self.session(*key).online().is_some())
    }

    /// Whether CONNECT with this Client Identifier is refused.
    pub fn is_barred(&self, client_id: &Text) -> bool {
        self.barred.contains(client_id)
    }
}
