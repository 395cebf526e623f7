use core::fmt;

macro_rules! reason_codes {
    ($($(#[$doc:meta])* $name:ident = $value:literal, $text:literal;)*) => {
        /// A Reason Code of MQTT 5.0 (section 2.4), or a 3.1.1 return code translated to one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum ReasonCode {
            $($(#[$doc])* $name = $value,)*
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
        }
    };
}

reason_codes! {
    /// Success; also Normal disconnection and Granted QoS 0.
    Success = 0x00, "Success";
    /// SUBACK alone.
    GrantedQos1 = 0x01, "Granted QoS 1";
    /// SUBACK alone.
    GrantedQos2 = 0x02, "Granted QoS 2";
    /// DISCONNECT from a client that wants its Will published all the same.
    DisconnectWithWillMessage = 0x04, "Disconnect with Will Message";
    /// PUBACK and PUBREC.
    NoMatchingSubscribers = 0x10, "No matching subscribers";
    /// UNSUBACK.
    NoSubscriptionExisted = 0x11, "No subscription existed";
    /// AUTH.
    ContinueAuthentication = 0x18, "Continue authentication";
    /// AUTH.
    ReAuthenticate = 0x19, "Re-authenticate";
    /// No better code, or none the sender wants to tell.
    UnspecifiedError = 0x80, "Unspecified error";
    /// The bytes of a packet do not follow the standard.
    MalformedPacket = 0x81, "Malformed Packet";
    /// The packet is well formed, and not allowed here.
    ProtocolError = 0x82, "Protocol Error";
    /// Valid, but not accepted by this implementation.
    ImplementationSpecificError = 0x83, "Implementation specific error";
    /// CONNACK.
    UnsupportedProtocolVersion = 0x84, "Unsupported Protocol Version";
    /// CONNACK.
    ClientIdentifierNotValid = 0x85, "Client Identifier not valid";
    /// CONNACK.
    BadUserNameOrPassword = 0x86, "Bad User Name or Password";
    /// Not allowed.
    NotAuthorized = 0x87, "Not authorized";
    /// CONNACK.
    ServerUnavailable = 0x88, "Server unavailable";
    /// CONNACK and DISCONNECT.
    ServerBusy = 0x89, "Server busy";
    /// CONNACK.
    Banned = 0x8A, "Banned";
    /// DISCONNECT.
    ServerShuttingDown = 0x8B, "Server shutting down";
    /// CONNACK and DISCONNECT.
    BadAuthenticationMethod = 0x8C, "Bad authentication method";
    /// DISCONNECT: silence for one and a half times the Keep Alive.
    KeepAliveTimeout = 0x8D, "Keep Alive timeout";
    /// DISCONNECT: the Client Identifier connected again.
    SessionTakenOver = 0x8E, "Session taken over";
    /// SUBACK, UNSUBACK and DISCONNECT.
    TopicFilterInvalid = 0x8F, "Topic Filter invalid";
    /// CONNACK, PUBACK, PUBREC and DISCONNECT.
    TopicNameInvalid = 0x90, "Topic Name invalid";
    /// PUBACK, PUBREC, SUBACK and UNSUBACK.
    PacketIdentifierInUse = 0x91, "Packet Identifier in use";
    /// PUBREL and PUBCOMP.
    PacketIdentifierNotFound = 0x92, "Packet Identifier not found";
    /// DISCONNECT.
    ReceiveMaximumExceeded = 0x93, "Receive Maximum exceeded";
    /// DISCONNECT.
    TopicAliasInvalid = 0x94, "Topic Alias invalid";
    /// CONNACK and DISCONNECT.
    PacketTooLarge = 0x95, "Packet too large";
    /// DISCONNECT.
    MessageRateTooHigh = 0x96, "Message rate too high";
    /// A limit of the implementation or the administrator.
    QuotaExceeded = 0x97, "Quota exceeded";
    /// DISCONNECT.
    AdministrativeAction = 0x98, "Administrative action";
    /// CONNACK, PUBACK, PUBREC and DISCONNECT.
    PayloadFormatInvalid = 0x99, "Payload format invalid";
    /// CONNACK and DISCONNECT.
    RetainNotSupported = 0x9A, "Retain not supported";
    /// CONNACK and DISCONNECT.
    QosNotSupported = 0x9B, "QoS not supported";
    /// CONNACK and DISCONNECT.
    UseAnotherServer = 0x9C, "Use another server";
    /// CONNACK and DISCONNECT.
    ServerMoved = 0x9D, "Server moved";
    /// SUBACK and DISCONNECT.
    SharedSubscriptionsNotSupported = 0x9E, "Shared Subscriptions not supported";
    /// CONNACK and DISCONNECT.
    ConnectionRateExceeded = 0x9F, "Connection rate exceeded";
    /// DISCONNECT.
    MaximumConnectTime = 0xA0, "Maximum connect time";
    /// SUBACK and DISCONNECT.
    SubscriptionIdentifiersNotSupported = 0xA1, "Subscription Identifiers not supported";
    /// SUBACK and DISCONNECT.
    WildcardSubscriptionsNotSupported = 0xA2, "Wildcard Subscriptions not supported";
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

    /// The 3.1.1 CONNACK return code that says the same, or `None` when 3.1.1 has no word for it.
    pub const fn connect_return_code(self) -> Option<u8> {
        match self {
            Self::Success => Some(0),
            Self::UnsupportedProtocolVersion => Some(1),
            Self::ClientIdentifierNotValid => Some(2),
            Self::ServerUnavailable
            | Self::ServerBusy
            | Self::QuotaExceeded
            | Self::ConnectionRateExceeded => Some(3),
            Self::BadUserNameOrPassword => Some(4),
            Self::NotAuthorized | Self::Banned => Some(5),
            _ => None,
        }
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
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#04X} {}", self.value(), self.name())
    }
}
