//! What a session sends: the exchanges under way, in the order they began, and the messages that wait behind them.

use alloc::{collections::VecDeque, sync::Arc};

use super::{
    Output,
    keep::{self, Order},
    message::{Message, Outgoing},
    queue::Queue,
    stowed::Waiting,
};
use crate::{
    Instant, PacketId, Qos,
    exchange::{Answer, OutboundQos1, OutboundQos2},
};

/// Packet Identifiers there are.
const PACKET_IDS: u64 = 65_535;

/// One QoS 1 or 2 delivery, from its PUBLISH to its end: a state of [`OutboundQos1`] or [`OutboundQos2`] with what that state
/// still needs.
#[derive(Debug)]
pub(super) enum Exchange {
    AwaitingPuback(Outgoing),
    AwaitingPubrec(Outgoing),
    /// PUBREL was sent; the message is the receiver's.
    AwaitingPubcomp {
        /// Its PUBLISH has a place in the send quota of this connection.
        has_place: bool,
        /// By what its records name it; `None` where there are none.
        order: Order,
    },
    /// Over, and waiting only for those before it to end.
    // [MQTT-4.8.2-6] Nothing is left of the message, whatever the answer said, so nobody else can get it.
    Done,
}

/// What an answer of the receiver asks of the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// PUBREL is to be sent.
    Pubrel,
    /// The exchange is over.
    Nothing,
}

impl Exchange {
    /// Goes on with an answer; `None` where it does not belong to this exchange. `has_place`: as [`Outbound::has_place`] says.
    pub(super) fn answered(&mut self, answer: Answer, has_place: bool) -> Option<Asked> {
        let (next, asked) = match self {
            Self::AwaitingPuback(_) => match OutboundQos1::AwaitingPuback.next(answer)? {
                OutboundQos1::Complete => (Self::Done, Asked::Nothing),
                OutboundQos1::AwaitingPuback => return None,
            },
            Self::AwaitingPubrec(outgoing) => {
                let next = OutboundQos2::AwaitingPubrec.next(answer)?;
                Self::released(next, has_place, outgoing.order)?
            }
            Self::AwaitingPubcomp { order, .. } => {
                Self::released(OutboundQos2::AwaitingPubcomp.next(answer)?, has_place, *order)?
            }
            Self::Done => return None,
        };
        *self = next;
        Some(asked)
    }

    const fn released(state: OutboundQos2, has_place: bool, order: Order) -> Option<(Self, Asked)> {
        match state {
            OutboundQos2::AwaitingPubrec => None,
            OutboundQos2::AwaitingPubcomp => {
                Some((Self::AwaitingPubcomp { has_place, order }, Asked::Pubrel))
            }
            OutboundQos2::Complete => Some((Self::Done, Asked::Nothing)),
        }
    }

    /// By what its records name it, and its message while that is needed.
    pub(super) fn on_record(&self) -> (Order, Option<&Arc<Message>>) {
        match self {
            Self::AwaitingPuback(outgoing) | Self::AwaitingPubrec(outgoing) => {
                (outgoing.order, Some(&outgoing.message))
            }
            Self::AwaitingPubcomp { order, .. } => (*order, None),
            Self::Done => (None, None),
        }
    }

    /// It is over.
    pub(super) fn finished(&self, out: &mut impl Output) {
        let (order, message) = self.on_record();
        keep::finished(order, message.and_then(|message| message.mark.as_deref()), out);
    }
}

/// The outbound half of a session's state.
///
/// Exchanges are numbered in the order they begin, and an exchange's Packet Identifier follows from its number, so an
/// acknowledgement finds its exchange without a search and an identifier in use is never taken twice: at most 65,535
/// numbers are spanned at a time.
// [MQTT-4.6.0-5] [MQTT-4.6.0-6] [v3 MQTT-4.6.0-5] [v3 MQTT-4.6.0-6] First in, first out.
// [MQTT-2.2.1-4] [v3 MQTT-2.3.1-4]
#[derive(Debug, Default)]
#[repr(C)]
pub(super) struct Outbound {
    waiting_at_most_once: usize,
    exchanges: VecDeque<Exchange>,
    /// The number of the first in `exchanges`.
    first: u64,
    /// The number from which a PUBLISH has not been sent on this connection yet.
    resend_from: u64,
    pub(super) waiting: Queue<Outgoing<Waiting>>,
    waiting_bytes: usize,
    /// Until then no message that waits expires; `None` is for ever.
    expires_from: Option<Instant>,
    /// Whether those at the head of the queue are being fetched.
    pub(super) fetching: bool,
}

impl Outbound {
    /// The exchange of this Packet Identifier, if one is under way.
    pub(super) fn exchange(&mut self, packet_id: PacketId) -> Option<&mut Exchange> {
        let index = self.index(packet_id)?;
        let exchange = self.exchanges.get_mut(index)?;
        match exchange {
            Exchange::AwaitingPuback(_) | Exchange::AwaitingPubrec(_) | Exchange::AwaitingPubcomp { .. } => {
                Some(exchange)
            }
            Exchange::Done => None,
        }
    }

    /// The message of this Packet Identifier, until it is the receiver's.
    pub(super) fn outgoing(&self, packet_id: PacketId) -> Option<&Outgoing> {
        match self.exchanges.get(self.index(packet_id)?)? {
            Exchange::AwaitingPuback(outgoing) | Exchange::AwaitingPubrec(outgoing) => Some(outgoing),
            Exchange::AwaitingPubcomp { .. } | Exchange::Done => None,
        }
    }

    fn index(&self, packet_id: PacketId) -> Option<usize> {
        let offset = (u64::from(packet_id.value()) - 1 + PACKET_IDS - self.first % PACKET_IDS) % PACKET_IDS;
        usize::try_from(offset).ok()
    }

    /// Whether another exchange can begin: there is a free Packet Identifier, and nothing older waits to be sent again.
    pub(super) fn can_begin(&self) -> bool {
        (self.exchanges.len() as u64) < PACKET_IDS && self.resend_from == self.next()
    }

    /// Begins the exchange of a message whose QoS is 1 or 2, and names it.
    // [MQTT-4.3.2-1] [MQTT-4.3.3-1]
    pub(super) fn begin(&mut self, outgoing: Outgoing) -> PacketId {
        assert!(self.can_begin(), "the caller asks `can_begin` first");
        let packet_id = packet_id(self.next());
        self.exchanges.push_back(match outgoing.qos {
            Qos::AtMostOnce | Qos::AtLeastOnce => Exchange::AwaitingPuback(outgoing),
            Qos::ExactlyOnce => Exchange::AwaitingPubrec(outgoing),
        });
        self.resend_from = self.next();
        packet_id
    }

    /// Forgets exchanges that are over.
    pub(super) fn trim(&mut self) {
        while let Some(Exchange::Done) = self.exchanges.front() {
            self.exchanges.pop_front();
            self.first += 1;
        }
        self.resend_from = self.resend_from.max(self.first);
    }

    /// A new connection: every PUBLISH is owed again, and the send quota is whole.
    pub(super) fn rewind(&mut self) {
        self.resend_from = self.first;
        for exchange in &mut self.exchanges {
            if let Exchange::AwaitingPubcomp { has_place, .. } = exchange {
                *has_place = false;
            }
        }
    }

    /// Whether an exchange has a place in the send quota: its PUBLISH was sent on this connection.
    // [MQTT-3.3.4-9] The PUBCOMP for a PUBREL of an earlier connection makes no room for another PUBLISH.
    pub(super) fn has_place(&self, packet_id: PacketId) -> bool {
        let Some(index) = self.index(packet_id) else {
            return false;
        };
        match self.exchanges.get(index) {
            Some(Exchange::AwaitingPuback(_) | Exchange::AwaitingPubrec(_)) => {
                self.first + (index as u64) < self.resend_from
            }
            Some(Exchange::AwaitingPubcomp { has_place, .. }) => *has_place,
            Some(Exchange::Done) | None => false,
        }
    }

    /// Every exchange under way with its Packet Identifier, in the order they began.
    pub(super) fn exchanges(&self) -> impl Iterator<Item = (PacketId, &Exchange)> {
        (self.first..).map(packet_id).zip(&self.exchanges)
    }

    /// The next PUBLISH that is to be sent again, if any is left; it is asked for once.
    pub(super) fn resend_next(&mut self) -> Option<PacketId> {
        while self.resend_from < self.next() {
            let packet_id = packet_id(self.resend_from);
            self.resend_from += 1;
            if self.outgoing(packet_id).is_some() {
                return Some(packet_id);
            }
        }
        None
    }

    /// Puts an exchange of an earlier process behind those there are. Gives it back where its Packet Identifier is taken.
    pub(super) fn take_up(&mut self, packet_id: PacketId, exchange: Exchange) -> Result<(), Exchange> {
        if self.exchanges.is_empty() {
            self.first = u64::from(packet_id.value()) - 1;
        }
        match self.index(packet_id) {
            Some(index) if index >= self.exchanges.len() => {
                // Those between have ended before.
                self.exchanges.resize_with(index, || Exchange::Done);
                self.exchanges.push_back(exchange);
                self.resend_from = self.next();
                Ok(())
            }
            Some(_) | None => Err(exchange),
        }
    }

    /// The deliveries that end with the session, whoever else is there, are over.
    // [MQTT-4.8.2-5]
    pub(super) fn finish_begun(&self, out: &mut impl Output) {
        for exchange in &self.exchanges {
            match exchange {
                Exchange::AwaitingPubrec(_) | Exchange::AwaitingPubcomp { .. } => exchange.finished(out),
                Exchange::AwaitingPuback(_) | Exchange::Done => {}
            }
        }
    }

    /// The messages whose receiver another session may take the place of: those that wait, and those at QoS 1 under way.
    // [MQTT-4.8.2-5] A QoS 2 message that was begun is this receiver's or nobody's.
    pub(super) fn into_unfinished(self) -> impl Iterator<Item = Outgoing<Waiting>> {
        let under_way = self.exchanges.into_iter().filter_map(|exchange| match exchange {
            Exchange::AwaitingPuback(outgoing) => Some(outgoing.with(Waiting::from)),
            Exchange::AwaitingPubrec(_) | Exchange::AwaitingPubcomp { .. } | Exchange::Done => None,
        });
        under_way.chain(self.waiting)
    }

    /// Puts a message at the end of the queue.
    pub(super) fn wait(&mut self, outgoing: Outgoing<Waiting>) {
        self.waiting_bytes += outgoing.message.size();
        self.waiting_at_most_once += usize::from(outgoing.qos == Qos::AtMostOnce);
        let expires_at = outgoing.message.expires_at();
        self.expires_from = [self.expires_from, expires_at].into_iter().flatten().min();
        self.waiting.push_back(outgoing);
    }

    /// The message at the head of the queue.
    pub(super) fn head(&self) -> Option<&Outgoing<Waiting>> {
        self.waiting.front()
    }

    /// Takes the head off the queue.
    pub(super) fn take_head(&mut self) -> Option<Outgoing<Waiting>> {
        let outgoing = self.waiting.pop_front()?;
        self.waiting_bytes -= outgoing.message.size();
        self.waiting_at_most_once -= usize::from(outgoing.qos == Qos::AtMostOnce);
        Some(outgoing)
    }

    /// Forgets the QoS 0 messages that wait.
    pub(super) fn drop_at_most_once(&mut self) {
        if self.waiting_at_most_once == 0 {
            return;
        }
        self.keep_waiting(|outgoing| outgoing.qos != Qos::AtMostOnce);
    }

    /// Forgets the messages that expired while they waited; how many there were. Looks at them only when one may have.
    pub(super) fn drop_expired(&mut self, now: Instant, out: &mut impl Output) -> usize {
        if self.expires_from.is_none_or(|at| at >= now) {
            return 0;
        }
        let before = self.waiting.len();
        self.keep_waiting(|outgoing| {
            let is_expired = outgoing.message.is_expired(now);
            if is_expired {
                outgoing.finished(out);
            }
            !is_expired
        });
        before - self.waiting.len()
    }

    /// Forgets the messages that wait and are not to be kept.
    pub(super) fn keep_waiting(&mut self, keep: impl FnMut(&Outgoing<Waiting>) -> bool) {
        self.waiting.retain(keep);
        let at_most_once = |outgoing: &&Outgoing<Waiting>| outgoing.qos == Qos::AtMostOnce;
        self.waiting_at_most_once = self.waiting.iter().filter(at_most_once).count();
        self.waiting_bytes = self.waiting.iter().map(|outgoing| outgoing.message.size()).sum();
        let expire_at = self
            .waiting
            .iter()
            .filter_map(|outgoing| outgoing.message.expires_at());
        self.expires_from = expire_at.min();
    }

    pub(super) fn waiting_messages(&self) -> usize {
        self.waiting.len()
    }

    pub(super) const fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    /// Whether QoS 0 messages wait, which a later one must not overtake.
    pub(super) const fn at_most_once_waits(&self) -> bool {
        self.waiting_at_most_once > 0
    }

    fn next(&self) -> u64 {
        self.first + self.exchanges.len() as u64
    }
}

fn packet_id(number: u64) -> PacketId {
    u16::try_from(number % PACKET_IDS + 1)
        .ok()
        .and_then(PacketId::new)
        .expect("1 to 65,535")
}

#[cfg(test)]
mod tests {
    use alloc::{sync::Arc, vec::Vec};

    use bytes::Bytes;

    use super::{
        super::message::{Message, SubscriptionIds},
        *,
    };
    use crate::{Properties, TopicName};

    fn outgoing(qos: Qos) -> Outgoing {
        let topic = TopicName::new("t").unwrap();
        let message = Message::new(Instant::ZERO, topic, Bytes::new(), qos, Properties::new());
        Outgoing {
            message: Arc::new(message),
            qos,
            retain: false,
            subscription_ids: SubscriptionIds::new(),
            share: None,
            order: None,
        }
    }

    fn end(outbound: &mut Outbound, id: u16) {
        *outbound.exchange(PacketId::new(id).unwrap()).unwrap() = Exchange::Done;
        outbound.trim();
    }

    #[test]
    fn a_packet_identifier_in_use_is_never_taken_again() {
        let mut outbound = Outbound::default();
        assert_eq!(outbound.begin(outgoing(Qos::AtLeastOnce)).value(), 1);
        for id in 2..=65_535 {
            assert_eq!(outbound.begin(outgoing(Qos::AtLeastOnce)).value(), id);
            end(&mut outbound, id);
        }
        assert!(!outbound.can_begin(), "the first exchange still has identifier 1");
        end(&mut outbound, 1);
        assert_eq!(outbound.begin(outgoing(Qos::ExactlyOnce)).value(), 1);
        assert!(outbound.exchange(PacketId::new(2).unwrap()).is_none());
    }

    #[test]
    fn what_is_sent_again_comes_in_the_order_it_began_and_once() {
        let mut outbound = Outbound::default();
        for qos in [
            Qos::AtLeastOnce,
            Qos::ExactlyOnce,
            Qos::ExactlyOnce,
            Qos::AtLeastOnce,
        ] {
            outbound.begin(outgoing(qos));
        }
        *outbound.exchange(PacketId::new(2).unwrap()).unwrap() = Exchange::AwaitingPubcomp {
            has_place: true,
            order: None,
        };
        end(&mut outbound, 1);
        outbound.rewind();
        assert!(!outbound.can_begin());
        let again: Vec<u16> = core::iter::from_fn(|| outbound.resend_next().map(PacketId::value)).collect();
        assert_eq!(again, [3, 4]);
        assert!(outbound.can_begin());
    }
}
