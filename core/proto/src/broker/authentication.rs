/// How far the authentication of a connection is, as its server sees it (section 4.12). It begins with CONNECT; a connection
/// without an Authentication Method is judged once, and never challenged.
///
/// ```text
///             .------ AUTH 0x18 <------.                      .------ AUTH 0x18 <------.
///             v                        |                      v                        |
/// CONNECT -> Judged -- challenged --> Challenged   .--> JudgedAgain -- challenged --> ChallengedAgain
///             |  '------ accepted ----> Accepted --'        |  '------ accepted ----> Accepted
///             v                          AUTH 0x19          v
///          Refused                                       Refused
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Authentication {
    /// The owner is asked about a client that is not connected.
    Judged,
    /// AUTH 0x18 went to a client that is not connected.
    Challenged,
    /// The client is connected.
    Accepted,
    /// The owner is asked about a client that is connected.
    JudgedAgain,
    /// AUTH 0x18 went to a client that is connected.
    ChallengedAgain,
    /// The connection ends.
    Refused,
}

/// What the client sends, or the owner answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// AUTH 0x18 came.
    Continue,
    /// AUTH 0x19 came.
    Reauthenticate,
    /// The owner knows enough, and lets the client in.
    Accepted,
    /// The owner wants to know more.
    Challenged,
    /// The owner refuses the client.
    Refused,
}

impl Authentication {
    /// The state after an event; `None` where it has no place: a client's packet out of turn, an answer that nobody asked for.
    pub(super) const fn next(self, event: Event) -> Option<Self> {
        match (self, event) {
            (Self::Judged | Self::JudgedAgain, Event::Accepted) => Some(Self::Accepted),
            // [MQTT-4.12.0-4] [MQTT-4.12.1-2]
            (Self::Judged | Self::JudgedAgain, Event::Refused) => Some(Self::Refused),
            (Self::Judged, Event::Challenged) => Some(Self::Challenged),
            (Self::Challenged, Event::Continue) => Some(Self::Judged),
            (Self::Accepted, Event::Reauthenticate) => Some(Self::JudgedAgain),
            (Self::JudgedAgain, Event::Challenged) => Some(Self::ChallengedAgain),
            (Self::ChallengedAgain, Event::Continue) => Some(Self::JudgedAgain),
            (Self::Judged | Self::JudgedAgain, Event::Continue | Event::Reauthenticate)
            | (
                Self::Challenged | Self::ChallengedAgain,
                Event::Reauthenticate | Event::Accepted | Event::Challenged | Event::Refused,
            )
            | (Self::Accepted, Event::Continue | Event::Accepted | Event::Challenged | Event::Refused)
            | (Self::Refused, _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::machine_table::table, *};

    const STATES: [Authentication; 6] = [
        Authentication::Judged,
        Authentication::Challenged,
        Authentication::Accepted,
        Authentication::JudgedAgain,
        Authentication::ChallengedAgain,
        Authentication::Refused,
    ];
    const EVENTS: [Event; 5] = [
        Event::Continue,
        Event::Reauthenticate,
        Event::Accepted,
        Event::Challenged,
        Event::Refused,
    ];

    /// [MQTT-4.12.0-4] [MQTT-4.12.1-2]
    #[test]
    fn client_and_owner_take_turns() {
        insta::assert_snapshot!(table(&STATES, &EVENTS, Authentication::next));
    }
}
