use std::{
    future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use bytes::BytesMut;
use squall_conformance::Duplex;
use squall_proto::{
    Decoder, Packet, PacketRef, PacketType, Properties, Qos, ReasonCode, Unsuback, Version, encode,
};
use tokio::{
    io::{
        AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, WriteHalf, duplex, split,
    },
    sync::Mutex,
};

use super::Mutation;

/// What the connections of a case have in common: the last PUBLISH the broker sent.
pub(crate) type Memory = Arc<Mutex<Option<Packet>>>;

type ToCase = Arc<Mutex<WriteHalf<DuplexStream>>>;

/// What both directions of a connection know.
#[derive(Clone)]
struct Wire {
    mutation: Mutation,
    version: Version,
    /// Whether the case has sent anything after its CONNECT.
    spoke: Arc<AtomicBool>,
    memory: Memory,
}

/// A connection with the mutation between its ends.
pub(crate) fn between(
    read: impl AsyncRead + Send + Unpin + 'static,
    write: impl AsyncWrite + Send + Unpin + 'static,
    mutation: Mutation,
    version: Version,
    memory: Memory,
) -> Duplex {
    let (case, wire) = duplex(1 << 20);
    let (from_case, to_case) = split(wire);
    let to_case = Arc::new(Mutex::new(to_case));
    let wire = Wire {
        mutation,
        version,
        spoke: Arc::default(),
        memory,
    };
    tokio::spawn(wire.clone().carry_there(from_case, write, Arc::clone(&to_case)));
    tokio::spawn(wire.carry_back(read, to_case));
    let (read, write) = split(case);
    Duplex::new(read, write)
}

impl Wire {
    /// What is no packet goes on as it is.
    async fn carry_there(
        self,
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
        case: ToCase,
    ) {
        let mut decoder = Decoder::with_version(self.version, 1 << 20);
        let mut unread = BytesMut::new();
        while matches!(from.read_buf(&mut unread).await, Ok(1..)) {
            loop {
                let before = unread.clone();
                match decoder.decode(&mut unread) {
                    Ok(Some(packet)) => {
                        let (on, answer) = self.seen(packet);
                        self.write(&mut to, on).await;
                        self.write(&mut *case.lock().await, answer).await;
                    }
                    Ok(None) => break,
                    Err(_) => {
                        unread.clear();
                        let _ = to.write_all(&before).await;
                        break;
                    }
                }
            }
        }
        let _ = to.write_all(&unread).await;
        let _ = to.shutdown().await;
    }

    async fn carry_back(self, mut from: impl AsyncRead + Unpin, to: ToCase) {
        let mut decoder = Decoder::with_version(self.version, 1 << 20);
        let mut unread = BytesMut::new();
        let mut held = Vec::new();
        let mut open = true;
        while open && matches!(from.read_buf(&mut unread).await, Ok(1..)) {
            while let Ok(Some(packet)) = decoder.decode(&mut unread) {
                let ends = matches!(packet, Packet::Publish(_) | Packet::Suback(_) | Packet::Pingresp);
                open &= !(ends && matches!(self.mutation, Mutation::CloseSoon));
                let packets = self.sent(packet, &mut held).await;
                self.write(&mut *to.lock().await, packets).await;
            }
        }
        if matches!(self.mutation, Mutation::NeverClose) {
            return future::pending().await;
        }
        let _ = to.lock().await.shutdown().await;
    }

    /// What the broker gets, and what the case gets for it at once.
    fn seen(&self, mut packet: Packet) -> (Vec<Packet>, Vec<Packet>) {
        let kind = packet.packet_type();
        self.spoke.fetch_or(kind != PacketType::Connect, Relaxed);
        if let Mutation::Seen(change) | Mutation::Both(change, _) = self.mutation {
            change(&mut packet);
        }
        let ignored = match (self.mutation, &packet) {
            (Mutation::Ignore(ignored), _) => ignored == kind,
            (Mutation::IgnoreQos0, Packet::Publish(publish)) => publish.delivery.qos() == Qos::AtMostOnce,
            (Mutation::IgnoreUnsubscribe, Packet::Unsubscribe(unsubscribe)) => {
                let unsuback = Unsuback {
                    packet_id: unsubscribe.packet_id,
                    reason_codes: vec![ReasonCode::Success; unsubscribe.filters.len()],
                    properties: Properties::new(),
                };
                return (Vec::new(), vec![Packet::Unsuback(unsuback)]);
            }
            _ => false,
        };
        (if ignored { Vec::new() } else { vec![packet] }, Vec::new())
    }

    /// What the case gets. `held` is what has been sent before, or is to be.
    async fn sent(&self, mut packet: Packet, held: &mut Vec<Packet>) -> Vec<Packet> {
        let kind = packet.packet_type();
        let publish = kind == PacketType::Publish;
        if publish {
            *self.memory.lock().await = Some(packet.clone());
        }
        match self.mutation {
            Mutation::Drop(dropped) if dropped == kind => return Vec::new(),
            Mutation::Repeat(repeated) if repeated == kind => return vec![packet.clone(), packet],
            Mutation::Once(once) if once == kind => {
                held.push(packet.clone());
                return if held.len() == 1 { vec![packet] } else { Vec::new() };
            }
            Mutation::Swap if publish => {
                held.insert(0, packet);
                return if held.len() == 2 {
                    std::mem::take(held)
                } else {
                    Vec::new()
                };
            }
            Mutation::RepeatNothing
                if (publish || kind == PacketType::Pubrel) && !self.spoke.load(Relaxed) =>
            {
                return Vec::new();
            }
            Mutation::RepeatAlways if matches!(&packet, Packet::Connack(connack) if connack.session_present) =>
            {
                let last = self.memory.lock().await.clone();
                return [packet].into_iter().chain(last).collect();
            }
            Mutation::RepeatToSubscribers if kind == PacketType::Suback => {
                let last = self.memory.lock().await.clone();
                return [packet].into_iter().chain(last).collect();
            }
            Mutation::Sent(change) | Mutation::Both(_, change) => change(&mut packet),
            Mutation::NeverClose
            | Mutation::CloseSoon
            | Mutation::Drop(_)
            | Mutation::Once(_)
            | Mutation::Repeat(_)
            | Mutation::Swap
            | Mutation::RepeatNothing
            | Mutation::RepeatAlways
            | Mutation::RepeatToSubscribers
            | Mutation::Ignore(_)
            | Mutation::IgnoreUnsubscribe
            | Mutation::IgnoreQos0
            | Mutation::Seen(_) => {}
        }
        vec![packet]
    }

    async fn write(&self, to: &mut (impl AsyncWrite + Unpin), packets: Vec<Packet>) {
        let mut bytes = BytesMut::new();
        packets
            .iter()
            .for_each(|packet| encode(self.version, PacketRef::from(packet), &mut bytes));
        let _ = to.write_all(&bytes).await;
    }
}
