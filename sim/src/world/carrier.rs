//! Finds the MQTT in what one side of a connection sends, and where in the stream it lies: `records` opens TLS, `frames` takes
//! WebSocket apart.

mod frames;
mod records;

use std::{collections::VecDeque, ops::Range};

use bytes::Bytes;

use self::{frames::Frames, records::Records};
use super::{tls::Session, transport::Transport};
use crate::trace::Side;

/// What lies around the MQTT of one direction.
pub(super) struct Carrier {
    records: Option<Records>,
    frames: Option<Frames>,
}

/// Bytes, and which bytes of the TCP stream carry them: the very same, or a TLS record as a whole.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) bytes: Bytes,
    pub(super) carried_by: Range<u64>,
}

/// Where bytes of MQTT lie in the TCP stream.
#[derive(Default)]
pub(super) struct Places {
    /// Bytes of MQTT ever added.
    added: u64,
    /// The pieces not yet forgotten: which bytes of MQTT, and what carries them.
    pieces: VecDeque<(Range<u64>, Range<u64>)>,
}

impl Carrier {
    pub(super) fn new(transport: Transport, from: Side, session: &Session) -> Self {
        Self {
            records: transport.is_tls().then(|| Records::new(from, session.clone())),
            frames: transport.is_websocket().then(Frames::default),
        }
    }

    /// The MQTT in the next piece of the TCP stream.
    pub(super) fn unwrap(&mut self, piece: Piece) -> Vec<Piece> {
        let opened = match &mut self.records {
            Some(records) => records.open(&piece),
            None => vec![piece],
        };
        match &mut self.frames {
            Some(frames) => opened
                .into_iter()
                .flat_map(|piece| frames.payloads(piece))
                .collect(),
            None => opened,
        }
    }
}

impl Piece {
    /// Takes off the first bytes, at most all.
    fn split_to(&mut self, len: usize) -> Self {
        let whole = self.bytes.len() as u64;
        let bytes = self.bytes.split_to(len.min(self.bytes.len()));
        let carried_by = part(&self.carried_by, whole, &(0..bytes.len() as u64));
        self.carried_by = part(&self.carried_by, whole, &(bytes.len() as u64..whole));
        Self { bytes, carried_by }
    }
}

impl Places {
    pub(super) fn add(&mut self, piece: &Piece) {
        let begins = self.added;
        self.added += piece.bytes.len() as u64;
        self.pieces
            .push_back((begins..self.added, piece.carried_by.clone()));
    }

    /// Bytes of MQTT ever added.
    pub(super) const fn added(&self) -> u64 {
        self.added
    }

    /// Forgets what was added up to now.
    pub(super) fn clear(&mut self) {
        self.pieces.clear();
    }

    /// What carries these bytes of MQTT. Forgets all before them.
    pub(super) fn find(&mut self, mqtt: Range<u64>) -> Range<u64> {
        while self.pieces.pop_front_if(|(of, _)| of.end <= mqtt.start).is_some() {}
        let at = |byte: u64| {
            let (of, by) = self.pieces.iter().find(|(of, _)| of.contains(&byte))?;
            let byte = byte - of.start;
            Some(part(by, of.end - of.start, &(byte..byte + 1)))
        };
        let first = at(mqtt.start).unwrap_or_default();
        let last = at(mqtt.end.saturating_sub(1)).unwrap_or_default();
        first.start..last.end
    }
}

/// What carries a part of `len` bytes that all lie in `by`: a record is only there as a whole.
fn part(by: &Range<u64>, len: u64, part: &Range<u64>) -> Range<u64> {
    if by.end - by.start == len {
        by.start + part.start..by.start + part.end
    } else {
        by.clone()
    }
}
