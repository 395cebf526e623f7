use std::time::Duration;

use bytes::BytesMut;
use squall_proto::{
    Decoder, Instant, PacketRef, ReasonCode, Version,
    client::{Client, Event, Input, Options, Output, Why},
    encode,
};

/// A client behind the codec, as a connection has it.
pub(crate) struct Wire {
    client: Client,
    decoder: Decoder,
    now: Instant,
    out: Out,
}

struct Out {
    version: Version,
    bytes: BytesMut,
    events: Vec<Event>,
    closed: bool,
}

impl Output for Out {
    fn send(&mut self, packet: PacketRef<'_>) {
        assert!(!self.closed, "{packet:?} was sent after the close");
        encode(self.version, packet, &mut self.bytes);
    }

    fn close(&mut self) {
        self.closed = true;
    }

    fn event(&mut self, event: Event) {
        self.events.push(event);
    }
}

impl Wire {
    /// Sends CONNECT.
    pub(crate) fn open(options: Options) -> Self {
        let version = options.version;
        let mut wire = Self {
            decoder: Decoder::with_version(version, options.packet_size_max),
            client: Client::new(options).expect("options that make sense"),
            now: Instant::ZERO,
            out: Out {
                version,
                bytes: BytesMut::new(),
                events: Vec::new(),
                closed: false,
            },
        };
        wire.handle(Input::Opened);
        wire
    }

    /// Connected, with nothing asked of it yet.
    pub(crate) fn connected(options: Options) -> Self {
        let accepted = match options.version {
            Version::V3_1_1 => "20 02 00 00",
            Version::V5 => "20 03 00 00 00",
        };
        let mut wire = Self::open(options);
        wire.sent();
        wire.receive(accepted);
        assert!(matches!(wire.out.events.pop(), Some(Event::Connected { .. })));
        wire
    }

    pub(crate) fn handle(&mut self, input: Input) {
        self.client.handle(self.now, input, &mut self.out);
    }

    /// The connection breaks, and another is opened after so many seconds: what CONNECT says.
    pub(crate) fn reopen(&mut self, seconds: u64) -> String {
        self.handle(Input::Lost);
        self.now += Duration::from_secs(seconds);
        self.events();
        self.out.closed = false;
        self.handle(Input::Opened);
        self.sent()
    }

    /// Time passes, and no deadline in it.
    pub(crate) fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        let deadline = self.client.next_deadline();
        assert!(deadline.is_none_or(|deadline| deadline > self.now));
    }

    /// What the server sends, in hex.
    pub(crate) fn receive(&mut self, hex: &str) {
        let mut input = BytesMut::from(bytes(hex).as_slice());
        loop {
            match self.decoder.decode(&mut input) {
                Ok(Some(packet)) => self.handle(Input::Received(packet)),
                Ok(None) => return assert!(input.is_empty(), "the packet is not whole: {hex}"),
                Err(error) => return self.handle(Input::Malformed(error)),
            }
        }
    }

    /// What the client sent since it was last asked, in hex.
    pub(crate) fn sent(&mut self) -> String {
        let bytes = self.out.bytes.split();
        let hex: Vec<_> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        hex.join(" ")
    }

    pub(crate) fn events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.out.events)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.out.closed
    }

    /// The client closed because of what came, after a DISCONNECT with this Reason Code in 5.0 and without a word in 3.1.1.
    pub(crate) fn assert_refused(&mut self, what: &str, reason_code: ReasonCode) {
        assert!(self.is_closed(), "{what}: the connection is still open");
        let said = match self.out.version {
            Version::V3_1_1 => String::new(),
            Version::V5 => format!("E0 01 {:02X}", reason_code.value()),
        };
        assert_eq!(self.sent(), said, "{what}");
        let events = self.events();
        let told = matches!(
            events.last(),
            Some(Event::Disconnected(Why::Malformed(_) | Why::Violated(_)))
        );
        assert!(told, "{what}: {events:?}");
    }
}

/// Hex, with `#` before what is said of it on a line.
pub(crate) fn bytes(hex: &str) -> Vec<u8> {
    let fields = hex.lines().map(|line| line.split('#').next().unwrap_or_default());
    fields
        .flat_map(str::split_whitespace)
        .map(|byte| u8::from_str_radix(byte, 16).expect("two hexadecimal digits"))
        .collect()
}

/// Hex as [`Wire::sent`] gives it.
pub(crate) fn plain(hex: &str) -> String {
    let hex: Vec<_> = bytes(hex).iter().map(|byte| format!("{byte:02X}")).collect();
    hex.join(" ")
}
