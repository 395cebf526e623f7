//! Something wrong below MQTT, where a client connects over WebSocket.

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy};

/// What a client gets wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// Nothing.
    Sound,
    /// The request does not name the subprotocol.
    OffersNone,
    SendsText,
    /// Neither by a Close frame nor by the end of the connection.
    NeverCloses,
    /// Nothing that comes after the answer to the request is seen.
    SeesNothing,
    /// Nothing goes out after the first frame.
    FallsSilent,
    /// Whoever answers is taken to have selected `mqtt`.
    TakesAll,
}

const END: &[u8] = b"\r\n\r\n";

/// What the client sends.
pub(crate) async fn to_the_case(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    broken: Broken,
) {
    let mut request = head(&mut from).await;
    if broken == Broken::OffersNone {
        let head = String::from_utf8_lossy(&request);
        let lines = head.split_inclusive('\n');
        let kept = lines.filter(|line| !line.to_lowercase().starts_with("sec-websocket-protocol"));
        request = kept.collect::<String>().into_bytes();
    }
    let _ = to.write_all(&request).await;
    let mut unread = BytesMut::new();
    let mut is_first = true;
    while matches!(from.read_buf(&mut unread).await, Ok(1..)) {
        while let Some(mut frame) = frame(&mut unread) {
            if changed(&mut frame, is_first, broken) {
                let _ = to.write_all(&frame).await;
            }
            is_first = false;
        }
    }
    if broken == Broken::NeverCloses {
        return std::future::pending().await;
    }
    let _ = to.shutdown().await;
}

/// What the client gets.
pub(crate) async fn to_the_client(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    broken: Broken,
) {
    let mut answer = head(&mut from).await;
    let names_one = String::from_utf8_lossy(&answer).contains("Sec-WebSocket-Protocol");
    if broken == Broken::TakesAll && !names_one && answer.ends_with(END) {
        answer.truncate(answer.len() - 2);
        answer.extend(b"Sec-WebSocket-Protocol: mqtt\r\n\r\n");
    }
    let _ = to.write_all(&answer).await;
    if broken == Broken::SeesNothing {
        return std::future::pending().await;
    }
    let _ = copy(&mut from, &mut to).await;
    let _ = to.shutdown().await;
}

/// Up to its empty line, or to the end.
async fn head(from: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut head = Vec::new();
    while !head.ends_with(END) {
        match from.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    head
}

/// Whether the frame is sent after all.
fn changed(frame: &mut BytesMut, is_first: bool, broken: Broken) -> bool {
    const CLOSE: u8 = 0x88;
    match broken {
        Broken::SendsText => frame.iter_mut().take(1).for_each(|first| *first = 0x81),
        Broken::NeverCloses => return frame.first() != Some(&CLOSE),
        Broken::FallsSilent => return is_first,
        Broken::Sound | Broken::OffersNone | Broken::SeesNothing | Broken::TakesAll => {}
    }
    true
}

/// Takes a whole frame of a client off the front, as it is. None here has more than 125 bytes.
fn frame(unread: &mut BytesMut) -> Option<BytesMut> {
    let len = usize::from(*unread.get(1)? & 0x7F) + 6;
    (unread.remaining() >= len).then(|| unread.split_to(len))
}
