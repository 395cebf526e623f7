//! What happened on the wires of one run, in the order it happened. Checks, the JSON lines and the report all read this.
//!
//! In reading order: this file and `application` and `held` (what an event is), `line` and `detail` (in words), `arrivals` (what arrived when),
//! `json` (as a file and back), `pcap` (as a capture for Wireshark).

mod application;
mod arrivals;
mod detail;
mod held;
mod json;
mod line;
mod pcap;

pub use application::{Outcome, Told};
pub use arrivals::Arrivals;
pub use held::{Held, Stored};
pub use json::{Recorded, TraceError, read_json_lines, write_json_lines};
pub(crate) use line::packet_line;
pub use line::{Lines, detailed_line, event_line};
pub use pcap::Capture;

use bytes::Bytes;
use squall_proto::{DecodeError, Instant, Packet, Text};

/// The history of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// In the order they happened.
    pub events: Vec<Event>,
}

/// Something that happened, at a moment of virtual time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When, since the run began.
    pub at: Instant,
    /// What.
    pub what: What,
}

/// Numbers the Network Connections of a run in the order their first segment was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WireId(pub u32);

/// One of the two ends of a Network Connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The end that connected.
    Client,
    /// The end that listened.
    Broker,
}

impl Side {
    /// The other end.
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Broker,
            Self::Broker => Self::Client,
        }
    }
}

/// How an end of a connection ended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// FIN: an orderly close.
    Fin,
    /// RST: a reset.
    Reset,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Down {
    /// As it was asked to.
    Stopped,
    /// Without a word; its kernel reset its connections.
    Crashed,
    /// With its kernel, which said nothing to anybody.
    PowerLost,
}

/// The kinds of event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A client began to connect.
    Opened {
        /// The connection.
        wire: WireId,
        /// The client or peer, by its name in the scenario.
        client: String,
    },
    /// A packet left its sender's host, whole.
    Sent {
        /// The connection.
        wire: WireId,
        /// The sender.
        from: Side,
        /// The packet.
        packet: Packet,
    },
    /// The last byte of a packet reached its receiver's host. Packets that a fault destroyed never arrive.
    Arrived {
        /// The connection.
        wire: WireId,
        /// The sender.
        from: Side,
        /// The packet.
        packet: Packet,
    },
    /// The same, and the receiver's process never read it: it ended or closed the connection, or the connection was reset while it stood
    /// still or read slowly.
    Unread {
        /// The connection.
        wire: WireId,
        /// The sender.
        from: Side,
        /// The packet.
        packet: Packet,
    },
    /// Bytes left a host that no packet of the trace tells: a part of one whose rest has not left yet, what is no packet, or a packet
    /// that its sender did not encode as we would. What a side sends is all of these in their order, and of each [`What::Sent`] what
    /// the bytes before it have not told.
    Bytes {
        /// The connection.
        wire: WireId,
        /// The sender.
        from: Side,
        /// At least one.
        bytes: Bytes,
    },
    /// The bytes that left a host just before are no packet; nothing more from this side of the connection is decoded.
    Malformed {
        /// The connection.
        wire: WireId,
        /// The sender.
        from: Side,
        /// What is wrong with them.
        error: DecodeError,
    },
    /// An end closed the connection: its FIN or RST left its host.
    Closed {
        /// The connection.
        wire: WireId,
        /// Who closed.
        by: Side,
        /// How.
        how: End,
    },
    /// A process has closed its end, and what it had written before is still in its host's buffers: its FIN follows when the
    /// other end takes that, if ever.
    LetGo {
        /// The connection.
        wire: WireId,
        /// Who closed.
        by: Side,
    },
    /// A FIN or RST reached the other end's host, or a fault made one up there (a `cut`).
    Ended {
        /// The connection.
        wire: WireId,
        /// Who learnt of it.
        at: Side,
        /// How it looked.
        how: End,
    },
    /// A host's process ended by a fault; its connections are gone.
    HostDown {
        /// `broker`, or the name of a client.
        host: String,
        /// How.
        how: Down,
        /// Whether the next process takes up all that this one knew for good: its disk has it, or the fault says so.
        kept: bool,
    },
    /// The process runs again.
    HostUp {
        /// `broker`, or the name of a client.
        host: String,
        /// Whether it has taken up what the last one knew.
        kept: bool,
    },
    /// An administrator of the broker closes the connection of a client, if it has one.
    Kicked {
        /// The client.
        client_id: Text,
        /// Whether its session ends too.
        ends_session: bool,
    },
    /// A host's process stands still; its kernel does not.
    HostPaused {
        /// `broker`, or the name of a client.
        host: String,
    },
    /// The process goes on.
    HostResumed {
        /// `broker`, or the name of a client.
        host: String,
    },
    /// A fault began.
    FaultBegan {
        /// Its place among the scenario's steps, from 0.
        step: usize,
        /// In words: `partition sub <-> broker`.
        what: String,
    },
    /// A fault ended.
    FaultEnded {
        /// Its place among the scenario's steps, from 0.
        step: usize,
        /// How many packets, segments or connections it touched. A fault that touched nothing proves nothing.
        touched: u64,
    },
    /// A client of ours told its application something, or our broker its owner.
    Application {
        /// `broker`, or the client, by its name in the scenario.
        client: String,
        /// What it was.
        told: Told,
    },
    /// A step of the scenario begins. Checks do not read it.
    Step {
        /// Its place among the scenario's steps, from 0.
        step: usize,
        /// In words.
        what: String,
    },
    /// A step looked out for something, and it did not come, or came though it must not.
    Missed {
        /// Its place among the scenario's steps, from 0.
        step: usize,
        /// What should have been.
        expected: String,
        /// What was instead.
        got: String,
    },
    /// The run is over, and this is what our broker holds.
    Held(Held),
    /// The last fault has healed; from here on everything owed must arrive.
    Healed,
}
