use core::fmt;

use crate::PacketType;

macro_rules! reason_codes {
    ($($name:ident = $value:literal, $text:literal, [$($packet:ident),*], $return_code:expr;)*) => {
        /// A Reason Code of MQTT 5.0 (section 2.4), or a 3.1.1 return code translated to one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum ReasonCode {
            $(#[doc = $text] $name = $value,)*
        }

        impl ReasonCode {
            /// Every Reason Code, by value.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// `None` for a value the standard does not name.
            pub const fn from_value(value: u8) -> Option<Self> {
                match value {
                    $($value => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// The name the standard gives it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// Whether the standard lists it for packets of this type.
            pub const fn allowed_in(self, packet_type: PacketType) -> bool {
                match self {
                    $(Self::$name => matches!(packet_type, $(PacketType::$packet)|*),)*
                }
            }

            /// The 3.1.1 CONNACK return code that says the same, or `None` when 3.1.1 has no word for it.
            pub const fn connect_return_code(self) -> Option<u8> {
                match self {
                    $(Self::$name => $return_code,)*
                }
            }
        }
    };
}

// Name, value, the standard's words, the packets it may stand in, the 3.1.1 CONNACK return code.
reason_codes! {
    Success = 0x00, "Success", [Connack, Puback, Pubrec, Pubrel, Pubcomp, Suback, Unsuback, Disconnect, Auth], Some(0);
    GrantedQos1 = 0x01, "Granted QoS 1", [Suback], None;
    GrantedQos2 = 0x02, "Granted QoS 2", [Suback], None;
    DisconnectWithWillMessage = 0x04, "Disconnect with Will Message", [Disconnect], None;
    NoMatchingSubscribers = 0x10, "No matching subscribers", [Puback, Pubrec], None;
    NoSubscriptionExisted = 0x11, "No subscription existed", [Unsuback], None;
    ContinueAuthentication = 0x18, "Continue authentication", [Auth], None;
    ReAuthenticate = 0x19, "Re-authenticate", [Auth], None;
    UnspecifiedError = 0x80, "Unspecified error", [Connack, Puback, Pubrec, Suback, Unsuback, Disconnect], None;
    MalformedPacket = 0x81, "Malformed Packet", [Connack, Disconnect], None;
    ProtocolError = 0x82, "Protocol Error", [Connack, Disconnect], None;
    ImplementationSpecificError = 0x83, "Implementation specific error", [Connack, Puback, Pubrec, Suback, Unsuback, Disconnect], None;
    UnsupportedProtocolVersion = 0x84, "Unsupported Protocol Version", [Connack], Some(1);
    ClientIdentifierNotValid = 0x85, "Client Identifier not valid", [Connack], Some(2);
    BadUserNameOrPassword = 0x86, "Bad User Name or Password", [Connack], Some(4);
    NotAuthorized = 0x87, "Not authorized", [Connack, Puback, Pubrec, Suback, Unsuback, Disconnect], Some(5);
    ServerUnavailable = 0x88, "Server unavailable", [Connack], Some(3);
    ServerBusy = 0x89, "Server busy", [Connack, Disconnect], Some(3);
    Banned = 0x8A, "Banned", [Connack], Some(5);
    ServerShuttingDown = 0x8B, "Server shutting down", [Disconnect], None;
    BadAuthenticationMethod = 0x8C, "Bad authentication method", [Connack, Disconnect], None;
    KeepAliveTimeout = 0x8D, "Keep Alive timeout", [Disconnect], None;
    SessionTakenOver = 0x8E, "Session taken over", [Disconnect], None;
    TopicFilterInvalid = 0x8F, "Topic Filter invalid", [Suback, Unsuback, Disconnect], None;
    TopicNameInvalid = 0x90, "Topic Name invalid", [Connack, Puback, Pubrec, Disconnect], None;
    PacketIdentifierInUse = 0x91, "Packet Identifier in use", [Puback, Pubrec, Suback, Unsuback], None;
    PacketIdentifierNotFound = 0x92, "Packet Identifier not found", [Pubrel, Pubcomp], None;
    ReceiveMaximumExceeded = 0x93, "Receive Maximum exceeded", [Disconnect], None;
    TopicAliasInvalid = 0x94, "Topic Alias invalid", [Disconnect], None;
    PacketTooLarge = 0x95, "Packet too large", [Connack, Disconnect], None;
    MessageRateTooHigh = 0x96, "Message rate too high", [Disconnect], None;
    QuotaExceeded = 0x97, "Quota exceeded", [Connack, Puback, Pubrec, Suback, Disconnect], Some(3);
    AdministrativeAction = 0x98, "Administrative action", [Disconnect], None;
    PayloadFormatInvalid = 0x99, "Payload format invalid", [Connack, Puback, Pubrec, Disconnect], None;
    RetainNotSupported = 0x9A, "Retain not supported", [Connack, Disconnect], None;
    QosNotSupported = 0x9B, "QoS not supported", [Connack, Disconnect], None;
    UseAnotherServer = 0x9C, "Use another server", [Connack, Disconnect], None;
    ServerMoved = 0x9D, "Server moved", [Connack, Disconnect], None;
    SharedSubscriptionsNotSupported = 0x9E, "Shared Subscriptions not supported", [Suback, Disconnect], None;
    ConnectionRateExceeded = 0x9F, "Connection rate exceeded", [Connack, Disconnect], Some(3);
    MaximumConnectTime = 0xA0, "Maximum connect time", [Disconnect], None;
    SubscriptionIdentifiersNotSupported = 0xA1, "Subscription Identifiers not supported", [Suback, Disconnect], None;
    WildcardSubscriptionsNotSupported = 0xA2, "Wildcard Subscriptions not supported", [Suback, Disconnect], None;
}

impl ReasonCode {
    /// The byte on the wire.
    pub const fn value(self) -> u8 {
        self as u8
    }

    /// Whether it is 0x80 or above.
    pub const fn is_error(self) -> bool {
        self.value() >= 0x80
    }

    /// The Reason Code of a 3.1.1 CONNACK return code; `None` for a reserved one.
    pub const fn from_connect_return_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Success),
            1 => Some(Self::UnsupportedProtocolVersion),
            2 => Some(Self::ClientIdentifierNotValid),
            3 => Some(Self::ServerUnavailable),
            4 => Some(Self::BadUserNameOrPassword),
            5 => Some(Self::NotAuthorized),
            _ => None,
        }
    }

    /// The 3.1.1 SUBACK return code that says the same: 0x80 for every error.
    // [v3 MQTT-3.9.3-2]
    pub(crate) const fn suback_return_code(self) -> u8 {
        if self.is_error() {
            Self::UnspecifiedError.value()
        } else {
            self.value()
        }
    }

    /// The Reason Code of a 3.1.1 SUBACK return code; `None` for a reserved one.
    // [v3 MQTT-3.9.3-2]
    pub(crate) const fn from_suback_return_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Success),
            1 => Some(Self::GrantedQos1),
            2 => Some(Self::GrantedQos2),
            0x80 => Some(Self::UnspecifiedError),
            _ => None,
        }
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#04X} {}", self.value(), self.name())
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::String, vec::Vec};

    use super::*;

    fn row(code: ReasonCode) -> String {
        let packets: Vec<_> = PacketType::ALL
            .into_iter()
            .filter(|packet_type| code.allowed_in(*packet_type))
            .map(PacketType::name)
            .collect();
        let v3 = code
            .connect_return_code()
            .map_or(String::new(), |code| format!("; 3.1.1 CONNACK {code}"));
        format!("{code}: {}{v3}", packets.join(" "))
    }

    /// [MQTT-3.2.2-8] [MQTT-3.4.2-1] [MQTT-3.5.2-1] [MQTT-3.6.2-1] [MQTT-3.7.2-1] [MQTT-3.9.3-2] [MQTT-3.11.3-2]
    /// [MQTT-3.14.2-1] [MQTT-3.15.2-1]
    #[test]
    fn every_reason_code_stands_where_section_2_4_says() {
        let rows: Vec<_> = ReasonCode::ALL.iter().copied().map(row).collect();
        insta::assert_snapshot!(rows.join("\n"));
    }

    #[test]
    fn every_other_value_is_no_reason_code() {
        let named: Vec<_> = (0..=u8::MAX).filter_map(ReasonCode::from_value).collect();
        assert_eq!(named, ReasonCode::ALL);
    }

    /// [v3 MQTT-3.9.3-2]
    #[test]
    fn what_3_1_1_can_say_comes_back_as_it_was() {
        for code in 0..=u8::MAX {
            if let Some(reason_code) = ReasonCode::from_connect_return_code(code) {
                assert_eq!(reason_code.connect_return_code(), Some(code));
            }
            if let Some(reason_code) = ReasonCode::from_suback_return_code(code) {
                assert_eq!(reason_code.suback_return_code(), code);
            }
        }
    }
}
