use std::{collections::BTreeMap, mem, net::Ipv4Addr};

use bytes::Bytes;
use squall_proto::{Instant, Packet, Version};

use super::{
    frame::{Address, Flag, Frame, SEGMENT_MAX, Segment},
    half::Half,
};
use crate::trace::{End, Event, Side, Trace, What, WireId, line::event_line};

/// The segments of a run, in the order of their times. `address` gives a host an address.
pub(super) fn conversations(trace: &Trace, address: &mut dyn FnMut(&str) -> Ipv4Addr) -> Vec<Frame> {
    let mut conversations = Conversations::new(address);
    for event in &trace.events {
        conversations.observe(event);
    }
    conversations.finish()
}

struct Conversations<'a> {
    address: &'a mut dyn FnMut(&str) -> Ipv4Addr,
    broker: Ipv4Addr,
    /// By name: its address, and the port of its last connection.
    clients: BTreeMap<String, Address>,
    wires: BTreeMap<WireId, Conversation>,
    frames: Vec<Frame>,
    /// What the next frame will say.
    comments: Vec<String>,
    now: Instant,
    /// Who has something to acknowledge, as of now.
    acknowledging: Vec<(WireId, Side)>,
}

struct Conversation {
    client: Address,
    broker: Address,
    version: Version,
    from_client: Half,
    from_broker: Half,
    is_established: bool,
}

/// The first of those that the standard leaves to clients.
const PORT_MIN: u16 = 49_152;
const MQTT: u16 = 1883;

impl<'a> Conversations<'a> {
    fn new(address: &'a mut dyn FnMut(&str) -> Ipv4Addr) -> Self {
        Self {
            broker: address("broker"),
            address,
            clients: BTreeMap::new(),
            wires: BTreeMap::new(),
            frames: Vec::new(),
            comments: Vec::new(),
            now: Instant::ZERO,
            acknowledging: Vec::new(),
        }
    }

    fn observe(&mut self, event: &Event) {
        if event.at > self.now {
            self.acknowledge();
            self.now = event.at;
        }
        match &event.what {
            What::Opened { wire, client } => self.open(*wire, client),
            What::Sent { wire, from, packet } => self.send(*wire, *from, packet),
            What::Arrived { wire, from, .. } | What::Unread { wire, from, .. } => self.arrive(*wire, *from),
            What::Bytes { wire, from, bytes } => {
                self.establish(*wire);
                self.with(*wire, *from, |half| half.told(bytes));
            }
            What::Closed { wire, by, how } => self.close(*wire, *by, *how),
            What::Ended { wire, at, how } => self.end(*wire, *at, *how),
            What::Malformed { wire, from, .. } => {
                self.with(*wire, *from, Half::kept_back);
                if let Some(frame) = self.frames.last_mut() {
                    frame.comments.push(event_line(event));
                }
            }
            // What applications see is not on the wire.
            What::Application { .. } => {}
            What::LetGo { .. }
            | What::HostDown { .. }
            | What::HostUp { .. }
            | What::HostPaused { .. }
            | What::HostResumed { .. }
            | What::Kicked { .. }
            | What::FaultBegan { .. }
            | What::FaultEnded { .. }
            | What::Step { .. }
            | What::Missed { .. }
            | What::Held(_)
            | What::Healed => self.comments.push(format!("{} {}", event.at, event_line(event))),
        }
    }

    /// Ends the run: what was lost is said of it.
    fn finish(mut self) -> Vec<Frame> {
        self.acknowledge();
        let wires: Vec<WireId> = self.wires.keys().copied().collect();
        for wire in wires {
            self.with(wire, Side::Client, Half::kept_back);
            self.with(wire, Side::Broker, Half::kept_back);
        }
        let halves = self.wires.values().flat_map(Conversation::halves);
        let lost: Vec<usize> = halves.flat_map(Half::not_arrived).collect();
        for frame in lost {
            if let Some(frame) = self.frames.get_mut(frame) {
                frame.comments.push("never arrives".to_owned());
            }
        }
        if let Some(last) = self.frames.last_mut() {
            last.comments.append(&mut self.comments);
        }
        self.frames
    }

    fn open(&mut self, wire: WireId, client: &str) {
        let client = match self.clients.get_mut(client) {
            Some(address) => {
                address.port = address.port.checked_add(1).unwrap_or(PORT_MIN);
                *address
            }
            None => {
                let address = Address {
                    ip: (self.address)(client),
                    port: PORT_MIN,
                };
                self.clients.insert(client.to_owned(), address);
                address
            }
        };
        let conversation = Conversation {
            client,
            broker: Address {
                ip: self.broker,
                port: MQTT,
            },
            version: Version::V3_1_1,
            from_client: Half::default(),
            from_broker: Half::default(),
            is_established: false,
        };
        self.wires.insert(wire, conversation);
        self.push(wire, Side::Client, Flag::Syn, Bytes::new());
    }

    /// The rest of the handshake, which leaves no event of its own: it is over when one side speaks.
    fn establish(&mut self, wire: WireId) {
        let Some(conversation) = self.wires.get_mut(&wire) else {
            return;
        };
        if mem::replace(&mut conversation.is_established, true) {
            return;
        }
        conversation.from_client.arrived = conversation.from_client.next_seq;
        self.push(wire, Side::Broker, Flag::Syn, Bytes::new());
        if let Some(conversation) = self.wires.get_mut(&wire) {
            conversation.from_broker.arrived = conversation.from_broker.next_seq;
        }
        self.push(wire, Side::Client, Flag::None, Bytes::new());
    }

    fn send(&mut self, wire: WireId, from: Side, packet: &Packet) {
        self.establish(wire);
        let Some(conversation) = self.wires.get_mut(&wire) else {
            return;
        };
        if let Packet::Connect(connect) = packet {
            conversation.version = connect.version;
        }
        let version = conversation.version;
        self.with(wire, from, |half| half.rest(version, packet));
        let last = self.frames.len().saturating_sub(1);
        if let Some(conversation) = self.wires.get_mut(&wire) {
            conversation.half_mut(from).sent(last);
        }
    }

    /// Sends what `leaving` says.
    fn with(&mut self, wire: WireId, from: Side, leaving: impl FnOnce(&mut Half) -> Bytes) {
        let Some(conversation) = self.wires.get_mut(&wire) else {
            return;
        };
        let mut bytes = leaving(conversation.half_mut(from));
        while !bytes.is_empty() {
            let segment = bytes.split_to(bytes.len().min(SEGMENT_MAX));
            self.push(wire, from, Flag::None, segment);
        }
    }

    fn arrive(&mut self, wire: WireId, from: Side) {
        if let Some(conversation) = self.wires.get_mut(&wire) {
            conversation.half_mut(from).arrive();
            self.acknowledging.push((wire, from.other()));
        }
    }

    fn close(&mut self, wire: WireId, by: Side, how: End) {
        let Some(conversation) = self.wires.get_mut(&wire) else {
            return;
        };
        conversation.half_mut(by).closed = Some(how);
        // An RST is how a connection is refused, too.
        if let (Side::Broker, End::Reset, false) = (by, how, conversation.is_established) {
            conversation.from_client.arrived = conversation.from_client.next_seq;
        } else if how == End::Fin {
            self.establish(wire);
        }
        self.with(wire, by, Half::kept_back);
        self.push(wire, by, flag(how), Bytes::new());
    }

    fn end(&mut self, wire: WireId, at: Side, how: End) {
        let Some(conversation) = self.wires.get_mut(&wire) else {
            return;
        };
        let half = conversation.half_mut(at.other());
        match half.closed {
            Some(closed) if closed == how => half.arrived = half.next_seq,
            closed => {
                // It was made up there, and stands where its receiver expects it. What its sender thinks is another thing.
                let own = mem::replace(&mut half.next_seq, half.arrived);
                if closed.is_none() {
                    self.comments.push("made up by the network: a cut".to_owned());
                }
                self.push(wire, at.other(), flag(how), Bytes::new());
                if let Some(conversation) = self.wires.get_mut(&wire) {
                    let half = conversation.half_mut(at.other());
                    half.arrived = mem::replace(&mut half.next_seq, own);
                }
            }
        }
        if how == End::Fin {
            self.acknowledging.push((wire, at));
        }
    }

    /// Acknowledges what has arrived, where no data has done so.
    fn acknowledge(&mut self) {
        for (wire, side) in mem::take(&mut self.acknowledging) {
            let Some(conversation) = self.wires.get(&wire) else {
                continue;
            };
            let half = conversation.half(side.other());
            if half.acknowledged != half.arrived && conversation.half(side).closed != Some(End::Reset) {
                self.push(wire, side, Flag::None, Bytes::new());
            }
        }
    }

    fn push(&mut self, wire: WireId, from: Side, flag: Flag, payload: Bytes) {
        let Some(conversation) = self.wires.get_mut(&wire) else {
            return;
        };
        let segment = conversation.segment(from, flag, payload);
        self.frames.push(Frame {
            at: self.now,
            segment,
            comments: mem::take(&mut self.comments),
        });
    }
}

impl Conversation {
    fn half(&self, from: Side) -> &Half {
        match from {
            Side::Client => &self.from_client,
            Side::Broker => &self.from_broker,
        }
    }

    const fn half_mut(&mut self, from: Side) -> &mut Half {
        match from {
            Side::Client => &mut self.from_client,
            Side::Broker => &mut self.from_broker,
        }
    }

    const fn halves(&self) -> [&Half; 2] {
        [&self.from_client, &self.from_broker]
    }

    /// What a side sends next.
    fn segment(&mut self, from: Side, flag: Flag, payload: Bytes) -> Segment {
        let (source, destination) = match from {
            Side::Client => (self.client, self.broker),
            Side::Broker => (self.broker, self.client),
        };
        let other = self.half_mut(from.other());
        other.acknowledged = other.arrived;
        let ack = other.arrived;
        let half = self.half_mut(from);
        let seq = half.next_seq;
        let taken = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        half.next_seq = seq
            .wrapping_add(taken)
            .wrapping_add(u32::from(matches!(flag, Flag::Syn | Flag::Fin)));
        Segment {
            from: source,
            to: destination,
            seq,
            ack: (flag != Flag::Syn || from == Side::Broker).then_some(ack),
            flag,
            payload,
        }
    }
}

const fn flag(how: End) -> Flag {
    match how {
        End::Fin => Flag::Fin,
        End::Reset => Flag::Rst,
    }
}
