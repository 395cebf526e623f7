use std::collections::VecDeque;

use squall_proto::{Instant, Packet, PacketId};

use self::end::{End, Outbound, Stage, Step};
use super::{
    Wires,
    numbered::{ClientNumber, MessageId, Number},
    wires::BySide,
};
use crate::trace::{Side, WireId};

mod end;

/// The unfinished exchanges of QoS 1 and 2, as each end of each session must see them.
///
/// A packet counts for its sender when it leaves the sender's host and for its receiver when it reaches the receiver's, on a
/// connection that this end takes to be open: what a dead connection still spits out changes no session.
#[derive(Debug, Default)]
pub(crate) struct Exchanges {
    /// By the numbers of the clients.
    ends: Vec<BySide<End>>,
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
    pub(crate) fn unfinished(
        &self,
        client: ClientNumber,
        side: Side,
    ) -> impl Iterator<Item = (PacketId, &Outbound)> {
        let end = self.ends.get(client.place()).map(|ends| ends.of(side));
        let all = end.into_iter().flat_map(|end| &end.outbound);
        all.filter(|(_, sent)| sent.is_unfinished())
            .map(|(id, sent)| (*id, sent))
    }

    /// How many unfinished messages an end of a session has sent on its connection.
    pub(crate) fn in_flight(&self, client: ClientNumber, side: Side) -> usize {
        self.ends
            .get(client.place())
            .map_or(0, |ends| ends.of(side).in_flight.1)
    }

    /// The broker's process is gone, and all it knew with it.
    pub(super) fn forget_broker(&mut self) {
        for ends in &mut self.ends {
            *ends.of_mut(Side::Broker) = End::default();
        }
    }

    /// The broker has forgotten the session of a client.
    pub(super) fn forget_at_broker(&mut self, client: ClientNumber) {
        if let Some(ends) = self.ends.get_mut(client.place()) {
            *ends.of_mut(Side::Broker) = End::default();
        }
    }

    /// The client's process is gone, and all it knew with it; not so what makes it the same session.
    pub(super) fn forget_client(&mut self, client: ClientNumber) {
        if let Some(ends) = self.ends.get_mut(client.place()) {
            let mut inbound = std::mem::take(ends.of_mut(Side::Client)).inbound;
            inbound.values_mut().for_each(|received| received.owed = 0);
            ends.of_mut(Side::Client).inbound = inbound;
        }
    }

    /// The client's process is gone: what it got since it last said anything of it may not be in its store.
    pub(super) fn may_forget(&mut self, client: ClientNumber) {
        if let Some(ends) = self.ends.get_mut(client.place()) {
            for sent in ends.of_mut(Side::Client).outbound.values_mut() {
                sent.is_doubtful = matches!(sent.stage, Stage::Received(_) | Stage::Done(_));
            }
        }
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
        let Some(client) = wires.get(wire).and_then(|wire| wire.client) else {
            return;
        };
        if self.ends.len() <= client.place() {
            self.ends.resize_with(client.place() + 1, BySide::default);
        }
        let Some(end) = self.ends.get_mut(client.place()).map(|ends| ends.of_mut(side)) else {
            return;
        };
        if !session_present {
            *end = End::default();
        }
        let (last, _) = end.in_flight;
        // What was finished on a connection before the last may not come again on any account: the last one showed that.
        end.outbound
            .retain(|_, sent| !matches!(sent.stage, Stage::Done(step) if Some(step.wire) != last));
        end.connections += 1;
        end.in_flight = (Some(wire), 0);
        end.resent = 0;
        end.requested.clear();
        end.due.iter_mut().for_each(VecDeque::clear);
    }

    /// This end of the session of a connection that it takes to be open, and to be the last one.
    fn end(&mut self, id: WireId, side: Side, wires: &Wires) -> Option<&mut End> {
        let wire = wires.get(id).filter(|wire| wire.over_for(side).is_none())?;
        let client = wire.client.filter(|_| !wires.is_taken_over(id))?;
        self.ends.get_mut(client.place()).map(|ends| ends.of_mut(side))
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
