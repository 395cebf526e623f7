use super::Ticket;

/// How far the authentication of a connection is, as its client sees it (section 4.12).
///
/// ```text
/// CONNECT --> Proving -- CONNACK --> Proven -- AUTH 0x19 --> ProvingAgain -- AUTH 0x00 --> Proven
///             ^     '--- AUTH 0x18 --.                       ^          '--- AUTH 0x18 --.
///             '----- AUTH 0x18 ------'                       '--------- AUTH 0x18 -------'
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Authentication {
    /// CONNECT names no Authentication Method.
    // [MQTT-4.12.0-6] [MQTT-4.12.0-7] There is no AUTH in either direction.
    Absent,
    /// CONNECT names one, and CONNACK has not come.
    Proving,
    /// The server has accepted what the client showed.
    Proven,
    /// The application asked to authenticate again, under this ticket.
    ProvingAgain(Ticket),
}

/// What the server sends, or the application asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// AUTH 0x18.
    Challenge,
    /// CONNACK that accepts the connection.
    Connack,
    /// AUTH 0x00.
    Success,
    /// The application wants to authenticate again: AUTH 0x19.
    Again(Ticket),
}

impl Authentication {
    /// The state after an event; `None` where it has no place.
    pub(super) const fn next(self, event: Event) -> Option<Self> {
        match (self, event) {
            (Self::Absent, Event::Connack) => Some(Self::Absent),
            (Self::Proving | Self::ProvingAgain(_), Event::Challenge) => Some(self),
            (Self::Proving, Event::Connack) | (Self::ProvingAgain(_), Event::Success) => Some(Self::Proven),
            (Self::Proven, Event::Again(ticket)) => Some(Self::ProvingAgain(ticket)),
            // [MQTT-4.12.0-2] Before CONNACK the server's AUTH is a challenge.
            (Self::Absent, Event::Challenge | Event::Success | Event::Again(_))
            | (Self::Proving, Event::Success | Event::Again(_))
            | (Self::Proven, Event::Challenge | Event::Connack | Event::Success)
            | (Self::ProvingAgain(_), Event::Connack | Event::Again(_)) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::String};

    use super::*;

    const STATES: [Authentication; 4] = [
        Authentication::Absent,
        Authentication::Proving,
        Authentication::Proven,
        Authentication::ProvingAgain(Ticket(1)),
    ];
    const EVENTS: [Event; 4] = [
        Event::Challenge,
        Event::Connack,
        Event::Success,
        Event::Again(Ticket(2)),
    ];

    #[test]
    fn the_server_challenges_and_the_client_answers_until_either_has_enough() {
        let row = |state: Authentication, event: Event| {
            let next = state
                .next(event)
                .map_or_else(|| "-".into(), |next| format!("{next:?}"));
            let (state, event) = (format!("{state:?}"), format!("{event:?}"));
            format!("{state:<24} {event:<17} {next}\n")
        };
        let table: String = STATES
            .iter()
            .flat_map(|state| EVENTS.map(|event| row(*state, event)))
            .collect();
        insta::assert_snapshot!(table);
    }
}
