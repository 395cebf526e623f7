use std::{collections::BTreeMap, time::Duration};

use squall_proto::{Connack, Connect, Instant, Text, Version, broker::Limits};

use super::{
    Topics, Wires,
    numbered::{ClientNumber, FilterId, Numbered, SessionId},
    subscriptions::Subscription,
};
use crate::trace::{Side, WireId};

/// The sessions the broker must have, or had.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    all: Numbered<SessionId, Session>,
    /// The last of each Client Identifier that had one; an ended one stays until the next begins.
    latest: BTreeMap<ClientNumber, SessionId>,
    /// When the broker's process last lost all it knew: what it had said before may leave in that moment.
    forgotten_at: Option<Instant>,
    /// Whose session an administrator ended last, and when: whether another had begun is not certain in that moment.
    revoked: Option<(ClientNumber, Instant)>,
    /// The longest the broker keeps a session whose client is gone.
    expiry_max: Option<Duration>,
}

/// A session as the broker must keep it.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) client: ClientNumber,
    pub(crate) client_id: Text,
    /// The last of its connections.
    pub(crate) wire: WireId,
    /// How long it outlives its connection; `None`: for ever.
    expiry: Option<Duration>,
    /// When DISCONNECT changed that, and what it was: who connects at that very moment may be handled before or after it.
    expiry_before: Option<(Instant, Option<Duration>)>,
    /// Since when it has no connection.
    closed_at: Option<Instant>,
    /// When the broker must have known that: it closed its end, or was there again that had ended with it. `None`: it may not know yet.
    closed_by: Option<Instant>,
    /// Another CONNACK of its Client Identifier left when it began or went on: which of them came first is not certain.
    is_disputed: bool,
    /// It ended, or not: the broker may have forgotten that, or it had hardly begun.
    may_be_over: bool,
    /// Another has taken its place, or the broker lost its memory.
    is_over: bool,
    pub(crate) subscriptions: BTreeMap<FilterId, Subscription>,
    /// The smallest Maximum Packet Size that it had on a connection, if any; bytes.
    packet_size_max: Option<usize>,
}

impl Sessions {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            expiry_max: limits.session_expiry,
            ..Self::default()
        }
    }

    pub(crate) fn get(&self, id: SessionId) -> &Session {
        self.all.of(id)
    }

    pub(super) fn get_mut(&mut self, id: SessionId) -> &mut Session {
        self.all.of_mut(id)
    }

    /// The latest session of this Client Identifier.
    pub(crate) fn of_client(&self, client: ClientNumber) -> Option<(SessionId, &Session)> {
        let id = *self.latest.get(&client)?;
        Some((id, self.all.of(id)))
    }

    /// The latest session of each Client Identifier.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (SessionId, &Session)> {
        self.latest.values().map(|id| (*id, self.all.of(*id)))
    }

    /// The session whose latest connection this is.
    pub(crate) fn current(&self, wire: WireId, wires: &Wires) -> Option<SessionId> {
        let id = wires.get(wire)?.session?;
        (self.all.of(id).wire == wire && !self.all.of(id).is_over).then_some(id)
    }

    /// The broker's process is gone, and all it knew with it.
    pub(super) fn forget_all(&mut self, at: Instant, topics: &mut Topics) {
        self.forgotten_at = Some(at);
        for id in self.latest.values() {
            self.all.of_mut(*id).end(*id, topics);
        }
    }

    /// The broker has forgotten the session of a client.
    pub(super) fn forget(&mut self, at: Instant, client: ClientNumber, topics: &mut Topics) {
        self.revoked = Some((client, at));
        if let Some(id) = self.latest.get(&client) {
            self.all.of_mut(*id).end(*id, topics);
        }
    }

    /// The broker runs again, and knows what it knew, but perhaps not of connections that ended `since` then.
    pub(super) fn taken_up(&mut self, now: Instant, since: Instant) {
        for id in self.latest.values() {
            let session = self.all.of_mut(*id);
            if session.closed_at >= Some(since) {
                session.closed_by = Some(now);
            }
        }
    }

    /// The broker may have forgotten the DISCONNECT of a connection, and the Session Expiry Interval with it.
    pub(super) fn may_not_have_ended(&mut self, wire: WireId, wires: &Wires) {
        if let Some(id) = self.current(wire, wires) {
            self.all.of_mut(id).may_be_over = true;
        }
    }

    /// The broker's end of a connection is no more; whether the broker `knows`.
    pub(super) fn disconnected(&mut self, at: Instant, wire: WireId, knows: bool, wires: &Wires) {
        if let Some(id) = self.current(wire, wires) {
            let session = self.all.of_mut(id);
            session.closed_at.get_or_insert(at);
            session.closed_by = session.closed_by.or_else(|| knows.then_some(at));
        }
    }

    /// DISCONNECT has arrived, with a Session Expiry Interval of its own.
    pub(super) fn change_expiry(&mut self, at: Instant, id: SessionId, seconds: u32) {
        let session = self.all.of_mut(id);
        session.expiry_before = Some((at, session.expiry));
        session.expiry = interval(seconds);
    }

    /// CONNACK says Success: a session begins or goes on. Also says whether one that began must have, `None` when the broker was free
    /// to do either.
    pub(super) fn connected(
        &mut self,
        at: Instant,
        wire: WireId,
        connack: &Connack,
        wires: &Wires,
        topics: &mut Topics,
    ) -> Option<Connected> {
        let of_wire = wires.get(wire)?;
        let (connect, client) = (of_wire.connect.as_deref()?, of_wire.client?);
        let expiry = self.expiry(connect, connack);
        let takes = of_wire.takes.of(Side::Client).packet_size_max;
        let before = self.latest.get(&client).copied();
        // Who stands still, or waits for its disk, may have handled CONNECT when it came or when it answers.
        let came = of_wire.connect_at.unwrap_or(at);
        let [exists, existed] =
            [at, came].map(|at| before.map_or(Some(false), |id| self.all.of(id).exists(at)));
        let is_gone = exists == Some(false);
        let exists = exists.filter(|_| exists == existed);
        let is_last_word = self.forgotten_at == Some(at);
        let is_open = is_last_word
            || wires.may_have_begun(wire)
            || before.is_some_and(|id| self.all.of(id).is_disputed || self.all.of(id).may_be_over);
        let exists = exists.filter(|_| !is_open);
        let is_disputed = is_last_word || self.revoked == Some((client, at)) || wires.is_disputed(wire, at);
        let is_revoked = of_wire.is_revoked;
        let may_go_on = if connect.clean_start { Some(false) } else { exists };
        let goes_on = may_go_on.unwrap_or(connack.session_present);
        // It may be that of a connection whose CONNACK could not leave.
        let is_another = is_gone && wires.may_have_begun(wire);
        if let (true, Some(id)) = (goes_on, before.filter(|_| !is_another)) {
            let session = self.all.of_mut(id);
            (session.wire, session.expiry, session.is_disputed) = (wire, expiry, is_disputed);
            session.may_be_over = is_revoked;
            session.packet_size_max = session.packet_size_max.into_iter().chain(takes).min();
            (session.expiry_before, session.closed_at, session.closed_by) = (None, None, None);
            return Some(Connected { session: id, goes_on });
        }
        if let Some(id) = before {
            self.all.of_mut(id).end(id, topics);
        }
        let session = self.all.push(Session {
            client,
            client_id: wires.client_id(client).clone(),
            wire,
            expiry,
            expiry_before: None,
            closed_at: None,
            closed_by: None,
            is_disputed,
            may_be_over: is_revoked,
            is_over: false,
            subscriptions: BTreeMap::new(),
            packet_size_max: takes,
        });
        self.latest.insert(client, session);
        Some(Connected { session, goes_on })
    }

    fn expiry(&self, connect: &Connect, connack: &Connack) -> Option<Duration> {
        let asked = match connect.version {
            // [v3 MQTT-3.1.2-6]
            Version::V3_1_1 if connect.clean_start => Some(Duration::ZERO),
            Version::V3_1_1 => None,
            Version::V5 => interval(connect.properties.session_expiry_interval().unwrap_or(0)),
        };
        let granted = connack.properties.session_expiry_interval().map(interval);
        let limited = match (asked, self.expiry_max) {
            (Some(asked), Some(max)) => Some(asked.min(max)),
            (asked, max) => asked.or(max),
        };
        granted.unwrap_or(limited)
    }
}

/// What an accepted connection belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connected {
    pub(crate) session: SessionId,
    /// What Session Present must say.
    pub(crate) goes_on: bool,
}

impl Session {
    /// Whether the broker must have it (`Some(true)`), must not have it any more, or may do either: it expires just now.
    pub(crate) fn exists(&self, now: Instant) -> Option<bool> {
        if self.is_over {
            return Some(false);
        }
        let exists = self.exists_with(self.expiry, now);
        let unless = self.expiry_before.filter(|(at, _)| *at == now);
        let is_open = unless.is_some_and(|(_, expiry)| self.exists_with(expiry, now) != exists);
        exists.filter(|_| !is_open)
    }

    fn exists_with(&self, expiry: Option<Duration>, now: Instant) -> Option<bool> {
        let (Some(expiry), Some(closed_at)) = (expiry, self.closed_at) else {
            // Its connection is there, or is being taken over: then it ends or goes on as its expiry says.
            return Some(expiry != Some(Duration::ZERO));
        };
        let must_be_over = |closed_by| now > closed_by + expiry + GRACE;
        if expiry.is_zero() || self.closed_by.is_some_and(must_be_over) {
            Some(false)
        } else if now < closed_at + expiry {
            Some(true)
        } else {
            None
        }
    }

    /// Whether it is there now: its connection is, or it has not expired.
    pub(crate) fn is_alive(&self, now: Instant) -> bool {
        !self.is_over && !self.may_be_over && (self.closed_at.is_none() || self.exists(now) == Some(true))
    }

    /// Whether it may be there now.
    pub(crate) fn may_be_alive(&self, now: Instant) -> bool {
        !self.is_over && (self.closed_at.is_none() || self.exists(now) != Some(false))
    }

    /// When it ends if its client does not come back; `None`: never.
    pub(crate) const fn expiry(&self) -> Option<Duration> {
        self.expiry
    }

    /// Whether a message was never too large for it: what is, the broker drops and behaves as if it had sent it.
    // [MQTT-3.1.2-25]
    pub(crate) fn surely_takes(&self, payload: &[u8]) -> bool {
        let size = payload.len() + HEADER_BYTES;
        self.packet_size_max.is_none_or(|max| size < max)
    }

    fn end(&mut self, id: SessionId, topics: &mut Topics) {
        self.is_over = true;
        for filter in self.subscriptions.keys() {
            topics.unsubscribe(*filter, id);
        }
    }
}

/// What stands before a payload, for all we reckon.
const HEADER_BYTES: usize = 2000;

/// How late a session may be thrown away: nothing on the wire shows when.
const GRACE: Duration = Duration::from_secs(1);

fn interval(seconds: u32) -> Option<Duration> {
    (seconds != u32::MAX).then(|| Duration::from_secs(u64::from(seconds)))
}
