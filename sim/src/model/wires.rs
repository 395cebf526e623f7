use std::{collections::BTreeMap, time::Duration};

use squall_proto::{Connack, Connect, Instant, Packet, Text};

use super::{
    BROKER, Model, Topics,
    numbered::{ClientNumber, HolderId, MessageId, Numbered, SessionId},
};
use crate::{
    faults::Fault,
    trace::{End, Event, Side, What, WireId},
};

mod process;
mod wire;

pub(crate) use wire::Wire;

use self::process::Process;

/// Every Network Connection of a run.
#[derive(Debug, Default)]
pub(crate) struct Wires {
    /// By number; one that was never opened is missing.
    all: Vec<Option<Wire>>,
    clients: Numbered<ClientNumber, Client>,
    holders: Numbered<HolderId, Holder>,
    by_client_id: BTreeMap<Text, ClientNumber>,
    /// How many were accepted.
    accepted: u32,
    /// What keeps the broker from them.
    broker: Process,
}

/// A Client Identifier with its connections.
#[derive(Debug)]
struct Client {
    client_id: Text,
    /// In the order in which CONNECT arrived.
    wires: Vec<WireId>,
    /// The hosts that they are of, in the order in which they came.
    holders: Vec<HolderId>,
    /// The place of the last that was accepted among all that were.
    accepted: Option<u32>,
}

/// A host that uses a Client Identifier: each knows what it has sent and got itself.
#[derive(Debug)]
struct Holder {
    name: String,
    /// The last of its connections that it opened.
    latest: WireId,
}

/// A value for each side.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BySide<T> {
    client: T,
    broker: T,
}

impl<T> BySide<T> {
    pub(crate) const fn of(&self, side: Side) -> &T {
        match side {
            Side::Client => &self.client,
            Side::Broker => &self.broker,
        }
    }

    pub(crate) const fn of_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Client => &mut self.client,
            Side::Broker => &mut self.broker,
        }
    }
}

impl Wires {
    pub(crate) fn get(&self, id: WireId) -> Option<&Wire> {
        self.all.get(id.0 as usize)?.as_ref()
    }

    /// Every connection, oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (WireId, &Wire)> {
        let wires = (0..u32::MAX).map(WireId).zip(&self.all);
        let all: Vec<(WireId, &Wire)> = wires
            .filter_map(|(id, wire)| Some((id, wire.as_ref()?)))
            .collect();
        all.into_iter()
    }

    pub(crate) fn client_id(&self, client: ClientNumber) -> &Text {
        &self.clients.of(client).client_id
    }

    /// The connections of a Client Identifier, in the order in which CONNECT arrived.
    pub(crate) fn of_client(&self, client: ClientNumber) -> impl DoubleEndedIterator<Item = (WireId, &Wire)> {
        let wires = self.clients.get(client).map_or(&[][..], |client| &client.wires);
        wires.iter().filter_map(|id| Some((*id, self.get(*id)?)))
    }

    /// The Client Identifiers that a host has used.
    pub(super) fn holders_of(&self, host: &str) -> impl Iterator<Item = HolderId> {
        let holders = self.holders.iter().filter(move |(_, holder)| holder.name == host);
        holders.map(|(id, _)| id)
    }

    /// The other hosts that use its Client Identifier.
    pub(super) fn rivals(&self, id: WireId) -> impl Iterator<Item = HolderId> {
        let wire = self.get(id);
        let own = wire.and_then(|wire| wire.holder);
        let client = wire.and_then(|wire| wire.client);
        let holders = client
            .into_iter()
            .flat_map(|client| &self.clients.of(client).holders);
        holders.copied().filter(move |holder| Some(*holder) != own)
    }

    /// Whether there is another connection after it: for the broker, of its Client Identifier, accepted later; for the client, its own,
    /// opened later.
    pub(crate) fn is_taken_over(&self, id: WireId, side: Side) -> bool {
        let Some(wire) = self.get(id) else { return false };
        match side {
            Side::Broker => wire.client.and_then(|client| self.clients.of(client).accepted) > wire.accepted,
            Side::Client => wire
                .holder
                .is_some_and(|holder| self.holders.of(holder).latest > id),
        }
    }

    /// Whether a CONNECT of its Client Identifier came since the last that was answered, and the broker may have read it though its answer
    /// could not leave any more.
    pub(crate) fn may_have_begun(&self, id: WireId) -> bool {
        let mut answered = self.namesakes(id).filter(|(_, other)| !other.is_refused());
        let last = answered.next();
        last.is_some_and(|(_, other)| other.may_have_begun())
    }

    /// Whether another connection of its Client Identifier was accepted at this moment too.
    pub(super) fn is_disputed(&self, id: WireId, now: Instant) -> bool {
        let mut others = self
            .namesakes(id)
            .take_while(|(_, other)| other.connect_at.is_some());
        others.any(|(_, other)| other.connack.is_some_and(|(at, _)| at == now))
    }

    /// Whether another CONNECT of its Client Identifier reached the broker's host at that very moment.
    pub(crate) fn is_taken_over_at(&self, id: WireId, at: Instant) -> bool {
        let then = self
            .namesakes(id)
            .take_while(|(_, other)| other.connect_at >= Some(at));
        then.into_iter().any(|(_, other)| other.connect_at == Some(at))
    }

    /// Whether another CONNECT of its Client Identifier reached the broker's host with its own or later.
    pub(crate) fn is_contested(&self, id: WireId) -> bool {
        let connect_at = self.get(id).and_then(|wire| wire.connect_at);
        let last = self.namesakes(id).next();
        last.is_some_and(|(_, other)| other.connect_at >= connect_at)
    }

    /// Whether somebody else goes by its Client Identifier too, and connected no longer ago than this.
    pub(crate) fn is_fought_for(&self, id: WireId, now: Instant, ago: Duration) -> bool {
        let name = self.get(id).map(|wire| &wire.name);
        let lately = |at: Instant| now.saturating_since(at) <= ago;
        let mut others = self
            .namesakes(id)
            .take_while(|(_, other)| other.connect_at.is_some_and(lately));
        others.any(|(_, other)| Some(&other.name) != name)
    }

    /// The other connections of its Client Identifier, the last first; those whose CONNECT has not arrived have none.
    fn namesakes(&self, id: WireId) -> impl Iterator<Item = (WireId, &Wire)> {
        let client = self.get(id).and_then(|wire| wire.client);
        let all = client.into_iter().flat_map(|client| self.of_client(client).rev());
        all.filter(move |(other, _)| *other != id)
    }

    /// Since when the broker has read all that comes at once, or will have; `None`: it does not.
    pub(crate) const fn broker_hears_since(&self) -> Option<Instant> {
        self.broker.hears_since()
    }

    /// Whether the broker reads at this moment what comes then.
    pub(super) fn broker_hears(&self, now: Instant) -> bool {
        self.broker.hears_since().is_some_and(|since| since <= now)
    }

    /// Whether the broker left a connection when it may not have read yet what came at this moment, because it stood still or read slowly, or
    /// was told to leave.
    pub(super) fn was_left_unread(&self, wire: &Wire, came: Instant) -> bool {
        let left = wire.left_at(Side::Broker);
        let is_kicked = wire.kicked_at.is_some_and(|kicked| kicked <= came);
        is_kicked || left.is_some_and(|left| self.broker.was_deaf(came, left))
    }

    /// Whether its process is there.
    pub(super) const fn broker_runs(&self) -> bool {
        self.broker.runs()
    }

    /// `now`: when the event counts.
    pub(super) fn observe(
        &mut self,
        now: Instant,
        event: &Event,
        fault: Option<&Fault>,
        topics: &mut Topics,
    ) {
        if self.broker.observe(event, fault) {
            let unheard = self.all.iter_mut().flatten();
            let since = self.broker.hears_since().unwrap_or(event.at);
            unheard.for_each(|wire| _ = wire.heard_by.get_or_insert(since));
        }
        match &event.what {
            What::Opened { wire, client } => {
                let place = wire.0 as usize;
                if self.all.len() <= place {
                    self.all.resize_with(place + 1, || None);
                }
                if let Some(opened) = self.all.get_mut(place) {
                    *opened = Some(Wire::new(client.clone()));
                }
            }
            What::Sent { wire, from, packet } => self.sent(event.at, (*wire, *from), packet, topics),
            What::Arrived { wire, from, packet } => {
                self.arrived((event.at, now), (*wire, *from), packet, topics)
            }
            What::Bytes { wire, from, .. } => {
                self.with(*wire, |wire| *wire.is_within_packet.of_mut(*from) = true);
            }
            What::Malformed {
                wire,
                from: Side::Client,
                ..
            } => {
                self.with(*wire, |wire| wire.client_at_fault = true);
            }
            What::Closed { wire, by, how } => {
                self.with(*wire, |wire| wire.close(event.at, *by, *how));
            }
            What::LetGo { wire, by } => {
                self.with(*wire, |wire| _ = wire.let_go.of_mut(*by).get_or_insert(event.at));
            }
            What::Ended { wire, at, how } => {
                self.with(*wire, |wire| wire.end(event.at, *at, *how));
            }
            What::HostDown { host, .. } => self.host_down(event.at, host),
            What::Kicked {
                client_id,
                ends_session,
            } => self.kicked(event.at, client_id, *ends_session),
            _other_events => {}
        }
    }

    fn sent(&mut self, at: Instant, (id, from): (WireId, Side), packet: &Packet, topics: &mut Topics) {
        match from {
            Side::Client => self.with(id, |wire| wire.client_sent(at, packet)),
            Side::Broker => self.with(id, |wire| wire.broker_sent(at, packet, topics)),
        }
        if let (Side::Broker, Packet::Connack(connack)) = (from, packet) {
            self.answered(id, connack);
        }
    }

    fn arrived(
        &mut self,
        (at, now): (Instant, Instant),
        (id, from): (WireId, Side),
        packet: &Packet,
        topics: &mut Topics,
    ) {
        let heard = self.broker.hears_since().map(|since| since.max(now));
        if let (Side::Client, Packet::Connect(connect)) = (from, packet) {
            self.introduce(id, connect);
        }
        self.with(id, |wire| match from {
            Side::Client => wire.broker_got(at, heard, packet, topics),
            Side::Broker => wire.client_got(at, packet),
        });
    }

    fn kicked(&mut self, at: Instant, client_id: &Text, ends_session: bool) {
        let client = self.client(client_id);
        if let Some((id, _)) = client.and_then(|client| self.of_client(client).last()) {
            self.with(id, |wire| {
                wire.kicked_at.get_or_insert(at);
                wire.is_revoked |= ends_session && wire.connack.is_none();
            });
        }
    }

    pub(super) fn belongs_to(&mut self, id: WireId, session: SessionId) {
        self.with(id, |wire| wire.session = Some(session));
    }

    /// The client has said what the rules of the exchanges forbid: whatever the broker does now is explained.
    pub(super) fn at_fault(&mut self, id: WireId) {
        self.with(id, |wire| wire.client_at_fault = true);
    }

    pub(super) fn promises(&mut self, id: WireId, will: MessageId) {
        self.with(id, |wire| wire.will = wire.will.or(Some(will)));
    }

    fn with(&mut self, id: WireId, change: impl FnOnce(&mut Wire)) {
        if let Some(Some(wire)) = self.all.get_mut(id.0 as usize) {
            change(wire);
        }
    }

    /// The client of this Client Identifier, if it has connected.
    pub(super) fn client(&self, client_id: &Text) -> Option<ClientNumber> {
        self.by_client_id.get(client_id).copied()
    }

    /// Whose connection it is. Who leaves the choice of a Client Identifier to the broker is nobody known.
    fn introduce(&mut self, id: WireId, connect: &Connect) {
        if self.get(id).is_none_or(|wire| wire.client.is_some()) {
            return;
        }
        let known = self.by_client_id.get(&connect.client_id);
        let client = known.copied().unwrap_or_else(|| {
            let client = self.clients.push(Client {
                client_id: connect.client_id.clone(),
                wires: Vec::new(),
                holders: Vec::new(),
                accepted: None,
            });
            if !connect.client_id.is_empty() {
                self.by_client_id.insert(connect.client_id.clone(), client);
            }
            client
        });
        self.clients.of_mut(client).wires.push(id);
        let holder = self.holder(id, client);
        self.with(id, |wire| (wire.client, wire.holder) = (Some(client), holder));
    }

    fn holder(&mut self, id: WireId, client: ClientNumber) -> Option<HolderId> {
        let name = &self.get(id)?.name;
        let mut known = self.clients.of(client).holders.iter();
        if let Some(known) = known
            .find(|known| self.holders.of(**known).name == *name)
            .copied()
        {
            let latest = &mut self.holders.of_mut(known).latest;
            *latest = id.max(*latest);
            return Some(known);
        }
        let holder = self.holders.push(Holder {
            name: name.clone(),
            latest: id,
        });
        self.clients.of_mut(client).holders.push(holder);
        Some(holder)
    }

    /// Gives it its place when it was accepted just now.
    fn answered(&mut self, id: WireId, connack: &Connack) {
        let Some(client) = self.get(id).and_then(|wire| wire.client) else {
            return;
        };
        if let Some(client_id) = connack.properties.assigned_client_identifier() {
            self.by_client_id.insert(client_id.clone(), client);
            self.clients.of_mut(client).client_id = client_id;
        }
        if self
            .get(id)
            .is_some_and(|wire| wire.is_accepted() && wire.accepted.is_none())
        {
            self.accepted += 1;
            let place = Some(self.accepted);
            self.clients.of_mut(client).accepted = place;
            self.with(id, |wire| wire.accepted = place);
        }
    }

    fn host_down(&mut self, at: Instant, host: &str) {
        for wire in self.all.iter_mut().flatten() {
            if host == BROKER {
                // Before that its SYN may be under way to the next process.
                if wire.has_reached_broker() {
                    wire.end(at, Side::Broker, End::Reset);
                }
            } else if wire.name == host {
                wire.end(at, Side::Client, End::Reset);
            }
        }
    }
}

impl Model<'_> {
    /// Whether the wires show a reason for the broker to close a connection, of which 3.1.1 has no words for it.
    pub(crate) fn is_close_explained(&self, id: WireId, wire: &Wire) -> bool {
        wire.disconnect.is_some()
            || wire.client_at_fault
            || (*wire.is_within_packet.of(Side::Client) && self.scenario.is_peer(&wire.name))
            || wire.kicked_at.is_some()
            || wire.ended.of(Side::Broker).is_some()
            || self.wires.broker.is_stopping()
            || self.wires.is_contested(id)
            || self.scenario.broker.unsent_bytes.is_some()
            // 3.1.1 has no other word for what its disk cannot take.
            || self.disturbances.broker_may_wait()
    }
}
