//! The broker: every rule that binds a server, as one state machine that does no I/O.
//!
//! Whoever owns the sockets calls [`Broker::handle`] with what happened and an [`Output`] that takes what follows from it,
//! and calls it with [`Input::Tick`] when [`Broker::next_deadline`] has come.

mod limits;

pub use limits::Limits;

use crate::{ConnId, DecodeError, Instant, Packet, PacketRef, ReasonCode, Version};

/// The server's side of the protocol, for all its connections and sessions.
#[derive(Debug)]
pub struct Broker {
    limits: Limits,
}

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// A Network Connection was accepted. The `ConnId` is free: never used, or lost since.
    Opened(ConnId),
    /// A whole packet came.
    Received(ConnId, Packet),
    /// Bytes came that are no packet. Nothing more is read from this connection.
    Malformed(ConnId, DecodeError),
    /// The unsent bytes of a connection fell to zero, after a send had found them above [`Limits::unsent_bytes_soft`].
    Flushed(ConnId),
    /// The Network Connection is gone: the peer closed it, it broke, or a [`Output::close`] was carried out. Always the last
    /// input of a connection; afterwards its `ConnId` is free.
    Lost(ConnId),
    /// Time passed: the deadline has come.
    Tick,
    /// The broker is to stop: every connection is told and closed.
    Shutdown,
}

/// Takes what follows from an input, in causal order.
pub trait Output {
    /// Sends a packet on a connection, encoded for this version.
    fn send(&mut self, to: ConnId, version: Version, packet: PacketRef<'_>);
    /// Closes a connection after what was sent on it; [`Input::Lost`] follows when that is done. Packets that still arrive on
    /// it are not wanted.
    fn close(&mut self, conn: ConnId, close: Close);
    /// How many bytes sent on this connection have not been taken by the network yet.
    fn unsent_bytes(&self, conn: ConnId) -> usize;
    /// What happened, for logs and metrics.
    fn note(&mut self, note: Note);
}

/// Why the broker closes a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// The client said DISCONNECT.
    Disconnected,
    /// The broker ends it, for this reason. A 5.0 client that got as far as CONNACK has been told.
    Refused(ReasonCode),
}

/// Something that happened in the broker, for logs and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {}

impl Broker {
    /// An empty broker. `seed` decides the assigned Client Identifiers and the order of nothing a peer can see.
    pub const fn new(limits: Limits, seed: u64) -> Self {
        let _ = seed;
        Self { limits }
    }

    /// Handles one input at the moment `now`, which never goes back.
    pub fn handle(&mut self, now: Instant, input: Input, out: &mut impl Output) {
        let _ = (now, input, out, &self.limits);
    }

    /// When [`Input::Tick`] is next wanted. May be early, never late.
    pub const fn next_deadline(&self) -> Option<Instant> {
        None
    }
}
