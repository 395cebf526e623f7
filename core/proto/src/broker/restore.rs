use alloc::{collections::BTreeMap, sync::Arc};
use core::num::NonZeroU64;

use super::{
    Broker, Drop, Output, Record, Saved, SharedBy,
    keep::{self, Mark, Numbers, OnRecord},
    message::{Message, Outgoing},
    outbound::Exchange,
    saved::{SavedDelivery, SavedMessage, SavedSession, SavedWill, Stage},
    session::{Session, SessionKey},
    stowed::{Outline, Waiting},
    will::WillState,
};
use crate::{Instant, PacketId, Qos};

/// A message of an earlier process.
struct Restored {
    mark: Arc<Mark>,
    /// `None` where it stays in the store until its turn comes.
    whole: Option<Arc<Message>>,
}

impl Restored {
    fn waiting(&self) -> Waiting {
        match &self.whole {
            Some(message) => Arc::clone(message).into(),
            None => Waiting::Stored(Arc::clone(&self.mark)),
        }
    }
}

impl Broker {
    /// Takes up, at the moment `now`, what the records of an earlier process come to. Only of a broker that has handled nothing yet.
    ///
    /// `now` is on the clock of the records: its owner gives moments that go on from theirs. Who was connected lost its connection
    /// now; what fell due since (a Will, the end of a session) happens now, and makes records of its own.
    // [MQTT-3.1.2-23] [MQTT-4.4.0-1] [v3 MQTT-4.1.0-1] [v3 MQTT-4.4.0-1]
    pub fn restore(&mut self, now: Instant, saved: Saved, out: &mut impl Output) {
        assert!(
            self.sessions.is_empty() && self.retained.len() == 0 && self.connections.open == 0,
            "what is restored is a broker that has handled nothing"
        );
        self.numbers = Numbers::after(&saved);
        let Saved {
            sessions,
            messages,
            retained,
            deliveries,
        } = saved;
        let restored = messages.into_iter().map(|(number, saved)| {
            let message = self.restore_message(number, saved);
            (number, message)
        });
        let messages: BTreeMap<u64, Restored> = restored.collect();
        let mut keys = BTreeMap::new();
        for (number, session) in sessions {
            keys.insert(number, self.restore_session(now, number, session, out));
        }
        for message in retained.values().filter_map(|number| messages.get(number)) {
            if let Some(whole) = &message.whole {
                message.mark.hold();
                self.retained.insert(Arc::clone(whole));
            }
        }
        for (order, delivery) in deliveries {
            let (key, message) = (keys.get(&delivery.session), messages.get(&delivery.message));
            let outgoing = message.map(|message| self.outgoing(order, &delivery, message));
            self.restore_delivery(order, key.copied(), delivery.stage, outgoing, out);
            if let Some(key) = key {
                self.stow(*key, out);
            }
        }
        for (message, it) in messages {
            if !it.mark.is_held() {
                out.persist(Record::Forgotten { message });
            }
        }
        self.pass_downtime(now, keys.into_values(), out);
    }

    /// What fell due while no process ran.
    fn pass_downtime(&mut self, now: Instant, keys: impl Iterator<Item = SessionKey>, out: &mut impl Output) {
        self.drop_expired_retained(now, out);
        for key in keys {
            let session = self.session_mut(key);
            for _ in 0..session.outbound.drop_expired(now, out) {
                session.dropped(Drop::Expired, out);
            }
        }
        self.tick(now, out);
    }

    fn restore_message(&self, number: u64, saved: SavedMessage) -> Restored {
        let outline = match &saved {
            SavedMessage::Whole(message) => Outline::of(message),
            SavedMessage::Stored(outline) => *outline,
        };
        let mark = Mark::new(number, outline, &self.room);
        let whole = match saved {
            SavedMessage::Whole(message) => Some(Arc::new(Message {
                mark: Some(Arc::clone(&mark)),
                ..*message
            })),
            SavedMessage::Stored(_) => None,
        };
        Restored { mark, whole }
    }

    fn restore_session(
        &mut self,
        now: Instant,
        number: u64,
        saved: SavedSession,
        out: &mut impl Output,
    ) -> SessionKey {
        let key = self.add_session(number, saved.client_id);
        let session = self.session_mut(key);
        session.expiry = saved.expiry;
        // A wall clock that went back makes nothing last longer than it was asked to.
        session.set_offline(saved.disconnected_at.map_or(now, |at| at.min(now)));
        session.will = saved.will.map_or(WillState::None, |will| will.restored(now));
        session.put_on_record();
        session.on_record = session.on_record.max(OnRecord::Will);
        session.unreleased.extend(saved.received);
        if saved.disconnected_at.is_none() {
            session.record(Some(now), out);
            session.record_will(now, false, out);
        }
        for (filter, subscription) in saved.subscriptions {
            self.put_subscription(key, &filter, subscription);
        }
        self.schedule(key);
        key
    }

    fn outgoing(&self, order: u64, saved: &SavedDelivery, message: &Restored) -> Outgoing<Waiting> {
        let shared = saved.share.as_ref().map(|(filter, retain)| SharedBy {
            filter,
            retain: *retain,
        });
        Outgoing {
            message: message.waiting(),
            qos: saved.qos,
            retain: saved.retain,
            subscription_ids: saved.subscription_ids.clone(),
            share: shared.and_then(|shared| self.shared.restored(shared)),
            order: NonZeroU64::new(order),
        }
    }

    fn restore_delivery(
        &mut self,
        order: u64,
        key: Option<SessionKey>,
        stage: Stage,
        outgoing: Option<Outgoing<Waiting>>,
        out: &mut impl Output,
    ) {
        let restored = key.is_some_and(|key| {
            let session = self.session_mut(key);
            match (stage, outgoing) {
                (Stage::Released(packet_id), _) => session.restore_released(order, packet_id),
                (Stage::Sent(packet_id), Some(outgoing)) => outgoing
                    .here()
                    .is_some_and(|outgoing| session.restore_sent(packet_id, outgoing)),
                (Stage::Queued, Some(outgoing)) => session.restore_queued(outgoing),
                (Stage::Sent(_) | Stage::Queued, None) => false,
            }
        });
        if !restored {
            keep::finished(NonZeroU64::new(order), None, out);
        }
    }
}

impl Session {
    fn restore_queued(&mut self, outgoing: Outgoing<Waiting>) -> bool {
        if let Some(mark) = outgoing.message.mark() {
            mark.hold();
        }
        self.outbound.wait(outgoing);
        true
    }

    // [MQTT-2.2.1-4] Whose Packet Identifier another has is sent as if for the first time.
    fn restore_sent(&mut self, packet_id: PacketId, outgoing: Outgoing) -> bool {
        if let Some(mark) = &outgoing.message.mark {
            mark.hold();
        }
        let exchange = match outgoing.qos {
            Qos::AtMostOnce | Qos::AtLeastOnce => Exchange::AwaitingPuback(outgoing),
            Qos::ExactlyOnce => Exchange::AwaitingPubrec(outgoing),
        };
        match self.outbound.take_up(packet_id, exchange) {
            Ok(()) => {}
            Err(Exchange::AwaitingPuback(outgoing) | Exchange::AwaitingPubrec(outgoing)) => {
                self.outbound.wait(outgoing.with(Waiting::from));
            }
            Err(Exchange::AwaitingPubcomp { .. } | Exchange::Done) => {}
        }
        true
    }

    fn restore_released(&mut self, order: u64, packet_id: PacketId) -> bool {
        let exchange = Exchange::AwaitingPubcomp {
            has_place: false,
            order: NonZeroU64::new(order),
        };
        self.outbound.take_up(packet_id, exchange).is_ok()
    }
}

impl SavedWill {
    /// As it stands after the end of the connection, now at the latest.
    // [MQTT-3.1.2-8] [v3 MQTT-3.1.2-8] The end of the process closed it without DISCONNECT.
    fn restored(self, now: Instant) -> WillState {
        WillState::delayed(self.will, now, self.due_at)
    }
}

impl Numbers {
    /// None of those that are on record.
    fn after(saved: &Saved) -> Self {
        Self {
            sessions: saved.sessions.keys().next_back().copied().unwrap_or(0),
            messages: saved.messages.keys().next_back().copied().unwrap_or(0),
            deliveries: saved.deliveries.keys().next_back().copied().unwrap_or(0),
        }
    }
}
