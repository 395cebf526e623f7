use std::{collections::BTreeMap, time::Duration};

use squall_proto::{
    Connack, Instant, Packet, PacketId, Qos, ReasonCode, Suback, Subscribe, Text, TopicFilter, TopicName,
    Unsubscribe, Version, broker::Limits,
};

use super::Wires;
use crate::trace::{Event, Side, What, WireId};

/// The sessions the broker must have, by Client Identifier; an ended one stays until the next begins.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    by_client_id: BTreeMap<Text, Session>,
    /// The longest the broker keeps a session whose client is gone.
    expiry_max: Option<Duration>,
    /// 3.1.1 has shared subscriptions here.
    shares_in_v3: bool,
}

/// One session among those of a Client Identifier, which may have had others before.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SessionKey {
    pub(crate) client_id: Text,
    /// From 1.
    pub(crate) generation: u32,
}

/// A session as the broker must keep it.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) generation: u32,
    /// How many connections it has had.
    pub(crate) connections: u32,
    /// The last of them.
    pub(crate) wire: WireId,
    /// How long it outlives its connection; `None`: for ever.
    expiry: Option<Duration>,
    /// When DISCONNECT changed that, and what it was: who connects at that very moment may be handled before or after it.
    expiry_before: Option<(Instant, Option<Duration>)>,
    /// Since when it has no connection.
    closed_at: Option<Instant>,
    /// Gone without a successor: the broker lost its memory.
    forgotten: bool,
    subscriptions: Vec<Subscription>,
}

#[derive(Debug)]
struct Subscription {
    filter: TopicFilter,
    requested: Qos,
    /// As SUBACK said, with the place of SUBACK in the trace.
    granted: Option<(usize, Qos)>,
    packet_id: PacketId,
    /// UNSUBSCRIBE has arrived, or SUBACK refused it: nothing more is owed for it, something may still come.
    is_over: bool,
}

impl Sessions {
    pub(crate) fn new(limits: &Limits, version: Version) -> Self {
        Self {
            by_client_id: BTreeMap::new(),
            expiry_max: limits.session_expiry,
            shares_in_v3: version == Version::V3_1_1 && limits.shared_subscriptions_v3,
        }
    }

    /// The latest session of this Client Identifier.
    pub(crate) fn get(&self, client_id: &Text) -> Option<&Session> {
        self.by_client_id.get(client_id)
    }

    /// The latest session of each Client Identifier.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Text, &Session)> {
        self.by_client_id.iter()
    }

    /// The session that a connection belongs to.
    pub(crate) fn of_wire(&self, wires: &Wires, wire: WireId) -> Option<(SessionKey, &Session)> {
        let client_id = wires.get(wire)?.client_id()?;
        let session = self.by_client_id.get(client_id)?;
        let key = SessionKey {
            client_id: client_id.clone(),
            generation: session.generation,
        };
        Some((key, session))
    }

    pub(super) fn forget_all(&mut self) {
        for session in self.by_client_id.values_mut() {
            session.forgotten = true;
        }
    }

    pub(super) fn observe(&mut self, index: usize, event: &Event, wires: &Wires) {
        match &event.what {
            What::Sent {
                wire,
                from: Side::Broker,
                packet,
            } => match packet {
                Packet::Connack(connack) if !connack.reason_code.is_error() => {
                    self.connected(event.at, *wire, connack, wires);
                }
                Packet::Suback(suback) => self.subacked(index, *wire, suback, wires),
                _other_packets => {}
            },
            What::Arrived {
                wire,
                from: Side::Client,
                packet,
            } => match packet {
                Packet::Subscribe(subscribe) => self.subscribed(*wire, subscribe, wires),
                Packet::Unsubscribe(unsubscribe) => self.unsubscribed(*wire, unsubscribe, wires),
                Packet::Disconnect(disconnect) => {
                    let expiry = disconnect.properties.session_expiry_interval();
                    if let (Some(expiry), Some(session)) = (expiry, self.current(*wire, wires)) {
                        session.expiry_before = Some((event.at, session.expiry));
                        session.expiry = interval(expiry);
                    }
                }
                _other_packets => {}
            },
            What::Closed { wire, by: side, .. }
            | What::LetGo { wire, by: side }
            | What::Ended { wire, at: side, .. } => {
                if let (Side::Broker, Some(session)) = (side, self.current(*wire, wires)) {
                    session.closed_at.get_or_insert(event.at);
                }
            }
            What::Opened { .. }
            | What::Sent {
                from: Side::Client, ..
            }
            | What::Arrived {
                from: Side::Broker, ..
            }
            | What::Bytes { .. }
            | What::Malformed { .. }
            | What::HostDown { .. }
            | What::HostUp { .. }
            | What::FaultBegan { .. }
            | What::FaultEnded { .. }
            | What::Application { .. }
            | What::Step { .. }
            | What::Missed { .. }
            | What::Healed => {}
        }
    }

    /// The session whose latest connection this is.
    fn current(&mut self, wire: WireId, wires: &Wires) -> Option<&mut Session> {
        let client_id = wires.get(wire)?.client_id()?;
        self.by_client_id
            .get_mut(client_id)
            .filter(|session| session.wire == wire)
    }

    fn connected(&mut self, at: Instant, wire: WireId, connack: &Connack, wires: &Wires) {
        let Some(connect) = wires.get(wire).and_then(|wire| wire.connect.as_deref()) else {
            return;
        };
        let expiry = self.expiry(connect, connack);
        let before = self.by_client_id.get(&connect.client_id);
        let goes_on = !connect.clean_start && before.is_some_and(|session| session.exists(at) == Some(true));
        // When it may have expired at this very moment, the broker decides.
        let may_go_on = !connect.clean_start && before.is_some_and(|session| session.exists(at).is_none());
        if goes_on || (may_go_on && connack.session_present) {
            if let Some(session) = self.by_client_id.get_mut(&connect.client_id) {
                session.connections += 1;
                session.wire = wire;
                session.expiry = expiry;
                session.expiry_before = None;
                session.closed_at = None;
            }
            return;
        }
        let session = Session {
            generation: before.map_or(1, |session| session.generation + 1),
            connections: 1,
            wire,
            expiry,
            expiry_before: None,
            closed_at: None,
            forgotten: false,
            subscriptions: Vec::new(),
        };
        self.by_client_id.insert(connect.client_id.clone(), session);
    }

    fn expiry(&self, connect: &squall_proto::Connect, connack: &Connack) -> Option<Duration> {
        let asked = match connect.version {
            // [v3 MQTT-3.1.2-6]
            Version::V3_1_1 if connect.clean_start => Some(Duration::ZERO),
            Version::V3_1_1 => None,
            Version::V5 => interval(connect.properties.session_expiry_interval().unwrap_or(0)),
        };
        let granted = connack.properties.session_expiry_interval().map(interval);
        let limited = match (asked, self.expiry_max) {
            (Some(asked), Some(max)) => Some(asked.min(max)),
            (asked, max) => asked.or(max),
        };
        granted.unwrap_or(limited)
    }

    fn subscribed(&mut self, wire: WireId, subscribe: &Subscribe, wires: &Wires) {
        let shares_in_v3 = self.shares_in_v3;
        let Some(session) = self.current(wire, wires) else {
            return;
        };
        for (filter, options) in &subscribe.filters {
            let filter = match TopicFilter::from_text(filter.text().clone()) {
                Ok(shared) if shares_in_v3 => shared,
                Ok(_) | Err(_) => filter.clone(),
            };
            session.subscriptions.push(Subscription {
                filter,
                requested: options.qos,
                granted: None,
                packet_id: subscribe.packet_id,
                is_over: false,
            });
        }
    }

    fn subacked(&mut self, index: usize, wire: WireId, suback: &Suback, wires: &Wires) {
        let Some(session) = self.current(wire, wires) else {
            return;
        };
        let is_answered = |subscription: &&mut Subscription| {
            subscription.packet_id == suback.packet_id
                && subscription.granted.is_none()
                && !subscription.is_over
        };
        let mut granted = Vec::new();
        let answered = session.subscriptions.iter_mut().filter(is_answered);
        for (subscription, code) in answered.zip(&suback.reason_codes) {
            match granted_qos(*code) {
                Some(qos) => {
                    subscription.granted = Some((index, qos));
                    granted.push(subscription.filter.clone());
                }
                None => subscription.is_over = true,
            }
        }
        session.replace(index, &granted);
    }

    fn unsubscribed(&mut self, wire: WireId, unsubscribe: &Unsubscribe, wires: &Wires) {
        let Some(session) = self.current(wire, wires) else {
            return;
        };
        for subscription in &mut session.subscriptions {
            let mut filters = unsubscribe.filters.iter();
            subscription.is_over |= filters.any(|filter| filter.text() == subscription.filter.text());
        }
    }
}

impl Session {
    /// Whether the broker must have it (`Some(true)`), must not have it any more, or may do either: it expires just now.
    pub(crate) fn exists(&self, now: Instant) -> Option<bool> {
        if self.forgotten {
            return Some(false);
        }
        let exists = self.exists_with(self.expiry, now);
        let unless = self.expiry_before.filter(|(at, _)| *at == now);
        let is_open = unless.is_some_and(|(_, expiry)| self.exists_with(expiry, now) != exists);
        exists.filter(|_| !is_open)
    }

    fn exists_with(&self, expiry: Option<Duration>, now: Instant) -> Option<bool> {
        let (Some(expiry), Some(closed_at)) = (expiry, self.closed_at) else {
            // Its connection is there, or is being taken over: then it ends or goes on as its expiry says.
            return Some(expiry != Some(Duration::ZERO));
        };
        let expires_at = closed_at + expiry;
        if expiry.is_zero() || now > expires_at + GRACE {
            Some(false)
        } else if now < expires_at {
            Some(true)
        } else {
            None
        }
    }

    /// Whether it is there now: its connection is, or it has not expired.
    pub(crate) fn is_alive(&self, now: Instant) -> bool {
        !self.forgotten && (self.closed_at.is_none() || self.exists(now) == Some(true))
    }

    /// When it ends if its client does not come back; `None`: never.
    pub(crate) const fn expiry(&self) -> Option<Duration> {
        self.expiry
    }

    /// The QoS that subscriptions of its own, acknowledged by now, make it owe for this topic; `None`: nothing.
    pub(crate) fn owed_qos(&self, topic: &TopicName) -> Option<Qos> {
        let matching = self.matching(topic).filter(|subscription| !subscription.is_over);
        matching
            .filter(|subscription| subscription.filter.share_name().is_none())
            .filter_map(|subscription| subscription.granted)
            .map(|(_, qos)| qos)
            .max()
    }

    /// The highest QoS at which anything of this topic may be sent to it; `None`: nothing may.
    pub(crate) fn allowed_qos(&self, topic: &TopicName) -> Option<Qos> {
        let may_be = |subscription: &Subscription| {
            subscription
                .granted
                .map_or(subscription.requested, |(_, qos)| qos)
        };
        self.matching(topic).map(may_be).max()
    }

    /// The shared subscriptions through which it may be sent this topic.
    pub(crate) fn shares(&self, topic: &TopicName) -> impl Iterator<Item = &TopicFilter> {
        let shared = self.matching(topic).map(|subscription| &subscription.filter);
        shared.filter(|filter| filter.share_name().is_some())
    }

    /// The QoS that it is a member of this shared subscription with, acknowledged by now; `None`: it is no member.
    pub(crate) fn member_qos(&self, shared: &TopicFilter) -> Option<Qos> {
        let is_it = |subscription: &&Subscription| subscription.filter == *shared && !subscription.is_over;
        let subscription = self.subscriptions.iter().find(is_it)?;
        subscription.granted.map(|(_, qos)| qos)
    }

    /// How many of its subscriptions may each bring a copy of a message of this topic.
    pub(crate) fn copies_max(&self, topic: &TopicName) -> usize {
        self.matching(topic).count()
    }

    fn matching(&self, topic: &TopicName) -> impl Iterator<Item = &Subscription> {
        self.subscriptions
            .iter()
            .filter(|subscription| subscription.filter.matches(topic))
    }

    /// [MQTT-3.8.4-3] [v3 MQTT-3.8.4-3] A new subscription to the same filter replaces the old one.
    fn replace(&mut self, index: usize, filters: &[TopicFilter]) {
        self.subscriptions.retain(|subscription| {
            let is_new = subscription
                .granted
                .is_none_or(|(granted_at, _)| granted_at == index);
            is_new || !filters.contains(&subscription.filter)
        });
    }
}

/// How late a session may be thrown away: nothing on the wire shows when.
const GRACE: Duration = Duration::from_secs(1);

fn interval(seconds: u32) -> Option<Duration> {
    (seconds != u32::MAX).then(|| Duration::from_secs(u64::from(seconds)))
}

fn granted_qos(code: ReasonCode) -> Option<Qos> {
    Qos::from_value(code.value())
}
