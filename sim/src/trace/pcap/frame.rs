use std::{io, net::Ipv4Addr};

use bytes::Bytes;
use etherparse::{PacketBuilder, TcpOptionElement};
use squall_proto::Instant;

/// A segment, and what is said about it.
pub(super) struct Frame {
    pub(super) at: Instant,
    pub(super) segment: Segment,
    pub(super) comments: Vec<String>,
}

pub(super) struct Segment {
    pub(super) from: Address,
    pub(super) to: Address,
    pub(super) seq: u32,
    /// `None` in the first SYN alone.
    pub(super) ack: Option<u32>,
    pub(super) flag: Flag,
    pub(super) payload: Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flag {
    /// An acknowledgement, with data or without.
    None,
    Syn,
    Fin,
    Rst,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Address {
    pub(super) ip: Ipv4Addr,
    pub(super) port: u16,
}

/// What fits into Ethernet.
pub(super) const SEGMENT_MAX: usize = 1460;
/// With `SCALE`, no sender ever waits for a window.
const WINDOW: u16 = u16::MAX;
const SCALE: u8 = 14;
const TTL: u8 = 64;

impl Frame {
    /// Ethernet, IP, TCP and its payload, with the right checksums.
    pub(super) fn bytes(&self) -> io::Result<Vec<u8>> {
        let Segment {
            from, to, seq, flag, ..
        } = self.segment;
        let mut tcp = PacketBuilder::ethernet2(hardware(from.ip), hardware(to.ip))
            .ipv4(from.ip.octets(), to.ip.octets(), TTL)
            .tcp(from.port, to.port, seq, WINDOW);
        if let Some(ack) = self.segment.ack {
            tcp = tcp.ack(ack);
        }
        tcp = match flag {
            Flag::Syn => {
                let options = [
                    TcpOptionElement::MaximumSegmentSize(1460),
                    TcpOptionElement::Noop,
                    TcpOptionElement::WindowScale(SCALE),
                ];
                tcp.syn().options(&options).map_err(io::Error::other)?
            }
            Flag::Fin => tcp.fin(),
            Flag::Rst => tcp.rst(),
            Flag::None if self.segment.payload.is_empty() => tcp,
            Flag::None => tcp.psh(),
        };
        let mut bytes = Vec::new();
        tcp.write(&mut bytes, &self.segment.payload)
            .map_err(io::Error::other)?;
        Ok(bytes)
    }
}

/// A locally administered address.
const fn hardware(ip: Ipv4Addr) -> [u8; 6] {
    let [a, b, c, d] = ip.octets();
    [2, 0, a, b, c, d]
}
