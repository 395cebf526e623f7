use alloc::boxed::Box;
use core::{
    num::{NonZeroU16, NonZeroU32},
    time::Duration,
};

use super::{Acknowledge, AtMostOnceOffline, Misuse, Overflow, authenticate::method_and_data, properties};
use crate::{Binary, Connect, Packet, Properties, Property, Text, Version, Will};

/// What a client says of itself in CONNECT, and its own limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Which version it speaks.
    pub version: Version,
    /// May be empty: the server then chooses one, which later connections use.
    pub client_id: Text,
    /// Whether the first connection throws away any session the server has. In 3.1.1 every connection says the same, and its
    /// session ends with it.
    pub clean_start: bool,
    /// Seconds the session outlives the connection in 5.0; 0 ends it with the connection, `u32::MAX` never does.
    pub session_expiry_interval: u32,
    /// Whether the first connection takes up a session that the server has and this client knows nothing of, one left by an
    /// earlier process. Otherwise the client closes that connection, as 5.0 demands.
    pub adopt_session: bool,
    /// Seconds of silence after which PINGREQ is sent, unless the server names others; 0 sends none.
    pub keep_alive: u16,
    /// What the server publishes when the connection ends without DISCONNECT.
    pub will: Option<Will>,
    /// User Name.
    pub user_name: Option<Text>,
    /// Password.
    pub password: Option<Binary>,
    /// Authentication Method. The [`Output`](super::Output) then answers for it, and a server that does not know it refuses the
    /// connection.
    pub authentication_method: Option<Text>,
    /// Unfinished QoS 1 and 2 messages taken from a 5.0 server at a time. Not 0.
    pub receive_maximum: u16,
    /// Bytes of the largest packet taken; announced in 5.0 when below [`Options::PACKET_SIZE_MAX`]. Not 0.
    pub packet_size_max: u32,
    /// The highest Topic Alias taken from the server.
    pub topic_alias_maximum: u16,
    /// How many of its topics this client gives Topic Aliases at a time, if a 5.0 server takes as many: those it used last. 0 for none.
    pub topic_aliases: u16,
    /// When messages from the server are acknowledged.
    pub acknowledge: Acknowledge,
    /// User Properties, Request Response Information and Request Problem Information of CONNECT.
    pub properties: Properties,
    /// Unfinished QoS 1 and 2 messages sent at a time, if the server does not want fewer. Not 0.
    pub inflight: u16,
    /// Messages that wait to be sent, and as many requests. Not 0. Messages that were sent do not count.
    pub queued: usize,
    /// Bytes of Topic Names and payloads with which no other message is taken; the last one may go over. Not 0.
    pub queued_bytes: usize,
    /// What becomes of a message for which there is no room.
    pub overflow: Overflow,
    /// What becomes of a QoS 0 message while there is no connection.
    pub at_most_once_offline: AtMostOnceOffline,
    /// When subscriptions are made again on a new connection.
    pub resubscribe: Resubscribe,
    /// What becomes of QoS 2 messages without PUBREC when the server has lost the session.
    pub session_lost: SessionLost,
    /// From CONNECT to CONNACK.
    pub connect_timeout: Duration,
    /// From PINGREQ to PINGRESP.
    pub ping_timeout: Duration,
}

/// What becomes of a QoS 2 message that was sent, but not acknowledged, when its session is lost: nobody knows any more whether
/// the server has it. A QoS 1 message is always published again, one with PUBREC never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SessionLost {
    /// It is published again as a new message: it may arrive twice.
    #[default]
    PublishAgain,
    /// It fails with [`Failure::SessionLost`](super::Failure::SessionLost): it may not have arrived.
    Fail,
}

/// When the subscriptions that the server granted are made again, with their options and Subscription Identifiers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Resubscribe {
    /// On each connection. Where the server still has the session, a 5.0 server is asked not to send retained messages again.
    Always,
    /// When the server has lost the session.
    #[default]
    WhenSessionLost,
    /// Never: that is the application's business. What it asked for and the server has not answered is still asked again.
    Never,
}

impl Options {
    /// Bytes of the largest packet there can be.
    pub const PACKET_SIZE_MAX: u32 = 268_435_460;

    /// A clean session that ends with the connection, Keep Alive 60 s, and no Will.
    pub const fn new(version: Version, client_id: Text) -> Self {
        Self {
            version,
            client_id,
            clean_start: true,
            session_expiry_interval: 0,
            adopt_session: false,
            keep_alive: 60,
            will: None,
            user_name: None,
            password: None,
            authentication_method: None,
            receive_maximum: u16::MAX,
            packet_size_max: Self::PACKET_SIZE_MAX,
            topic_alias_maximum: 0,
            topic_aliases: 0,
            acknowledge: Acknowledge::Automatic,
            properties: Properties::new(),
            inflight: 1024,
            queued: 10_000,
            queued_bytes: 64 << 20,
            overflow: Overflow::Wait,
            at_most_once_offline: AtMostOnceOffline::Queue,
            resubscribe: Resubscribe::WhenSessionLost,
            session_lost: SessionLost::PublishAgain,
            connect_timeout: Duration::from_secs(10),
            ping_timeout: Duration::from_secs(10),
        }
    }

    /// A session that is taken up again after a connection, for either version.
    pub const fn persistent(version: Version, client_id: Text) -> Self {
        let mut options = Self::new(version, client_id);
        options.clean_start = false;
        if let Version::V5 = version {
            options.session_expiry_interval = u32::MAX;
        }
        options
    }

    pub(super) fn check(&self) -> Result<(), Misuse> {
        for (value, name) in [
            (self.queued, "queued messages"),
            (self.queued_bytes, "queued bytes"),
        ] {
            if value == 0 {
                return Err(Misuse::Zero(name));
            }
        }
        for (value, name) in [
            (u32::from(self.receive_maximum), "receive maximum"),
            (u32::from(self.inflight), "inflight"),
            (self.packet_size_max, "maximum packet size"),
        ] {
            if value == 0 {
                return Err(Misuse::Zero(name));
            }
        }
        if let Version::V3_1_1 = self.version {
            self.check_v3()?;
        }
        properties::check(self.version, &self.properties, |property| {
            matches!(
                property,
                Property::RequestResponseInformation(_)
                    | Property::RequestProblemInformation(_)
                    | Property::UserProperty(..)
            )
        })?;
        self.will
            .as_ref()
            .map_or(Ok(()), |will| check_will(self.version, will))
    }

    fn check_v3(&self) -> Result<(), Misuse> {
        // [v3 MQTT-3.1.3-7]
        if self.client_id.is_empty() && !self.clean_start {
            return Err(Misuse::EmptyClientIdNeedsCleanStart);
        }
        // [v3 MQTT-3.1.2-22]
        if self.password.is_some() && self.user_name.is_none() {
            return Err(Misuse::PasswordNeedsUserName);
        }
        if self.session_expiry_interval != 0 {
            return Err(Misuse::NeedsVersion5("session expiry intervals"));
        }
        if self.authentication_method.is_some() {
            return Err(Misuse::NeedsVersion5("authentication methods"));
        }
        Ok(())
    }

    pub(super) fn connect(&self, client_id: &Text, clean_start: bool, data: Option<Binary>) -> Packet {
        Packet::Connect(Box::new(Connect {
            version: self.version,
            clean_start,
            keep_alive: self.keep_alive,
            client_id: client_id.clone(),
            will: self.will.clone(),
            user_name: self.user_name.clone(),
            password: self.password.clone(),
            properties: self.connect_properties(data),
        }))
    }

    fn connect_properties(&self, data: Option<Binary>) -> Properties {
        if self.version == Version::V3_1_1 {
            return Properties::new();
        }
        let expiry = (self.session_expiry_interval != 0)
            .then_some(Property::SessionExpiryInterval(self.session_expiry_interval));
        let receive_maximum = NonZeroU16::new(self.receive_maximum)
            .filter(|maximum| maximum.get() != u16::MAX)
            .map(Property::ReceiveMaximum);
        let packet_size = NonZeroU32::new(self.packet_size_max)
            .filter(|size| size.get() < Self::PACKET_SIZE_MAX)
            .map(Property::MaximumPacketSize);
        let aliases =
            (self.topic_alias_maximum != 0).then_some(Property::TopicAliasMaximum(self.topic_alias_maximum));
        [expiry, receive_maximum, packet_size, aliases]
            .into_iter()
            .flatten()
            .chain(method_and_data(self.authentication_method.clone(), data))
            .chain(self.properties.iter().cloned())
            .collect()
    }
}

fn check_will(version: Version, will: &Will) -> Result<(), Misuse> {
    properties::check(version, &will.properties, |property| {
        matches!(
            property,
            Property::WillDelayInterval(_)
                | Property::PayloadFormatIndicator(_)
                | Property::MessageExpiryInterval(_)
                | Property::ContentType(_)
                | Property::ResponseTopic(_)
                | Property::CorrelationData(_)
                | Property::UserProperty(..)
        )
    })
}
