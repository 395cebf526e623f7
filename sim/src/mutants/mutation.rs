use squall_proto::Packet;

use super::conn::{Conn, Forgive, Way};

/// Is shown every packet of every connection of a host, in order, and says what becomes of it. What it captures it remembers over
/// connections and over crashes.
pub(super) type Mutation = Box<dyn FnMut(Packet, &mut Conn) + Send>;

/// Says what becomes of packets that the node sends; what it sees is as it came.
pub(super) fn sent(mut mutation: impl FnMut(Packet, &mut Conn) + Send + 'static) -> Mutation {
    Box::new(move |packet, conn| match conn.way() {
        Way::Seen => conn.pass(packet),
        Way::Sent => mutation(packet, conn),
    })
}

/// Says what becomes of packets that the node is to see; what it sends is as it sends it.
pub(super) fn seen(mut mutation: impl FnMut(Packet, &mut Conn) + Send + 'static) -> Mutation {
    Box::new(move |packet, conn| match conn.way() {
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
    Box::new(move |packet, conn| {
        conn.forgive(forgive);
        conn.pass(packet);
    })
}
