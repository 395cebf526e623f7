//! A list of timed inputs over several connections, made of the fuzzer's bytes: whatever clients do, the broker keeps to the
//! standard and to what its owner relies on (`broker/wires.rs` has the rules), and afterwards nothing is left of them.

use std::{collections::BTreeMap, time::Duration};

use arbitrary::{Result, Unstructured};
use bytes::BytesMut;
use squall_proto::{
    Ack, ConnId, Connect, Decoder, Delivery, Disconnect, Instant, Packet, PacketId, Properties, ReasonCode,
    Text, Version,
    broker::{Broker, Counts, Input, Judgement, Settings},
    encode,
};

use self::{
    settings::settings,
    stowed::Stowed,
    wires::{Awaited, Wires},
};
use crate::packets;

#[path = "broker/settings.rs"]
mod settings;
#[path = "broker/stowed.rs"]
mod stowed;
#[path = "broker/wires.rs"]
mod wires;

const CONNECTIONS: u32 = 5;
const STEPS_MAX: usize = 300;
const PACKET_SIZE_MAX: u32 = 1000;

/// Runs the inputs; panics where a rule is broken.
pub(crate) fn broker_inputs(input: &[u8]) {
    let mut u = Unstructured::new(input);
    let Ok(settings) = settings(&mut u) else { return };
    let Ok(authenticates) = u.ratio(1, 4) else { return };
    let Ok(fetches) = u.arbitrary() else { return };
    let mut owner = Owner::new(settings, authenticates, fetches);
    for _ in 0..STEPS_MAX {
        if u.is_empty() || step(&mut u, &mut owner).is_err() {
            break;
        }
    }
    owner.everybody_leaves();
}

fn step(u: &mut Unstructured<'_>, owner: &mut Owner) -> Result<()> {
    let conn = ConnId(u.int_in_range(0..=CONNECTIONS - 1)?);
    owner.open(conn);
    if owner.wires.is_asked(conn) && u.ratio(3, 4)? {
        let judgement = judgement(u, owner.wires.has_method(conn))?;
        owner.judge(conn, judgement);
        return Ok(());
    }
    let Some(version) = owner.peers.get(&conn).and_then(Decoder::version) else {
        return before_connect(u, owner, conn);
    };
    match u.int_in_range(0..=31)? {
        0..=19 => {
            let packet = packets::from_client(u, version)?;
            say(u, owner, conn, version, &packet)?;
        }
        20..=26 => answer(u, owner, conn, version)?,
        27 => owner.lose(conn),
        28 => owner.unsent(conn, *u.choose(&[0, 50, 500])?),
        29 => owner.hear(conn, u.bytes(7)?),
        30 => owner.wait(Duration::from_millis(*u.choose(&[1, 900, 1500, 3001, 12_000])?)),
        _ if u.ratio(1, 16)? => owner.handle(Input::Shutdown),
        _ if u.arbitrary()? => owner.unsent(conn, 0),
        _ => _ = owner.read_store(u.arbitrary()?),
    }
    Ok(())
}

/// What the owner says of a client; data and challenges only for one that understands them.
fn judgement(u: &mut Unstructured<'_>, has_method: bool) -> Result<Judgement> {
    let data = if has_method { packets::data(u)? } else { None };
    Ok(match u.int_in_range(0..=7)? {
        0 => Judgement::Refuse(*u.choose(&[ReasonCode::NotAuthorized, ReasonCode::PacketTooLarge])?),
        1..=3 if has_method => Judgement::Challenge { data },
        _ => Judgement::Accept { user: None, data },
    })
}

fn before_connect(u: &mut Unstructured<'_>, owner: &mut Owner, conn: ConnId) -> Result<()> {
    match u.int_in_range(0..=15)? {
        0 => owner.wait(Duration::from_secs(1)),
        1 => {
            let packet = packets::from_client(u, Version::V5)?;
            say(u, owner, conn, Version::V5, &packet)?;
        }
        2 => owner.lose(conn),
        _ => {
            let connect = packets::connect(u)?;
            let version = connect.version;
            say(u, owner, conn, version, &Packet::Connect(Box::new(connect)))?;
        }
    }
    Ok(())
}

/// Sends a packet as bytes, now and then with one of them changed.
fn say(
    u: &mut Unstructured<'_>,
    owner: &mut Owner,
    conn: ConnId,
    version: Version,
    packet: &Packet,
) -> Result<()> {
    let mut bytes = BytesMut::new();
    encode(version, packet.into(), &mut bytes);
    if u.ratio(1, 40)? {
        let at = u.choose_index(bytes.len())?;
        if let Some(byte) = bytes.get_mut(at) {
            *byte = u.arbitrary()?;
        }
    }
    owner.hear(conn, &bytes);
    Ok(())
}

/// Answers what the broker waits for on this connection, nearly always as it should be answered.
fn answer(u: &mut Unstructured<'_>, owner: &mut Owner, conn: ConnId, version: Version) -> Result<()> {
    let awaited = owner.wires.awaited(conn);
    if awaited.is_empty() {
        return Ok(());
    }
    let Some((packet_id, awaited)) = awaited.get(u.choose_index(awaited.len())?).copied() else {
        return Ok(());
    };
    let packet = match awaited {
        Awaited::Puback => Packet::Puback(packets::ack(u, version, packet_id, &packets::RECEIVED)?),
        Awaited::Pubrec => Packet::Pubrec(packets::ack(u, version, packet_id, &packets::RECEIVED)?),
        Awaited::Pubcomp => Packet::Pubcomp(packets::ack(u, version, packet_id, &packets::RELEASED)?),
    };
    say(u, owner, conn, version, &packet)
}

/// Who owns the connections: the broker, what clients send it, and what it sends them.
struct Owner {
    broker: Broker,
    now: Instant,
    wires: Wires,
    /// What reads a connection's bytes.
    peers: BTreeMap<ConnId, Decoder>,
    /// What came on a connection whose client is being judged.
    held: BTreeMap<ConnId, BytesMut>,
}

impl Owner {
    fn new(settings: Settings, authenticates: bool, fetches: bool) -> Self {
        let broker = if authenticates {
            Broker::authenticating
        } else {
            Broker::new
        };
        Self {
            broker: broker(settings, 1),
            now: Instant::ZERO,
            wires: Wires::new(fetches.then(Stowed::default)),
            peers: BTreeMap::new(),
            held: BTreeMap::new(),
        }
    }

    fn handle(&mut self, input: Input) {
        self.broker.handle(self.now, input, &mut self.wires);
    }

    fn open(&mut self, conn: ConnId) {
        if self.wires.open(conn) {
            self.peers.insert(conn, Decoder::new(PACKET_SIZE_MAX));
            self.handle(Input::Opened(conn));
        }
    }

    /// Bytes come on a connection. What follows malformed ones is not read, so the connection is lost with them.
    fn hear(&mut self, conn: ConnId, bytes: &[u8]) {
        let mut input = self.held.remove(&conn).unwrap_or_default();
        input.extend_from_slice(bytes);
        while let Some(decoder) = self.peers.get_mut(&conn) {
            if self.wires.is_held(conn) {
                self.held.insert(conn, input);
                return;
            }
            match decoder.decode(&mut input) {
                Ok(Some(packet)) => {
                    self.wires.heard(conn, &packet);
                    self.handle(Input::Received(conn, packet));
                }
                Ok(None) => return,
                Err(error) => {
                    self.handle(Input::Malformed(conn, error));
                    assert!(self.wires.is_closed(conn), "malformed bytes end the connection");
                    return self.lose(conn);
                }
            }
        }
    }

    /// The owner answers; what came meanwhile has its turn.
    fn judge(&mut self, conn: ConnId, judgement: Judgement) {
        self.wires.judged(conn);
        self.handle(Input::Judged(conn, judgement));
        self.hear(conn, &[]);
    }

    fn lose(&mut self, conn: ConnId) {
        self.held.remove(&conn);
        self.handle(Input::Lost(conn));
        self.wires.lost(conn);
        self.peers.remove(&conn);
    }

    fn unsent(&mut self, conn: ConnId, bytes: usize) {
        self.wires.set_unsent(conn, bytes);
        if bytes == 0 {
            self.handle(Input::Flushed(conn));
        }
    }

    /// What the broker asked its store for comes; whether there was something.
    fn read_store(&mut self, which: usize) -> bool {
        let stowed = self.wires.stowed.as_mut();
        let fetched = stowed.and_then(|stowed| stowed.answer(which));
        let comes = fetched.is_some();
        if let Some(fetched) = fetched {
            self.handle(fetched);
        }
        comes
    }

    fn wait(&mut self, duration: Duration) {
        let until = self.now + duration;
        while let Some(deadline) = self.broker.next_deadline().filter(|deadline| *deadline <= until) {
            self.now = self.now.max(deadline);
            self.handle(Input::Tick);
            let next = self.broker.next_deadline();
            assert!(
                next.is_none_or(|next| next > self.now),
                "a tick settles what is due"
            );
        }
        self.now = until;
    }

    /// Each client answers all that it is owed, then begins a session that ends at once: nothing is left of any.
    fn everybody_leaves(&mut self) {
        for conn in 0..CONNECTIONS {
            if self.wires.is_open(ConnId(conn)) {
                self.lose(ConnId(conn));
            }
        }
        for client_id in self.wires.sessions() {
            self.takes_all(&client_id);
            self.visit(&client_id, true, |_| {});
        }
        let Counts {
            connections,
            sessions,
            subscriptions,
            shared_subscriptions,
            retained_messages,
            unfinished_messages,
        } = self.broker.counts();
        let left = [
            connections,
            sessions,
            subscriptions,
            shared_subscriptions,
            unfinished_messages,
        ];
        assert_eq!(left, [0; 5], "all have left");
        if let Some(stowed) = &self.wires.stowed {
            assert_eq!(stowed.len(), retained_messages, "what is retained is on record");
        }
        assert_eq!(
            self.wires.sessions(),
            Vec::<Text>::new(),
            "each session's end is noted"
        );
    }

    /// A client that answers everything gets to the end of what it is owed.
    fn takes_all(&mut self, client_id: &Text) {
        self.visit(client_id, false, |owner| {
            for _ in 0..10_000 {
                while owner.read_store(0) {}
                let Some((packet_id, awaited)) = owner.wires.awaited(ConnId(0)).first().copied() else {
                    return;
                };
                owner.say(&awaited.answered(packet_id));
            }
            panic!("a client that answers everything is never done");
        });
    }

    fn say(&mut self, packet: &Packet) {
        let mut bytes = BytesMut::new();
        encode(Version::V3_1_1, packet.into(), &mut bytes);
        self.hear(ConnId(0), &bytes);
    }

    fn visit(&mut self, client_id: &Text, clean_start: bool, then: impl FnOnce(&mut Self)) {
        self.open(ConnId(0));
        self.say(&Packet::Connect(Box::new(Connect {
            version: Version::V3_1_1,
            clean_start,
            keep_alive: 0,
            client_id: client_id.clone(),
            will: None,
            user_name: None,
            password: None,
            properties: Properties::new(),
        })));
        if self.wires.is_asked(ConnId(0)) {
            let (user, data) = (None, None);
            self.judge(ConnId(0), Judgement::Accept { user, data });
        }
        then(self);
        self.say(&Packet::Disconnect(Disconnect::of(ReasonCode::Success)));
        self.lose(ConnId(0));
    }
}

impl Awaited {
    fn answered(self, packet_id: PacketId) -> Packet {
        let ack = Ack::success(packet_id);
        match self {
            Self::Puback => Packet::Puback(ack),
            Self::Pubrec => Packet::Pubrec(ack),
            Self::Pubcomp => Packet::Pubcomp(ack),
        }
    }

    /// What the receiver of a PUBLISH owes for it.
    fn of(delivery: Delivery) -> Option<(PacketId, Self)> {
        match delivery {
            Delivery::AtMostOnce => None,
            Delivery::AtLeastOnce(packet_id) => Some((packet_id, Self::Puback)),
            Delivery::ExactlyOnce(packet_id) => Some((packet_id, Self::Pubrec)),
        }
    }
}
