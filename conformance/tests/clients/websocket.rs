//! Something wrong below MQTT, where a client connects over WebSocket.

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy};

use crate::http::{head, with_subprotocol, without_subprotocol};

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

/// What the client sends.
pub(crate) async fn to_the_case(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    broken: Broken,
) {
    let mut request = head(&mut from).await;
    if broken == Broken::OffersNone {
        request = without_subprotocol(&request);
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
    if broken == Broken::TakesAll {
        answer = with_subprotocol(answer);
    }
    let _ = to.write_all(&answer).await;
    if broken == Broken::SeesNothing {
        return std::future::pending().await;
    }
    let _ = copy(&mut from, &mut to).await;
    let _ = to.shutdown().await;
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
