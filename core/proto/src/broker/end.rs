//! How connections and sessions end, and what happens when a deadline comes.

use alloc::vec::Vec;

use super::{
    Broker, Cause, Close, Connection, Note, Output,
    connections::ConnectionEvent,
    deadlines::{Scheduled, Whose},
    message::Message,
    session::{Link, SessionKey},
    session_expiry::{Expiry, SessionEvent, SessionPhase, expiry_interval},
    will::WillEvent,
};
use crate::{ConnId, Disconnect, Instant, Packet, ReasonCode, Version, Violation};

impl Broker {
    /// DISCONNECT from the client.
    pub(super) fn disconnected(
        &mut self,
        now: Instant,
        key: SessionKey,
        disconnect: &Disconnect,
        out: &mut impl Output,
    ) {
        if let Some(seconds) = disconnect.properties.session_expiry_interval() {
            let asked = expiry_interval(seconds);
            let before = self.session(key).online().map(|online| online.expiry_asked);
            if before.is_some_and(|before| before.changed(Expiry::of(asked)).is_none()) {
                return self.violated(now, key, Violation::SessionExpiryRaised, out);
            }
            self.session_mut(key).expiry = self.granted_expiry(asked);
        }
        if let Some(conn) = self.session(key).online().map(|online| online.conn) {
            self.set_closing(conn);
            out.close(conn, Close::Disconnected);
        }
        self.offline(now, key, Cause::Disconnect(disconnect.reason_code), out);
    }

    // [MQTT-4.13.1-1] [v3 MQTT-4.8.0-1]
    pub(super) fn violated(
        &mut self,
        now: Instant,
        key: SessionKey,
        violation: Violation,
        out: &mut impl Output,
    ) {
        self.refuse(now, key, Cause::Violation(violation), out);
    }

    /// The broker ends a client's connection: tells it, where its version has a word for that, and closes.
    // [MQTT-3.14.4-1] [MQTT-3.14.4-2] [MQTT-4.13.2-1]
    pub(super) fn refuse(&mut self, now: Instant, key: SessionKey, cause: Cause, out: &mut impl Output) {
        let Some(conn) = self.session(key).online().map(|online| online.conn) else {
            return;
        };
        self.tell_disconnect(key, cause, out);
        self.set_closing(conn);
        out.close(conn, Close::Refused(self.reason_code(cause)));
        self.offline(now, key, cause, out);
    }

    // [MQTT-3.14.0-1] Never before CONNACK: only sessions that are online get here.
    fn tell_disconnect(&self, key: SessionKey, cause: Cause, out: &mut impl Output) {
        let session = self.session(key);
        if let Some(online) = session.online()
            && online.version == Version::V5
        {
            let mut disconnect = Packet::Disconnect(Disconnect::of(self.reason_code(cause)));
            self.explain(&mut disconnect, online.takes(), cause);
            session.transmit((&disconnect).into(), out);
        }
    }

    /// The Network Connection is gone, and its `ConnId` free.
    pub(super) fn lost(&mut self, now: Instant, conn: ConnId, out: &mut impl Output) {
        let before = self.connections.on(conn, ConnectionEvent::Lost);
        self.deadlines.forget(&mut self.connections.slot(conn).scheduled);
        match before {
            Some(Connection::Active(key)) => self.offline(now, key, Cause::Lost, out),
            Some(Connection::Authenticating { applicant, .. }) => self.forget_applicant(applicant),
            Some(Connection::AwaitingConnect { .. } | Connection::Free | Connection::Closing) | None => {}
        }
    }

    /// The session has no connection any more: its Will and its expiry take their course.
    fn offline(&mut self, now: Instant, key: SessionKey, cause: Cause, out: &mut impl Output) {
        let session = self.session_mut(key);
        let Link::Online(online) = &session.link else {
            return;
        };
        let conn = online.conn;
        let ended = SessionEvent::ConnectionEnded(Expiry::of(session.expiry));
        let phase = session.phase().next(ended);
        session.set_offline(now);
        if phase != Some(SessionPhase::Ended) {
            session.record(Some(now), out);
        }
        session.outbound.drop_at_most_once();
        out.note(Note::Disconnected {
            conn,
            client_id: session.client_id.clone(),
            cause,
        });
        self.show_presence(key);
        self.will_on(now, key, will_event(cause), out);
        self.pass_will_delay(now, key, out);
        if phase == Some(SessionPhase::Ended) {
            self.end_session(now, key, out);
        } else {
            self.schedule(key);
        }
    }

    /// A session without a connection is over, if this event ends it.
    pub(super) fn session_ends(
        &mut self,
        now: Instant,
        key: SessionKey,
        event: SessionEvent,
        out: &mut impl Output,
    ) {
        if self.session(key).phase().next(event) == Some(SessionPhase::Ended) {
            self.end_session(now, key, out);
        }
    }

    /// Forgets a session; a Will that still waits is published first.
    fn end_session(&mut self, now: Instant, key: SessionKey, out: &mut impl Output) {
        self.will_on(now, key, WillEvent::SessionEnded, out);
        let mut session = self.sessions.remove(key.0 as usize);
        session.record_end(out);
        self.deadlines.forget(&mut session.scheduled);
        for filter in &session.subscriptions {
            self.forget_subscription(key, filter);
        }
        self.by_client_id.remove(&session.client_id);
        out.note(Note::SessionEnded {
            client_id: session.client_id,
        });
        self.hand_on(now, session.outbound, out);
    }

    /// Publishes a delayed Will whose delay is over.
    fn pass_will_delay(&mut self, now: Instant, key: SessionKey, out: &mut impl Output) {
        if self.session(key).will.delayed_until().is_some_and(|at| at <= now) {
            self.will_on(now, key, WillEvent::DelayPassed, out);
        }
    }

    /// Takes the Will on, and publishes it where that is due.
    // [MQTT-3.1.2-14] [MQTT-3.1.2-15] [v3 MQTT-3.1.2-16] [v3 MQTT-3.1.2-17]
    fn will_on(&mut self, now: Instant, key: SessionKey, event: WillEvent, out: &mut impl Output) {
        let session = self.session_mut(key);
        let had_will = session.will.is_some();
        let due = session.will.on(now, event);
        session.record_will(now, had_will, out);
        let Some(will) = due else {
            return;
        };
        out.note(Note::WillPublished {
            client_id: session.client_id.clone(),
            topic: will.topic.clone(),
        });
        let retain = will.retain;
        // Nobody waits for an answer.
        let _ = self.accept(now, Some(key), Message::of_will(now, *will), retain, out);
    }

    /// Looks at everybody whose moment has come.
    pub(super) fn tick(&mut self, now: Instant, out: &mut impl Output) {
        while let Some((at, whose)) = self.deadlines.pop(now) {
            match whose {
                Whose::Connection(conn) => self.look_at_connection(now, at, conn, out),
                Whose::Session(key) => self.look_at_session(now, at, key, out),
            }
        }
        if self.deadlines.is_stale() {
            let (connections, sessions) = (&self.connections, &self.sessions);
            self.deadlines.retain(|whose| match whose {
                Whose::Connection(conn) => connections.scheduled(conn),
                Whose::Session(key) => sessions
                    .get(key.0 as usize)
                    .map_or_else(Scheduled::default, |it| it.scheduled),
            });
        }
    }

    fn look_at_connection(&mut self, now: Instant, at: Instant, conn: ConnId, out: &mut impl Output) {
        let slot = self.connections.slot(conn);
        if !self.deadlines.came(at, &mut slot.scheduled) {
            return;
        }
        match slot.state {
            Connection::AwaitingConnect { deadline } if deadline <= now => {
                self.abandon(conn, Cause::ConnectTimeout, out);
            }
            Connection::Authenticating { applicant, deadline } if deadline <= now => {
                self.applicant_is_late(conn, applicant, out);
            }
            Connection::AwaitingConnect { deadline } | Connection::Authenticating { deadline, .. } => {
                self.deadlines
                    .schedule(Whose::Connection(conn), deadline, &mut slot.scheduled);
            }
            Connection::Free | Connection::Active(_) | Connection::Closing => {}
        }
    }

    fn look_at_session(&mut self, now: Instant, at: Instant, key: SessionKey, out: &mut impl Output) {
        let Some(session) = self.sessions.get_mut(key.0 as usize) else {
            return;
        };
        if !self.deadlines.came(at, &mut session.scheduled) {
            return;
        }
        if session.deadline().is_none_or(|deadline| deadline > now) {
            return self.schedule(key);
        }
        match &session.link {
            Link::Online(_) => self.refuse(now, key, Cause::KeepAlive, out),
            Link::Offline { expires_at } if expires_at.is_some_and(|at| at <= now) => {
                self.session_ends(now, key, SessionEvent::Expired, out);
            }
            Link::Offline { .. } => {
                self.pass_will_delay(now, key, out);
                self.schedule(key);
            }
        }
    }

    /// Every client is told that the broker stops, and every connection closed.
    pub(super) fn shutdown(&mut self, now: Instant, out: &mut impl Output) {
        let conns: Vec<ConnId> = self.connections.ids().collect();
        for conn in conns {
            match self.connections.slot(conn).state {
                Connection::Active(key) => self.refuse(now, key, Cause::Shutdown, out),
                Connection::AwaitingConnect { .. } | Connection::Authenticating { .. } => {
                    self.abandon(conn, Cause::Shutdown, out);
                }
                Connection::Free | Connection::Closing => {}
            }
        }
    }

    pub(super) fn set_closing(&mut self, conn: ConnId) {
        let before = self.connections.on(conn, ConnectionEvent::Finished);
        self.deadlines.forget(&mut self.connections.slot(conn).scheduled);
        if let Some(Connection::Authenticating { applicant, .. }) = before {
            self.forget_applicant(applicant);
        }
    }

    /// Sees to it that the session's deadline is met.
    pub(super) fn schedule(&mut self, key: SessionKey) {
        let Some(session) = self.sessions.get_mut(key.0 as usize) else {
            return;
        };
        if let Some(deadline) = session.deadline() {
            self.deadlines
                .schedule(Whose::Session(key), deadline, &mut session.scheduled);
        }
    }
}

/// What the end of a connection means to its Will.
// [MQTT-3.1.2-10] [MQTT-3.14.4-3] [v3 MQTT-3.1.2-10] [v3 MQTT-3.14.4-3]
const fn will_event(cause: Cause) -> WillEvent {
    match cause {
        Cause::Disconnect(ReasonCode::Success) => WillEvent::Disconnect,
        Cause::Disconnect(_) => WillEvent::DisconnectWithWill,
        Cause::Lost => WillEvent::Lost,
        Cause::TakenOver => WillEvent::TakenOver,
        Cause::KeepAlive
        | Cause::ConnectTimeout
        | Cause::SlowReader
        | Cause::AnswerTooLarge
        | Cause::Administrative
        | Cause::Shutdown
        | Cause::Malformed(_)
        | Cause::Refused(_)
        | Cause::Violation(_)
        | Cause::AuthenticationTimeout
        | Cause::JudgementTimeout
        | Cause::NotAuthenticated(_) => WillEvent::Refused,
    }
}
