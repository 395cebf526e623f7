//! What goes out to a client: deliveries within its window, what waits behind them, and what is sent again.

use super::{
    Broker, Cause, Drop, Note, Output, keep,
    message::{Flags, Message, Outgoing},
    outbound::Exchange,
    sent_aliases::Spelling,
    session::{Link, Online, Session, SessionKey},
    stowed::Waiting,
};
use crate::{Ack, ConnId, Delivery, Instant, Packet, PacketId, PacketRef, PublishRef, Qos, SubscriptionId};

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// It did, unless the client is offline.
    Sent,
    /// It does not fit in the client's Maximum Packet Size.
    TooLarge,
}

impl Broker {
    /// Sends a packet that has to reach the client. One that does not fit ends the connection, and perhaps the session.
    pub(super) fn send(
        &mut self,
        now: Instant,
        key: SessionKey,
        packet: &Packet,
        out: &mut impl Output,
    ) -> Sent {
        let sent = self.session(key).transmit(packet.into(), out);
        if sent == Sent::TooLarge {
            self.refuse(now, key, Cause::AnswerTooLarge, out);
        }
        sent
    }

    /// A QoS 0 message for a client.
    // [MQTT-4.3.1-1] [v3 MQTT-4.3.1-1]
    pub(super) fn deliver_at_most_once(
        &mut self,
        now: Instant,
        key: SessionKey,
        message: &Message,
        retain: bool,
        ids: &[SubscriptionId],
        out: &mut impl Output,
    ) {
        let unsent_bytes_soft = self.limits.unsent_bytes_soft;
        let session = self.session_mut(key);
        let Link::Online(online) = &mut session.link else {
            return;
        };
        if session.outbound.at_most_once_waits() {
            // It must not overtake an older one.
            let outgoing = Outgoing {
                message: message.clone().into_kept().into(),
                qos: Qos::AtMostOnce,
                retain,
                subscription_ids: ids.into(),
                share: None,
                order: None,
            };
            return self.enqueue(now, key, outgoing, out);
        }
        if out.unsent_bytes(online.conn) > unsent_bytes_soft {
            return session.dropped(Drop::SlowReader, out);
        }
        let flags = Flags { dup: false, retain };
        let publish = message.to_publish(now, Delivery::AtMostOnce, flags, ids);
        if online.transmit_publish(publish, out) == Sent::TooLarge {
            session.dropped(Drop::TooLarge, out);
        }
    }

    /// A message of any QoS for a client, online or not.
    pub(super) fn deliver(
        &mut self,
        now: Instant,
        key: SessionKey,
        outgoing: Outgoing<Waiting>,
        out: &mut impl Output,
    ) {
        // [v3 MQTT-3.1.2-5]
        self.enqueue(now, key, outgoing, out);
        self.pump(now, key, out);
        self.stow(key, out);
    }

    /// The connection is made: what is unfinished is sent again, then what waited.
    // [MQTT-4.4.0-1] [v3 MQTT-4.4.0-1]
    pub(super) fn resume(&mut self, now: Instant, key: SessionKey, out: &mut impl Output) {
        let session = self.session_mut(key);
        session.outbound.rewind();
        // [MQTT-4.3.3-5] [MQTT-4.3.3-6] A PUBREL waits for no quota.
        for (packet_id, exchange) in session.outbound.exchanges() {
            match exchange {
                Exchange::AwaitingPubcomp { .. } => {
                    session.transmit((&Packet::Pubrel(Ack::success(packet_id))).into(), out);
                }
                Exchange::AwaitingPuback(_) | Exchange::AwaitingPubrec(_) | Exchange::Done => {}
            }
        }
        self.pump(now, key, out);
    }

    /// Sends as much of what is owed as the client's window and the network take.
    pub(super) fn pump(&mut self, now: Instant, key: SessionKey, out: &mut impl Output) {
        let unsent_bytes_soft = self.limits.unsent_bytes_soft;
        let session = self.session_mut(key);
        while let Some(conn) = session.online().map(|online| online.conn) {
            if out.unsent_bytes(conn) > unsent_bytes_soft {
                return; // `Input::Flushed` goes on.
            }
            if !session.send_again(now, out) && !session.send_head(now, key, out) {
                return;
            }
        }
    }

    pub(super) fn enqueue(
        &mut self,
        now: Instant,
        key: SessionKey,
        outgoing: Outgoing<Waiting>,
        out: &mut impl Output,
    ) {
        let (messages, bytes) = (self.limits.queued_messages, self.limits.queued_bytes);
        let session = self.session_mut(key);
        let is_full = |session: &Session| {
            let waiting = &session.outbound;
            waiting.waiting_messages() >= messages
                || waiting.waiting_bytes().saturating_add(outgoing.message.size()) > bytes
        };
        // What has expired takes up no room.
        if is_full(session) {
            for _ in 0..session.outbound.drop_expired(now, out) {
                session.dropped(Drop::Expired, out);
            }
        }
        if is_full(session) {
            session.dropped(Drop::QueueFull, out);
        } else {
            self.wait(key, outgoing, out);
        }
    }

    /// Puts a message at the end of a session's queue, and on record, where both outlive the connection.
    fn wait(&mut self, key: SessionKey, mut outgoing: Outgoing<Waiting>, out: &mut impl Output) {
        let is_recorded = self.session(key).is_on_record() && outgoing.qos > Qos::AtMostOnce;
        if is_recorded && let Waiting::Here(message, _) = &mut outgoing.message {
            self.be_marked(message);
        }
        let Some(session) = self.sessions.get_mut(key.0 as usize) else {
            return;
        };
        if is_recorded {
            outgoing.order = self.numbers.next_delivery();
            let share = outgoing.share.and_then(|share| self.shared.on_record(share));
            outgoing.queued(session.number, share, out);
        } else if outgoing.message.is_stored() {
            // Handed on to a session that is not: it stays in the store until it is fetched.
            outgoing.message.hold(out);
        }
        session.outbound.wait(outgoing);
    }

    /// Whether the unsent bytes of a connection are more than it may have.
    pub(super) fn is_overfull(&self, conn: ConnId, out: &impl Output) -> bool {
        out.unsent_bytes(conn) > self.limits.unsent_bytes
    }
}

impl Session {
    /// Sends again the next PUBLISH of an earlier connection; whether there was one and the quota had room.
    fn send_again(&mut self, now: Instant, out: &mut impl Output) -> bool {
        let Link::Online(online) = &mut self.link else {
            return false;
        };
        if online.send_quota == 0 {
            return false;
        }
        let Some(packet_id) = self.outbound.resend_next() else {
            return false;
        };
        online.send_quota -= 1;
        // [MQTT-3.3.1-1] [v3 MQTT-3.3.1-1] [MQTT-3.3.1-3] [MQTT-4.3.3-7] [v3 MQTT-3.3.1-3]
        self.send_exchange(now, packet_id, true, out);
        true
    }

    /// Sends the message that has waited longest; whether there was one and it could be sent.
    fn send_head(&mut self, now: Instant, key: SessionKey, out: &mut impl Output) -> bool {
        let Link::Online(online) = &mut self.link else {
            return false;
        };
        let Some(head) = self.outbound.head() else {
            return false;
        };
        // [MQTT-3.3.2-5]
        if head.message.is_expired(now) {
            if let Some(outgoing) = self.outbound.take_head() {
                outgoing.finished(out);
            }
            self.dropped(Drop::Expired, out);
            return true;
        }
        // [MQTT-3.3.4-10] [MQTT-4.9.0-3] Nothing but these waits for the quota.
        let acknowledged = head.qos > Qos::AtMostOnce;
        // [MQTT-3.3.4-9] [MQTT-4.9.0-2]
        if acknowledged && (online.send_quota == 0 || !self.outbound.can_begin()) {
            return false;
        }
        if head.message.is_stored() {
            let window = online.send_quota;
            self.fetch_head(key, window, out);
            return false; // `Input::Fetched` goes on.
        }
        let Some(outgoing) = self.outbound.take_head().and_then(Outgoing::here) else {
            return false;
        };
        if acknowledged {
            // [MQTT-4.3.2-2] [MQTT-4.3.3-2]
            online.send_quota -= 1;
            let order = outgoing.order;
            let packet_id = self.outbound.begin(outgoing);
            keep::sent(order, packet_id, out);
            self.send_exchange(now, packet_id, false, out);
        } else {
            let publish = outgoing.to_publish(now, Delivery::AtMostOnce, false);
            if online.transmit_publish(publish, out) == Sent::TooLarge {
                self.dropped(Drop::TooLarge, out);
            }
        }
        true
    }

    fn send_exchange(&mut self, now: Instant, packet_id: PacketId, dup: bool, out: &mut impl Output) {
        let (Link::Online(online), Some(outgoing)) = (&mut self.link, self.outbound.outgoing(packet_id))
        else {
            return;
        };
        let delivery = match outgoing.qos {
            Qos::AtMostOnce | Qos::AtLeastOnce => Delivery::AtLeastOnce(packet_id),
            Qos::ExactlyOnce => Delivery::ExactlyOnce(packet_id),
        };
        let publish = outgoing.to_publish(now, delivery, dup);
        if online.transmit_publish(publish, out) == Sent::TooLarge {
            self.dropped(Drop::TooLarge, out);
            // [MQTT-3.1.2-25] As if the exchange were over.
            if let Some(exchange) = self.outbound.exchange(packet_id) {
                exchange.finished(out);
                *exchange = Exchange::Done;
            }
            self.finish(true);
        }
    }

    /// An exchange is over: its place in the send quota, if it has one, is free.
    pub(super) fn finish(&mut self, has_place: bool) {
        self.outbound.trim();
        if has_place && let Link::Online(online) = &mut self.link {
            online.raise_send_quota();
        }
    }

    /// Sends a packet if the client is connected and it fits.
    pub(super) fn transmit(&self, packet: PacketRef<'_>, out: &mut impl Output) -> Sent {
        self.online()
            .map_or(Sent::Sent, |online| online.transmit(packet, out))
    }

    pub(super) fn dropped(&self, why: Drop, out: &mut impl Output) {
        out.note(Note::Dropped {
            client_id: self.client_id.clone(),
            why,
        });
    }
}

impl Online {
    /// Sends a message, its topic as short as the client takes it.
    // [MQTT-3.1.2-25] What was not sent has introduced no alias.
    fn transmit_publish(&mut self, publish: PublishRef<'_>, out: &mut impl Output) -> Sent {
        // A client library in wide use keeps a QoS 2 message until PUBREL as it came, without the topic of its alias.
        let takes_alias = publish.delivery.qos() < Qos::ExactlyOnce && self.sent_aliases.are_any();
        let (Some(topic), true) = (publish.topic, takes_alias) else {
            return self.transmit(PacketRef::Publish(publish), out);
        };
        let mut spelling = self.sent_aliases.spelling(topic);
        let mut sent = self.transmit(PacketRef::Publish(spelling.of(publish)), out);
        if sent == Sent::TooLarge && spelling != Spelling::Whole {
            spelling = Spelling::Whole;
            sent = self.transmit(PacketRef::Publish(publish), out);
        }
        if sent == Sent::Sent {
            self.sent_aliases.sent(topic, spelling);
        }
        sent
    }

    /// Sends a packet if it fits.
    // [MQTT-3.1.2-24]
    fn transmit(&self, packet: PacketRef<'_>, out: &mut impl Output) -> Sent {
        if !self.takes().fits(packet) {
            return Sent::TooLarge;
        }
        out.send(self.conn, self.version, packet);
        Sent::Sent
    }
}
