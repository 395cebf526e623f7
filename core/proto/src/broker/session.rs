use alloc::vec::Vec;
use core::time::Duration;

use foldhash::fast::FixedState;
use hashbrown::HashSet;
use indexmap::IndexSet;

use super::{
    authenticate::Identity,
    deadlines::Scheduled,
    keep::OnRecord,
    outbound::Outbound,
    sent_aliases::SentAliases,
    session_expiry::{Expiry, SessionPhase},
    will::WillState,
};
use crate::{ConnId, Instant, PacketId, Text, TopicFilter, TopicName, Version};

/// Names a session within the broker; used again after the session has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct SessionKey(pub(super) u32);

/// Session State (section 4.1), and the connection it is used on.
///
/// A message to many subscribers waits for memory above all, so what a delivery reads stands together, in the order of use. The
/// size is no power of two: all sessions would then compete for the same few places of the cache.
// [MQTT-3.1.3-2] [v3 MQTT-3.1.3-2] Kept by Client Identifier.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Session {
    /// The last match this session was found in, so that a second matching subscription joins it.
    pub(super) last_match: LastMatch,
    pub(super) on_record: OnRecord,
    pub(super) outbound: Outbound,
    pub(super) link: Link,
    /// By what its records name it.
    pub(super) number: u64,
    pub(super) client_id: Text,
    /// How long the session outlives its connection; `None` is for ever.
    pub(super) expiry: Option<Duration>,
    /// What it is subscribed to; the options are in the subscription tree.
    pub(super) subscriptions: IndexSet<TopicFilter, FixedState>,
    /// QoS 2 messages taken from the client whose PUBREL has not come.
    pub(super) unreleased: HashSet<PacketId, FixedState>,
    pub(super) will: WillState,
    pub(super) scheduled: Scheduled,
}

/// Whether the session has a Network Connection.
#[derive(Debug)]
pub(super) enum Link {
    Online(Online),
    Offline {
        /// When the session ends; `None` is never.
        expires_at: Option<Instant>,
    },
}

/// What belongs to the connection, not the session.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Online {
    pub(super) conn: ConnId,
    pub(super) version: Version,
    /// The client's Request Problem Information.
    pub(super) problem_information: bool,
    /// QoS 1 and 2 PUBLISH packets that may be sent now (section 4.9).
    pub(super) send_quota: u16,
    pub(super) send_quota_max: u16,
    /// QoS 2 messages taken on this connection whose exchange is not over.
    pub(super) receiving: u16,
    /// The client's Maximum Packet Size.
    pub(super) packet_size_max: Option<usize>,
    pub(super) sent_aliases: SentAliases,
    /// What CONNECT asked for, whatever was granted.
    pub(super) expiry_asked: Expiry,
    pub(super) identity: Identity,
    /// One and a half times the Keep Alive.
    pub(super) silence_max: Option<Duration>,
    pub(super) last_packet_at: Instant,
    /// The client's Topic Aliases, by number from 1.
    // [MQTT-3.3.2-7] They end with the connection.
    pub(super) topic_aliases: Vec<Option<TopicName>>,
}

/// Marks a session during one routing of a message.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LastMatch {
    /// The number of the routing.
    pub(super) routing: u64,
    /// Where in that routing's list.
    pub(super) index: usize,
}

impl Session {
    /// A session that nothing is known of but its name; it is online as soon as its first CONNACK is sent.
    pub(super) fn new(number: u64, client_id: Text, hasher: &FixedState) -> Self {
        Self {
            number,
            on_record: OnRecord::Nothing,
            client_id,
            link: Link::Offline { expires_at: None },
            expiry: Some(Duration::ZERO),
            subscriptions: IndexSet::with_hasher(hasher.clone()),
            outbound: Outbound::default(),
            unreleased: HashSet::with_hasher(hasher.clone()),
            will: WillState::None,
            last_match: LastMatch::default(),
            scheduled: Scheduled::default(),
        }
    }

    pub(super) const fn online(&self) -> Option<&Online> {
        match &self.link {
            Link::Online(online) => Some(online),
            Link::Offline { .. } => None,
        }
    }

    pub(super) const fn online_mut(&mut self) -> Option<&mut Online> {
        match &mut self.link {
            Link::Online(online) => Some(online),
            Link::Offline { .. } => None,
        }
    }

    pub(super) const fn phase(&self) -> SessionPhase {
        match &self.link {
            Link::Online(_) => SessionPhase::Online,
            Link::Offline { expires_at: Some(_) } => SessionPhase::OfflineUntil,
            Link::Offline { expires_at: None } => SessionPhase::OfflineForEver,
        }
    }

    /// When something has to happen to it without a packet.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match &self.link {
            Link::Online(online) => online.deadline(),
            Link::Offline { expires_at } => {
                let will_at = self.will.delayed_until();
                [*expires_at, will_at].into_iter().flatten().min()
            }
        }
    }
}

impl Online {
    // [MQTT-3.1.2-22] [v3 MQTT-3.1.2-24]
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.silence_max
            .map(|silence_max| self.last_packet_at + silence_max)
    }

    // [MQTT-4.9.0-2] Section 4.9: never above where it began.
    pub(super) fn raise_send_quota(&mut self) {
        self.send_quota = self.send_quota.saturating_add(1).min(self.send_quota_max);
    }
}

#[cfg(test)]
mod tests {
    use core::mem::{offset_of, size_of};

    use super::*;

    #[test]
    fn what_a_delivery_reads_stands_together() {
        let read = [
            offset_of!(Session, last_match),
            offset_of!(Session, outbound),
            offset_of!(Session, link) + offset_of!(Online, packet_size_max),
            offset_of!(Session, link) + offset_of!(Online, sent_aliases),
        ];
        assert!(read.is_sorted() && read.iter().all(|at| *at < 192), "{read:?}");
        assert!(!size_of::<Session>().is_power_of_two());
    }
}
