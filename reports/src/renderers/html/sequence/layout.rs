//! Which lifelines there are, what stands in which row, and which packet arrives where.

use indexmap::IndexSet;

use crate::{Mark, POINTER, PacketLine};

/// The names that the models give the broker, and who a client's events are for.
const BROKER: &str = "broker";
const APPLICATION: &str = "application";

/// A diagram in rows and lifelines, both counted from 0; nothing here knows a pixel.
pub(super) struct Layout<'a> {
    /// From left to right: clients, with the broker in their middle.
    pub(super) lifelines: Vec<&'a str>,
    /// From top to bottom.
    pub(super) rows: Vec<Row<'a>>,
    /// What was wrong when.
    pub(super) faults: Vec<Fault>,
}

pub(super) struct Row<'a> {
    pub(super) packet: &'a PacketLine,
    pub(super) shape: Shape,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// From one lifeline to another; it arrives in this row, or in the row it was sent in.
    Arrow { from: usize, to: usize, arrives: usize },
    /// The end of an arrow that another row begins.
    Arrival { at: usize },
    /// At one lifeline.
    Note { at: usize },
    /// At none, so across all.
    Band { fault: bool },
}

/// A fault's first and last row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) first: usize,
    pub(super) last: usize,
}

impl<'a> Layout<'a> {
    pub(super) fn of(packets: &'a [PacketLine]) -> Self {
        let lifelines = lifelines(packets);
        let mut rows: Vec<_> = packets
            .iter()
            .enumerate()
            .map(|(nth, packet)| Row {
                packet,
                shape: shape(&lifelines, nth, packet),
            })
            .collect();
        for (sent, arrival) in pairs(packets) {
            join(&mut rows, sent, arrival);
        }
        Self {
            lifelines,
            rows,
            faults: faults(packets),
        }
    }
}

fn lifelines(packets: &[PacketLine]) -> Vec<&str> {
    let ends = packets
        .iter()
        .filter(|packet| !packet.to.is_empty())
        .flat_map(|packet| [packet.from.as_str(), packet.to.as_str()]);
    let mut names: IndexSet<_> = ends
        .filter(|name| !name.is_empty() && *name != APPLICATION)
        .collect();
    if names.shift_remove(BROKER) {
        names.shift_insert(names.len().div_ceil(2), BROKER);
    }
    names.into_iter().collect()
}

fn shape(lifelines: &[&str], nth: usize, packet: &PacketLine) -> Shape {
    let place = |name: &str| lifelines.iter().position(|one| *one == name);
    match (place(&packet.from), place(&packet.to)) {
        (Some(from), Some(to)) if from != to => Shape::Arrow {
            from,
            to,
            arrives: nth,
        },
        (Some(at), Some(_) | None) | (None, Some(at)) => Shape::Note { at },
        (None, None) => Shape::Band {
            fault: matches!(packet.mark, Some(Mark::FaultBegan(_) | Mark::FaultEnded(_))),
        },
    }
}

/// The rows in which a packet is sent and arrives. A connection delivers in order, so of packets that are alike the first to be
/// sent is the first to arrive.
fn pairs(packets: &[PacketLine]) -> Vec<(usize, usize)> {
    let mut under_way: Vec<(usize, &PacketLine)> = Vec::new();
    let mut pairs = Vec::new();
    for (row, packet) in packets.iter().enumerate() {
        match packet.mark {
            None => under_way.push((row, packet)),
            Some(Mark::Arrival) => {
                if let Some(place) = under_way.iter().position(|(_, sent)| is_arrival_of(packet, sent)) {
                    pairs.push((under_way.remove(place).0, row));
                }
            }
            Some(Mark::Opened) => {
                under_way.retain(|(_, sent)| sent.from != packet.from && sent.to != packet.from)
            }
            Some(Mark::FaultBegan(_) | Mark::FaultEnded(_)) => {}
        }
    }
    pairs
}

fn is_arrival_of(arrival: &PacketLine, sent: &PacketLine) -> bool {
    let text = sent.text.strip_suffix(POINTER).unwrap_or(&sent.text);
    (&arrival.from, &arrival.to) == (&sent.from, &sent.to)
        && arrival
            .text
            .strip_prefix(text)
            .is_some_and(|rest| rest.starts_with(" arrives"))
}

fn join(rows: &mut [Row<'_>], sent: usize, arrival: usize) {
    let Some(Shape::Arrow { from, to, .. }) = rows.get(sent).map(|row| row.shape) else {
        return;
    };
    if let Some(row) = rows.get_mut(sent) {
        row.shape = Shape::Arrow {
            from,
            to,
            arrives: arrival,
        };
    }
    if let Some(row) = rows.get_mut(arrival) {
        row.shape = Shape::Arrival { at: to };
    }
}

/// A fault whose begin or end is not among the lines reaches to their first or last.
fn faults(packets: &[PacketLine]) -> Vec<Fault> {
    let mut open: Vec<(usize, usize)> = Vec::new();
    let mut faults = Vec::new();
    for (row, packet) in packets.iter().enumerate() {
        match packet.mark {
            Some(Mark::FaultBegan(number)) => open.push((number, row)),
            Some(Mark::FaultEnded(number)) => {
                let begun = open.iter().position(|(one, _)| *one == number);
                let first = begun.map_or(0, |place| open.swap_remove(place).1);
                faults.push(Fault { first, last: row });
            }
            Some(Mark::Arrival | Mark::Opened) | None => {}
        }
    }
    let last = packets.len().saturating_sub(1);
    faults.extend(open.into_iter().map(|(_, first)| Fault { first, last }));
    faults
}
