use std::{collections::BTreeMap, fmt::Write};

use squall_proto::{Ack, Connect, Delivery, Packet, Publish, ReasonCode};
use squall_reports::{Mark, PacketLine};

use super::{Down, End, Event, Side, Trace, What, WireId, detail::details};

/// The events of a run as a person reads them.
#[derive(Debug)]
pub struct Lines<'a> {
    trace: &'a Trace,
    names: BTreeMap<WireId, &'a str>,
}

impl<'a> Lines<'a> {
    /// Of this run.
    pub fn new(trace: &'a Trace) -> Self {
        let opened = trace.events.iter().filter_map(|event| {
            if let What::Opened { wire, client } = &event.what {
                Some((*wire, client.as_str()))
            } else {
                None
            }
        });
        Self {
            trace,
            names: opened.collect(),
        }
    }

    /// The event at this place. `None`: there are not so many.
    pub fn line(&self, index: usize) -> Option<PacketLine> {
        self.trace.events.get(index).map(|event| self.line_of(event))
    }

    /// Where the events at these places stand in the trace, with `around` more on each side: on the same connections, and whatever
    /// is on none.
    pub fn around(&self, events: &[usize], around: usize) -> Vec<usize> {
        let wires: Vec<WireId> = events.iter().filter_map(|index| self.wire(*index)).collect();
        let is_near =
            |index: &usize| wires.is_empty() || self.wire(*index).is_none_or(|wire| wires.contains(&wire));
        let mut near: Vec<usize> = Vec::new();
        for event in events {
            let before = (0..*event).rev().filter(is_near).take(around);
            let after = (*event..self.trace.events.len()).filter(is_near).take(around + 1);
            near.extend(before.chain(after).chain([*event]));
        }
        near.sort_unstable();
        near.dedup();
        near
    }

    /// Where the faults began that last when this event comes.
    pub fn faults_at(&self, index: usize) -> Vec<usize> {
        let mut lasting: Vec<(usize, usize)> = Vec::new();
        for (place, event) in self.trace.events.iter().enumerate().take(index) {
            match mark_of(&event.what) {
                Some(Mark::FaultBegan(step)) => lasting.push((step, place)),
                Some(Mark::FaultEnded(step)) => lasting.retain(|(one, _)| *one != step),
                Some(Mark::Arrival | Mark::Opened) | None => {}
            }
        }
        lasting.into_iter().map(|(_, place)| place).collect()
    }

    fn wire(&self, index: usize) -> Option<WireId> {
        self.trace.events.get(index).and_then(|event| event.what.wire())
    }

    fn line_of(&self, event: &Event) -> PacketLine {
        let client = event
            .what
            .wire()
            .and_then(|wire| self.names.get(&wire).copied())
            .unwrap_or_default();
        let (from, to) = match (event.what.side(), &event.what) {
            (Some(Side::Client), _) => (client, "broker"),
            (Some(Side::Broker), _) => ("broker", client),
            (None, What::Application { client, .. }) => (client.as_str(), "application"),
            (None, _) => ("", ""),
        };
        PacketLine {
            at_micros: event.at.as_micros(),
            from: from.to_owned(),
            to: to.to_owned(),
            text: event_line(event),
            mark: mark_of(&event.what),
        }
    }
}

const fn mark_of(what: &What) -> Option<Mark> {
    match what {
        What::Arrived { .. } => Some(Mark::Arrival),
        What::Opened { .. } => Some(Mark::Opened),
        What::FaultBegan { step, .. } => Some(Mark::FaultBegan(*step)),
        What::FaultEnded { step, .. } => Some(Mark::FaultEnded(*step)),
        What::Sent { .. }
        | What::Unread { .. }
        | What::Bytes { .. }
        | What::Malformed { .. }
        | What::Closed { .. }
        | What::LetGo { .. }
        | What::Ended { .. }
        | What::HostDown { .. }
        | What::HostUp { .. }
        | What::Kicked { .. }
        | What::HostPaused { .. }
        | What::HostResumed { .. }
        | What::Application { .. }
        | What::Step { .. }
        | What::Missed { .. }
        | What::Held(_)
        | What::Healed => None,
    }
}

impl What {
    /// The packet that is sent or arrives.
    pub const fn packet(&self) -> Option<&Packet> {
        if let Self::Sent { packet, .. } | Self::Arrived { packet, .. } | Self::Unread { packet, .. } = self {
            Some(packet)
        } else {
            None
        }
    }

    /// The connection it is about.
    pub const fn wire(&self) -> Option<WireId> {
        match self {
            Self::Opened { wire, .. }
            | Self::Sent { wire, .. }
            | Self::Arrived { wire, .. }
            | Self::Unread { wire, .. }
            | Self::Bytes { wire, .. }
            | Self::Malformed { wire, .. }
            | Self::Closed { wire, .. }
            | Self::LetGo { wire, .. }
            | Self::Ended { wire, .. } => Some(*wire),
            Self::HostDown { .. }
            | Self::HostUp { .. }
            | Self::Kicked { .. }
            | Self::HostPaused { .. }
            | Self::HostResumed { .. }
            | Self::FaultBegan { .. }
            | Self::FaultEnded { .. }
            | Self::Application { .. }
            | Self::Step { .. }
            | Self::Missed { .. }
            | Self::Held(_)
            | Self::Healed => None,
        }
    }

    /// The side it comes from.
    pub const fn side(&self) -> Option<Side> {
        match self {
            Self::Opened { .. } => Some(Side::Client),
            Self::Sent { from: side, .. }
            | Self::Arrived { from: side, .. }
            | Self::Unread { from: side, .. }
            | Self::Bytes { from: side, .. }
            | Self::Malformed { from: side, .. }
            | Self::Closed { by: side, .. }
            | Self::LetGo { by: side, .. } => Some(*side),
            // The end comes from the other side.
            Self::Ended { at: Side::Client, .. } => Some(Side::Broker),
            Self::Ended { at: Side::Broker, .. } => Some(Side::Client),
            Self::HostDown { .. }
            | Self::HostUp { .. }
            | Self::Kicked { .. }
            | Self::HostPaused { .. }
            | Self::HostResumed { .. }
            | Self::FaultBegan { .. }
            | Self::FaultEnded { .. }
            | Self::Application { .. }
            | Self::Step { .. }
            | Self::Missed { .. }
            | Self::Held(_)
            | Self::Healed => None,
        }
    }
}

/// An event in words, without its time and its ends; of a packet that is sent, with every field.
pub fn detailed_line(event: &Event) -> String {
    let details = if let What::Sent { packet, .. } = &event.what {
        details(packet)
    } else {
        String::new()
    };
    event_line(event) + &details
}

/// An event in words, without its time and its ends.
pub fn event_line(event: &Event) -> String {
    match &event.what {
        What::Opened { .. } => "opens a connection".to_owned(),
        What::Sent { packet, .. } => packet_line(packet),
        What::Arrived { packet, .. } => format!("{} arrives", packet_line(packet)),
        What::Unread { packet, .. } => format!("{} arrives, and nobody reads it", packet_line(packet)),
        What::Bytes { bytes, .. } => bytes_line(bytes),
        What::Malformed { error, .. } => format!("what is no packet: {error}"),
        What::Closed { how, .. } => format!("closes with {}", end(*how)),
        What::LetGo { .. } => "closes, with data unsent".to_owned(),
        What::Ended { how, .. } => format!("{} arrives", end(*how)),
        What::HostDown { host, how, .. } => format!("{host} {}", down(*how)),
        What::HostUp { host, kept: true } => format!("{host} runs again, and knows what it knew"),
        What::HostUp { host, kept: false } => format!("{host} runs again"),
        What::Kicked {
            client_id,
            ends_session: false,
        } => format!(
            "an administrator kicks {client_id:?}",
            client_id = client_id.as_str()
        ),
        What::Kicked {
            client_id,
            ends_session: true,
        } => format!(
            "an administrator ends the session of {client_id:?}",
            client_id = client_id.as_str()
        ),
        What::HostPaused { host } => format!("{host} stands still"),
        What::HostResumed { host } => format!("{host} goes on"),
        What::FaultBegan { what, .. } => format!("fault: {what}"),
        What::FaultEnded { step, touched } => {
            format!("fault of step {} is over; it touched {touched}", step + 1)
        }
        What::Application { told, .. } => told.to_string(),
        What::Step { step, what } => format!("step {}: {what}", step + 1),
        What::Missed { step, expected, got } => format!("step {}: expected {expected}, got {got}", step + 1),
        What::Held(counts) => format!(
            "the broker holds {} connections, {} sessions, {} subscriptions, {} retained and {} unfinished messages",
            counts.connections,
            counts.sessions,
            counts.subscriptions,
            counts.retained_messages,
            counts.unfinished_messages
        ),
        What::Healed => "all faults have healed".to_owned(),
    }
}

/// The first of them in hex: `3 bytes 30 0a 00`.
fn bytes_line(bytes: &[u8]) -> String {
    let (shown, more) = bytes.split_at(bytes.len().min(BYTES_SHOWN));
    let mut line = format!("{} bytes", bytes.len());
    for byte in shown {
        // Writing to a string cannot fail.
        _ = write!(line, " {byte:02x}");
    }
    if !more.is_empty() {
        line.push_str(" ..");
    }
    line
}

const BYTES_SHOWN: usize = 16;

const fn down(how: Down) -> &'static str {
    match how {
        Down::Stopped => "stops",
        Down::Crashed => "crashes",
        Down::PowerLost => "loses power",
    }
}

const fn end(how: End) -> &'static str {
    match how {
        End::Fin => "FIN",
        End::Reset => "RST",
    }
}

/// A packet in words: `PUBLISH q2 id 3 dup "t/1" pub/0/1`.
pub(crate) fn packet_line(packet: &Packet) -> String {
    let mut line = packet.packet_type().name().to_owned();
    // Writing to a string cannot fail.
    _ = match packet {
        Packet::Connect(connect) => connect_line(&mut line, connect),
        Packet::Connack(connack) => write!(
            line,
            " session present {}{}",
            u8::from(connack.session_present),
            code(connack.reason_code)
        ),
        Packet::Publish(publish) => publish_line(&mut line, publish),
        Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack) => {
            ack_line(&mut line, ack)
        }
        Packet::Subscribe(subscribe) => {
            let filters = subscribe.filters.iter();
            let filters: Vec<String> = filters
                .map(|(filter, options)| format!("{:?} q{}", filter.text().as_str(), options.qos.value()))
                .collect();
            write!(line, " id {} {}", subscribe.packet_id, filters.join(", "))
        }
        Packet::Suback(suback) => {
            let codes: Vec<String> = suback
                .reason_codes
                .iter()
                .map(|code| code.value().to_string())
                .collect();
            write!(line, " id {} {}", suback.packet_id, codes.join(", "))
        }
        Packet::Unsubscribe(unsubscribe) => {
            let filters = unsubscribe.filters.iter();
            let filters: Vec<String> = filters
                .map(|filter| format!("{:?}", filter.text().as_str()))
                .collect();
            write!(line, " id {} {}", unsubscribe.packet_id, filters.join(", "))
        }
        Packet::Unsuback(unsuback) => write!(line, " id {}", unsuback.packet_id),
        Packet::Disconnect(disconnect) => write!(line, "{}", code(disconnect.reason_code)),
        Packet::Auth(auth) => write!(line, "{}", code(auth.reason_code)),
        Packet::Pingreq | Packet::Pingresp => Ok(()),
    };
    line
}

fn connect_line(line: &mut String, connect: &Connect) -> std::fmt::Result {
    let Connect {
        client_id,
        keep_alive,
        clean_start,
        version,
        ..
    } = connect;
    let clean = u8::from(*clean_start);
    write!(
        line,
        " {version} {:?} clean {clean} keep alive {keep_alive}",
        client_id.as_str()
    )?;
    match &connect.will {
        Some(will) => write!(
            line,
            " will q{} {:?}",
            will.qos.value(),
            will.topic.text().as_str()
        ),
        None => Ok(()),
    }
}

fn publish_line(line: &mut String, publish: &Publish) -> std::fmt::Result {
    match publish.delivery {
        Delivery::AtMostOnce => write!(line, " q0")?,
        Delivery::AtLeastOnce(id) => write!(line, " q1 id {id}")?,
        Delivery::ExactlyOnce(id) => write!(line, " q2 id {id}")?,
    }
    if publish.dup {
        write!(line, " dup")?;
    }
    if publish.retain {
        write!(line, " retain")?;
    }
    if let Some(topic) = &publish.topic {
        write!(line, " {:?}", topic.text().as_str())?;
    }
    write!(line, " {}", crate::checks::shown(&publish.payload))?;
    let bytes = publish.payload.len();
    if bytes > 60 {
        write!(line, " {bytes} bytes")
    } else {
        Ok(())
    }
}

fn ack_line(line: &mut String, ack: &Ack) -> std::fmt::Result {
    write!(line, " id {}{}", ack.packet_id, code(ack.reason_code))
}

/// Success goes without saying.
fn code(code: ReasonCode) -> String {
    if code == ReasonCode::Success {
        String::new()
    } else {
        format!(" {code}")
    }
}
