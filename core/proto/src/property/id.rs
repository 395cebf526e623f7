use core::fmt;

use super::Property;

/// Where a property list stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Connect,
    /// In the payload of CONNECT, before the Will Topic.
    Will,
    Connack,
    Publish,
    Puback,
    Pubrec,
    Pubrel,
    Pubcomp,
    Subscribe,
    Suback,
    Unsubscribe,
    Unsuback,
    Disconnect,
    Auth,
}

macro_rules! property_ids {
    ($($name:ident = $value:literal, $text:literal, [$($place:ident),*], many [$($many:ident),*];)*) => {
        /// What a property is (section 2.2.2.2), without its value. Prints as the standard's name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum PropertyId {
            $(#[doc = $text] $name = $value,)*
        }

        impl PropertyId {
            /// Every one, by value.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// `None` for a value the standard does not name. The identifier is a Variable Byte Integer on the wire.
            pub const fn from_value(value: u32) -> Option<Self> {
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

            /// Whether it may stand there.
            pub(crate) const fn allowed_in(self, place: Place) -> bool {
                match self {
                    $(Self::$name => matches!(place, $(Place::$place)|*),)*
                }
            }

            /// Whether it may stand there more than once.
            pub(crate) const fn may_repeat(self, place: Place) -> bool {
                match self {
                    $(Self::$name => property_ids!(@one_of place [$($many),*]),)*
                }
            }
        }

        impl Property {
            /// What it is.
            pub const fn id(&self) -> PropertyId {
                match self {
                    $(Self::$name { .. } => PropertyId::$name,)*
                }
            }
        }
    };
    (@one_of $place:ident []) => { false };
    (@one_of $place:ident [$($one:ident),+]) => { matches!($place, $(Place::$one)|+) };
}

// Name, identifier, the standard's words, where it may stand, where it may stand more than once.
property_ids! {
    PayloadFormatIndicator = 0x01, "Payload Format Indicator", [Publish, Will], many [];
    MessageExpiryInterval = 0x02, "Message Expiry Interval", [Publish, Will], many [];
    ContentType = 0x03, "Content Type", [Publish, Will], many [];
    ResponseTopic = 0x08, "Response Topic", [Publish, Will], many [];
    CorrelationData = 0x09, "Correlation Data", [Publish, Will], many [];
    SubscriptionIdentifier = 0x0B, "Subscription Identifier", [Publish, Subscribe], many [Publish];
    SessionExpiryInterval = 0x11, "Session Expiry Interval", [Connect, Connack, Disconnect], many [];
    AssignedClientIdentifier = 0x12, "Assigned Client Identifier", [Connack], many [];
    ServerKeepAlive = 0x13, "Server Keep Alive", [Connack], many [];
    AuthenticationMethod = 0x15, "Authentication Method", [Connect, Connack, Auth], many [];
    AuthenticationData = 0x16, "Authentication Data", [Connect, Connack, Auth], many [];
    RequestProblemInformation = 0x17, "Request Problem Information", [Connect], many [];
    WillDelayInterval = 0x18, "Will Delay Interval", [Will], many [];
    RequestResponseInformation = 0x19, "Request Response Information", [Connect], many [];
    ResponseInformation = 0x1A, "Response Information", [Connack], many [];
    ServerReference = 0x1C, "Server Reference", [Connack, Disconnect], many [];
    ReasonString = 0x1F, "Reason String", [Connack, Puback, Pubrec, Pubrel, Pubcomp, Suback, Unsuback, Disconnect, Auth], many [];
    ReceiveMaximum = 0x21, "Receive Maximum", [Connect, Connack], many [];
    TopicAliasMaximum = 0x22, "Topic Alias Maximum", [Connect, Connack], many [];
    TopicAlias = 0x23, "Topic Alias", [Publish], many [];
    MaximumQos = 0x24, "Maximum QoS", [Connack], many [];
    RetainAvailable = 0x25, "Retain Available", [Connack], many [];
    UserProperty = 0x26, "User Property", [Connect, Connack, Publish, Puback, Pubrec, Pubrel, Pubcomp, Subscribe, Suback, Unsubscribe, Unsuback, Disconnect, Auth, Will], many [Connect, Connack, Publish, Puback, Pubrec, Pubrel, Pubcomp, Subscribe, Suback, Unsubscribe, Unsuback, Disconnect, Auth, Will];
    MaximumPacketSize = 0x27, "Maximum Packet Size", [Connect, Connack], many [];
    WildcardSubscriptionAvailable = 0x28, "Wildcard Subscription Available", [Connack], many [];
    SubscriptionIdentifierAvailable = 0x29, "Subscription Identifier Available", [Connack], many [];
    SharedSubscriptionAvailable = 0x2A, "Shared Subscription Available", [Connack], many [];
}

impl PropertyId {
    /// The number on the wire, where it takes one byte.
    pub const fn value(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for PropertyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::String, vec::Vec};

    use super::*;

    const PLACES: [Place; 14] = [
        Place::Connect,
        Place::Will,
        Place::Connack,
        Place::Publish,
        Place::Puback,
        Place::Pubrec,
        Place::Pubrel,
        Place::Pubcomp,
        Place::Subscribe,
        Place::Suback,
        Place::Unsubscribe,
        Place::Unsuback,
        Place::Disconnect,
        Place::Auth,
    ];

    /// `Publish+` says that it may repeat there.
    fn row(id: PropertyId) -> String {
        let places: Vec<_> = PLACES
            .into_iter()
            .filter(|place| id.allowed_in(*place))
            .map(|place| format!("{place:?}{}", if id.may_repeat(place) { "+" } else { "" }))
            .collect();
        format!("{:#04X} {id}: {}", id.value(), places.join(" "))
    }

    #[test]
    fn every_property_stands_where_section_2_2_2_2_says() {
        let rows: Vec<_> = PropertyId::ALL.iter().copied().map(row).collect();
        insta::assert_snapshot!(rows.join("\n"));
    }

    #[test]
    fn every_other_value_is_no_property() {
        let named: Vec<_> = (0..=0x1_0000).filter_map(PropertyId::from_value).collect();
        assert_eq!(named, PropertyId::ALL);
    }
}
