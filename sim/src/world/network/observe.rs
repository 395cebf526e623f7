//! What is seen of the segments: connections, packets, ends; and whom a packet concerns.

use std::{mem, net::SocketAddr};

use bytes::Bytes;
use squall_proto::Packet;
use turmoil_net::TcpSegment;

use super::{Network, cut::CutHere};
use crate::{
    trace::{End, Side, What, WireId},
    world::{
        tap::Seen,
        watch::{PlannedCut, Then},
        wire::{Sides, peer},
    },
};

impl Network {
    pub(super) fn open(&mut self, client: SocketAddr, broker: SocketAddr) {
        let host_of = |address: SocketAddr| self.hosts.iter().position(|host| host.address == address.ip());
        let (Some(client_host), Some(broker_host)) = (host_of(client), host_of(broker)) else {
            return;
        };
        let host = Sides {
            client: client_host,
            broker: broker_host,
        };
        let wire = self.wires.open(Sides { client, broker }, host);
        let client = self.name(client_host).to_owned();
        self.note(What::Opened { wire, client });
    }

    /// The newest connection from this address, and whose it is.
    pub(crate) fn accepted_from(&self, client: SocketAddr) -> Option<(WireId, String)> {
        let mut newest_first = self.wires.iter().collect::<Vec<_>>().into_iter().rev();
        let (id, wire) = newest_first.find(|(_, wire)| wire.address.client == client)?;
        Some((id, self.name(wire.host.client).to_owned()))
    }

    /// Decodes what a segment carries, and finds where a fault cuts it.
    pub(super) fn observe(&mut self, wire: WireId, from: Side, payload: &Bytes) -> Option<CutHere> {
        if payload.is_empty() {
            return None;
        }
        let tap = &mut self.wires.lane(wire, from).tap;
        let begins = tap.taken();
        tap.take(payload);
        let mut cut = None;
        while let Some(next) = self.wires.lane(wire, from).tap.next() {
            match next {
                Err(error) => {
                    self.note_bytes(wire, from);
                    self.note(What::Malformed { wire, from, error });
                }
                Ok(mut seen) => {
                    if let Some(bytes) = seen.untold.take() {
                        self.note(What::Bytes { wire, from, bytes });
                    }
                    let packet = seen.packet.clone();
                    self.note(What::Sent { wire, from, packet });
                    cut = cut.or_else(|| self.matched(wire, from, &seen, begins));
                    let connection = self.wires.wire(wire);
                    if let Packet::Connect(connect) = &seen.packet {
                        connection.lane.broker.tap.learn(connect.version);
                    }
                    let lane = connection.lane.of_mut(from);
                    lane.arriving.push_back((seen.ends, seen.packet));
                }
            }
        }
        self.note_bytes(wire, from);
        cut
    }

    /// Writes down what a side has sent beside packets.
    fn note_bytes(&mut self, wire: WireId, from: Side) {
        if let Some(bytes) = self.wires.lane(wire, from).tap.untold() {
            self.note(What::Bytes { wire, from, bytes });
        }
    }

    /// Tells who waits for a packet, or finds the cut at it.
    pub(super) fn matched(&mut self, wire: WireId, from: Side, seen: &Seen, begins: u64) -> Option<CutHere> {
        let connection = self.wires.wire(wire);
        if connection.cut.is_some() || connection.lane.of(from).vanishes {
            return None;
        }
        let client = connection.host.client;
        let mut cut = None;
        for then in self.watches.seen(client, from, seen.packet.packet_type()) {
            match then {
                // Who no longer waits need not be told.
                Then::Tell(waiting) => _ = waiting.send(()),
                Then::Cut { it, last } => {
                    cut = cut.or_else(|| Some(CutHere::new(seen, begins, it.side, it.mode)));
                    let PlannedCut { step, what, .. } = it;
                    self.note(What::FaultBegan { step, what });
                    self.note(What::FaultEnded { step, touched: 1 });
                    _ = last.map(|tell| tell.send(()));
                }
            }
        }
        cut
    }

    /// So many packets have reached their receiver's host whole.
    pub(super) fn note_arrivals(&mut self, wire: WireId, from: Side, packets: usize) {
        for _ in 0..packets {
            let event = self.trace.events.len();
            let lane = self.wires.lane(wire, from);
            let Some((ends, packet)) = lane.arriving.pop_front() else {
                return;
            };
            lane.unread.push_back((ends, event));
            self.note(What::Arrived { wire, from, packet });
        }
    }

    /// Says of what has arrived that nobody has read it, where nobody can any more.
    pub(super) fn tell_unread(&mut self) {
        let lanes = self.wires.iter().flat_map(|(_, wire)| {
            [Side::Client, Side::Broker]
                .into_iter()
                .filter(|from| wire.lane.of(peer(*from)).is_left())
                .map(|from| &wire.lane.of(from).unread)
        });
        for (_, event) in lanes.flatten() {
            let Some(arrival) = self.trace.events.get_mut(*event) else {
                continue;
            };
            if let What::Arrived { wire, from, packet } = &arrival.what {
                arrival.what = What::Unread {
                    wire: *wire,
                    from: *from,
                    packet: packet.clone(),
                };
            }
        }
    }

    pub(super) fn note_close(&mut self, wire: WireId, by: Side, segment: &TcpSegment) {
        let lane = self.wires.lane(wire, by);
        if let Some(how) = end_of(segment)
            && !mem::replace(&mut lane.closed, true)
        {
            self.note(What::Closed { wire, by, how });
        }
    }

    /// A process has closed its end, and that is not out yet: its host still has data to send.
    pub(super) fn note_let_go(&mut self, wire: WireId, by: Side) {
        let lane = self.wires.lane(wire, by);
        if lane.is_alive() && !mem::replace(&mut lane.let_go, true) {
            self.note(What::LetGo { wire, by });
        }
    }

    pub(super) fn note_end(&mut self, wire: WireId, at: Side, segment: &TcpSegment) {
        let lane = self.wires.lane(wire, at);
        let Some(how) = end_of(segment) else { return };
        if how == End::Reset {
            // One that overtakes the SYN resets nothing.
            lane.was_reset |= lane.has_sent();
            lane.held.clear();
        }
        if !mem::replace(&mut lane.ended, true) {
            self.note(What::Ended { wire, at, how });
        }
    }
}

fn end_of(segment: &TcpSegment) -> Option<End> {
    if segment.flags.rst {
        Some(End::Reset)
    } else if segment.flags.fin {
        Some(End::Fin)
    } else {
        None
    }
}
