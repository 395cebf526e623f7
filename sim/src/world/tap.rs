use bytes::BytesMut;
use squall_proto::{DecodeError, Decoder, Packet, Version};

/// Reassembles what one side of a connection sends and cuts it into packets.
pub(super) struct Tap {
    buffer: BytesMut,
    /// Bytes ever taken: where the next byte lies in the stream.
    taken: u64,
    state: State,
}

enum State {
    /// Nothing was taken yet from a side whose version its peer's CONNECT decides.
    Unknown,
    Decoding(Decoder),
    /// What came was no packet; the rest means nothing.
    Lost,
}

/// A packet and the bytes of the stream it is made of.
pub(super) struct Seen {
    pub(super) begins: u64,
    pub(super) ends: u64,
    pub(super) packet: Packet,
}

/// The largest packet the standard knows fits; what a receiver allows is not the wire's affair.
const PACKET_SIZE_MAX: u32 = u32::MAX;

impl Tap {
    /// For the side that says CONNECT.
    pub(super) fn of_client() -> Self {
        Self::new(State::Decoding(Decoder::new(PACKET_SIZE_MAX)))
    }

    /// For the side that answers it.
    pub(super) fn of_broker() -> Self {
        Self::new(State::Unknown)
    }

    fn new(state: State) -> Self {
        Self {
            buffer: BytesMut::new(),
            taken: 0,
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

    pub(super) fn take(&mut self, bytes: &[u8]) {
        // A broker refuses a protocol version it does not know in the words of 3.1.1.
        self.learn(Version::V3_1_1);
        self.taken += bytes.len() as u64;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole packet. An error comes once, and nothing after it.
    pub(super) fn next(&mut self) -> Option<Result<Seen, DecodeError>> {
        let State::Decoding(decoder) = &mut self.state else {
            self.buffer.clear();
            return None;
        };
        let begins = self.taken - self.buffer.len() as u64;
        match decoder.decode(&mut self.buffer) {
            Ok(None) => None,
            Ok(Some(packet)) => Some(Ok(Seen {
                begins,
                ends: self.taken - self.buffer.len() as u64,
                packet,
            })),
            Err(error) => {
                self.state = State::Lost;
                Some(Err(error))
            }
        }
    }
}
