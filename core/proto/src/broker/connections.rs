use alloc::vec::Vec;

use super::{deadlines::Scheduled, session::SessionKey};
use crate::{ConnId, Instant};

/// What the broker knows of a Network Connection.
///
/// ```text
/// Free --opened--> AwaitingConnect --CONNECT--> Active
///   ^                     |                       |
///   '-------lost------ Closing <--refused, DISCONNECT
/// ```
#[derive(Clone, Copy, Debug)]
pub(super) enum Connection {
    Free,
    AwaitingConnect {
        deadline: Instant,
    },
    Active(SessionKey),
    /// The broker is done with it; what still comes is not read.
    // [MQTT-3.1.4-6] [v3 MQTT-3.1.4-5]
    Closing,
}

/// All connections, by their `ConnId`.
#[derive(Debug, Default)]
pub(super) struct Connections {
    slots: Vec<Slot>,
    /// How many are not free.
    pub(super) open: usize,
}

#[derive(Debug)]
pub(super) struct Slot {
    pub(super) state: Connection,
    pub(super) scheduled: Scheduled,
}

impl Slot {
    fn new() -> Self {
        Self {
            state: Connection::Free,
            scheduled: Scheduled::default(),
        }
    }
}

impl Connections {
    pub(super) fn slot(&mut self, conn: ConnId) -> &mut Slot {
        let index = conn.0 as usize;
        if self.slots.len() <= index {
            self.slots.resize_with(index + 1, Slot::new);
        }
        self.slots.get_mut(index).expect("the list reaches this far")
    }

    pub(super) fn state(&self, conn: ConnId) -> Connection {
        self.slots
            .get(conn.0 as usize)
            .map_or(Connection::Free, |slot| slot.state)
    }

    pub(super) fn scheduled(&self, conn: ConnId) -> Scheduled {
        self.slots
            .get(conn.0 as usize)
            .map_or_else(Scheduled::default, |slot| slot.scheduled)
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = ConnId> {
        (0..).zip(&self.slots).map(|(index, _)| ConnId(index))
    }
}
