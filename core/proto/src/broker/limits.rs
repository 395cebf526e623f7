use core::time::Duration;

use crate::Qos;

/// What the broker grants its clients. Each bound is met with a refusal that the standard names, never with a lost guarantee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time; one more is refused with 0x97 (Quota exceeded).
    pub connections: usize,
    /// Connections a second, and as many at once after a quiet second; one more is refused with 0x9F (Connection rate exceeded).
    pub connections_per_second: u32,
    /// Sessions at a time, with and without a connection; one more is refused with 0x97 (Quota exceeded).
    pub sessions: usize,
    /// From the opening of a connection to its CONNECT.
    pub connect_timeout: Duration,
    /// Bytes of the largest packet taken (fixed header included). The decoder enforces it, CONNACK announces it. At most
    /// [`Limits::PACKET_SIZE_MAX`].
    pub packet_size: u32,
    /// Unfinished QoS 1 and 2 messages taken from a client at a time: Receive Maximum in CONNACK.
    pub receive_maximum: u16,
    /// Unfinished QoS 1 and 2 messages sent to a client at a time, if its own Receive Maximum is not lower.
    pub inflight: u16,
    /// Messages that wait for a session (offline or behind its send quota). Beyond it the newest is dropped and noted.
    pub queued_messages: usize,
    /// Bytes of payload, topic and properties that wait for a session.
    pub queued_bytes: usize,
    /// Bytes of payload, topic and properties that wait in memory, for all sessions together; a message counts once. More wait in the store
    /// alone. Only with a store.
    pub queue_in_memory: usize,
    /// Unsent bytes of a connection beyond which QoS 0 messages are dropped and QoS 1 and 2 wait in the session.
    pub unsent_bytes_soft: usize,
    /// Unsent bytes of a connection beyond which it is closed with 0x97 (Quota exceeded).
    pub unsent_bytes: usize,
    /// Subscriptions of a session; one more gets 0x97 in SUBACK.
    pub subscriptions: usize,
    /// Subscriptions of all sessions; one more gets 0x97 in SUBACK.
    pub subscriptions_total: usize,
    /// Bytes of a Topic Name or Topic Filter, `$share/{ShareName}/` included; more get 0x90 or 0x8F.
    pub topic_bytes: usize,
    /// Levels of a Topic Name or Topic Filter; more get 0x90 or 0x8F.
    pub topic_levels: usize,
    /// Retained messages in all. One more is refused with 0x97 in PUBACK or PUBREC; where there is nothing to refuse it with (QoS
    /// 0, 3.1.1, a Will) it reaches those subscribed now and is not kept, nor is the one before it.
    pub retained_messages: usize,
    /// Bytes of payload, topic and properties of all retained messages, treated alike.
    pub retained_bytes: usize,
    /// Bytes of payload, topic and properties of a Will; a larger one gets its CONNECT refused with 0x97.
    pub will_bytes: usize,
    /// User Properties of a packet or of a Will; with more, CONNECT is refused with 0x97, and the connection closed with it.
    pub user_properties: usize,
    /// Topic Alias Maximum in CONNACK.
    pub topic_alias_maximum: u16,
    /// Topic Aliases given to a client on a connection, if its own Topic Alias Maximum is not lower.
    pub topic_aliases_sent: u16,
    /// The longest Session Expiry Interval granted; `None` grants any. A 3.1.1 session gets this one too.
    pub session_expiry: Option<Duration>,
    /// The longest Keep Alive granted to 5.0 clients, by Server Keep Alive; `None` leaves the client's own.
    pub keep_alive: Option<u16>,
    /// Maximum QoS.
    pub maximum_qos: Qos,
    /// Retain Available.
    pub retain_available: bool,
    /// Subscription Identifier Available.
    pub subscription_identifier_available: bool,
    /// Wildcard Subscription Available.
    pub wildcard_subscription_available: bool,
    /// Shared Subscription Available.
    pub shared_subscription_available: bool,
    /// Whether `$share/{ShareName}/{filter}` is a shared subscription in 3.1.1 too, which does not know them.
    pub shared_subscriptions_v3: bool,
    /// Which member of a shared subscription a message goes to.
    pub shared_distribution: SharedDistribution,
}

/// Which member of a shared subscription a message goes to, among those that are connected; among all when none is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SharedDistribution {
    /// Each in turn; one that is behind, by its send quota or by what it left unread, is passed over for one that is not.
    #[default]
    RoundRobin,
    /// By chance, which the broker's seed decides; passing over as in `RoundRobin`.
    Random,
    /// The same as last time, as long as it is connected.
    Sticky,
    /// The same for all messages of a publisher, as long as the members stay the same.
    HashClient,
    /// The same for all messages of a topic, as long as the members stay the same.
    HashTopic,
}

impl Limits {
    /// The largest `packet_size`: 128 MiB, half of what a Remaining Length can say, so that no message becomes too long to say
    /// when it is forwarded with more properties than it came with.
    pub const PACKET_SIZE_MAX: u32 = 128 << 20;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1_000_000,
            connections_per_second: 50_000,
            sessions: 2_000_000,
            connect_timeout: Duration::from_secs(10),
            packet_size: 1 << 20,
            receive_maximum: 1024,
            inflight: 1024,
            queued_messages: 100_000,
            queued_bytes: 64 << 20,
            queue_in_memory: 64 << 20,
            unsent_bytes_soft: 1 << 20,
            unsent_bytes: 16 << 20,
            subscriptions: 100_000,
            subscriptions_total: 10_000_000,
            topic_bytes: 65_535,
            topic_levels: 128,
            retained_messages: 1_000_000,
            retained_bytes: 1 << 30,
            will_bytes: 256 << 10,
            user_properties: 256,
            topic_alias_maximum: 64,
            topic_aliases_sent: 16,
            session_expiry: None,
            keep_alive: None,
            maximum_qos: Qos::ExactlyOnce,
            retain_available: true,
            subscription_identifier_available: true,
            wildcard_subscription_available: true,
            shared_subscription_available: true,
            shared_subscriptions_v3: false,
            shared_distribution: SharedDistribution::RoundRobin,
        }
    }
}
