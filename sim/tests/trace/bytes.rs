//! The trace tells every byte of MQTT that left a host.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use squall_node::{Connector, Stream};
use squall_proto::{Version, encode};
use squall_sim::{
    trace::{Side, Trace, What},
    world::{OurBroker, simulate},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::sleep,
};

/// The trace of a peer that sends these pieces, each by itself, and reads what comes.
pub(crate) fn trace_of(pieces: &[&[u8]]) -> Trace {
    simulate(1, OurBroker::Plain, async move |net| {
        let (mut read, mut write) = net.connector().connect().await.unwrap().split();
        let reading = tokio::spawn(async move {
            // It may be reset.
            _ = read.read_to_end(&mut Vec::new()).await;
        });
        for piece in pieces {
            // The broker may have closed.
            _ = write.write_all(piece).await;
            sleep(Duration::from_millis(10)).await;
        }
        drop(write);
        reading.await.unwrap();
        sleep(Duration::from_secs(1)).await;
        net.trace()
    })
}

/// What the client has sent, by the events alone.
pub(crate) fn told_by(trace: &Trace, version: Version) -> Bytes {
    let (mut all, mut part) = (BytesMut::new(), BytesMut::new());
    for event in &trace.events {
        if let What::Bytes {
            from: Side::Client,
            bytes,
            ..
        } = &event.what
        {
            all.extend_from_slice(bytes);
            part.extend_from_slice(bytes);
        } else if let What::Sent {
            from: Side::Client,
            packet,
            ..
        } = &event.what
        {
            let mut whole = BytesMut::new();
            encode(version, packet.into(), &mut whole);
            all.extend_from_slice(whole.strip_prefix(&*part).unwrap_or_default());
            part.clear();
        }
    }
    all.freeze()
}

/// CONNECT of 5.0, Client Identifier `a`.
pub(crate) const CONNECT: &[u8] = b"\x10\x0e\x00\x04MQTT\x05\x02\x02\x58\x00\x00\x01a";

#[test]
fn a_packet_in_pieces_is_told_piece_by_piece() {
    let pieces: &[&[u8]] = &[
        &CONNECT[..1],
        &CONNECT[1..9],
        &CONNECT[9..],
        b"\x30\x06\x00\x01t",
        b"\x00hi",
    ];
    let trace = trace_of(pieces);
    assert_eq!(told_by(&trace, Version::V5), pieces.concat());
    let parts = trace
        .events
        .iter()
        .filter(|event| matches!(event.what, What::Bytes { .. }));
    assert_eq!(
        parts.count(),
        3,
        "the last piece of each packet is told by the packet"
    );
}

/// PUBACK of 5.0 may leave out a Reason Code of 0, and the length of no properties.
#[test]
fn a_packet_that_is_encoded_otherwise_is_told_as_it_was() {
    let long: &[u8] = b"\x40\x04\x00\x01\x00\x00";
    let pieces: &[&[u8]] = &[
        CONNECT,
        b"\x40\x04\x00\x01\x00\x00",
        b"\x40\x04\x00",
        b"\x01\x00\x00\xc0\x00",
    ];
    let trace = trace_of(pieces);
    let told = told_by(&trace, Version::V5);
    assert!(pieces.concat().starts_with(&told), "{told:?}");
    assert!(told.ends_with(long) || told.ends_with(b"\xc0\x00"), "{told:?}");
}

#[test]
fn what_is_no_packet_is_told_as_it_was() {
    let pieces: &[&[u8]] = &[CONNECT, b"\xc0\x00\xff\xff\x01", b"more"];
    let trace = trace_of(pieces);
    let told = told_by(&trace, Version::V5);
    assert!(told.starts_with(&pieces[..2].concat()), "{told:?}");
    let malformed = trace
        .events
        .iter()
        .position(|event| matches!(event.what, What::Malformed { .. }));
    let before = &trace.events[malformed.unwrap() - 1].what;
    assert!(
        matches!(before, What::Bytes { bytes, .. } if &**bytes == b"\xff\xff\x01"),
        "{before:?}"
    );
}
