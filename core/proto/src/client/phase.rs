/// Where a client is with its Network Connection, as a total function: what may follow what, and nothing else.
///
/// ```text
/// Offline -- Opened: CONNECT --> Connecting -- Accepted: CONNACK --> Connected
///    ^                             |    |                             |    |
///    |                             |    +-- Ended --> Closing <- Ended -+    |
///    |                             |                    |                  |
///    +----------- Lost ------------+------ Lost --------+------ Lost ------+
/// ```
// [MQTT-3.1.0-1] [v3 MQTT-3.1.0-1] CONNECT comes first: it is what Opened sends.
// [MQTT-3.14.4-1] [MQTT-3.14.4-2] [v3 MQTT-3.14.4-1] [v3 MQTT-3.14.4-2] Nothing leads from Closing but the loss of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// There is no Network Connection.
    Offline,
    /// CONNECT was sent.
    Connecting,
    /// CONNACK accepted it.
    Connected,
    /// Nothing is sent or taken any more.
    Closing,
}

/// What happens to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The Network Connection was made.
    Opened,
    /// CONNACK accepted it.
    Accepted,
    /// Either side ended it while it stands: a DISCONNECT, a refusal, a violation, a deadline.
    Ended,
    /// The Network Connection is gone.
    Lost,
}

impl Phase {
    /// Every phase, in order.
    #[cfg(test)]
    const ALL: [Self; 4] = [Self::Offline, Self::Connecting, Self::Connected, Self::Closing];

    /// The phase after a step; `None` where the step means nothing.
    pub(super) const fn next(self, step: Step) -> Option<Self> {
        match (self, step) {
            (Self::Offline, Step::Opened) => Some(Self::Connecting),
            (Self::Connecting, Step::Accepted) => Some(Self::Connected),
            (Self::Connecting | Self::Connected, Step::Ended) => Some(Self::Closing),
            (Self::Connecting | Self::Connected | Self::Closing, Step::Lost) => Some(Self::Offline),
            (Self::Offline, Step::Accepted | Step::Ended | Step::Lost)
            | (Self::Connecting | Self::Connected | Self::Closing, Step::Opened)
            | (Self::Connected, Step::Accepted)
            | (Self::Closing, Step::Accepted | Step::Ended) => None,
        }
    }
}

impl Step {
    /// Every step.
    #[cfg(test)]
    const ALL: [Self; 4] = [Self::Opened, Self::Accepted, Self::Ended, Self::Lost];
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::String};

    use super::*;

    #[test]
    fn a_connection_goes_from_connect_to_its_close_and_back() {
        let row = |phase: Phase, step: Step| {
            let next = phase
                .next(step)
                .map_or_else(|| "-".into(), |next| format!("{next:?}"));
            format!("{:<11} {:<9} {next}\n", format!("{phase:?}"), format!("{step:?}"))
        };
        let table: String = Phase::ALL
            .iter()
            .flat_map(|phase| Step::ALL.map(|step| row(*phase, step)))
            .collect();
        insta::assert_snapshot!(table);
    }
}
