use std::{collections::VecDeque, net::SocketAddr};

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use squall_proto::{Instant, Packet};
use turmoil_net::TcpSegment;

use super::{carrier::Carrier, link::Direction, tap::Tap, tls::Session, transport::Transport};
use crate::{
    faults::CutMode,
    trace::{Side, WireId},
};

/// A value for each side of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sides<T> {
    pub(super) client: T,
    pub(super) broker: T,
}

impl<T> Sides<T> {
    pub(super) const fn of(&self, side: Side) -> &T {
        match side {
            Side::Client => &self.client,
            Side::Broker => &self.broker,
        }
    }

    pub(super) const fn of_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Client => &mut self.client,
            Side::Broker => &mut self.broker,
        }
    }
}

/// A Network Connection, from its first segment to the end of the run.
pub(super) struct Wire {
    pub(super) address: Sides<SocketAddr>,
    /// The hosts, by their place in the world.
    pub(super) host: Sides<usize>,
    /// What each side sends.
    pub(super) lane: Sides<Lane>,
    /// Set by a cut: nothing passes any more.
    pub(super) cut: Option<CutMode>,
}

/// One direction of a connection.
pub(super) struct Lane {
    pub(super) tap: Tap,
    /// The sequence number that follows everything sent.
    pub(super) next_seq: u32,
    /// When the last segment under way arrives; nothing sent later arrives earlier.
    pub(super) last_arrival: Instant,
    /// Packets not yet arrived whole, with where each ends in the stream.
    pub(super) arriving: VecDeque<(u64, Packet)>,
    /// Bytes of the stream that have arrived.
    pub(super) arrived: u64,
    /// Bytes of the stream that the receiver's task has taken.
    pub(super) read: u64,
    /// Packets that have arrived and that it has not taken whole: where each ends in the stream, and its arrival's place in the trace.
    pub(super) unread: VecDeque<(u64, usize)>,
    /// What waits for a partition or a hold to end.
    pub(super) held: VecDeque<Held>,
    /// What is sent here vanishes, for good.
    pub(super) vanishes: bool,
    /// The sender has closed: its FIN or RST has left.
    pub(super) closed: bool,
    /// The sender's process has closed; its FIN waits for what it had written.
    pub(super) let_go: bool,
    /// The sender's socket is to be reset; a FIN of its kernel is not to be seen.
    pub(super) resetting: bool,
    /// The sender has learnt of an end, a FIN or an RST.
    pub(super) ended: bool,
    /// The sender's socket was reset by the other side.
    pub(super) was_reset: bool,
    /// The sender's host has lost power since, and its kernel knows nothing of the connection.
    pub(super) is_gone: bool,
}

/// A segment that waits.
pub(super) struct Held {
    pub(super) since: Instant,
    pub(super) segment: TcpSegment,
}

impl Lane {
    const fn new(tap: Tap) -> Self {
        Self {
            tap,
            next_seq: 0,
            last_arrival: Instant::ZERO,
            arriving: VecDeque::new(),
            arrived: 0,
            read: 0,
            unread: VecDeque::new(),
            held: VecDeque::new(),
            vanishes: false,
            closed: false,
            let_go: false,
            resetting: false,
            ended: false,
            was_reset: false,
            is_gone: false,
        }
    }

    /// Whether the sender's kernel knows the connection: its SYN has left.
    pub(super) const fn has_sent(&self) -> bool {
        self.next_seq != 0
    }

    /// Whether a socket that can still be reset sends here.
    pub(super) const fn is_alive(&self) -> bool {
        !self.closed && !self.was_reset && !self.resetting && !self.is_gone
    }

    /// Whether no process has a socket any more that sends here, or none that can.
    pub(super) const fn is_left(&self) -> bool {
        self.let_go || !self.is_alive()
    }

    /// Whether the sender knows that the connection is over.
    const fn is_over(&self) -> bool {
        self.closed || self.ended
    }

    /// From now on what is sent here vanishes, and what waits.
    pub(super) fn vanish(&mut self) {
        self.vanishes = true;
        self.held.clear();
    }

    /// The sequence number of the first byte that has not been let through yet.
    pub(super) fn first_unsent_seq(&self) -> u32 {
        self.held.front().map_or(self.next_seq, |held| held.segment.seq)
    }
}

impl Wire {
    /// From which host to which this side sends.
    pub(super) const fn direction(&self, from: Side) -> Direction {
        (*self.host.of(from), *self.host.of(peer(from)))
    }

    /// Whether something has been cut off in the middle: what is sent from then on is not what the other side sees.
    pub(super) const fn is_broken(&self) -> bool {
        self.cut.is_some() || self.lane.client.vanishes || self.lane.broker.vanishes
    }

    /// Whether the client is connected as far as it knows, and not every side has closed.
    pub(super) fn is_open(&self) -> bool {
        let [client, broker] = [&self.lane.client, &self.lane.broker];
        let connecting = [client, broker]
            .iter()
            .any(|lane| lane.held.iter().any(|held| held.segment.flags.syn));
        broker.next_seq != 0 && !connecting && !(client.is_over() && broker.is_over())
    }

    /// Whether nothing is under way that somebody has still to take or to learn: no segment that waits, no byte unread, no end
    /// that one side does not know of.
    pub(super) fn is_settled(&self) -> bool {
        let [client, broker] = [&self.lane.client, &self.lane.broker];
        let is_over = self.is_broken() || client.is_over() || broker.is_over();
        let all_know = client.is_over() && broker.is_over();
        let taken =
            |from: &Lane, to: &Lane| from.held.is_empty() && (to.is_over() || from.read >= from.arrived);
        is_over == all_know && taken(client, broker) && taken(broker, client)
    }
}

/// All connections of a run.
#[derive(Default)]
pub(super) struct Wires {
    all: Vec<Wire>,
    /// By the client's address, then the broker's. Looked up for every segment, and never iterated.
    by_address: HashMap<(SocketAddr, SocketAddr), WireId, FixedState>,
}

impl Wires {
    /// A connection that a client begins.
    pub(super) fn open(&mut self, address: Sides<SocketAddr>, host: Sides<usize>) -> WireId {
        let id = WireId(u32::try_from(self.all.len()).expect("a run has fewer than 2^32 connections"));
        let transport = Transport::at(address.broker.port());
        let session = Session::default();
        let carrier = |from| Carrier::new(transport, from, &session);
        self.by_address.insert((address.client, address.broker), id);
        self.all.push(Wire {
            address,
            host,
            lane: Sides {
                client: Lane::new(Tap::of_client(carrier(Side::Client))),
                broker: Lane::new(Tap::of_broker(carrier(Side::Broker))),
            },
            cut: None,
        });
        id
    }

    /// The connection between two addresses, and which side `from` is.
    pub(super) fn find(&self, from: SocketAddr, to: SocketAddr) -> Option<(WireId, Side)> {
        let sent_by = |side, key| self.by_address.get(&key).map(|id| (*id, side));
        sent_by(Side::Client, (from, to)).or_else(|| sent_by(Side::Broker, (to, from)))
    }

    pub(super) fn wire(&mut self, id: WireId) -> &mut Wire {
        self.all
            .get_mut(id.0 as usize)
            .expect("a connection is never forgotten")
    }

    pub(super) fn lane(&mut self, id: WireId, from: Side) -> &mut Lane {
        self.wire(id).lane.of_mut(from)
    }

    /// Every connection with its number, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (WireId, &Wire)> {
        (0..).map(WireId).zip(&self.all)
    }
}

/// The other side.
pub(super) const fn peer(side: Side) -> Side {
    match side {
        Side::Client => Side::Broker,
        Side::Broker => Side::Client,
    }
}
