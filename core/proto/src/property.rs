mod id;

use core::num::{NonZeroU16, NonZeroU32};

use alloc::vec::Vec;

use crate::{Binary, SubscriptionId, Text, TopicAlias, TopicName};

pub(crate) use self::id::Place;
pub use self::id::PropertyId;

/// One property of an MQTT 5.0 packet (section 2.2.2.2), holding only values the standard allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Property {
    /// 0x01: whether the payload is UTF-8 text.
    PayloadFormatIndicator(bool),
    /// 0x02: seconds.
    MessageExpiryInterval(u32),
    /// 0x03.
    ContentType(Text),
    /// 0x08: a Topic Name, so no wildcards. [MQTT-3.3.2-14]
    ResponseTopic(TopicName),
    /// 0x09.
    CorrelationData(Binary),
    /// 0x0B.
    SubscriptionIdentifier(SubscriptionId),
    /// 0x11: seconds; 0xFFFFFFFF never expires.
    SessionExpiryInterval(u32),
    /// 0x12.
    AssignedClientIdentifier(Text),
    /// 0x13: seconds.
    ServerKeepAlive(u16),
    /// 0x15.
    AuthenticationMethod(Text),
    /// 0x16.
    AuthenticationData(Binary),
    /// 0x17.
    RequestProblemInformation(bool),
    /// 0x18: seconds.
    WillDelayInterval(u32),
    /// 0x19.
    RequestResponseInformation(bool),
    /// 0x1A.
    ResponseInformation(Text),
    /// 0x1C.
    ServerReference(Text),
    /// 0x1F.
    ReasonString(Text),
    /// 0x21: messages; never zero.
    ReceiveMaximum(NonZeroU16),
    /// 0x22.
    TopicAliasMaximum(u16),
    /// 0x23.
    TopicAlias(TopicAlias),
    /// 0x24: whether QoS 1 is the maximum (`true`) or QoS 0 (`false`). Absent means QoS 2.
    MaximumQos(bool),
    /// 0x25.
    RetainAvailable(bool),
    /// 0x26: may stand many times, its order is kept.
    UserProperty(Text, Text),
    /// 0x27: bytes; never zero.
    MaximumPacketSize(NonZeroU32),
    /// 0x28.
    WildcardSubscriptionAvailable(bool),
    /// 0x29.
    SubscriptionIdentifierAvailable(bool),
    /// 0x2A.
    SharedSubscriptionAvailable(bool),
}

impl Property {
    fn detach(&mut self) {
        match self {
            Self::ContentType(text)
            | Self::AssignedClientIdentifier(text)
            | Self::AuthenticationMethod(text)
            | Self::ResponseInformation(text)
            | Self::ServerReference(text)
            | Self::ReasonString(text) => *text = text.detached(),
            Self::ResponseTopic(topic) => *topic = topic.detached(),
            Self::CorrelationData(bytes) | Self::AuthenticationData(bytes) => *bytes = bytes.detached(),
            Self::UserProperty(name, value) => {
                *name = name.detached();
                *value = value.detached();
            }
            Self::PayloadFormatIndicator(_)
            | Self::MessageExpiryInterval(_)
            | Self::SubscriptionIdentifier(_)
            | Self::SessionExpiryInterval(_)
            | Self::ServerKeepAlive(_)
            | Self::RequestProblemInformation(_)
            | Self::WillDelayInterval(_)
            | Self::RequestResponseInformation(_)
            | Self::ReceiveMaximum(_)
            | Self::TopicAliasMaximum(_)
            | Self::TopicAlias(_)
            | Self::MaximumQos(_)
            | Self::RetainAvailable(_)
            | Self::MaximumPacketSize(_)
            | Self::WildcardSubscriptionAvailable(_)
            | Self::SubscriptionIdentifierAvailable(_)
            | Self::SharedSubscriptionAvailable(_) => {}
        }
    }
}

/// The properties of a packet or a Will, in the order of the wire. Always empty in 3.1.1. An empty list allocates nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties(Vec<Property>);

impl Properties {
    /// No properties.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds one at the end. Whether a property may stand in a packet, and how often, is for the caller to know; the
    /// decoder refuses what the standard does not allow.
    pub fn push(&mut self, property: Property) {
        self.0.push(property);
    }

    /// The same in bytes of their own, which keep no larger buffer alive.
    pub(crate) fn detached(mut self) -> Self {
        self.0.iter_mut().for_each(Property::detach);
        self
    }

    /// In the order of the wire.
    pub fn iter(&self) -> core::slice::Iter<'_, Property> {
        self.0.iter()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Keeps only those for which `keep` says so.
    pub fn retain(&mut self, keep: impl FnMut(&Property) -> bool) {
        self.0.retain(keep);
    }

    /// All Subscription Identifiers, in order.
    pub fn subscription_identifiers(&self) -> impl Iterator<Item = SubscriptionId> {
        self.0.iter().filter_map(|property| {
            if let Property::SubscriptionIdentifier(id) = property {
                Some(*id)
            } else {
                None
            }
        })
    }

    /// All User Properties, in order.
    pub fn user_properties(&self) -> impl Iterator<Item = (&Text, &Text)> {
        self.0.iter().filter_map(|property| {
            if let Property::UserProperty(name, value) = property {
                Some((name, value))
            } else {
                None
            }
        })
    }
}

macro_rules! getters {
    ($($(#[$doc:meta])* $name:ident: $variant:ident => $type:ty;)*) => {
        impl Properties {
            $(
                $(#[$doc])*
                pub fn $name(&self) -> Option<$type> {
                    self.0.iter().find_map(|property| {
                        if let Property::$variant(value) = property { Some(value.clone()) } else { None }
                    })
                }
            )*
        }
    };
}

getters! {
    /// Whether the payload is UTF-8 text, if the sender said.
    payload_format_indicator: PayloadFormatIndicator => bool;
    /// Seconds, if limited.
    message_expiry_interval: MessageExpiryInterval => u32;
    /// What the payload is, in the application's words.
    content_type: ContentType => Text;
    /// Where a response is wanted.
    response_topic: ResponseTopic => TopicName;
    /// What a response is matched by.
    correlation_data: CorrelationData => Binary;
    /// Seconds; 0xFFFFFFFF never expires.
    session_expiry_interval: SessionExpiryInterval => u32;
    /// The Client Identifier the server chose.
    assigned_client_identifier: AssignedClientIdentifier => Text;
    /// Seconds.
    server_keep_alive: ServerKeepAlive => u16;
    /// The name of the enhanced authentication method.
    authentication_method: AuthenticationMethod => Text;
    /// Defined by the authentication method.
    authentication_data: AuthenticationData => Binary;
    /// Whether Reason String and User Property may be sent on any packet.
    request_problem_information: RequestProblemInformation => bool;
    /// Seconds.
    will_delay_interval: WillDelayInterval => u32;
    /// Whether the client asks for Response Information.
    request_response_information: RequestResponseInformation => bool;
    /// The basis of a Response Topic.
    response_information: ResponseInformation => Text;
    /// Another server to use.
    server_reference: ServerReference => Text;
    /// For people.
    reason_string: ReasonString => Text;
    /// Unacknowledged QoS 1 and 2 messages the sender of this takes at a time.
    receive_maximum: ReceiveMaximum => NonZeroU16;
    /// The highest Topic Alias the sender of this takes.
    topic_alias_maximum: TopicAliasMaximum => u16;
    /// Stands for the Topic Name.
    topic_alias: TopicAlias => TopicAlias;
    /// Whether QoS 1 is the maximum (`true`) or QoS 0 (`false`).
    maximum_qos: MaximumQos => bool;
    /// Whether the server keeps retained messages.
    retain_available: RetainAvailable => bool;
    /// Bytes of the largest packet the sender of this takes.
    maximum_packet_size: MaximumPacketSize => NonZeroU32;
    /// Whether `+` and `#` are allowed.
    wildcard_subscription_available: WildcardSubscriptionAvailable => bool;
    /// Whether Subscription Identifiers are allowed.
    subscription_identifier_available: SubscriptionIdentifierAvailable => bool;
    /// Whether `$share` is allowed.
    shared_subscription_available: SharedSubscriptionAvailable => bool;
}

impl FromIterator<Property> for Properties {
    fn from_iter<I: IntoIterator<Item = Property>>(properties: I) -> Self {
        Self(properties.into_iter().collect())
    }
}

impl<'a> IntoIterator for &'a Properties {
    type Item = &'a Property;
    type IntoIter = core::slice::Iter<'a, Property>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
