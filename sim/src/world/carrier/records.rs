use bytes::BytesMut;

use super::Piece;
use crate::{
    trace::Side,
    world::tls::{Opener, Session},
};

/// The TLS records of one direction, as far as they have come.
pub(super) struct Records {
    from: Side,
    session: Session,
    buffer: BytesMut,
    /// Its keys are known: the handshake is over.
    opener: Option<Opener>,
}

impl Records {
    pub(super) fn new(from: Side, session: Session) -> Self {
        Self {
            from,
            session,
            buffer: BytesMut::new(),
            opener: None,
        }
    }

    /// The application data of the records that end in this piece.
    pub(super) fn open(&mut self, piece: &Piece) -> Vec<Piece> {
        self.buffer.extend_from_slice(&piece.bytes);
        let mut opened = Vec::new();
        while let Some(record) = self.next() {
            let ends = piece.carried_by.end - self.buffer.len() as u64;
            if let Some(bytes) = self.application_data(&record) {
                opened.push(Piece {
                    bytes: bytes.into(),
                    carried_by: ends - record.len() as u64..ends,
                });
            }
        }
        opened
    }

    fn next(&mut self) -> Option<BytesMut> {
        let &[_, _, _, high, low] = self.buffer.first_chunk()?;
        let len = HEADER + usize::from(u16::from_be_bytes([high, low]));
        (self.buffer.len() >= len).then(|| self.buffer.split_to(len))
    }

    fn application_data(&mut self, record: &[u8]) -> Option<Vec<u8>> {
        let (header, body) = record.split_at_checked(HEADER)?;
        match header.first() {
            Some(&HANDSHAKE) if self.from == Side::Client => self.session.hello(body),
            Some(&APPLICATION_DATA) => {
                if self.opener.is_none() {
                    self.opener = self.session.opener(self.from);
                }
                return self.opener.as_mut()?.open(body);
            }
            Some(_) | None => {}
        }
        None
    }
}

/// The type, the version and the length.
const HEADER: usize = 5;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;
