//! From the opening of a connection to CONNACK.

use alloc::vec::Vec;
use core::{num::NonZeroU16, time::Duration};

use super::{
    Broker, Cause, Note, Output, Refusal,
    authenticate::{Admission, Identity},
    connections::ConnectionEvent,
    deadlines::Whose,
    explain::Takes,
    sent_aliases::SentAliases,
    session::{Link, Online, Session, SessionKey},
    session_expiry::{Expiry, SessionEvent, SessionPhase, expiry_asked},
    will::{WillEvent, WillState},
};
use crate::{ConnId, Connect, DecodeError, Instant, Packet, Text, Version, Will, encode::properties_len};

impl Broker {
    pub(super) fn opened(&mut self, now: Instant, conn: ConnId) {
        let deadline = now + self.limits.connect_timeout;
        if self
            .connections
            .on(conn, ConnectionEvent::Opened { deadline })
            .is_some()
        {
            let admitted = self.rate.admits(now, self.limits.connections_per_second);
            let slot = self.connections.slot(conn);
            slot.too_fast = !admitted;
            self.deadlines
                .schedule(Whose::Connection(conn), deadline, &mut slot.scheduled);
        }
    }

    // [MQTT-3.1.4-1] What the decoder let through is checked for what this broker grants.
    pub(super) fn connect(&mut self, now: Instant, conn: ConnId, connect: Connect, out: &mut impl Output) {
        if self.connections.slot(conn).too_fast {
            let cause = Cause::Refused(Refusal::TooFastConnections);
            self.refuse_connect(conn, Takes::of(&connect), cause, out);
        } else if self.authenticates {
            match self.check(&connect) {
                Ok(()) => self.apply(conn, connect, out),
                Err(refusal) => {
                    self.refuse_connect(conn, Takes::of(&connect), Cause::Refused(refusal), out);
                }
            }
        } else {
            self.admit(now, conn, connect, Admission::default(), out);
        }
    }

    /// The client may come in, if there is room for it.
    pub(super) fn admit(
        &mut self,
        now: Instant,
        conn: ConnId,
        connect: Connect,
        admission: Admission,
        out: &mut impl Output,
    ) {
        let version = connect.version;
        // What this broker grants may have been used up while the client was judged.
        if let Err(refusal) = self.check(&connect) {
            return self.refuse_connect(conn, Takes::of(&connect), Cause::Refused(refusal), out);
        }
        // [MQTT-3.1.3-6] [v3 MQTT-3.1.3-6]
        let assigned = connect.client_id.is_empty().then(|| self.assign_client_id());
        // [MQTT-3.1.3-5] [v3 MQTT-3.1.3-5] Any that is not empty is taken as it is.
        let client_id = assigned.clone().unwrap_or_else(|| connect.client_id.clone());
        let mut connack = self.connack(&connect, &client_id, assigned, admission.data);
        // [MQTT-3.1.2-24] A client that cannot be answered cannot be served.
        if !Takes::of(&connect).fits((&Packet::Connack(connack.clone())).into()) {
            return self.abandon(conn, Cause::AnswerTooLarge, out);
        }
        // [MQTT-3.1.4-3] [v3 MQTT-3.1.4-2]
        if let Some(key) = self.by_client_id.get(&client_id).copied() {
            self.take_over(now, key, out);
        }
        // [MQTT-3.1.2-4] [v3 MQTT-3.1.2-6] [MQTT-3.1.4-4] [v3 MQTT-3.1.4-3]
        if connect.clean_start
            && let Some(key) = self.by_client_id.get(&client_id).copied()
        {
            self.session_ends(now, key, SessionEvent::CleanStart, out);
        }
        // [MQTT-3.1.2-5] [MQTT-3.1.2-6] [v3 MQTT-3.1.2-4]
        let existing = self.by_client_id.get(&client_id).copied();
        let key = existing.unwrap_or_else(|| self.new_session(client_id.clone()));
        self.bring_online(now, key, conn, connect, admission.user.clone(), out);
        // [MQTT-3.1.4-5] [MQTT-3.2.2-2] [MQTT-3.2.2-3] [v3 MQTT-3.1.4-4] [v3 MQTT-3.2.2-1] [v3 MQTT-3.2.2-2] [v3 MQTT-3.2.2-3]
        connack.session_present = existing.is_some();
        out.note(Note::Connected {
            conn,
            client_id,
            version,
            session_present: connack.session_present,
        });
        if self.authenticates {
            out.note(Note::Authenticated {
                conn,
                user: admission.user,
            });
        }
        // [MQTT-3.2.0-1] [v3 MQTT-3.2.0-1] Before what the session is owed.
        out.send(conn, version, (&Packet::Connack(connack)).into());
        self.resume(now, key, out);
    }

    /// A CONNECT that cannot be read: its sender gets no session.
    pub(super) fn malformed_connect(&mut self, conn: ConnId, error: DecodeError, out: &mut impl Output) {
        if let DecodeError::UnsupportedProtocolLevel(level) = error {
            // [MQTT-3.1.2-2] [v3 MQTT-3.1.2-2]
            let version = if level > Version::V3_1_1.level() {
                Version::V5
            } else {
                Version::V3_1_1
            };
            let takes = Takes {
                version,
                packet_size_max: None,
                problem_information: true,
            };
            self.refuse_connect(conn, takes, Cause::Malformed(error), out);
        } else {
            // [MQTT-3.1.4-1] [v3 MQTT-3.1.4-1] Closed without CONNACK.
            self.abandon(conn, Cause::Malformed(error), out);
        }
    }

    fn check(&self, connect: &Connect) -> Result<(), Refusal> {
        if self.connections.open > self.limits.connections {
            return Err(Refusal::TooManyConnections);
        }
        if self.is_barred(&connect.client_id) {
            return Err(Refusal::Barred);
        }
        if self.sessions.len() >= self.limits.sessions && !self.by_client_id.contains_key(&connect.client_id)
        {
            return Err(Refusal::TooManySessions);
        }
        if self.has_too_many(&connect.properties) {
            return Err(Refusal::TooManyUserProperties);
        }
        self.check_client_id(connect)?;
        self.check_recordable(connect)?;
        // [MQTT-4.12.0-1]
        if !self.authenticates && connect.properties.authentication_method().is_some() {
            return Err(Refusal::AuthenticationMethod);
        }
        connect.will.as_ref().map_or(Ok(()), |will| self.check_will(will))
    }

    fn check_will(&self, will: &Will) -> Result<(), Refusal> {
        // [MQTT-3.2.2-12]
        if will.qos > self.limits.maximum_qos {
            return Err(Refusal::WillQos);
        }
        // [MQTT-3.2.2-13]
        if will.retain && !self.limits.retain_available {
            return Err(Refusal::WillRetain);
        }
        if super::has_more_levels(&will.topic, self.limits.topic_levels) {
            return Err(Refusal::WillTopicLevels);
        }
        if will.topic.len() > self.limits.topic_bytes {
            return Err(Refusal::WillTopicTooLong);
        }
        if self.has_too_many(&will.properties) {
            return Err(Refusal::TooManyUserProperties);
        }
        let bytes = will.topic.len() + will.payload.len() + properties_len(&will.properties);
        if bytes > self.limits.will_bytes {
            return Err(Refusal::WillTooLarge);
        }
        self.check_message(&will.topic, &will.payload, &will.properties)
    }

    fn take_over(&mut self, now: Instant, key: SessionKey, out: &mut impl Output) {
        if self.session(key).online().is_some() {
            self.refuse(now, key, Cause::TakenOver, out);
        }
    }

    fn new_session(&mut self, client_id: Text) -> SessionKey {
        let number = self.numbers.next_session();
        self.add_session(number, client_id)
    }

    pub(super) fn add_session(&mut self, number: u64, client_id: Text) -> SessionKey {
        let client_id = client_id.detached();
        let session = Session::new(number, client_id.clone(), &self.hasher);
        let key = u32::try_from(self.sessions.insert(session)).expect("fewer sessions than 4,294,967,296");
        self.by_client_id.insert(client_id, SessionKey(key));
        SessionKey(key)
    }

    fn bring_online(
        &mut self,
        now: Instant,
        key: SessionKey,
        conn: ConnId,
        connect: Connect,
        user: Option<Text>,
        out: &mut impl Output,
    ) {
        let asked = expiry_asked(&connect);
        let expiry = self.granted_expiry(asked);
        let keep_alive = self.keep_alive(&connect);
        let takes = Takes::of(&connect);
        let receive_maximum = connect
            .properties
            .receive_maximum()
            .map_or(u16::MAX, NonZeroU16::get);
        // [MQTT-4.9.0-1]
        let send_quota = receive_maximum.min(self.limits.inflight);
        let method = connect.properties.authentication_method();
        let alias_max = connect.properties.topic_alias_maximum().unwrap_or(0);
        let alias_max = alias_max.min(self.limits.topic_aliases_sent);
        self.connections.on(conn, ConnectionEvent::Granted(key));
        self.deadlines.forget(&mut self.connections.slot(conn).scheduled);
        let session = self.session_mut(key);
        let phase = session.phase().next(SessionEvent::Connected);
        assert_eq!(
            phase,
            Some(SessionPhase::Online),
            "a takeover ends the connection there was"
        );
        session.expiry = expiry;
        // [MQTT-3.1.2-7] [MQTT-3.1.3-9] [v3 MQTT-3.1.2-8] What an earlier connection left is replaced, unsent.
        let had_will = session.will.is_some();
        session.will.on(now, WillEvent::Reconnected);
        // [v3 MQTT-3.1.2-12]
        session.will = connect.will.map_or(WillState::None, WillState::armed);
        session.link = Link::Online(Online {
            conn,
            version: connect.version,
            expiry_asked: Expiry::of(asked),
            identity: Identity::new(method, user),
            silence_max: (keep_alive > 0).then(|| Duration::from_millis(u64::from(keep_alive) * 1500)),
            last_packet_at: now,
            packet_size_max: takes.packet_size_max,
            problem_information: takes.problem_information,
            send_quota,
            send_quota_max: send_quota,
            receiving: 0,
            topic_aliases: Vec::new(),
            sent_aliases: SentAliases::new(alias_max),
        });
        session.put_on_record();
        session.record(None, out);
        session.record_will(now, had_will, out);
        self.show_presence(key);
        self.schedule(key);
    }
}
