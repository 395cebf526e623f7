use alloc::vec::Vec;

use super::{authenticate::ApplicantKey, deadlines::Scheduled, session::SessionKey};
use crate::{ConnId, Instant};

/// What the broker knows of a Network Connection.
///
/// ```text
/// Free --opened--> AwaitingConnect --CONNECT granted--> Active
///   ^                 |   '--CONNECT--> Authenticating --^  |
///   |                 |                    |                |
///   |                 '--refused--> Closing <---------------' refused, DISCONNECT
///   '-------------------- lost, from each ------------------'
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Connection {
    Free,
    AwaitingConnect {
        deadline: Instant,
    },
    /// Only where the owner judges who clients are.
    Authenticating {
        applicant: ApplicantKey,
        deadline: Instant,
    },
    Active(SessionKey),
    /// The broker is done with it; what still comes is not read.
    // [MQTT-3.1.4-6] [v3 MQTT-3.1.4-5]
    Closing,
}

/// What happens to a Network Connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConnectionEvent {
    /// It was accepted, and CONNECT is to come until then.
    Opened { deadline: Instant },
    /// CONNECT came, and its sender is to be judged.
    Applied(ApplicantKey),
    /// CONNECT was granted: it is this session's.
    Granted(SessionKey),
    /// The broker is done with it: it was refused, or the client said DISCONNECT.
    Finished,
    /// It is gone.
    Lost,
}

impl Connection {
    /// The state after an event; `None` where the event cannot come.
    pub(super) const fn next(self, event: ConnectionEvent) -> Option<Self> {
        use ConnectionEvent::{Applied, Finished, Granted, Lost, Opened};
        match (self, event) {
            (Self::Free, Opened { deadline }) => Some(Self::AwaitingConnect { deadline }),
            (Self::AwaitingConnect { deadline }, Applied(applicant)) => {
                Some(Self::Authenticating { applicant, deadline })
            }
            (Self::AwaitingConnect { .. } | Self::Authenticating { .. }, Granted(key)) => {
                Some(Self::Active(key))
            }
            (Self::AwaitingConnect { .. } | Self::Authenticating { .. } | Self::Active(_), Finished) => {
                Some(Self::Closing)
            }
            (
                Self::AwaitingConnect { .. } | Self::Authenticating { .. } | Self::Active(_) | Self::Closing,
                Lost,
            ) => Some(Self::Free),
            (Self::Free, Applied(_) | Granted(_) | Finished | Lost)
            | (Self::AwaitingConnect { .. }, Opened { .. })
            | (Self::Authenticating { .. }, Opened { .. } | Applied(_))
            | (Self::Active(_), Opened { .. } | Applied(_) | Granted(_))
            | (Self::Closing, Opened { .. } | Applied(_) | Granted(_) | Finished) => None,
        }
    }
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
    /// It came when more connections had come than there may be in a second.
    pub(super) too_fast: bool,
}

impl Slot {
    fn new() -> Self {
        Self {
            state: Connection::Free,
            scheduled: Scheduled::default(),
            too_fast: false,
        }
    }
}

impl Connections {
    /// Goes on with an event; what the connection was until now, or `None` where the event cannot come and nothing happens.
    pub(super) fn on(&mut self, conn: ConnId, event: ConnectionEvent) -> Option<Connection> {
        let slot = self.slot(conn);
        let before = slot.state;
        slot.state = before.next(event)?;
        match event {
            ConnectionEvent::Opened { .. } => self.open += 1,
            ConnectionEvent::Lost => self.open -= 1,
            ConnectionEvent::Applied(_) | ConnectionEvent::Granted(_) | ConnectionEvent::Finished => {}
        }
        Some(before)
    }

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

#[cfg(test)]
mod tests {
    use super::{super::machine_table::table, *};

    const DEADLINE: Instant = Instant::from_micros(1);
    const KEY: SessionKey = SessionKey(7);
    const APPLICANT: ApplicantKey = ApplicantKey(3);

    impl Connection {
        const ALL: [Self; 5] = [
            Self::Free,
            Self::AwaitingConnect { deadline: DEADLINE },
            Self::Authenticating {
                applicant: APPLICANT,
                deadline: DEADLINE,
            },
            Self::Active(KEY),
            Self::Closing,
        ];
    }

    impl ConnectionEvent {
        const ALL: [Self; 5] = [
            Self::Opened { deadline: DEADLINE },
            Self::Applied(APPLICANT),
            Self::Granted(KEY),
            Self::Finished,
            Self::Lost,
        ];
    }

    #[test]
    fn a_connection_goes_from_opened_to_lost() {
        insta::assert_snapshot!(table(&Connection::ALL, &ConnectionEvent::ALL, Connection::next));
    }
}
