//! What a cut does to a connection: the segment ends at the packet, and whatever is sent afterwards vanishes.

use std::{collections::BTreeSet, net::SocketAddr};

use bytes::Bytes;
use turmoil_net::{TcpFlags, TcpSegment};

use super::{Network, touch};
use crate::{
    faults::{CutMode, CutSide, Which},
    trace::{End, Side, What, WireId},
    world::{
        link::Direction,
        tap::Seen,
        wire::{Wire, peer},
    },
};

/// Where in a segment a cut is, and how it shows.
#[derive(Clone, Copy, Debug)]
pub(super) struct CutHere {
    /// Bytes of the segment that still get through.
    keep: usize,
    mode: CutMode,
}

const FIN: TcpFlags = TcpFlags {
    syn: false,
    ack: false,
    fin: true,
    rst: false,
    psh: false,
    urg: false,
};
const RST: TcpFlags = TcpFlags {
    fin: false,
    rst: true,
    ..FIN
};
const ACK: TcpFlags = TcpFlags {
    fin: false,
    ack: true,
    ..FIN
};

impl CutHere {
    /// At a packet of the segment that begins at `begins` in the stream.
    pub(super) fn new(seen: &Seen, begins: u64, side: CutSide, mode: CutMode) -> Self {
        let at = match side {
            CutSide::Before => seen.begins,
            CutSide::After => seen.ends,
        };
        // A packet that began in an earlier segment is half through already: nothing of this one is let through.
        let keep = usize::try_from(at.saturating_sub(begins)).unwrap_or(usize::MAX);
        Self { keep, mode }
    }
}

impl Network {
    /// Lets through what comes before the cut, and ends the connection there.
    pub(super) fn cut(&mut self, wire: WireId, from: Side, mut segment: TcpSegment, cut: CutHere) {
        segment.payload.truncate(cut.keep);
        segment.flags.fin = false;
        let seq_at_cut = segment
            .seq
            .wrapping_add(u32::try_from(segment.payload.len()).unwrap_or(u32::MAX));
        if !segment.payload.is_empty() {
            self.transmit(wire, from, segment);
        }
        self.sever(wire, from, seq_at_cut, cut.mode);
    }

    /// Cuts connections between hosts where they are. Says how many.
    pub(crate) fn cut_now(&mut self, between: &BTreeSet<Direction>, which: Which, mode: CutMode) -> u64 {
        let open = |(id, wire): (WireId, &Wire)| {
            let is_one =
                between.contains(&wire.direction(Side::Client)) && wire.is_open() && wire.cut.is_none();
            is_one.then_some(id)
        };
        let mut all: Vec<WireId> = self.wires.iter().filter_map(open).collect();
        match which {
            Which::All => {}
            Which::Oldest => all.truncate(1),
            Which::Newest => _ = all.drain(..all.len().saturating_sub(1)),
        }
        for wire in &all {
            let seq = self.wires.lane(*wire, Side::Client).first_unsent_seq();
            self.sever(*wire, Side::Client, seq, mode);
        }
        touch();
        self.arm();
        all.len() as u64
    }

    /// Nothing passes any more; what its ends learn of it follows what has passed, `from` the side whose last byte is before `seq`.
    fn sever(&mut self, wire: WireId, from: Side, seq: u32, mode: CutMode) {
        let connection = self.wires.wire(wire);
        connection.cut = Some(mode);
        let back = connection.lane.of(peer(from)).first_unsent_seq();
        connection.lane.client.held.clear();
        connection.lane.broker.held.clear();
        let flags = match mode {
            CutMode::Rst => RST,
            CutMode::Fin => FIN,
            CutMode::Silent => return,
        };
        self.forge(wire, from, flags, seq, 0);
        self.forge(wire, peer(from), flags, back, 0);
    }

    /// A segment sent into a cut connection. Nobody is there any more, and unless the cut is silent its sender is told so.
    pub(super) fn swallow(&mut self, wire: WireId, from: Side, segment: &TcpSegment, mode: CutMode) {
        let after = segment.seq.wrapping_add(u32::from(segment.flags.fin));
        let answered = self.wires.lane(wire, from).was_reset;
        match mode {
            CutMode::Rst | CutMode::Silent => {}
            CutMode::Fin if segment.flags.rst || answered => {}
            CutMode::Fin if !segment.payload.is_empty() => self.forge(wire, peer(from), RST, 0, 0),
            CutMode::Fin if segment.flags.fin => self.forge(wire, peer(from), ACK, 0, after),
            CutMode::Fin => {}
        }
    }

    /// Resets a side of a connection: its own socket is gone at once, the other side learns of it when the RST arrives.
    pub(super) fn reset(&mut self, wire: WireId, side: Side) {
        let connection = self.wires.wire(wire);
        let (local, remote) = (*connection.address.of(side), *connection.address.of(peer(side)));
        let cut = connection.cut.is_some();
        let lane = connection.lane.of_mut(side);
        let first = !std::mem::replace(&mut lane.closed, true);
        let seq = lane.first_unsent_seq();
        lane.held.clear();
        if first {
            self.note(What::Closed {
                wire,
                by: side,
                how: End::Reset,
            });
        }
        if !cut {
            self.forge(wire, side, RST, seq, 0);
        }
        self.forget_socket(local, remote);
    }

    /// A kernel's own socket is gone at once.
    pub(super) fn forget_socket(&self, local: SocketAddr, remote: SocketAddr) {
        let to_itself = made_up(remote.port(), local.port(), RST, 0, 0);
        self.hand_over(remote.ip(), local.ip(), to_itself);
    }

    /// Before an RST: turmoil-net never forgets a connection that is reset before anybody could accept it, and nobody could listen on its
    /// port again. So it can be accepted, and is over then.
    pub(super) fn finish_handshake(&mut self, wire: WireId) {
        let connection = self.wires.wire(wire);
        let (from, to) = (connection.address.client, connection.address.broker);
        let listens = &connection.lane.broker;
        if listens.has_sent() && listens.is_alive() {
            let last = made_up(from.port(), to.port(), ACK, 0, listens.next_seq);
            self.hand_over(from.ip(), to.ip(), last);
        }
    }

    /// A segment of a connection that its receiver's kernel does not know any more: that is what it says.
    pub(super) fn answer_for_gone(&mut self, wire: WireId, gone: Side, segment: &TcpSegment) {
        if !segment.flags.rst && self.wires.wire(wire).cut.is_none() {
            self.forge(wire, gone, RST, segment.ack, 0);
        }
    }

    /// Sends a segment that no kernel made, as if it came from `from`.
    fn forge(&mut self, wire: WireId, from: Side, flags: TcpFlags, seq: u32, ack: u32) {
        let address = self.wires.wire(wire).address;
        let segment = made_up(
            address.of(from).port(),
            address.of(peer(from)).port(),
            flags,
            seq,
            ack,
        );
        self.transmit(wire, from, segment);
    }
}

const fn made_up(src_port: u16, dst_port: u16, flags: TcpFlags, seq: u32, ack: u32) -> TcpSegment {
    TcpSegment {
        src_port,
        dst_port,
        seq,
        ack,
        flags,
        window: u16::MAX,
        payload: Bytes::new(),
    }
}
