//! Takes apart what comes: where frames begin and end, and what control frames say.
//!
//! ```text
//!            header of a data frame          its last byte
//!     Header ─────────────────────► Payload ───────────────► Header
//!     Header ── of a control frame ► Control ── its last byte ► Header
//! ```

use std::io::Cursor;

use tungstenite::protocol::frame::{
    FrameHeader,
    coding::{Control, Data, OpCode},
};

use super::Role;

/// The frames of one direction, as far as they have come.
#[derive(Debug)]
pub(super) struct Frames {
    /// Which side we are: the other side's frames are masked when it is the client.
    role: Role,
    /// A message that goes on in the next data frame.
    fragmented: bool,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The beginning of a header.
    Header { bytes: [u8; HEADER_MAX], len: usize },
    /// So many bytes of a data frame are still to come.
    Payload { left: u64, mask: Mask },
    /// A control frame is still to come whole.
    Control {
        kind: Control,
        left: u64,
        mask: Mask,
        said: Vec<u8>,
    },
}

/// What a byte of the payload is to be mixed with, and how far that has come.
#[derive(Clone, Copy, Debug)]
struct Mask {
    key: [u8; 4],
    at: usize,
}

/// What a run of bytes turned out to begin with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// So many bytes that are no payload.
    Framing(usize),
    /// So many bytes of payload, now unmasked.
    Payload(usize),
    /// A control frame has come whole with so many bytes; what it said.
    Control(usize, Control, Vec<u8>),
}

/// How a peer broke RFC 6455, or what MQTT makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Broken {
    /// [MQTT-6.0.0-1] [v3 MQTT-6.0.0-1]
    #[error("a WebSocket text frame: MQTT travels in binary frames")]
    Text,
    #[error("a WebSocket frame that RFC 6455 does not know")]
    Header,
    #[error("a WebSocket frame with reserved bits: no extension was agreed on")]
    Reserved,
    #[error("a WebSocket frame that is masked by a server, or not masked by a client")]
    Mask,
    #[error("a WebSocket control frame that is too long or in parts")]
    Control,
    #[error("a WebSocket message begins or goes on where it cannot")]
    Continuation,
}

impl Frames {
    pub(super) const fn new(role: Role) -> Self {
        Self {
            role,
            fragmented: false,
            state: State::HEADER,
        }
    }

    /// What `bytes`, of which there is at least one, begin with.
    pub(super) fn next(&mut self, bytes: &mut [u8]) -> Result<Piece, Broken> {
        match &mut self.state {
            State::Header { .. } => self.header(bytes),
            State::Payload { left, mask } => {
                let len = at_most(bytes.len(), *left);
                mask.apply(bytes.get_mut(..len).unwrap_or_default());
                *left -= len as u64;
                if *left == 0 {
                    self.state = State::HEADER;
                }
                Ok(Piece::Payload(len))
            }
            State::Control {
                kind,
                left,
                mask,
                said,
            } => {
                let len = at_most(bytes.len(), *left);
                let some = bytes.get_mut(..len).unwrap_or_default();
                mask.apply(some);
                said.extend_from_slice(some);
                *left -= len as u64;
                if *left > 0 {
                    return Ok(Piece::Framing(len));
                }
                let whole = Piece::Control(len, *kind, std::mem::take(said));
                self.state = State::HEADER;
                Ok(whole)
            }
        }
    }

    /// Takes no more than belongs to the header.
    fn header(&mut self, more: &[u8]) -> Result<Piece, Broken> {
        let State::Header { bytes, len } = &mut self.state else {
            return Ok(Piece::Framing(0));
        };
        let before = *len;
        for (slot, byte) in bytes.iter_mut().skip(before).zip(more) {
            *slot = *byte;
            *len += 1;
        }
        let mut cursor = Cursor::new(bytes.get(..*len).unwrap_or_default());
        let parsed = FrameHeader::parse(&mut cursor).map_err(|_| Broken::Header)?;
        let taken = *len - before;
        let Some((header, payload)) = parsed else {
            return Ok(Piece::Framing(taken));
        };
        let header_len = usize::try_from(cursor.position()).unwrap_or(HEADER_MAX);
        self.begin(&header, payload)?;
        let framing = header_len.saturating_sub(before);
        match &mut self.state {
            State::Control { kind, left: 0, .. } => {
                let kind = *kind;
                self.state = State::HEADER;
                Ok(Piece::Control(framing, kind, Vec::new()))
            }
            State::Payload { left: 0, .. } => {
                self.state = State::HEADER;
                Ok(Piece::Framing(framing))
            }
            State::Header { .. } | State::Payload { .. } | State::Control { .. } => {
                Ok(Piece::Framing(framing))
            }
        }
    }

    fn begin(&mut self, header: &FrameHeader, len: u64) -> Result<(), Broken> {
        if header.rsv1 || header.rsv2 || header.rsv3 {
            return Err(Broken::Reserved);
        }
        let mask = match (self.role, header.mask) {
            (Role::Server, Some(key)) => Mask { key, at: 0 },
            (Role::Client, None) => Mask { key: [0; 4], at: 0 },
            (Role::Server, None) | (Role::Client, Some(_)) => return Err(Broken::Mask),
        };
        self.state = match header.opcode {
            // [MQTT-6.0.0-1] [v3 MQTT-6.0.0-1] Binary frames carry packets; any other data frame ends the connection.
            OpCode::Data(Data::Text) => return Err(Broken::Text),
            OpCode::Data(Data::Binary | Data::Continue) => {
                let goes_on = matches!(header.opcode, OpCode::Data(Data::Continue));
                if goes_on != self.fragmented {
                    return Err(Broken::Continuation);
                }
                self.fragmented = !header.is_final;
                State::Payload { left: len, mask }
            }
            OpCode::Control(kind @ (Control::Close | Control::Ping | Control::Pong)) => {
                if !header.is_final || len > CONTROL_MAX {
                    return Err(Broken::Control);
                }
                State::Control {
                    kind,
                    left: len,
                    mask,
                    said: Vec::new(),
                }
            }
            OpCode::Data(Data::Reserved(_)) | OpCode::Control(Control::Reserved(_)) => {
                return Err(Broken::Header);
            }
        };
        Ok(())
    }
}

impl State {
    const HEADER: Self = Self::Header {
        bytes: [0; HEADER_MAX],
        len: 0,
    };
}

impl Mask {
    fn apply(&mut self, bytes: &mut [u8]) {
        if self.key == [0; 4] {
            return;
        }
        mix(self.key, self.at, bytes);
        self.at = (self.at + bytes.len()) % 4;
    }
}

/// Mixes bytes with a masking key, of which `at` bytes were used by those before. It undoes itself.
pub(super) fn mix(mut key: [u8; 4], at: usize, bytes: &mut [u8]) {
    key.rotate_left(at % 4);
    let (words, rest) = bytes.as_chunks_mut::<4>();
    for word in words {
        *word = (u32::from_ne_bytes(*word) ^ u32::from_ne_bytes(key)).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key) {
        *byte ^= key;
    }
}

fn at_most(len: usize, left: u64) -> usize {
    usize::try_from(left).map_or(len, |left| len.min(left))
}

/// Bytes of the longest header.
const HEADER_MAX: usize = 14;
/// Bytes of the longest payload of a control frame.
const CONTROL_MAX: u64 = 125;

#[cfg(test)]
mod tests;
