//! A connection on which a case writes the WebSocket by hand: the request or its answer, and frame by frame what it sends.

use bytes::{Buf as _, BytesMut};
use data_encoding::BASE64;
use sha1::{Digest as _, Sha1};
use squall_proto::{Decoder, Packet};
use tokio::time::{Instant, timeout};

use super::{
    Client, Context,
    client::{PACKET_SIZE_MAX, SHOWN_MAX},
    log::describe,
};
use crate::{
    Outcome, Stop, hex,
    stop::{SetUp as _, check},
};

/// The beginning of a frame that is a whole message: FIN, and what is in it.
pub(crate) const BINARY: u8 = 0x82;
/// A whole text message.
pub(crate) const TEXT: u8 = 0x81;
/// A binary message that goes on in another frame.
pub(crate) const BINARY_BEGINS: u8 = 0x02;
/// The last frame of a message.
pub(crate) const ENDS: u8 = 0x80;

/// A whole frame that ends the WebSocket.
const CLOSE: u8 = 0x88;

/// A case's end of a WebSocket.
pub(crate) struct WebSocket {
    below: Client,
    /// Whether it is the client's.
    masks: bool,
    /// What data frames have brought and is no whole packet yet.
    payload: BytesMut,
    decoder: Decoder,
}

/// A frame of the target: its first byte, and its payload.
type Frame = (u8, BytesMut);

impl Context {
    /// Opens a WebSocket with the subprotocol `mqtt`.
    pub(crate) async fn websocket(&self, name: &str) -> Outcome<WebSocket> {
        let (websocket, head) = self.ask_for_websocket(name, Some("mqtt")).await?;
        check(accepted(&head), "a WebSocket", || head).set_up()?;
        Ok(websocket)
    }

    /// Asks for a WebSocket with these subprotocols; returns the head of the answer too.
    pub(crate) async fn ask_for_websocket(
        &self,
        name: &str,
        subprotocols: Option<&str>,
    ) -> Outcome<(WebSocket, String)> {
        let Some(below) = self.transport.below_websocket() else {
            return Err(Stop::Unsupported("it is not reached over WebSocket".into()));
        };
        let mut request = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
            below.path, below.host
        );
        if let Some(subprotocols) = subprotocols {
            request.push_str(&format!("Sec-WebSocket-Protocol: {subprotocols}\r\n"));
        }
        request.push_str("\r\n");
        let opened = timeout(self.patience, below.connecting).await;
        let Ok(Ok(duplex)) = opened else {
            return Err(Stop::Inconclusive("no connection below the WebSocket".into()));
        };
        let mut below = Client::new(self, name, duplex);
        below.send_meaning(request.as_bytes(), in_a_line(&request)).await;
        let head = below.head().await?;
        Ok((WebSocket::new(below, true), head))
    }

    /// CONNECT with a clean start, by hand; every byte of it is ASCII.
    pub(crate) fn connect_by_hand(&self, name: &str) -> Vec<u8> {
        let version: &[u8] = self.by_version(
            // Protocol Level 4, clean session, Keep Alive 60.
            b"\x04\x02\x00\x3C",
            // The same in 5.0, and no properties.
            b"\x05\x02\x00\x3C\x00",
        );
        let client_id = hex::string(&self.client_id(name));
        let connect = hex::packet(0x10, &[b"\x00\x04MQTT", version, &client_id].concat());
        let named = self.target.login().and_then(|user| user.added_to(&connect));
        named.unwrap_or(connect)
    }
}

/// Whether this is the head of an answer that makes a WebSocket.
pub(crate) fn accepted(head: &str) -> bool {
    head.starts_with("HTTP/1.1 101 ")
}

/// The value of a header, in whatever case its name is written.
pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    let found = lines.find(|(found, _)| found.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.trim())
}

impl WebSocket {
    fn new(below: Client, masks: bool) -> Self {
        Self {
            decoder: Decoder::with_version(below.version, PACKET_SIZE_MAX),
            below,
            masks,
            payload: BytesMut::new(),
        }
    }

    /// The server's end of what a client asks for on this connection, and the head of its request, which has no answer yet.
    pub(crate) async fn asked_for(mut below: Client) -> Outcome<(Self, String)> {
        let head = below.head().await?;
        Ok((Self::new(below, false), head))
    }

    /// Answers this request for a WebSocket, and selects this subprotocol.
    pub(crate) async fn accept(&mut self, request: &str, subprotocol: Option<&str>) {
        const OF_WEBSOCKET: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
        let key = header(request, "Sec-WebSocket-Key").unwrap_or_default();
        let accept = BASE64.encode(&Sha1::digest(format!("{key}{OF_WEBSOCKET}")));
        let mut answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n"
        );
        if let Some(subprotocol) = subprotocol {
            answer.push_str(&format!("Sec-WebSocket-Protocol: {subprotocol}\r\n"));
        }
        answer.push_str("\r\n");
        self.below
            .send_meaning(answer.as_bytes(), in_a_line(&answer))
            .await;
    }

    /// Sends a frame: its first byte, then its payload of at most 125 bytes, which a client must mask.
    pub(crate) async fn send(&mut self, first: u8, payload: &[u8]) {
        const KEY: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];
        let len = u8::try_from(payload.len()).unwrap_or(u8::MAX).min(125);
        let payload = payload.get(..len.into()).unwrap_or_default();
        let mut frame = vec![first];
        if self.masks {
            frame.push(0x80 | len);
            frame.extend(KEY);
            frame.extend(masked(payload, KEY));
        } else {
            frame.push(len);
            frame.extend(payload);
        }
        self.below.send_meaning(&frame, described(first, payload)).await;
    }

    /// The next packet must be one that `is` takes.
    pub(crate) async fn expect(&mut self, expected: &str, is: impl Fn(&Packet) -> bool) -> Outcome {
        let deadline = Instant::now() + self.below.patience;
        loop {
            match self.decoder.decode(&mut self.payload) {
                Ok(Some(packet)) => return check(is(&packet), expected, || describe(&packet)),
                Ok(None) => {}
                Err(error) => return Err(Stop::broken(expected, error.to_string())),
            }
            match self.frame(deadline).await {
                // [MQTT-6.0.0-1] [v3 MQTT-6.0.0-1] Data frames of both sides are binary.
                Some((first, _)) if first & 0x0F == TEXT & 0x0F => {
                    return Err(Stop::broken("binary frames", "a text frame"));
                }
                Some((first, payload)) if first & 0x08 == 0 => self.payload.extend_from_slice(&payload),
                Some(_) => {}
                None => return Err(Stop::broken(expected, self.silence())),
            }
        }
    }

    /// CONNACK with success must be the next packet.
    pub(crate) async fn expect_connack(&mut self) -> Outcome {
        self.expect(
            "CONNACK 0x00",
            |packet| matches!(packet, Packet::Connack(connack) if !connack.reason_code.is_error()),
        )
        .await
    }

    /// The target must close the connection, and may send no packet before that.
    pub(crate) async fn expect_closed(&mut self, because: &str) -> Outcome {
        let deadline = Instant::now() + self.below.patience;
        let expected = format!("the connection is closed {because}");
        while let Some((first, payload)) = self.frame(deadline).await {
            let is_connack = first & 0x08 == 0 && payload.first() == Some(&0x20);
            check(!is_connack, &expected, || "CONNACK".into())?;
        }
        check(self.below.has_ended(), &expected, || self.silence())
    }

    /// The client must end the connection, or begin to by a Close frame: then it waits for the server's.
    pub(crate) async fn expect_left(&mut self, because: &str) -> Outcome {
        let deadline = Instant::now() + self.below.patience;
        while let Some((first, _)) = self.frame(deadline).await {
            if first == CLOSE {
                return Ok(());
            }
        }
        let expected = format!("the connection is closed {because}");
        check(self.below.has_ended(), &expected, || self.silence())
    }

    fn silence(&self) -> String {
        match self.below.has_ended() {
            true => "the end of the connection".into(),
            false => format!("nothing in {:?}", self.below.patience),
        }
    }

    /// The next frame. `None` at the deadline, or at the end of the connection.
    async fn frame(&mut self, deadline: Instant) -> Option<Frame> {
        loop {
            if let Some(frame) = frame(self.below.unread()) {
                self.below.note_came(described(frame.0, &frame.1));
                return Some(frame);
            }
            if !self.below.fill(deadline).await {
                return None;
            }
        }
    }
}

/// A head of HTTP in a line.
fn in_a_line(head: &str) -> String {
    head.trim_end().replace("\r\n", "; ")
}

/// A frame in a line, its payload unmasked.
fn described(first: u8, payload: &[u8]) -> String {
    let kind = match first & 0x0F {
        0x0 => "continuation",
        0x1 => "text",
        0x2 => "binary",
        0x8 => "close",
        0x9 => "ping",
        0xA => "pong",
        _ => "reserved",
    };
    let more = if first & ENDS == 0 { ", more to come" } else { "" };
    let shown = payload.get(..SHOWN_MAX).unwrap_or(payload);
    let text = format!(
        "WebSocket frame 0x{first:02X} ({kind}{more}) {}",
        ::hex::encode(shown)
    );
    text.trim_end().to_owned()
}

/// Takes a whole frame off the front, and the mask off its payload if there is one.
fn frame(bytes: &mut BytesMut) -> Option<Frame> {
    let (first, second) = (*bytes.first()?, *bytes.get(1)?);
    let (before, len): (usize, usize) = match second & 0x7F {
        126 => {
            let len = bytes.get(2..4)?.first_chunk()?;
            (4, usize::from(u16::from_be_bytes(*len)))
        }
        127 => {
            let len = bytes.get(2..10)?.first_chunk()?;
            (10, usize::try_from(u64::from_be_bytes(*len)).ok()?)
        }
        len => (2, usize::from(len)),
    };
    let is_masked = second & 0x80 != 0;
    let key: [u8; 4] = match is_masked {
        true => *bytes.get(before..)?.first_chunk()?,
        false => [0; 4],
    };
    let before = if is_masked { before + key.len() } else { before };
    if bytes.len() < before.checked_add(len)? {
        return None;
    }
    bytes.advance(before);
    Some((first, masked(&bytes.split_to(len), key).collect()))
}

/// With the mask on, or without it again.
fn masked(payload: &[u8], key: [u8; 4]) -> impl Iterator<Item = u8> {
    payload
        .iter()
        .zip(key.into_iter().cycle())
        .map(|(byte, key)| byte ^ key)
}

impl Client {
    /// The head of a request or an answer in HTTP.
    async fn head(&mut self) -> Outcome<String> {
        const END: &[u8] = b"\r\n\r\n";
        let deadline = Instant::now() + self.patience;
        loop {
            let end = self.unread().windows(END.len()).position(|window| window == END);
            if let Some(end) = end {
                let head = self.unread().split_to(end + END.len());
                let head = String::from_utf8_lossy(&head).into_owned();
                self.note_came(in_a_line(&head));
                return Ok(head);
            }
            if !self.fill(deadline).await {
                let got = String::from_utf8_lossy(self.unread()).into_owned();
                return Err(Stop::broken("a head of HTTP", got)).set_up();
            }
        }
    }
}
