//! One connection: bytes out, packets in.

use std::{collections::VecDeque, time::Duration};

use bytes::BytesMut;
use squall_proto::{Decoder, Packet, PacketRef, Version, encode};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::{Instant, timeout, timeout_at},
};

use super::{
    Context, TOPICS,
    log::{Log, describe},
    trail::Trail,
};
use crate::{Duplex, User, hex};

/// A case's end of a connection. It sends what it is told and nothing else: it acknowledges nothing by itself. Dropping it closes
/// the connection without a DISCONNECT.
pub(crate) struct Client {
    pub(super) name: String,
    /// What the log calls the other end.
    target: &'static str,
    pub(super) version: Version,
    /// How long what must come may take; a case that waits for a deadline of the target adds to it.
    pub(crate) patience: Duration,
    /// What came and nobody has asked for yet.
    pub(super) inbox: VecDeque<Packet>,
    /// What this case's topics begin with.
    topics: String,
    strays: usize,
    /// The last Packet Identifier that [`flows`](super::flows) used; cases that write their own stay below 100.
    pub(super) last_id: u16,
    duplex: Duplex,
    /// Whom the first packet is to name, if it has to name somebody.
    login: Option<User>,
    decoder: Decoder,
    unread: BytesMut,
    ended: Option<End>,
    log: Log,
    trail: Trail,
}

/// What comes next.
#[derive(Clone, Debug)]
pub(super) enum Next {
    Packet(Packet),
    End(End),
    /// Nothing, up to the time that was given.
    Nothing,
}

/// How a connection ended for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The target closed it: FIN or RST.
    Closed,
    /// The target sent what is no packet.
    Malformed(String),
}

/// Bytes of a malformed packet, or of a frame, that are shown.
pub(super) const SHOWN_MAX: usize = 64;
/// More than any case lets the target send in one packet.
pub(super) const PACKET_SIZE_MAX: u32 = 1 << 20;

impl Client {
    pub(super) fn new(context: &Context, name: &str, duplex: Duplex) -> Self {
        Self {
            name: name.into(),
            topics: context.topic(""),
            target: "broker",
            login: context.target.login().cloned(),
            trail: context.trail.clone(),
            ..Self::serving(context.version, context.patience, context.log.clone(), duplex)
        }
    }

    /// The server's end, where the target is a client.
    pub(crate) fn serving(version: Version, patience: Duration, log: Log, duplex: Duplex) -> Self {
        Self {
            name: "server".into(),
            target: "client",
            // Whatever a client publishes is about its case.
            topics: TOPICS.into(),
            strays: 0,
            version,
            patience,
            inbox: VecDeque::new(),
            last_id: 99,
            duplex,
            login: None,
            decoder: Decoder::with_version(version, PACKET_SIZE_MAX),
            unread: BytesMut::new(),
            ended: None,
            log,
            trail: Trail::default(),
        }
    }

    /// Sends a packet. Whether the target still takes it shows in what comes back.
    pub(crate) async fn send(&mut self, packet: Packet) {
        self.trail.note(&packet);
        self.log.add(&self.name, self.target, describe(&packet));
        let mut bytes = BytesMut::new();
        encode(self.version, PacketRef::from(&packet), &mut bytes);
        self.write(&bytes).await;
    }

    /// Sends bytes written by hand, see [`hex::bytes`].
    pub(crate) async fn send_hex(&mut self, text: &str) {
        self.send_bytes(&hex::bytes(text)).await;
    }

    /// Sends any bytes; a Client Identifier [`hex::CLIENT_ID`] in them becomes one of this case.
    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) {
        let bytes = hex::with_client_id(bytes, &self.topics);
        self.log.add(
            &self.name,
            self.target,
            format!("bytes {}", ::hex::encode(&bytes)),
        );
        self.write(&bytes).await;
    }

    /// Sends bytes that mean this.
    pub(super) async fn send_meaning(&mut self, bytes: &[u8], meaning: String) {
        self.log.add(&self.name, self.target, meaning);
        self.write(bytes).await;
    }

    /// Notes what bytes meant that came.
    pub(super) fn note_came(&self, meaning: String) {
        self.log.add(self.target, &self.name, meaning);
    }

    /// Sends nothing more, and still takes what comes.
    pub(crate) async fn half_close(&mut self) {
        self.log.add(&self.name, self.target, "half-close".into());
        let _ = self.duplex.write.shutdown().await;
    }

    /// From now on a packet of more bytes is malformed.
    pub(crate) const fn take_at_most(&mut self, bytes: u32) {
        self.decoder = Decoder::with_version(self.version, bytes);
    }

    /// Ends the connection without a DISCONNECT.
    pub(crate) fn cut(self) {
        self.log
            .add(&self.name, self.target, "closes the connection".into());
    }

    /// The bytes that come up to `deadline` or to the end, not cut into packets.
    pub(super) async fn next_bytes(&mut self, deadline: Instant) -> BytesMut {
        while self.ended.is_none() && self.fill(deadline).await {}
        let bytes = self.unread.split();
        self.log.add(
            self.target,
            &self.name,
            format!("bytes {}", ::hex::encode(&bytes)),
        );
        bytes
    }

    /// Whether the target has ended the connection, as far as has been read.
    pub(super) const fn has_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// Whether the target has closed the connection, as far as has been read.
    pub(super) const fn has_closed(&self) -> bool {
        matches!(self.ended, Some(End::Closed))
    }

    /// What came and is no packet yet.
    pub(super) const fn unread(&mut self) -> &mut BytesMut {
        &mut self.unread
    }

    /// What the wire brings next, cut by MQTT's framing.
    pub(super) async fn next(&mut self, deadline: Instant) -> Next {
        loop {
            let bytes = self.whole_packet();
            match self.decoder.decode(&mut self.unread) {
                Ok(Some(packet)) => {
                    self.log.add(self.target, &self.name, describe(&packet));
                    if !self.is_of_another_case(&packet) {
                        return Next::Packet(packet);
                    }
                    self.strays += 1;
                }
                Ok(None) => {}
                Err(error) => {
                    let what = format!("{error} in {}", ::hex::encode(bytes));
                    self.unread.clear();
                    self.end(End::Malformed(what));
                }
            }
            if let Some(end) = &self.ended {
                return Next::End(end.clone());
            }
            if !self.fill(deadline).await && self.ended.is_none() {
                return Next::Nothing;
            }
        }
    }

    /// Whether this is a message that another case published: a target that passes on what nobody asked for breaks that rule, and not
    /// the one that a case is about.
    fn is_of_another_case(&self, packet: &Packet) -> bool {
        let Packet::Publish(publish) = packet else {
            return false;
        };
        let topic = publish.topic.as_ref();
        topic.is_some_and(|topic| topic.starts_with(TOPICS) && !topic.starts_with(&self.topics))
    }

    /// How many messages came that other cases published.
    pub(crate) const fn strays(&self) -> usize {
        self.strays
    }

    /// The bytes of the packet that comes next, if they are all there, otherwise what there is; the first of a long one.
    fn whole_packet(&self) -> Vec<u8> {
        let len = self.decoder.packet_len(&self.unread).ok().flatten();
        let shown = len
            .unwrap_or(self.unread.len())
            .min(self.unread.len())
            .min(SHOWN_MAX);
        self.unread.get(..shown).unwrap_or_default().to_vec()
    }

    /// Whether more bytes came before the deadline. The end of the connection is noted.
    pub(super) async fn fill(&mut self, deadline: Instant) -> bool {
        match timeout_at(deadline, self.duplex.read.read_buf(&mut self.unread)).await {
            Ok(Ok(1..)) => true,
            // An RST is as good a close as a FIN.
            Ok(Ok(0) | Err(_)) => {
                self.end(End::Closed);
                false
            }
            Err(_) => false,
        }
    }

    fn end(&mut self, end: End) {
        if self.ended.is_some() {
            return;
        }
        self.log.add(self.target, &self.name, end.describe());
        self.ended = Some(end);
    }

    /// Whether the target takes it or not: that shows in what comes back. Patience is for each part that it takes.
    async fn write(&mut self, bytes: &[u8]) {
        let named = self.login.take().and_then(|user| user.added_to(bytes));
        let mut bytes = named.as_deref().unwrap_or(bytes);
        while !bytes.is_empty() {
            let written = timeout(self.patience, self.duplex.write.write(bytes)).await;
            let Ok(Ok(taken @ 1..)) = written else { return };
            bytes = bytes.get(taken..).unwrap_or_default();
        }
        let _ = timeout(self.patience, self.duplex.write.flush()).await;
    }
}

impl End {
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Closed => "closes the connection".into(),
            Self::Malformed(why) => format!("malformed packet: {why}"),
        }
    }
}
