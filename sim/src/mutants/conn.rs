use std::time::Duration;

use bytes::Bytes;
use squall_proto::{Connect, Packet, Version};

/// Whither a packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// To the node of this host, which sees it.
    Seen,
    /// To the other end: the node of this host has sent it.
    Sent,
}

/// A connection as a mutation sees it, and what it does to it.
#[derive(Debug)]
pub(super) struct Conn {
    way: Way,
    connect: Option<Box<Connect>>,
    nth: u32,
    resumed: bool,
    first_of_read: bool,
    stays_open: bool,
    hears_pieces: bool,
    pieces: u32,
    forgives: Option<Forgive>,
    acts: Vec<Act>,
}

/// Puts bytes right that are no packet, and says whether it did; the first of them begin a packet.
pub(super) type Forgive = fn(&mut [u8]) -> bool;

/// What a mutation does.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Act {
    /// This goes this way.
    Pass(Way, Packet),
    /// This goes this way after so long.
    Late(Duration, Way, Packet),
    /// These bytes go to the other end.
    Bytes(Bytes),
    /// The connection ends: the node believes that the other end has closed it, and closes it.
    End,
}

impl Conn {
    pub(super) const fn new() -> Self {
        Self {
            way: Way::Seen,
            connect: None,
            nth: 0,
            resumed: false,
            first_of_read: true,
            stays_open: false,
            hears_pieces: false,
            pieces: 0,
            forgives: None,
            acts: Vec::new(),
        }
    }

    /// The way of the packet that the mutation is shown.
    pub(super) const fn way(&self) -> Way {
        self.way
    }

    /// That of its CONNECT; 5.0 before.
    pub(super) fn version(&self) -> Version {
        self.connect
            .as_ref()
            .map_or(Version::V5, |connect| connect.version)
    }

    /// Of its CONNECT; empty before.
    pub(super) fn client_id(&self) -> &str {
        self.connect.as_ref().map_or("", |connect| &connect.client_id)
    }

    /// Its CONNECT, as it came.
    pub(super) fn connect(&self) -> Option<&Connect> {
        self.connect.as_deref()
    }

    /// Which connection of its Client Identifier it is, from 1; 0 before CONNECT.
    pub(super) const fn nth(&self) -> u32 {
        self.nth
    }

    /// Whether its CONNACK said Session Present, before any mutation.
    pub(super) const fn resumed(&self) -> bool {
        self.resumed
    }

    /// Whether the packet that the mutation is shown is the first of those that came at once.
    pub(super) const fn first_of_read(&self) -> bool {
        self.first_of_read
    }

    /// The packet goes on, the way it came.
    pub(super) fn pass(&mut self, packet: Packet) {
        self.acts.push(Act::Pass(self.way, packet));
    }

    /// The packet goes on after so long, the way it came.
    pub(super) fn pass_after(&mut self, millis: u64, packet: Packet) {
        self.acts
            .push(Act::Late(Duration::from_millis(millis), self.way, packet));
    }

    /// The node of this host sees a packet.
    pub(super) fn show(&mut self, packet: Packet) {
        self.acts.push(Act::Pass(Way::Seen, packet));
    }

    /// The other end gets a packet.
    pub(super) fn send(&mut self, packet: Packet) {
        self.acts.push(Act::Pass(Way::Sent, packet));
    }

    /// The other end gets bytes as they are.
    pub(super) fn send_bytes(&mut self, bytes: &'static [u8]) {
        self.acts.push(Act::Bytes(Bytes::from_static(bytes)));
    }

    /// The host ends the connection.
    pub(super) fn end(&mut self) {
        self.acts.push(Act::End);
    }

    /// The host does not close the connection when its node does.
    pub(super) const fn stay_open(&mut self) {
        self.stays_open = true;
    }

    /// From now on the node sees a PINGREQ whenever bytes come that make no packet.
    pub(super) const fn hear_pieces(&mut self) {
        self.hears_pieces = true;
    }

    /// Whether a PINGRESP answers such a PINGREQ; each is asked for once.
    pub(super) const fn is_for_a_piece(&mut self) -> bool {
        let is = self.pieces > 0;
        self.pieces = self.pieces.saturating_sub(1);
        is
    }

    /// Bytes have come that make no packet: whether the node sees a PINGREQ for them.
    pub(super) const fn piece(&mut self) -> bool {
        self.pieces += self.hears_pieces as u32;
        self.hears_pieces
    }

    /// From now on the node sees bytes as this makes them.
    pub(super) const fn forgive(&mut self, forgive: Forgive) {
        self.forgives = Some(forgive);
    }

    pub(super) const fn forgives(&self) -> Option<Forgive> {
        self.forgives
    }

    pub(super) const fn stays_open(&self) -> bool {
        self.stays_open
    }

    /// What follows is about a packet that goes this way.
    pub(super) const fn turn(&mut self, way: Way, first_of_read: bool) {
        self.way = way;
        self.first_of_read = first_of_read;
    }

    /// Its CONNECT, the nth of this Client Identifier.
    pub(super) fn connected(&mut self, connect: &Connect, nth: u32) {
        self.connect = Some(Box::new(connect.clone()));
        self.nth = nth;
    }

    pub(super) const fn answered(&mut self, session_present: bool) {
        self.resumed = session_present;
    }

    pub(super) fn take_acts(&mut self) -> Vec<Act> {
        std::mem::take(&mut self.acts)
    }
}
