//! The exchanges of a QoS 1 or QoS 2 message between its sender and its receiver, as total functions: what is between two
//! packets of one exchange, and nothing else. Who sends what lies with the broker and the client; both use these.

/// A QoS 1 message at its sender.
///
/// ```text
/// PUBLISH -> AwaitingPuback -- PUBACK, any Reason Code --> Complete
/// ```
// [MQTT-4.3.2-3] [MQTT-4.4.0-2] [v3 MQTT-4.3.2-1]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutboundQos1 {
    /// PUBLISH was sent.
    AwaitingPuback,
    /// The Packet Identifier is free again.
    Complete,
}

/// A QoS 2 message at its sender.
///
/// ```text
/// PUBLISH -> AwaitingPubrec -- PUBREC below 0x80 --> AwaitingPubcomp -- PUBCOMP --> Complete
///                           -- PUBREC from 0x80 ------------------------------------^
/// ```
// [MQTT-4.3.3-3] [MQTT-4.3.3-5] [MQTT-4.4.0-2] [v3 MQTT-4.3.3-1]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutboundQos2 {
    /// PUBLISH was sent.
    AwaitingPubrec,
    /// PUBREL was sent; the message itself is no longer needed.
    AwaitingPubcomp,
    /// The Packet Identifier is free again.
    Complete,
}

/// What a receiver answers its sender with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// PUBACK with any Reason Code.
    Puback,
    /// PUBREC with a Reason Code below 0x80.
    Pubrec,
    /// PUBREC with a Reason Code of 0x80 or above: the message is refused.
    PubrecRefused,
    /// PUBCOMP with any Reason Code.
    Pubcomp,
}

/// What a sender sends again, and only then, when its session is resumed.
// [MQTT-4.4.0-1] [v3 MQTT-4.4.0-1]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resend {
    /// PUBLISH, with DUP set and its Packet Identifier.
    Publish,
    /// PUBREL.
    Pubrel,
}

/// A Packet Identifier at the receiver of QoS 2 messages.
///
/// ```text
/// Free -- PUBLISH, taken --> AwaitingPubrel -- PUBREL --> Free
/// ```
// [MQTT-4.3.3-10] [MQTT-4.3.3-11] [v3 MQTT-4.3.3-2]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InboundQos2 {
    /// A PUBLISH with it is a new message.
    Free,
    /// PUBREC was sent; a PUBLISH with it is the same message again.
    AwaitingPubrel,
}

/// What happens at the receiver of a QoS 2 message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// PUBLISH, and the receiver takes the message: PUBREC below 0x80 is the answer.
    Publish,
    /// PUBLISH, and the receiver refuses the message: PUBREC from 0x80 is the answer.
    PublishRefused,
    /// PUBREL: PUBCOMP is the answer.
    Pubrel,
}

impl OutboundQos1 {
    /// Every state, in order.
    pub const ALL: [Self; 2] = [Self::AwaitingPuback, Self::Complete];

    /// The state after an answer; `None` where it does not belong to this exchange.
    pub const fn next(self, answer: Answer) -> Option<Self> {
        match (self, answer) {
            (Self::AwaitingPuback, Answer::Puback) => Some(Self::Complete),
            (Self::AwaitingPuback, Answer::Pubrec | Answer::PubrecRefused | Answer::Pubcomp)
            | (Self::Complete, _) => None,
        }
    }

    /// What resuming the session sends again.
    pub const fn resend(self) -> Option<Resend> {
        match self {
            Self::AwaitingPuback => Some(Resend::Publish),
            Self::Complete => None,
        }
    }
}

impl OutboundQos2 {
    /// Every state, in order.
    pub const ALL: [Self; 3] = [Self::AwaitingPubrec, Self::AwaitingPubcomp, Self::Complete];

    /// The state after an answer; `None` where it does not belong to this exchange. A second PUBREC changes nothing: PUBREL
    /// is its answer again.
    pub const fn next(self, answer: Answer) -> Option<Self> {
        match (self, answer) {
            // [MQTT-4.3.3-4]
            (Self::AwaitingPubrec | Self::AwaitingPubcomp, Answer::Pubrec) => Some(Self::AwaitingPubcomp),
            (Self::AwaitingPubrec, Answer::PubrecRefused) | (Self::AwaitingPubcomp, Answer::Pubcomp) => {
                Some(Self::Complete)
            }
            (Self::AwaitingPubrec, Answer::Puback | Answer::Pubcomp)
            | (Self::AwaitingPubcomp, Answer::Puback | Answer::PubrecRefused)
            | (Self::Complete, _) => None,
        }
    }

    /// What resuming the session sends again.
    // [MQTT-4.3.3-6] Never the PUBLISH once PUBREL has gone out.
    pub const fn resend(self) -> Option<Resend> {
        match self {
            Self::AwaitingPubrec => Some(Resend::Publish),
            Self::AwaitingPubcomp => Some(Resend::Pubrel),
            Self::Complete => None,
        }
    }
}

impl Answer {
    /// Every answer.
    pub const ALL: [Self; 4] = [Self::Puback, Self::Pubrec, Self::PubrecRefused, Self::Pubcomp];
}

impl InboundQos2 {
    /// Every state.
    pub const ALL: [Self; 2] = [Self::Free, Self::AwaitingPubrel];

    /// The state after a request; `None` where there is nothing it belongs to: PUBREL for a free Packet Identifier, and the
    /// refusal of a message that was taken before.
    pub const fn next(self, request: Request) -> Option<Self> {
        match (self, request) {
            (Self::Free | Self::AwaitingPubrel, Request::Publish) => Some(Self::AwaitingPubrel),
            // [MQTT-4.3.3-9] The Packet Identifier of a refused message is free.
            (Self::Free, Request::PublishRefused) | (Self::AwaitingPubrel, Request::Pubrel) => {
                Some(Self::Free)
            }
            (Self::Free, Request::Pubrel) | (Self::AwaitingPubrel, Request::PublishRefused) => None,
        }
    }

    /// Whether a PUBLISH in this state is a message the receiver has not had yet.
    // [MQTT-4.3.3-10] [MQTT-4.3.3-12]
    pub const fn is_new(self) -> bool {
        matches!(self, Self::Free)
    }
}

impl Request {
    /// Every request.
    pub const ALL: [Self; 3] = [Self::Publish, Self::PublishRefused, Self::Pubrel];
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::String};
    use core::fmt::Debug;

    use super::*;

    fn row(state: impl Debug, event: impl Debug, next: Option<impl Debug>) -> String {
        let next = next.map_or_else(|| "-".into(), |next| format!("{next:?}"));
        format!(
            "{:<16} {:<15} {next}\n",
            format!("{state:?}"),
            format!("{event:?}")
        )
    }

    #[test]
    fn outbound_qos_1_ends_with_puback_alone() {
        let table: String = OutboundQos1::ALL
            .iter()
            .flat_map(|state| Answer::ALL.map(|answer| row(state, answer, state.next(answer))))
            .collect();
        insta::assert_snapshot!(table);
    }

    #[test]
    fn outbound_qos_2_goes_over_pubrec_to_pubcomp() {
        let table: String = OutboundQos2::ALL
            .iter()
            .flat_map(|state| Answer::ALL.map(|answer| row(state, answer, state.next(answer))))
            .collect();
        insta::assert_snapshot!(table);
    }

    #[test]
    fn inbound_qos_2_is_one_message_until_pubrel() {
        let table: String = InboundQos2::ALL
            .iter()
            .flat_map(|state| Request::ALL.map(|request| row(state, request, state.next(request))))
            .collect();
        insta::assert_snapshot!(table);
    }

    #[test]
    fn resuming_sends_pubrel_and_not_publish_after_pubrec() {
        assert_eq!(
            OutboundQos1::ALL.map(OutboundQos1::resend),
            [Some(Resend::Publish), None]
        );
        assert_eq!(
            OutboundQos2::ALL.map(OutboundQos2::resend),
            [Some(Resend::Publish), Some(Resend::Pubrel), None]
        );
    }
}
