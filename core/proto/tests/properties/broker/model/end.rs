//! How connections and sessions end.

use squall_proto::{ConnId, Disconnect, Instant, ReasonCode, Version, broker::Close};

use super::{Connection, Model, Phase, connect::interval};

/// A connection that the broker is to close.
pub(super) struct Ending {
    /// With any of these; any at all if there are none.
    pub(super) codes: Vec<ReasonCode>,
    /// Whether a DISCONNECT is to say so.
    pub(super) tell: bool,
    pub(super) close: Option<Close>,
}

impl Model {
    /// The broker is to end this connection with one of these codes. [MQTT-4.13.1-1] [MQTT-4.13.2-1] [v3 MQTT-4.8.0-1]
    pub(super) fn end(&mut self, conn: ConnId, codes: &[ReasonCode], tell: bool) {
        let connection = self.connection(conn);
        let was_connected = matches!(connection.phase, Phase::Connected);
        connection.phase = Phase::Ending(Ending {
            codes: codes.to_vec(),
            // 3.1.1 has no DISCONNECT from a server, and no client is sent one before CONNACK. [MQTT-3.14.0-1]
            tell: tell && was_connected && connection.version == Version::V5,
            close: None,
        });
        if was_connected {
            self.offline(conn);
        }
    }

    pub(super) fn disconnected(&mut self, conn: ConnId, disconnect: &Disconnect) {
        if let Some(seconds) = disconnect.properties.session_expiry_interval() {
            let limits = self.limits.session_expiry;
            let session = self.session(conn);
            if session.expiry.is_some_and(|expiry| expiry.is_zero()) && seconds > 0 {
                return self.end(conn, &[ReasonCode::ProtocolError], true);
            }
            session.expiry = [interval(seconds), limits].into_iter().flatten().min();
        }
        // [MQTT-3.14.4-3] [MQTT-3.1.2-10] [v3 MQTT-3.14.4-3] [v3 MQTT-3.1.2-10]
        if disconnect.reason_code == ReasonCode::Success {
            self.session(conn).will = None;
        }
        self.connection(conn).phase = Phase::Ending(Ending {
            codes: Vec::new(),
            tell: false,
            close: Some(Close::Disconnected),
        });
        self.offline(conn);
    }

    /// The Network Connection is gone.
    pub(crate) fn lost(&mut self, now: Instant, conn: ConnId) {
        self.now = now;
        if matches!(self.connections[&conn].phase, Phase::Connected) {
            self.offline(conn);
        }
        self.connections.remove(&conn);
    }

    pub(crate) fn shutdown(&mut self, now: Instant) {
        self.now = now;
        let is_open =
            |connection: &Connection| matches!(connection.phase, Phase::AwaitingConnect | Phase::Connected);
        let open = self
            .connections
            .iter()
            .filter(|(_, connection)| is_open(connection));
        self.stopping = open.map(|(conn, _)| *conn).collect();
    }

    /// The broker has come to this connection in stopping.
    pub(super) fn stop(&mut self, conn: ConnId) {
        if self.stopping.remove(&conn) {
            self.end(conn, &[ReasonCode::ServerShuttingDown], true);
        }
    }

    /// An administrator closes the connection of a client, if it has one.
    pub(crate) fn kick(&mut self, now: Instant, client_id: &str) {
        self.now = now;
        if let Some(conn) = self
            .sessions
            .get(client_id)
            .and_then(|session| session.connection)
        {
            self.end(conn, &[ReasonCode::AdministrativeAction], true);
        }
    }

    /// An administrator ends the session of a client, if it has one.
    pub(crate) fn end_session(&mut self, now: Instant, client_id: &str) {
        self.kick(now, client_id);
        // [MQTT-3.1.3-9] A Will that waits is published at the end of the session at the latest.
        self.publish_will(client_id);
        self.forget(client_id);
    }

    /// The session has no connection any more.
    fn offline(&mut self, conn: ConnId) {
        let now = self.now;
        let client_id = self.connections[&conn].client_id.clone();
        let session = self.session(conn);
        session.connection = None;
        session.expires_at = session.expiry.map(|expiry| now + expiry);
        // Squall keeps no QoS 0 message for a session without a connection.
        session.leave_out(|owed| !owed.is_acknowledged());
        session.will_at = session.will.as_ref().map(|will| now + will.delay);
        let ends = session.expires_at == Some(now);
        // [MQTT-3.1.2-8] [v3 MQTT-3.1.2-8]
        if ends || session.will_at == Some(now) {
            self.publish_will(&client_id);
        }
        // [MQTT-3.1.2-23] [MQTT-4.1.0-2] [v3 MQTT-3.1.2-6]
        if ends {
            self.forget(&client_id);
        }
    }

    /// Publishes the Will of a session that has no connection, if it has one left.
    pub(super) fn publish_will(&mut self, client_id: &str) {
        let Some(session) = self.sessions.get_mut(client_id) else {
            return;
        };
        session.will_at = None;
        if let Some(will) = session.will.take() {
            // [MQTT-3.1.2-14] [MQTT-3.1.2-15] [v3 MQTT-3.1.2-16] [v3 MQTT-3.1.2-17]
            self.accept(will.into_message(client_id, self.now));
        }
    }

    /// The broker closes a connection.
    pub(crate) fn closed(&mut self, conn: ConnId, close: Close) -> Result<(), String> {
        self.stop(conn);
        let connection = self.connection(conn);
        let Phase::Ending(ending) = &connection.phase else {
            return Err(format!("there is no reason to close: {close:?}"));
        };
        if !connection.answers.is_empty() {
            return Err(format!("closed before {:?}", connection.answers[0]));
        }
        // Squall says why where it can: a DISCONNECT of four bytes, if the client takes as much.
        if ending.tell && connection.packet_size_max >= 4 {
            return Err(format!("closed without DISCONNECT {:?}", ending.codes));
        }
        let is_right = match (close, ending.close) {
            (Close::Disconnected, wanted) => wanted == Some(close),
            (Close::Refused(code), None) => ending.codes.is_empty() || ending.codes.contains(&code),
            (Close::Refused(_), Some(_)) => false,
        };
        if !is_right {
            return Err(format!("closed with {close:?} in place of {:?}", ending.codes));
        }
        connection.phase = Phase::Closed;
        Ok(())
    }

    pub(super) fn sent_disconnect(&mut self, conn: ConnId, code: ReasonCode) -> Result<(), String> {
        self.stop(conn);
        match &mut self.connection(conn).phase {
            Phase::Ending(ending) if ending.tell && ending.codes.contains(&code) => {
                ending.tell = false;
                Ok(())
            }
            Phase::Ending(ending) => Err(format!("no DISCONNECT but {:?}", ending.codes)),
            Phase::AwaitingConnect | Phase::Connected | Phase::Closed => {
                Err("no reason to disconnect".into())
            }
        }
    }
}
