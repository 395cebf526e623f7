use bytes::{Bytes, BytesMut};
use squall_proto::{DecodeError, Decoder, Packet, Version, encoded_len};

use super::carrier::{Carrier, Piece, Places};

/// Reassembles what one side of a connection sends and cuts it into packets.
pub(super) struct Tap {
    carrier: Carrier,
    /// MQTT.
    buffer: BytesMut,
    places: Places,
    /// Bytes ever taken: where the next byte lies in the stream.
    taken: u64,
    /// The MQTT of what was taken last.
    fresh: Bytes,
    /// Bytes of MQTT that the trace has told.
    told: u64,
    state: State,
}

enum State {
    /// Nothing was taken yet from a side whose version its peer's CONNECT decides.
    Unknown,
    Decoding(Decoder),
    /// What came was no packet; the rest means nothing.
    Lost,
}

/// A packet and the bytes of the stream that carry it.
pub(super) struct Seen {
    pub(super) begins: u64,
    pub(super) ends: u64,
    pub(super) packet: Packet,
    /// Where it is not encoded as we would: its bytes that the trace has not told.
    pub(super) untold: Option<Bytes>,
}

/// The largest packet the standard knows fits; what a receiver allows is not the wire's affair.
const PACKET_SIZE_MAX: u32 = u32::MAX;

impl Tap {
    /// For the side that says CONNECT.
    pub(super) fn of_client(carrier: Carrier) -> Self {
        Self::new(carrier, State::Decoding(Decoder::new(PACKET_SIZE_MAX)))
    }

    /// For the side that answers it.
    pub(super) fn of_broker(carrier: Carrier) -> Self {
        Self::new(carrier, State::Unknown)
    }

    fn new(carrier: Carrier, state: State) -> Self {
        Self {
            carrier,
            buffer: BytesMut::new(),
            places: Places::default(),
            taken: 0,
            fresh: Bytes::new(),
            told: 0,
            state,
        }
    }

    /// What the broker says from now on is of this version.
    pub(super) fn learn(&mut self, version: Version) {
        if let State::Unknown = self.state {
            self.state = State::Decoding(Decoder::with_version(version, PACKET_SIZE_MAX));
        }
    }

    /// Where the next byte lies in the stream, from 0.
    pub(super) const fn taken(&self) -> u64 {
        self.taken
    }

    pub(super) fn take(&mut self, bytes: &Bytes) {
        let begins = self.taken;
        self.taken += bytes.len() as u64;
        let taken = Piece {
            bytes: bytes.clone(),
            carried_by: begins..self.taken,
        };
        let pieces = self.carrier.unwrap(taken);
        self.fresh = joined(&pieces);
        for piece in pieces {
            self.places.add(&piece);
            self.buffer.extend_from_slice(&piece.bytes);
        }
        // A broker that refuses a version it does not know may do so in the words of either: a CONNACK of 3.1.1 has two bytes.
        if let Some(remaining_length) = self.buffer.get(1) {
            self.learn(match remaining_length {
                2 => Version::V3_1_1,
                _longer => Version::V5,
            });
        }
    }

    /// What was taken last and has not been told, when all its packets are out: a part of a packet, or what is no packet.
    pub(super) fn untold(&mut self) -> Option<Bytes> {
        self.untold_to(self.places.added())
    }

    fn untold_to(&mut self, to: u64) -> Option<Bytes> {
        // What was taken before has been told by then.
        let fresh = |at: u64| {
            let left = usize::try_from(self.places.added() - at).unwrap_or(usize::MAX);
            self.fresh.len().saturating_sub(left)
        };
        let untold = self.fresh.slice(fresh(self.told)..fresh(to));
        self.told = to;
        (!untold.is_empty()).then_some(untold)
    }

    /// The next whole packet. An error comes once, and nothing after it.
    pub(super) fn next(&mut self) -> Option<Result<Seen, DecodeError>> {
        let decoder = match &mut self.state {
            State::Decoding(decoder) => decoder,
            State::Unknown => return None,
            State::Lost => {
                self.buffer.clear();
                self.places.clear();
                return None;
            }
        };
        let begins = self.places.added() - self.buffer.len() as u64;
        match decoder.decode(&mut self.buffer) {
            Ok(None) => None,
            Ok(Some(packet)) => {
                let ends = self.places.added() - self.buffer.len() as u64;
                let carried_by = self.places.find(begins..ends);
                // Of one packet, no two encodings are of one length.
                let version = decoder.version().unwrap_or(Version::V3_1_1);
                let is_ours = encoded_len(version, (&packet).into()) as u64 == ends - begins;
                let untold = if is_ours { None } else { self.untold_to(ends) };
                self.told = ends;
                Some(Ok(Seen {
                    begins: carried_by.start,
                    ends: carried_by.end,
                    packet,
                    untold,
                }))
            }
            Err(error) => {
                self.state = State::Lost;
                Some(Err(error))
            }
        }
    }
}

/// The MQTT of all pieces; of one alone without a copy.
fn joined(pieces: &[Piece]) -> Bytes {
    match pieces {
        [piece] => piece.bytes.clone(),
        pieces => pieces
            .iter()
            .flat_map(|piece| piece.bytes.iter().copied())
            .collect(),
    }
}
