use std::collections::VecDeque;

use bytes::Bytes;
use squall_proto::{Instant, Packet, PacketId};

use self::{
    end::{End, Inbound},
    outbound::{Outbound, Stage, Step},
};
use super::{
    Wires,
    numbered::{ClientNumber, HolderId, MessageId, Number},
    wires::Wire,
};
use crate::trace::{Side, WireId};

mod end;
mod outbound;

/// The unfinished exchanges of QoS 1 and 2, as each end of each session must see them.
///
/// A packet counts for its sender when it leaves the sender's host and for its receiver when it reaches the receiver's, on a
/// connection that this end takes to be open: what a dead connection still spits out changes no session.
#[derive(Debug, Default)]
pub(crate) struct Exchanges {
    /// Of the broker, by the numbers of the clients.
    at_broker: Vec<End>,
    /// Of the clients, by the numbers of their hosts.
    at_clients: Vec<End>,
    /// What was not right about the last event.
    irregularity: Option<Irregularity>,
}

/// What the rules of the exchanges forbid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Irregularity {
    #[error("a first delivery has DUP 0")]
    DupOnFirst,
    #[error("a redelivery has DUP 1")]
    NoDupOnResend,
    #[error("a message that was acknowledged is not sent again")]
    ResentAcknowledged,
    #[error("nothing is sent again on the same connection")]
    ResentWithoutReconnect,
    #[error("what is sent again comes in the order in which it was first sent")]
    ResentOutOfOrder,
    #[error("acknowledgements come in the order of what they acknowledge")]
    AckOutOfOrder,
    #[error("a Packet Identifier serves one exchange at a time")]
    IdInUse,
    #[error("only what was received is acknowledged, once a receipt")]
    UnknownAck,
    #[error("PUBREL follows a PUBREC")]
    UnknownPubrel,
    #[error("PUBCOMP follows a PUBREL")]
    UnknownPubcomp,
}

impl Exchanges {
    /// What was not right about the last event.
    pub(crate) const fn irregularity(&self) -> Option<Irregularity> {
        self.irregularity
    }

    /// The messages that one end of a session has sent and not finished, by Packet Identifier.
    pub(crate) fn unfinished(&self, wire: &Wire, side: Side) -> impl Iterator<Item = (PacketId, &Outbound)> {
        let all = self.of(wire, side).into_iter().flat_map(|end| &end.outbound);
        all.filter(|(_, sent)| sent.is_unfinished())
            .map(|(id, sent)| (*id, sent))
    }

    /// How many unfinished messages an end of a session has sent on its connection.
    pub(crate) fn in_flight(&self, wire: &Wire, side: Side) -> usize {
        self.of(wire, side).map_or(0, |end| end.in_flight.1)
    }

    fn of(&self, wire: &Wire, side: Side) -> Option<&End> {
        match side {
            Side::Broker => &self.at_broker,
            Side::Client => &self.at_clients,
        }
        .get(wire.end_of(side)?)
    }

    fn ends(&mut self, side: Side) -> &mut Vec<End> {
        match side {
            Side::Broker => &mut self.at_broker,
            Side::Client => &mut self.at_clients,
        }
    }

    /// The broker's process is gone, and all it knew with it.
    pub(super) fn forget_broker(&mut self) {
        self.at_broker.clear();
    }

    /// The broker's process is gone: it has what it has answered, and may have what it has not.
    pub(super) fn broker_may_forget(&mut self) {
        self.at_broker.iter_mut().for_each(End::may_forget);
    }

    /// The broker has forgotten the session of a client: it finishes nothing any more. What came at that very moment it may have answered.
    pub(super) fn forget_at_broker(&mut self, client: ClientNumber) {
        if let Some(end) = self.at_broker.get_mut(client.place()) {
            end.outbound.clear();
        }
    }

    /// The client's process is gone, and all it knew with it; not so what makes it the same session.
    pub(super) fn forget_client(&mut self, holder: HolderId) {
        if let Some(end) = self.at_clients.get_mut(holder.place()) {
            end.forget();
        }
    }

    /// The client's process is gone: what it got since it last said anything of it may not be in its store; and nothing, or anything, may
    /// be, if its disk `has_lied`.
    pub(super) fn may_forget(&mut self, holder: HolderId, has_lied: bool) {
        match self.at_clients.get_mut(holder.place()) {
            Some(end) if has_lied => end.may_remember(),
            Some(end) => end.may_forget(),
            None => {}
        }
    }

    /// The client has told its application what became of this message: it knows no more of it; or it has not read its last
    /// acknowledgement, and may go on with it.
    pub(super) fn told(&mut self, holder: HolderId, payload: &Bytes, is_over: bool) {
        if let Some(end) = self.at_clients.get_mut(holder.place()) {
            end.told(payload, is_over);
        }
    }

    /// Whether the broker has begun to send a client what has this Packet Identifier, and not finished, or this very message, and may not
    /// know that it has finished.
    pub(super) fn is_under_way(&self, wire: &Wire, packet_id: Option<PacketId>, payload: &Bytes) -> bool {
        let end = self.of(wire, Side::Broker);
        let sent = end.zip(packet_id).and_then(|(end, id)| end.outbound.get(&id));
        sent.is_some_and(|sent| sent.is_unfinished() || sent.payload == payload)
    }

    /// Whether the client has this QoS 2 message by what came to any of these hosts.
    pub(super) fn have(&self, mut holders: impl Iterator<Item = HolderId>, packet_id: PacketId) -> bool {
        let has = |end: &End| end.inbound.get(&(packet_id, true)).is_some_and(Inbound::is_known);
        holders.any(|holder| self.at_clients.get(holder.place()).is_some_and(has))
    }

    pub(super) const fn begin(&mut self) {
        self.irregularity = None;
    }

    /// A packet leaves one end's host.
    pub(super) fn sent(&mut self, at: Instant, wire: WireId, side: Side, packet: &Packet, wires: &Wires) {
        if let Some(end) = self.end(wire, side, wires) {
            self.irregularity = end.sent(Step { at, wire }, packet, wires, side).err();
        }
    }

    /// A packet reaches one end's host. `message` is what a PUBLISH brings.
    pub(super) fn arrived(
        &mut self,
        at: Instant,
        (wire, side): (WireId, Side),
        packet: &Packet,
        message: Option<(MessageId, usize)>,
        wires: &Wires,
    ) -> Receipt {
        self.end(wire, side, wires).map_or(Receipt::Ignored, |end| {
            end.arrived(Step { at, wire }, packet, message)
        })
    }

    /// [MQTT-3.2.2-3] [MQTT-3.2.2-5] Without a session, neither end knows an exchange.
    pub(super) fn connected(&mut self, wire: WireId, side: Side, session_present: bool, wires: &Wires) {
        let Some(of_wire) = wires.get(wire) else { return };
        let Some(place) = of_wire.end_of(side) else { return };
        let ends = self.ends(side);
        if ends.len() <= place {
            ends.resize_with(place + 1, End::default);
        }
        let Some(end) = ends.get_mut(place) else { return };
        let (last, _) = end.in_flight;
        if last == Some(wire) {
            return;
        }
        let has_ended = last
            .and_then(|last| wires.get(last))
            .is_some_and(Wire::ends_session);
        if !session_present || (side == Side::Client && has_ended) {
            *end = End::default();
        }
        end.has_begun = !session_present;
        // What was finished on a connection before the last may not come again on any account: the last one showed that.
        end.outbound
            .retain(|_, sent| !matches!(sent.stage, Stage::Done(step) if Some(step.wire) != last));
        end.connections += 1;
        end.in_flight = (Some(wire), 0);
        end.resent = 0;
        end.requested.clear();
        end.inbound.values_mut().for_each(Inbound::resume);
        end.due.iter_mut().for_each(VecDeque::clear);
    }

    /// This end of the session of a connection that it takes to be open, and to be the last one.
    fn end(&mut self, id: WireId, side: Side, wires: &Wires) -> Option<&mut End> {
        let wire = wires.get(id).filter(|wire| wire.over_for(side).is_none())?;
        if wires.is_taken_over(id, side) {
            return None;
        }
        self.ends(side).get_mut(wire.end_of(side)?)
    }
}

/// What a packet that arrived was to the end that it reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Receipt {
    /// Nothing: the end has turned away from this connection.
    Ignored,
    /// A message it did not have.
    New,
    /// A message that it has: QoS 2, and PUBREL has not come.
    Again,
    /// PUBREL of a message that was published.
    Released(MessageId, usize),
    /// Anything else.
    Other,
}
