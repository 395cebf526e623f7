//! Enhanced authentication (section 4.12): the owner knows the method, the client when it is asked.

use super::{
    Client, Event, Output, State, Ticket, Why,
    authentication::{self, Authentication},
};
use crate::{Auth, Binary, Instant, Packet, Properties, Property, ReasonCode, Text, Violation};

/// What the owner is asked, who knows the method that [`Options`](super::Options) name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authenticate {
    /// An exchange begins, with CONNECT or again: what is the Authentication Data for the server? An exchange that was under
    /// way is over.
    Begin,
    /// The server wants to know more, with this Authentication Data: what is the answer?
    Challenge(Option<Binary>),
    /// The server has accepted the client, with this Authentication Data, which is where it may have to prove who it is itself.
    /// What is answered is not sent.
    Success(Option<Binary>),
}

/// The server is not who it should be, or asks what the client cannot answer. The connection then ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server asked for what this client cannot show, or did not show who it is")]
pub struct Distrust;

/// Why a client did not authenticate again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotReauthenticated {
    /// CONNECT has no Authentication Method.
    #[error("there is no authentication method")]
    NoAuthenticationMethod,
    /// There is no connection.
    #[error("there is no connection")]
    NotConnected,
    /// The last time is not over.
    #[error("the client authenticates again already")]
    UnderWay,
    /// The connection ended before the server had accepted it: most often because it did not.
    #[error("the connection ended before the server accepted the authentication")]
    Disconnected,
}

impl Client {
    /// What CONNECT says first.
    pub(super) fn begin(&mut self, out: &mut impl Output) -> Result<Option<Binary>, Distrust> {
        if self.options.authentication_method.is_none() {
            self.authentication = Authentication::Absent;
            return Ok(None);
        }
        self.authentication = Authentication::Proving;
        out.authenticate(Authenticate::Begin)
    }

    /// AUTH from the server.
    pub(super) fn auth(&mut self, now: Instant, auth: Auth, out: &mut impl Output) -> Result<(), Violation> {
        // [MQTT-4.12.0-6] [X5-3.15-1]
        if self.authentication == Authentication::Absent {
            return Err(Violation::AuthWithoutMethod);
        }
        let challenged = auth.reason_code == ReasonCode::ContinueAuthentication;
        let event = if challenged {
            authentication::Event::Challenge
        } else if auth.reason_code == ReasonCode::Success {
            authentication::Event::Success
        } else {
            // To authenticate again is the client's to begin.
            return Err(Violation::UnexpectedAuth);
        };
        let before = self.authentication;
        // [X5-3.15.2.2.2-1] The short form, which says Success and nothing more, has no room for a method.
        if challenged || !auth.properties.is_empty() {
            self.check_method(&auth.properties)?;
        }
        self.authentication = before.next(event).ok_or(Violation::UnexpectedAuth)?;
        let data = auth.properties.authentication_data();
        if challenged {
            return self.challenged(now, data, out);
        }
        match (before, out.authenticate(Authenticate::Success(data))) {
            (_, Err(Distrust)) => {
                self.authentication = before;
                self.distrust(out);
            }
            (Authentication::ProvingAgain(ticket), Ok(_)) => {
                out.event(Event::Reauthenticated {
                    ticket,
                    result: Ok(()),
                });
            }
            (Authentication::Absent | Authentication::Proving | Authentication::Proven, Ok(_)) => {}
        }
        Ok(())
    }

    fn challenged(
        &mut self,
        now: Instant,
        data: Option<Binary>,
        out: &mut impl Output,
    ) -> Result<(), Violation> {
        match out.authenticate(Authenticate::Challenge(data)) {
            // [MQTT-4.12.0-3]
            Ok(answer) => self.send_auth(now, ReasonCode::ContinueAuthentication, answer, out),
            Err(Distrust) => self.distrust(out),
        }
        Ok(())
    }

    /// CONNACK accepts the connection: whether the client accepts the server.
    pub(super) fn trusts(
        &mut self,
        properties: &Properties,
        out: &mut impl Output,
    ) -> Result<bool, Violation> {
        self.check_method(properties)?;
        let next = self.authentication.next(authentication::Event::Connack);
        self.authentication = next.ok_or(Violation::SecondConnack)?;
        if self.authentication == Authentication::Absent {
            return Ok(true);
        }
        let data = properties.authentication_data();
        let trusted = out.authenticate(Authenticate::Success(data)).is_ok();
        if !trusted {
            self.distrust(out);
        }
        Ok(trusted)
    }

    /// The application wants to authenticate again.
    // [MQTT-4.12.1-1]
    pub(super) fn reauthenticate(&mut self, now: Instant, ticket: Ticket, out: &mut impl Output) {
        let event = authentication::Event::Again(ticket);
        let next = self.authentication.next(event);
        let next = next.filter(|_| matches!(self.state, State::Connected(_)));
        let Some(next) = next else {
            let result = Err(self.why_not_again());
            return out.event(Event::Reauthenticated { ticket, result });
        };
        self.authentication = next;
        match out.authenticate(Authenticate::Begin) {
            Ok(data) => self.send_auth(now, ReasonCode::ReAuthenticate, data, out),
            Err(Distrust) => self.distrust(out),
        }
    }

    const fn why_not_again(&self) -> NotReauthenticated {
        if self.options.authentication_method.is_none() {
            NotReauthenticated::NoAuthenticationMethod
        } else if matches!(self.authentication, Authentication::ProvingAgain(_)) {
            NotReauthenticated::UnderWay
        } else {
            NotReauthenticated::NotConnected
        }
    }

    /// The connection is at its end: what was under way is not finished.
    pub(super) fn authentication_ends(&mut self, out: &mut impl Output) {
        if let Authentication::ProvingAgain(ticket) = self.authentication {
            let result = Err(NotReauthenticated::Disconnected);
            out.event(Event::Reauthenticated { ticket, result });
        }
        self.authentication = Authentication::Absent;
    }

    // [MQTT-4.12.1-2]
    fn distrust(&mut self, out: &mut impl Output) {
        self.end(Why::Distrusted, Some(ReasonCode::UnspecifiedError), out);
    }

    // [MQTT-4.12.0-5] [MQTT-4.12.0-6]
    fn check_method(&self, properties: &Properties) -> Result<(), Violation> {
        if properties.authentication_method() != self.options.authentication_method {
            return Err(Violation::OtherAuthenticationMethod);
        }
        Ok(())
    }

    // [MQTT-4.12.0-5] [MQTT-3.15.2-1] [MQTT-3.15.2-2] [MQTT-3.15.2-3] Neither Reason String nor User Properties.
    fn send_auth(
        &mut self,
        now: Instant,
        reason_code: ReasonCode,
        data: Option<Binary>,
        out: &mut impl Output,
    ) {
        let method = self.options.authentication_method.clone();
        let auth = Packet::Auth(Auth {
            reason_code,
            properties: method_and_data(method, data).collect(),
        });
        match &mut self.state {
            State::Connected(connection) => connection.send(now, &auth, out),
            State::Connecting { last_sent, .. } => {
                *last_sent = now;
                out.send((&auth).into());
            }
            State::Offline | State::Closing => {}
        }
    }
}

/// Authentication Method and, beside one, Authentication Data.
pub(super) fn method_and_data(method: Option<Text>, data: Option<Binary>) -> impl Iterator<Item = Property> {
    // [MQTT-4.12.0-7]
    let data = data.filter(|_| method.is_some());
    let method = method.map(Property::AuthenticationMethod);
    method.into_iter().chain(data.map(Property::AuthenticationData))
}
