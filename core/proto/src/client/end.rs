use super::{Client, Event, Misuse, Options, Output, State, Why, phase::Step, properties};
use crate::{
    DecodeError, Disconnect, Packet, PacketType, Properties, Property, ReasonCode, Version, Violation,
};

impl Client {
    pub(super) fn disconnected(
        &mut self,
        disconnect: Disconnect,
        out: &mut impl Output,
    ) -> Result<(), Violation> {
        if self.options.version == Version::V3_1_1 {
            return Err(Violation::WrongDirection(PacketType::Disconnect));
        }
        // [MQTT-3.14.2-2] [X5-3.14.2.2.2-2]
        if disconnect.properties.session_expiry_interval().is_some() {
            return Err(Violation::SessionExpiryFromServer);
        }
        self.end(Why::Server(disconnect), None, out);
        Ok(())
    }

    // [X5-4.13.1-1]
    // [MQTT-4.13.2-1] [MQTT-2.1.3-1] [MQTT-1.5.4-1] [MQTT-1.5.4-2] [v3 MQTT-4.8.0-1] [v3 MQTT-2.2.2-2] [v3 MQTT-1.5.3-1] [v3 MQTT-1.5.3-2]
    pub(super) fn malformed(&mut self, error: DecodeError, out: &mut impl Output) {
        let reason_code = if error.is_of_connect() {
            ReasonCode::ProtocolError // A server sends no CONNECT, of whatever protocol.
        } else {
            error.reason_code()
        };
        self.end(Why::Malformed(error), Some(reason_code), out);
    }

    pub(super) fn disconnect(&mut self, mut disconnect: Disconnect, out: &mut impl Output) {
        if self.options.check_disconnect(&disconnect).is_err() {
            disconnect.properties = Properties::new();
        }
        let expiry = disconnect.properties.session_expiry_interval();
        if let (State::Connected(connection), Some(expiry)) = (&mut self.state, expiry) {
            connection.expire_session_after(expiry);
        }
        self.end_with(Why::Requested, Some(disconnect), out);
    }

    /// Ends the connection on our side, with a Reason Code if there is something to say.
    pub(super) fn end(&mut self, why: Why, say: Option<ReasonCode>, out: &mut impl Output) {
        self.end_with(why, say.map(Disconnect::of), out);
    }

    /// Ends the connection on our side: DISCONNECT, if there is one and the version has a word for it, then the close.
    // [MQTT-3.14.4-1] [MQTT-3.14.4-2] [v3 MQTT-3.14.4-1] [v3 MQTT-3.14.4-2] Nothing follows DISCONNECT but the close.
    fn end_with(&mut self, why: Why, say: Option<Disconnect>, out: &mut impl Output) {
        if self.state.phase().next(Step::Ended).is_none() {
            return;
        }
        let can_say = |disconnect: &Disconnect| {
            self.options.version == Version::V5 || disconnect.reason_code == ReasonCode::Success
        };
        if let Some(disconnect) = say.filter(can_say)
            && let Some(packet) = self.fitting(disconnect)
        {
            out.send((&packet).into());
        }
        out.close();
        self.authentication_ends(out);
        out.event(Event::Disconnected(why));
        self.leave();
        self.enter(Step::Ended, State::Closing);
    }

    /// As the server takes it; `None` if it takes none.
    // [MQTT-3.2.2-15] [MQTT-3.14.2-3] [MQTT-3.14.2-4] Words that would make it too large are left out.
    fn fitting(&self, mut disconnect: Disconnect) -> Option<Packet> {
        let whole = Packet::Disconnect(disconnect.clone());
        if self.permits_size(&whole) {
            return Some(whole);
        }
        disconnect
            .properties
            .retain(|property| matches!(property, Property::SessionExpiryInterval(_)));
        let bare = Packet::Disconnect(disconnect);
        self.permits_size(&bare).then_some(bare)
    }

    fn permits_size(&self, packet: &Packet) -> bool {
        match &self.state {
            State::Connected(connection) => connection.permits_size(packet).is_ok(),
            State::Offline | State::Connecting { .. } | State::Closing => true,
        }
    }

    /// A server that takes no packet of the size of an acknowledgement cannot be served.
    pub(super) fn end_if_speechless(&mut self, out: &mut impl Output) {
        if matches!(&self.state, State::Connected(connection) if connection.is_speechless()) {
            self.end(Why::AnswerTooLarge, Some(ReasonCode::PacketTooLarge), out);
        }
    }

    pub(super) fn lost(&mut self, out: &mut impl Output) {
        if self.state.phase().next(Step::Lost).is_none() {
            return;
        }
        // Nobody has been told yet why, unless we are closing it.
        if self.state.phase().next(Step::Ended).is_some() {
            self.authentication_ends(out);
            out.event(Event::Disconnected(Why::Lost));
            self.leave();
        }
        self.enter(Step::Lost, State::Offline);
    }

    /// What was asked and not answered on this connection is asked again on the next.
    fn leave(&mut self) {
        if let State::Connected(connection) = &mut self.state {
            self.queue.ask_again(connection.take_requests());
            self.session.connection_ended(connection);
        }
    }
}

impl Options {
    /// Whether a client with these options may send this DISCONNECT: a Reason Code that stands there, and of the properties Session Expiry
    /// Interval, Reason String and User Properties. Properties that may not stand there are left out when it is sent all the same.
    pub fn check_disconnect(&self, disconnect: &Disconnect) -> Result<(), Misuse> {
        // [MQTT-3.14.2-1]
        if !disconnect.reason_code.allowed_in(PacketType::Disconnect) {
            return Err(Misuse::ReasonCodeNotAllowed(disconnect.reason_code));
        }
        properties::check(self.version, &disconnect.properties, |property| {
            matches!(
                property,
                Property::SessionExpiryInterval(_) | Property::ReasonString(_) | Property::UserProperty(..)
            )
        })?;
        // [X5-3.14.2.2.2-1]
        let expiry = disconnect.properties.session_expiry_interval();
        if self.session_expiry_interval == 0 && expiry.is_some_and(|expiry| expiry != 0) {
            return Err(Misuse::SessionExpiryFromZero);
        }
        Ok(())
    }
}
