//! In what order a moment's events are judged. What leaves the broker's host within one moment is collected socket by socket, so
//! the trace does not say which of two connections the broker handled first. That it closed one of them does: before the other
//! could take over, or learn of a Will. And what a connection brings, others learn after its CONNACK.

use std::collections::{BTreeMap, BTreeSet};

use squall_proto::Packet;

use crate::trace::{Event, Side, What, WireId};

/// The places of the events in an order in which they may have happened at the broker: of what it does without a break in one
/// moment, first what concerns the connections that it closes then, in the order in which they came, and next each CONNACK; and what a client says before it has CONNACK,
/// after that. On each connection the order is otherwise that of the trace.
///
/// If the broker `is_durable`, CONNACK waits for its disk, and what is published meanwhile does not: that is told twice.
pub(crate) fn order_at_broker(events: &[Event], is_durable: bool) -> Vec<usize> {
    let mut places: Vec<usize> = (0..events.len()).collect();
    let mut rest = places.as_mut_slice();
    // Whose CONNECT has come, and where.
    let mut connects: BTreeMap<WireId, usize> = BTreeMap::new();
    for deeds in events.chunk_by(is_same_deed) {
        let Some((these, later)) = rest.split_at_mut_checked(deeds.len()) else {
            break;
        };
        rest = later;
        for place in &*these {
            if let Some(wire) = events.get(*place).and_then(connects_with) {
                connects.entry(wire).or_insert(*place);
            }
        }
        let closed: BTreeSet<WireId> = deeds.iter().filter_map(closed_by_broker).collect();
        if !closed.is_empty() || deeds.iter().any(is_connack) {
            these.sort_by_key(|place| {
                let event = events.get(*place);
                let wire = event.and_then(|event| event.what.wire());
                let closed = wire.filter(|wire| closed.contains(wire));
                let came = closed.map(|wire| connects.get(&wire));
                (
                    came.is_none(),
                    came,
                    closed.is_none() && !event.is_some_and(is_connack),
                )
            });
        }
    }
    after_connack(events, places, is_durable)
}

/// Puts off what a client said between CONNECT and CONNACK: the broker has handled none of it before. Where no CONNACK comes it has
/// handled none at all, and it stands at the end.
fn after_connack(events: &[Event], places: Vec<usize>, is_durable: bool) -> Vec<usize> {
    // `None`: CONNACK has left.
    let mut early: BTreeMap<WireId, Option<Vec<usize>>> = BTreeMap::new();
    let mut ordered = Vec::with_capacity(places.len());
    for place in places {
        let event = events.get(place).map(|event| &event.what);
        match event {
            Some(What::Arrived {
                wire,
                from: Side::Client,
                packet: Packet::Connect(_),
            }) => _ = early.entry(*wire).or_insert_with(|| Some(Vec::new())),
            Some(What::Arrived {
                wire,
                from: Side::Client,
                packet,
            }) if !matches!(packet, Packet::Auth(_)) => {
                if let Some(Some(early)) = early.get_mut(wire) {
                    early.push(place);
                    if is_durable && matches!(packet, Packet::Publish(_)) {
                        ordered.push(place);
                    }
                    continue;
                }
            }
            Some(What::Sent {
                wire,
                from: Side::Broker,
                packet: Packet::Connack(_),
            }) => {
                ordered.push(place);
                ordered.extend(early.insert(*wire, None).flatten().unwrap_or_default());
                continue;
            }
            _other_events => {}
        }
        ordered.push(place);
    }
    ordered.extend(early.into_values().flatten().flatten());
    ordered
}

const fn connects_with(event: &Event) -> Option<WireId> {
    match &event.what {
        What::Arrived {
            wire,
            from: Side::Client,
            packet: Packet::Connect(_),
        } => Some(*wire),
        _other_events => None,
    }
}

const fn is_connack(event: &Event) -> bool {
    matches!(
        event.what,
        What::Sent {
            from: Side::Broker,
            packet: Packet::Connack(_),
            ..
        }
    )
}

fn is_same_deed(before: &Event, event: &Event) -> bool {
    before.at == event.at && is_brokers(before) && is_brokers(event)
}

const fn is_brokers(event: &Event) -> bool {
    matches!(
        event.what,
        What::Sent {
            from: Side::Broker,
            ..
        } | What::Bytes {
            from: Side::Broker,
            ..
        } | What::Closed { by: Side::Broker, .. }
            | What::LetGo { by: Side::Broker, .. }
    )
}

fn closed_by_broker(event: &Event) -> Option<WireId> {
    match &event.what {
        What::Closed {
            wire,
            by: Side::Broker,
            ..
        }
        | What::LetGo {
            wire,
            by: Side::Broker,
        } => Some(*wire),
        _other_events => None,
    }
}
