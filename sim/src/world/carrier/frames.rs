use std::io::Cursor;

use bytes::{Bytes, BytesMut};
use tungstenite::protocol::frame::{FrameHeader, coding::OpCode};

use super::Piece;

/// The WebSocket frames of one direction, as far as they have come.
pub(super) struct Frames {
    state: State,
    /// Of the HTTP or of a header, what has come.
    head: BytesMut,
}

enum State {
    /// The HTTP before the first frame.
    Http,
    Header,
    Payload(Payload),
}

/// What is still to come of a frame.
#[derive(Clone, Copy)]
struct Payload {
    left: u64,
    /// Turned such that its first byte is the next one's.
    mask: [u8; 4],
    is_data: bool,
}

impl Default for Frames {
    fn default() -> Self {
        Self {
            state: State::Http,
            head: BytesMut::new(),
        }
    }
}

impl Frames {
    /// What data frames carry in this piece.
    pub(super) fn payloads(&mut self, mut piece: Piece) -> Vec<Piece> {
        let mut found = Vec::new();
        while !piece.bytes.is_empty() {
            if let State::Payload(payload) = &mut self.state {
                found.extend(payload.take(&mut piece));
            } else {
                self.head.extend_from_slice(&piece.split_to(1).bytes);
            }
            self.go_on();
        }
        found
    }

    /// Where the next byte belongs.
    fn go_on(&mut self) {
        match &self.state {
            State::Http if self.head.ends_with(b"\r\n\r\n") => self.header(),
            State::Payload(Payload { left: 0, .. }) => self.header(),
            State::Header => {
                // Anything else than a whole header waits for more, as a header that is none does for ever.
                if let Ok(Some((header, left))) = FrameHeader::parse(&mut Cursor::new(&self.head)) {
                    self.state = State::Payload(Payload {
                        left,
                        mask: header.mask.unwrap_or_default(),
                        is_data: matches!(header.opcode, OpCode::Data(_)),
                    });
                    self.go_on();
                }
            }
            State::Http | State::Payload(_) => {}
        }
    }

    fn header(&mut self) {
        self.head.clear();
        self.state = State::Header;
    }
}

impl Payload {
    fn take(&mut self, piece: &mut Piece) -> Option<Piece> {
        let len = usize::try_from(self.left).unwrap_or(usize::MAX);
        let Piece { bytes, carried_by } = piece.split_to(len);
        self.left -= bytes.len() as u64;
        let mask = self.mask;
        let unmasked: Bytes = bytes
            .iter()
            .zip(mask.iter().cycle())
            .map(|(byte, key)| byte ^ key)
            .collect();
        self.mask.rotate_left(unmasked.len() % mask.len());
        self.is_data.then_some(Piece {
            bytes: unmasked,
            carried_by,
        })
    }
}
