use alloc::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    vec::Vec,
};
use core::time::Duration;

use super::{
    Acknowledge, Message, Misuse, Options, Output, Subscription, Why, alias::Aliases, request::Request,
};
use crate::{
    Ack, Connack, Instant, Packet, PacketId, Qos, ReasonCode, TopicAlias, TopicFilter, TopicName, Version,
    Violation, encoded_len,
};

/// Bytes that a Topic Alias adds at most: itself, and a byte for each length before it that grows.
const ALIAS_BYTES: usize = 5;

/// What ends with the connection.
#[derive(Debug)]
pub(super) struct Connection {
    /// Never used twice.
    number: u64,
    version: Version,
    acknowledge: Acknowledge,
    limits: ServerLimits,
    session_outlives_it: bool,
    keep_alive: Option<Duration>,
    ping_timeout: Duration,
    topic_alias_maximum: u16,
    receive_maximum: usize,
    last_sent: Instant,
    last_received: Instant,
    pingresp_deadline: Option<Instant>,
    speechless: bool,
    /// What the server's aliases stand for.
    // [MQTT-3.3.2-7] They end with the connection.
    pub(super) aliases: BTreeMap<TopicAlias, TopicName>,
    our_aliases: Aliases,
    /// Packet Identifiers of QoS 2 messages that came on this connection, without PUBREL: what counts for our Receive Maximum.
    pub(super) received: BTreeSet<PacketId>,
    /// QoS 1 messages that came on this connection and have no PUBACK, in order.
    pub(super) pubacks: VecDeque<PacketId>,
    /// QoS 2 PUBLISH packets that came on this connection and have no PUBREC, in order.
    pub(super) pubrecs: VecDeque<PacketId>,
    /// SUBSCRIBE and UNSUBSCRIBE without an answer, with the order they were sent in.
    pub(super) requests: BTreeMap<PacketId, (u64, Request)>,
    /// PUBLISH packets of the session that are still to be sent again, in order.
    pub(super) resend: VecDeque<PacketId>,
}

/// What the server said it takes.
#[derive(Debug)]
struct ServerLimits {
    receive_maximum: usize,
    packet_size_max: usize,
    maximum_qos: Qos,
    retain: bool,
    wildcard_subscriptions: bool,
    subscription_identifiers: bool,
    shared_subscriptions: bool,
}

impl Connection {
    /// CONNACK came at `now`, and the client said the last before it at `last_sent`.
    pub(super) fn new(
        number: u64,
        (last_sent, now): (Instant, Instant),
        options: &Options,
        connack: &Connack,
    ) -> Self {
        let properties = &connack.properties;
        let expiry = properties
            .session_expiry_interval()
            .unwrap_or(options.session_expiry_interval);
        // [MQTT-3.1.2-21] [MQTT-3.2.2-21]
        let keep_alive = properties.server_keep_alive().unwrap_or(options.keep_alive);
        Self {
            number,
            version: options.version,
            acknowledge: options.acknowledge,
            limits: ServerLimits::new(options, connack),
            // [MQTT-3.1.2-23] [v3 MQTT-3.1.2-4] [v3 MQTT-3.1.2-6]
            session_outlives_it: match options.version {
                Version::V3_1_1 => !options.clean_start,
                Version::V5 => expiry != 0,
            },
            keep_alive: (keep_alive != 0).then(|| Duration::from_secs(keep_alive.into())),
            ping_timeout: options.ping_timeout,
            topic_alias_maximum: options.topic_alias_maximum,
            receive_maximum: match options.version {
                Version::V3_1_1 => usize::from(u16::MAX),
                Version::V5 => options.receive_maximum.into(),
            },
            last_sent,
            last_received: now,
            pingresp_deadline: None,
            speechless: false,
            aliases: BTreeMap::new(),
            our_aliases: Aliases::new(
                properties
                    .topic_alias_maximum()
                    .unwrap_or(0)
                    .min(options.topic_aliases),
            ),
            received: BTreeSet::new(),
            pubacks: VecDeque::new(),
            pubrecs: VecDeque::new(),
            requests: BTreeMap::new(),
            resend: VecDeque::new(),
        }
    }

    pub(super) const fn version(&self) -> Version {
        self.version
    }

    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    pub(super) const fn acknowledge(&self) -> Acknowledge {
        self.acknowledge
    }

    pub(super) const fn session_outlives_it(&self) -> bool {
        self.session_outlives_it
    }

    /// DISCONNECT says so.
    pub(super) const fn expire_session_after(&mut self, seconds: u32) {
        self.session_outlives_it = seconds != 0;
    }

    /// Sends a packet. One that cannot be left out and is too large for the server ends the connection.
    // [MQTT-3.2.2-15]
    pub(super) fn send(&mut self, now: Instant, packet: &Packet, out: &mut impl Output) {
        if self.permits_size(packet).is_err() {
            self.speechless = true;
            return;
        }
        self.last_sent = now;
        out.send(packet.into());
    }

    /// Whether something that had to be said did not fit in the server's Maximum Packet Size.
    pub(super) const fn is_speechless(&self) -> bool {
        self.speechless
    }

    /// Sends a PUBLISH for the first time, with a Topic Alias if there is one to be had and room for it.
    pub(super) fn send_first(&mut self, now: Instant, packet: &Packet, out: &mut impl Output) {
        let room = encoded_len(self.version, packet.into()) + ALIAS_BYTES <= self.limits.packet_size_max;
        if let (Packet::Publish(publish), true) = (packet, room)
            && let Some(short) = self.our_aliases.shorten(publish)
        {
            return self.send(now, &Packet::Publish(short), out);
        }
        self.send(now, packet, out);
    }

    /// An acknowledgement with a Reason Code, which 3.1.1 has no room for.
    // [MQTT-3.4.2-2] [MQTT-3.4.2-3] [MQTT-3.5.2-2] [MQTT-3.5.2-3] [MQTT-3.6.2-2] [MQTT-3.6.2-3] [MQTT-3.7.2-2] [MQTT-3.7.2-3]
    // Without Reason String and User Properties it fits wherever one fits at all.
    pub(super) const fn ack(&self, packet_id: PacketId, reason_code: ReasonCode) -> Ack {
        match self.version {
            Version::V3_1_1 => Ack::success(packet_id),
            Version::V5 => Ack::of(packet_id, reason_code),
        }
    }

    pub(super) const fn heard(&mut self, now: Instant) {
        self.last_received = now;
    }

    pub(super) const fn pingresp(&mut self) {
        self.pingresp_deadline = None;
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        [self.ping_due(), self.pingresp_deadline]
            .into_iter()
            .flatten()
            .min()
    }

    /// Sends PINGREQ when it is due; says so when PINGRESP is late.
    pub(super) fn tick(&mut self, now: Instant, reading: bool, out: &mut impl Output) -> Option<Why> {
        match self.pingresp_deadline {
            Some(deadline) if now >= deadline && reading => return Some(Why::PingrespTimeout),
            Some(deadline) if now >= deadline => self.pingresp_deadline = Some(now + self.ping_timeout),
            Some(_) | None => {}
        }
        if self.ping_due().is_some_and(|due| now >= due) {
            self.send(now, &Packet::Pingreq, out);
            self.pingresp_deadline.get_or_insert(now + self.ping_timeout);
        }
        None
    }

    /// When we have sent nothing for the Keep Alive; or, unless a PINGRESP is on its way, heard nothing: a client that only
    /// sends would otherwise never learn that nobody listens.
    // [MQTT-3.1.2-20] [v3 MQTT-3.1.2-23]
    fn ping_due(&self) -> Option<Instant> {
        let silent_since = match self.pingresp_deadline {
            Some(_) => self.last_sent,
            None => self.last_sent.min(self.last_received),
        };
        self.keep_alive.map(|keep_alive| silent_since + keep_alive)
    }

    /// Notes that a QoS 1 or 2 PUBLISH is to be answered, in its turn, and counts it against our Receive Maximum: from PUBLISH to
    /// PUBACK, or to PUBREL. A `repeat` of one that has not been answered adds nothing.
    // [MQTT-3.3.4-9] [X5-3.3.4-3]
    pub(super) fn take(&mut self, packet_id: PacketId, qos: Qos, repeat: bool) -> Result<(), Violation> {
        if repeat {
            return Ok(());
        }
        match qos {
            Qos::AtMostOnce => {}
            Qos::AtLeastOnce => self.pubacks.push_back(packet_id),
            Qos::ExactlyOnce => {
                self.pubrecs.push_back(packet_id);
                self.received.insert(packet_id);
            }
        }
        if self.pubacks.len() + self.received.len() > self.receive_maximum {
            return Err(Violation::ReceiveMaximumExceeded);
        }
        Ok(())
    }

    /// The highest Topic Alias we announced.
    pub(super) const fn topic_alias_maximum(&self) -> u16 {
        self.topic_alias_maximum
    }

    /// How many more QoS 1 and 2 PUBLISH packets the server takes, while `unfinished` messages are in the session.
    // [MQTT-4.9.0-1] [MQTT-4.9.0-2] [MQTT-3.3.4-7]
    pub(super) fn send_quota(&self, unfinished: usize) -> usize {
        let in_flight = unfinished.saturating_sub(self.resend.len());
        self.limits.receive_maximum.saturating_sub(in_flight)
    }

    /// What was asked and not answered, in order.
    pub(super) fn take_requests(&mut self) -> Vec<Request> {
        let mut requests: Vec<_> = core::mem::take(&mut self.requests).into_values().collect();
        requests.sort_unstable_by_key(|(order, _)| *order);
        requests.into_iter().map(|(_, request)| request).collect()
    }

    /// Whether the server takes this message.
    pub(super) fn permits_message(&self, message: &Message, packet: &Packet) -> Result<(), Misuse> {
        // [MQTT-3.2.2-11]
        if message.qos > self.limits.maximum_qos {
            return Err(Misuse::QosNotSupported(self.limits.maximum_qos));
        }
        // [MQTT-3.2.2-14]
        if message.retain && !self.limits.retain {
            return Err(Misuse::RetainNotSupported);
        }
        self.permits_size(packet)
    }

    /// Whether the server takes this SUBSCRIBE.
    pub(super) fn permits_subscription(
        &self,
        subscription: &Subscription,
        packet: &Packet,
    ) -> Result<(), Misuse> {
        let limits = &self.limits;
        let any = |is: fn(&TopicFilter) -> bool| subscription.filters.iter().any(|(filter, _)| is(filter));
        if !limits.wildcard_subscriptions && any(TopicFilter::has_wildcard) {
            return Err(Misuse::WildcardSubscriptionsNotSupported);
        }
        if !limits.shared_subscriptions && any(|filter| filter.share_name().is_some()) {
            return Err(Misuse::SharedSubscriptionsNotSupported);
        }
        if !limits.subscription_identifiers
            && subscription
                .properties
                .subscription_identifiers()
                .next()
                .is_some()
        {
            return Err(Misuse::SubscriptionIdentifiersNotSupported);
        }
        self.permits_size(packet)
    }

    // [MQTT-3.2.2-15]
    pub(super) fn permits_size(&self, packet: &Packet) -> Result<(), Misuse> {
        let size = encoded_len(self.version, packet.into());
        let size_max = self.limits.packet_size_max;
        if size > size_max {
            return Err(Misuse::PacketTooLarge { size, size_max });
        }
        Ok(())
    }
}

impl ServerLimits {
    fn new(options: &Options, connack: &Connack) -> Self {
        let properties = &connack.properties;
        let receive_maximum = properties
            .receive_maximum()
            .map_or(u16::MAX, |maximum| maximum.get());
        let packet_size_max = properties
            .maximum_packet_size()
            .map_or(Options::PACKET_SIZE_MAX, |maximum| maximum.get());
        Self {
            receive_maximum: receive_maximum.min(options.inflight).into(),
            packet_size_max: usize::try_from(packet_size_max).unwrap_or(usize::MAX),
            maximum_qos: match properties.maximum_qos() {
                None => Qos::ExactlyOnce,
                Some(true) => Qos::AtLeastOnce,
                Some(false) => Qos::AtMostOnce,
            },
            retain: properties.retain_available().unwrap_or(true),
            wildcard_subscriptions: properties.wildcard_subscription_available().unwrap_or(true),
            subscription_identifiers: properties.subscription_identifier_available().unwrap_or(true),
            shared_subscriptions: properties.shared_subscription_available().unwrap_or(true),
        }
    }
}
