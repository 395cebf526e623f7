use squall_proto::{
    Packet,
    broker::{Fetched, Record},
};

use super::conn::{Conn, Forgive, Way};

/// What is wrong with a host. What it captures it remembers over connections and over crashes.
pub(super) enum Mutation {
    /// Is shown every packet of every connection, in order, and says what becomes of it.
    Wire(OfPackets),
    /// Is shown every record that is to be kept, in order, and says what becomes of it.
    Store(OfRecords),
    /// Changes what was read from the disk of what waits there.
    Fetch(OfFetched),
    /// The disk is never asked to sync.
    Unsynced,
}

type OfPackets = Box<dyn FnMut(Packet, &mut Conn) + Send>;
type OfRecords = Box<dyn FnMut(&Record<'_>) -> Kept + Send>;
type OfFetched = Box<dyn FnMut(&mut Vec<Fetched>) + Send>;

impl Mutation {
    /// Says what becomes of a packet.
    pub(super) fn apply(&mut self, packet: Packet, conn: &mut Conn) {
        match self {
            Self::Wire(mutation) => mutation(packet, conn),
            Self::Store(_) | Self::Fetch(_) | Self::Unsynced => conn.pass(packet),
        }
    }
}

/// What becomes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// It is on the disk before anything that depends on it leaves.
    Now,
    /// It is put there with the next that are.
    Later,
    Never,
}

/// Says what becomes of packets, both ways.
pub(super) fn wire(mutation: impl FnMut(Packet, &mut Conn) + Send + 'static) -> Mutation {
    Mutation::Wire(Box::new(mutation))
}

/// Such records are kept late.
pub(super) fn kept_later(mut is: impl FnMut(&Record<'_>) -> bool + Send + 'static) -> Mutation {
    Mutation::Store(Box::new(
        move |record| if is(record) { Kept::Later } else { Kept::Now },
    ))
}

/// What was read of what waits on the disk is changed.
pub(super) fn fetched_as(change: impl FnMut(&mut Vec<Fetched>) + Send + 'static) -> Mutation {
    Mutation::Fetch(Box::new(change))
}

/// Such records are not kept.
pub(super) fn never_kept(mut is: impl FnMut(&Record<'_>) -> bool + Send + 'static) -> Mutation {
    Mutation::Store(Box::new(
        move |record| if is(record) { Kept::Never } else { Kept::Now },
    ))
}

/// Says what becomes of packets that the node sends; what it sees is as it came.
pub(super) fn sent(mut mutation: impl FnMut(Packet, &mut Conn) + Send + 'static) -> Mutation {
    wire(move |packet, conn| match conn.way() {
        Way::Seen => conn.pass(packet),
        Way::Sent => mutation(packet, conn),
    })
}

/// Says what becomes of packets that the node is to see; what it sends is as it sends it.
pub(super) fn seen(mut mutation: impl FnMut(Packet, &mut Conn) + Send + 'static) -> Mutation {
    wire(move |packet, conn| match conn.way() {
        Way::Seen => mutation(packet, conn),
        Way::Sent => conn.pass(packet),
    })
}

/// Changes packets that the node sends.
pub(super) fn sent_as(mut change: impl FnMut(&mut Packet, &Conn) + Send + 'static) -> Mutation {
    sent(move |mut packet, conn| {
        change(&mut packet, conn);
        conn.pass(packet);
    })
}

/// Changes packets that the node is to see.
pub(super) fn seen_as(mut change: impl FnMut(&mut Packet, &Conn) + Send + 'static) -> Mutation {
    seen(move |mut packet, conn| {
        change(&mut packet, conn);
        conn.pass(packet);
    })
}

/// Such packets are not sent.
pub(super) fn never_sent(mut is: impl FnMut(&Packet, &Conn) -> bool + Send + 'static) -> Mutation {
    sent(move |packet, conn| {
        if !is(&packet, conn) {
            conn.pass(packet);
        }
    })
}

/// Such packets are not seen.
pub(super) fn never_seen(mut is: impl FnMut(&Packet, &Conn) -> bool + Send + 'static) -> Mutation {
    seen(move |packet, conn| {
        if !is(&packet, conn) {
            conn.pass(packet);
        }
    })
}

/// Such packets are sent twice.
pub(super) fn sent_twice(mut is: impl FnMut(&Packet, &Conn) -> bool + Send + 'static) -> Mutation {
    sent(move |packet, conn| {
        if is(&packet, conn) {
            conn.pass(packet.clone());
        }
        conn.pass(packet);
    })
}

/// The node sees bytes that are no packet as this puts them right, from CONNECT on.
pub(super) fn forgives(forgive: Forgive) -> Mutation {
    wire(move |packet, conn| {
        conn.forgive(forgive);
        conn.pass(packet);
    })
}
