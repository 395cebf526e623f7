//! Carries a mutation out, on the connection of the client and on the lines of its driver.

use std::{future, io::Cursor, sync::Arc};

use bytes::BytesMut;
use squall_conformance::Duplex;
use squall_proto::{Decoder, Packet, PacketRef, PacketType, Version, encode};
use tokio::{
    io::{
        AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
        DuplexStream, WriteHalf, duplex, split,
    },
    sync::Mutex,
};

use crate::{
    mutation::{Does, Mutation},
    websocket::{self, Broken},
};

const SIZE_MAX: u32 = 1 << 21;

type ToCase = Arc<Mutex<WriteHalf<DuplexStream>>>;

/// The case's end of a connection that `client` is the other end of.
pub(crate) fn between(client: DuplexStream, version: Version, mutation: Option<&'static Mutation>) -> Duplex {
    let Some(mutation) = mutation else {
        let (read, write) = split(client);
        return Duplex::new(read, write);
    };
    let (case, wire) = duplex(1 << 20);
    let (from_case, to_case) = split(wire);
    let (mut from_client, to_client) = split(client);
    let does = &mutation.does;
    tokio::spawn(async move {
        let first = first(&mut from_client).await;
        let is_websocket = first.as_deref() == Some(b"G");
        let from_client = Cursor::new(first.unwrap_or_default()).chain(from_client);
        if is_websocket {
            let broken = below_mqtt(does);
            tokio::spawn(websocket::to_the_client(from_case, to_client, broken));
            return websocket::to_the_case(from_client, to_case, broken).await;
        }
        let to_case = Arc::new(Mutex::new(to_case));
        let case = Arc::clone(&to_case);
        tokio::spawn(to_the_client(from_case, to_client, version, does, case));
        to_the_case(from_client, to_case, version, does).await;
    });
    let (read, write) = split(case);
    Duplex::new(read, write)
}

/// The first byte, which says whether the client asks for a WebSocket (`GET ..`).
async fn first(from: &mut (impl AsyncRead + Unpin)) -> Option<Vec<u8>> {
    from.read_u8().await.ok().map(|byte| vec![byte])
}

/// What of a mutation shows below MQTT.
const fn below_mqtt(does: &Does) -> Broken {
    match does {
        Does::Carries(broken) => *broken,
        Does::NeverCloses => Broken::NeverCloses,
        Does::IgnoresMalformed
        | Does::Drops(_)
        | Does::Repeats(_)
        | Does::Swaps(_)
        | Does::Ignores(_)
        | Does::Sends(_)
        | Does::Writes(_)
        | Does::Sees(_)
        | Does::Says(_)
        | Does::Tells(_) => Broken::Sound,
    }
}

/// What is no packet goes on as it is.
async fn to_the_client(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    version: Version,
    does: &'static Does,
    case: ToCase,
) {
    let mut decoder = Decoder::with_version(version, SIZE_MAX);
    let mut unread = BytesMut::new();
    let mut is_first = true;
    while matches!(from.read_buf(&mut unread).await, Ok(1..)) {
        loop {
            let before = unread.clone();
            match decoder.decode(&mut unread) {
                Ok(Some(mut packet)) => {
                    if let (Does::Says(hex), true) = (does, std::mem::take(&mut is_first)) {
                        let bytes = hex::decode(hex(version)).expect("hex");
                        let _ = case.lock().await.write_all(&bytes).await;
                    }
                    if let Does::Sees(change) = does {
                        change(&mut packet);
                    }
                    if matches!(does, Does::Ignores(ignored) if *ignored == packet.packet_type()) {
                        continue;
                    }
                    let _ = to.write_all(&encoded(version, &packet)).await;
                }
                Ok(None) => break,
                Err(_) => {
                    unread.clear();
                    if !matches!(does, Does::IgnoresMalformed) {
                        let _ = to.write_all(&before).await;
                    }
                    break;
                }
            }
        }
    }
    let _ = to.shutdown().await;
}

async fn to_the_case(mut from: impl AsyncRead + Unpin, to: ToCase, version: Version, does: &'static Does) {
    let mut decoder = Decoder::with_version(version, SIZE_MAX);
    let mut unread = BytesMut::new();
    let mut held = None;
    while matches!(from.read_buf(&mut unread).await, Ok(1..)) {
        while let Ok(Some(packet)) = decoder.decode(&mut unread) {
            for packet in sent(does, packet, &mut held) {
                let mut bytes = encoded(version, &packet);
                if let Does::Writes(change) = does {
                    change(&mut bytes);
                }
                let _ = to.lock().await.write_all(&bytes).await;
            }
        }
    }
    if matches!(does, Does::NeverCloses | Does::IgnoresMalformed) {
        return future::pending().await;
    }
    let _ = to.lock().await.shutdown().await;
}

/// What the case gets for a packet. `held` is what waits to be overtaken.
fn sent(does: &Does, mut packet: Packet, held: &mut Option<Packet>) -> Vec<Packet> {
    let kind = packet.packet_type();
    let is = |wanted: &PacketType| *wanted == kind;
    if matches!(does, Does::Drops(dropped) if is(dropped)) {
        return Vec::new();
    }
    if matches!(does, Does::Repeats(repeated) if is(repeated)) {
        return vec![packet.clone(), packet];
    }
    if matches!(does, Does::Swaps(swapped) if is(swapped)) {
        return match held.take() {
            Some(first) => vec![packet, first],
            None => {
                *held = Some(packet);
                Vec::new()
            }
        };
    }
    if let Does::Sends(change) = does {
        change(&mut packet);
    }
    vec![packet]
}

fn encoded(version: Version, packet: &Packet) -> Vec<u8> {
    let mut bytes = BytesMut::new();
    encode(version, PacketRef::from(packet), &mut bytes);
    bytes.to_vec()
}

/// The case's end of the lines to and from a driver.
pub(crate) fn lines_between(
    read: impl AsyncRead + Send + Unpin + 'static,
    write: impl AsyncWrite + Send + Unpin + 'static,
    mutation: Option<&'static Mutation>,
) -> Duplex {
    let Some(mutation) = mutation else {
        return Duplex::new(read, write);
    };
    let (case, wire) = duplex(1 << 20);
    let (from_case, to_case) = split(wire);
    tokio::spawn(lines(read, to_case, |line| {
        if let Does::Tells(tells) = mutation.does {
            tells(line)
        } else {
            vec![line.into()]
        }
    }));
    tokio::spawn(lines(from_case, write, |line| vec![(mutation.hears)(line)]));
    let (read, write) = split(case);
    Duplex::new(read, write)
}

async fn lines(
    from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    change: impl Fn(&str) -> Vec<String>,
) {
    let mut lines = BufReader::new(from).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        for line in change(&line) {
            let _ = to.write_all(format!("{line}\n").as_bytes()).await;
        }
    }
}
