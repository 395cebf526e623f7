use crate::{PacketId, ReasonCode};

/// Names a QoS 1 or 2 message that the application has and that is not acknowledged yet. It means nothing any more when the session is
/// lost; when the session is resumed it still names the message, which is not delivered again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub(super) packet_id: PacketId,
    /// Never used twice.
    pub(super) number: u64,
}

/// When QoS 1 and 2 messages from the server are acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Acknowledge {
    /// As soon as they were given to [`Output::event`](super::Output::event). The client of `squall-node` waits until the application has
    /// taken the event.
    #[default]
    Automatic,
    /// When the application says so with [`Input::Acknowledge`](super::Input::Acknowledge), in the order in which they came: one that is
    /// ready sooner than an earlier one of its QoS waits for that. An unanswered one takes a place of our Receive Maximum.
    Manual,
}

macro_rules! refusals {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// Why the application does not take a message: the Reason Codes that PUBACK and PUBREC have for it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Refusal {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Refusal {
            /// Every refusal, by value.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// What the server is told.
            pub const fn reason_code(self) -> ReasonCode {
                match self {
                    $(Self::$name => ReasonCode::$name,)+
                }
            }
        }
    };
}

// [MQTT-3.4.2-1] [MQTT-3.5.2-1]
refusals! {
    /// It does not say why.
    UnspecifiedError,
    /// The message is valid, but the application cannot deal with it.
    ImplementationSpecificError,
    /// It is not allowed.
    NotAuthorized,
    /// The application does not accept the Topic Name.
    TopicNameInvalid,
    /// A quota of the application's is used up.
    QuotaExceeded,
    /// The payload is not what Payload Format Indicator says.
    PayloadFormatInvalid,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PacketType;

    /// [MQTT-3.4.2-1] [MQTT-3.5.2-1]
    #[test]
    fn every_refusal_is_an_error_that_puback_and_pubrec_may_hold() {
        for refusal in Refusal::ALL {
            let reason_code = refusal.reason_code();
            assert!(reason_code.is_error(), "{refusal:?}");
            assert!(reason_code.allowed_in(PacketType::Puback), "{refusal:?}");
            assert!(reason_code.allowed_in(PacketType::Pubrec), "{refusal:?}");
        }
    }
}
