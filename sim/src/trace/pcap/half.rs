use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use squall_proto::{Packet, Version, encode};

use crate::trace::End;

/// One direction of a connection: what its sender has sent, and how much of it has arrived.
#[derive(Default)]
pub(super) struct Half {
    /// The sequence number of what it sends next.
    pub(super) next_seq: u32,
    /// The sequence number up to which all has arrived.
    pub(super) arrived: u32,
    /// How much of that the receiver has acknowledged.
    pub(super) acknowledged: u32,
    /// How its sender has ended it.
    pub(super) closed: Option<End>,
    /// What has been told of its bytes since the last packet.
    part: BytesMut,
    /// The end of `part`, while that is less than a fixed header: Wireshark does not put together what is cut inside of one.
    kept_back: BytesMut,
    /// Packets under way.
    under_way: VecDeque<UnderWay>,
}

struct UnderWay {
    ends: u32,
    /// The place of the frame that holds its last byte.
    frame: usize,
}

impl Half {
    /// What of these bytes, and of those kept back, leaves now.
    pub(super) fn told(&mut self, bytes: &[u8]) -> Bytes {
        self.part.extend_from_slice(bytes);
        self.kept_back.extend_from_slice(bytes);
        if is_short_of_fixed_header(&self.part) {
            Bytes::new()
        } else {
            self.kept_back()
        }
    }

    /// What was kept back leaves now.
    pub(super) fn kept_back(&mut self) -> Bytes {
        self.kept_back.split().freeze()
    }

    /// What leaves with the last byte of a packet.
    pub(super) fn rest(&mut self, version: Version, packet: &Packet) -> Bytes {
        let mut whole = BytesMut::new();
        encode(version, packet.into(), &mut whole);
        let part = self.part.split();
        // Where its sender does not encode it as we would, all of it has been told.
        if let Some(rest) = whole.strip_prefix(&*part) {
            self.kept_back.extend_from_slice(rest);
        }
        self.kept_back()
    }

    /// All of a packet has left; `frame` holds its last byte.
    pub(super) fn sent(&mut self, frame: usize) {
        let ends = self.next_seq;
        self.under_way.push_back(UnderWay { ends, frame });
    }

    /// The next packet has arrived.
    pub(super) fn arrive(&mut self) {
        if let Some(UnderWay { ends, .. }) = self.under_way.pop_front() {
            self.arrived = ends;
        }
    }

    /// The frames of packets that have not arrived.
    pub(super) fn not_arrived(&self) -> impl Iterator<Item = usize> {
        self.under_way.iter().map(|packet| packet.frame)
    }
}

/// Whether the Remaining Length is still to come, or goes on.
fn is_short_of_fixed_header(bytes: &[u8]) -> bool {
    let length = bytes.get(1..).unwrap_or_default();
    length.len() < REMAINING_LENGTH_MAX && length.iter().all(|byte| byte & 0x80 != 0)
}

/// Bytes.
const REMAINING_LENGTH_MAX: usize = 4;
