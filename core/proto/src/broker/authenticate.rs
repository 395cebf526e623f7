//! Who a client is, is its owner's to judge (section 4.12): what the broker asks, and what it makes of the answers.

use alloc::boxed::Box;

use super::{
    Broker, Cause, Close, Connection, Credentials, Judgement, Note, Output, Question,
    authentication::{Authentication, Event},
    connections::ConnectionEvent,
    explain::Takes,
    session::SessionKey,
};
use crate::{
    Auth, Binary, ConnId, Connect, Instant, Packet, PacketType, Property, ReasonCode, Text, Violation, Will,
};

/// A CONNECT that waits to be judged.
#[derive(Debug)]
pub(super) struct Applicant {
    connect: Connect,
    state: Authentication,
}

/// Names an applicant within the broker; used again after it was judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ApplicantKey(pub(super) usize);

/// What the judgement of a client leaves behind.
#[derive(Debug, Default)]
pub(super) struct Admission {
    pub(super) user: Option<Text>,
    pub(super) data: Option<Binary>,
}

/// The authentication of a client that is connected.
#[derive(Debug)]
pub(super) struct Identity {
    state: Authentication,
    /// That of CONNECT.
    method: Option<Text>,
    user: Option<Text>,
}

impl Identity {
    pub(super) fn new(method: Option<Text>, user: Option<Text>) -> Self {
        Self {
            state: Authentication::Accepted,
            method: method.map(|method| method.detached()),
            user,
        }
    }
}

impl Broker {
    /// A CONNECT that could be granted: it waits until the owner has judged who sent it.
    // [MQTT-3.1.4-2] Before anything else becomes of it: it takes over no session, and has no Will.
    pub(super) fn apply(&mut self, conn: ConnId, connect: Connect, out: &mut impl Output) {
        let question = Question::Connect(Box::new(Credentials::of(&connect)));
        let state = Authentication::Judged;
        let connect = kept(connect);
        let key = ApplicantKey(self.applicants.insert(Applicant { connect, state }));
        self.connections.on(conn, ConnectionEvent::Applied(key));
        out.authenticate(conn, question);
    }

    /// A packet from a client that is not connected yet.
    pub(super) fn received_from_applicant(
        &mut self,
        conn: ConnId,
        key: ApplicantKey,
        packet: Packet,
        out: &mut impl Output,
    ) {
        let applicant = self.applicant(key);
        assert!(
            applicant.state == Authentication::Challenged,
            "the owner gives a packet while it is asked about the connection"
        );
        let asked = match packet {
            Packet::Auth(auth) => applicant.step(&auth),
            Packet::Disconnect(_) => return self.leave(conn, out),
            // [MQTT-3.1.2-30]
            Packet::Connect(_)
            | Packet::Connack(_)
            | Packet::Publish(_)
            | Packet::Puback(_)
            | Packet::Pubrec(_)
            | Packet::Pubrel(_)
            | Packet::Pubcomp(_)
            | Packet::Subscribe(_)
            | Packet::Suback(_)
            | Packet::Unsubscribe(_)
            | Packet::Unsuback(_)
            | Packet::Pingreq
            | Packet::Pingresp => Err(Violation::NotAuthenticated(packet.packet_type())),
        };
        match asked {
            Ok(question) => out.authenticate(conn, question),
            Err(violation) => self.refuse_applicant(conn, key, Cause::Violation(violation), out),
        }
    }

    /// The client says DISCONNECT before it was judged: it had no session, and no Will.
    fn leave(&mut self, conn: ConnId, out: &mut impl Output) {
        self.set_closing(conn);
        out.close(conn, Close::Disconnected);
    }

    /// The owner has judged a client.
    pub(super) fn judged(&mut self, now: Instant, conn: ConnId, judgement: Judgement, out: &mut impl Output) {
        match self.connections.state(conn) {
            Connection::Authenticating { applicant, .. } => {
                self.judged_applicant(now, conn, applicant, judgement, out);
            }
            Connection::Active(key) => self.judged_again(now, key, judgement, out),
            Connection::Free | Connection::AwaitingConnect { .. } | Connection::Closing => {}
        }
    }

    fn judged_applicant(
        &mut self,
        now: Instant,
        conn: ConnId,
        key: ApplicantKey,
        judgement: Judgement,
        out: &mut impl Output,
    ) {
        let applicant = self.applicant(key);
        let Some(state) = applicant.state.next(judgement.event()) else {
            return;
        };
        applicant.state = state;
        match judgement {
            Judgement::Accept { user, data } => {
                let connect = self.applicants.remove(key.0).connect;
                self.admit(now, conn, connect, Admission { user, data }, out);
            }
            Judgement::Challenge { data } => {
                let connect = &applicant.connect;
                let auth = Packet::Auth(auth_of(
                    ReasonCode::ContinueAuthentication,
                    connect.properties.authentication_method(),
                    data,
                ));
                if Takes::of(connect).fits((&auth).into()) {
                    // [MQTT-4.12.0-2]
                    out.send(conn, connect.version, (&auth).into());
                } else {
                    self.abandon(conn, Cause::AnswerTooLarge, out);
                }
            }
            Judgement::Refuse(reason_code) => {
                let reason_code = sayable(reason_code, PacketType::Connack);
                self.refuse_applicant(conn, key, Cause::NotAuthenticated(reason_code), out);
            }
        }
    }

    /// The applicant is told, and its connection closed.
    // [MQTT-3.1.4-2] [MQTT-4.12.0-4]
    pub(super) fn refuse_applicant(
        &mut self,
        conn: ConnId,
        key: ApplicantKey,
        cause: Cause,
        out: &mut impl Output,
    ) {
        let takes = Takes::of(&self.applicant(key).connect);
        self.refuse_connect(conn, takes, cause, out);
    }

    /// AUTH from a client that is connected.
    pub(super) fn authenticate_again(
        &mut self,
        now: Instant,
        key: SessionKey,
        conn: ConnId,
        auth: &Auth,
        out: &mut impl Output,
    ) {
        let Some(online) = self.session_mut(key).online_mut() else {
            return;
        };
        match online.identity.step(auth) {
            Ok(question) => out.authenticate(conn, question),
            Err(violation) => self.violated(now, key, violation, out),
        }
    }

    fn judged_again(&mut self, now: Instant, key: SessionKey, judgement: Judgement, out: &mut impl Output) {
        let Some(online) = self.session_mut(key).online_mut() else {
            return;
        };
        let identity = &mut online.identity;
        let Some(state) = identity.state.next(judgement.event()) else {
            return;
        };
        identity.state = state;
        let method = identity.method.clone();
        match judgement {
            Judgement::Accept { user, data } => {
                identity.user.clone_from(&user);
                out.note(Note::Authenticated {
                    conn: online.conn,
                    user,
                });
                let auth = auth_of(ReasonCode::Success, method, data);
                self.send(now, key, &Packet::Auth(auth), out);
            }
            Judgement::Challenge { data } => {
                let auth = auth_of(ReasonCode::ContinueAuthentication, method, data);
                self.send(now, key, &Packet::Auth(auth), out);
            }
            // [MQTT-4.12.1-2]
            Judgement::Refuse(reason_code) => {
                let reason_code = sayable(reason_code, PacketType::Disconnect);
                self.refuse(now, key, Cause::NotAuthenticated(reason_code), out);
            }
        }
    }

    /// Its time is up: either it did not answer, or its owner did not.
    pub(super) fn applicant_is_late(&mut self, conn: ConnId, key: ApplicantKey, out: &mut impl Output) {
        let cause = match self.applicant(key).state {
            Authentication::Challenged => Cause::AuthenticationTimeout,
            Authentication::Judged
            | Authentication::Accepted
            | Authentication::JudgedAgain
            | Authentication::ChallengedAgain
            | Authentication::Refused => Cause::JudgementTimeout,
        };
        self.refuse_applicant(conn, key, cause, out);
    }

    /// The connection of an applicant that was refused, perhaps only after it was judged, is at its end.
    pub(super) fn forget_applicant(&mut self, key: ApplicantKey) {
        self.applicants.try_remove(key.0);
    }

    fn applicant(&mut self, key: ApplicantKey) -> &mut Applicant {
        self.applicants
            .get_mut(key.0)
            .expect("an applicant's key is dropped with it")
    }
}

impl Applicant {
    fn step(&mut self, auth: &Auth) -> Result<Question, Violation> {
        let method = self.connect.properties.authentication_method();
        self.state = step(self.state, method.as_ref(), auth)?;
        Ok(Question::Continue {
            data: auth.properties.authentication_data(),
            connected: false,
        })
    }
}

impl Identity {
    // [MQTT-4.12.1-1] Under its earlier authorisation the client goes on meanwhile.
    fn step(&mut self, auth: &Auth) -> Result<Question, Violation> {
        let began = self.state == Authentication::Accepted;
        self.state = step(self.state, self.method.as_ref(), auth)?;
        let data = auth.properties.authentication_data();
        Ok(if began {
            Question::Reauthenticate {
                user: self.user.clone(),
                data,
            }
        } else {
            Question::Continue {
                data,
                connected: true,
            }
        })
    }
}

/// What of a CONNECT is needed after it was judged, without the buffer it was read into.
fn kept(connect: Connect) -> Connect {
    Connect {
        client_id: connect.client_id.detached(),
        will: connect.will.map(Will::detached),
        user_name: None,
        password: None,
        properties: connect.properties.detached(),
        ..connect
    }
}

/// The state after AUTH from the client of a connection with this Authentication Method.
fn step(state: Authentication, method: Option<&Text>, auth: &Auth) -> Result<Authentication, Violation> {
    // [MQTT-4.12.0-7] [X5-3.15-1]
    let method = method.ok_or(Violation::AuthWithoutMethod)?;
    let event = if auth.reason_code == ReasonCode::ContinueAuthentication {
        Event::Continue
    } else if auth.reason_code == ReasonCode::ReAuthenticate {
        Event::Reauthenticate
    } else {
        // Success is the server's to say.
        return Err(Violation::UnexpectedAuth);
    };
    // [MQTT-4.12.0-5] [MQTT-4.12.1-1]
    if auth.properties.authentication_method().as_ref() != Some(method) {
        return Err(Violation::OtherAuthenticationMethod);
    }
    state.next(event).ok_or(Violation::UnexpectedAuth)
}

/// AUTH for a client. It has neither Reason String nor User Properties.
// [MQTT-3.15.2-1] [MQTT-3.15.2-2] [MQTT-3.15.2-3] [MQTT-4.12.0-5]
fn auth_of(reason_code: ReasonCode, method: Option<Text>, data: Option<Binary>) -> Auth {
    // [MQTT-4.12.0-6]
    assert!(
        method.is_some(),
        "the owner challenges a client that named no authentication method"
    );
    Auth {
        reason_code,
        properties: method_and_data(method, data).collect(),
    }
}

/// Authentication Method and Authentication Data.
pub(super) fn method_and_data(method: Option<Text>, data: Option<Binary>) -> impl Iterator<Item = Property> {
    // [MQTT-4.12.0-6] Without the one there is no other.
    let data = data.filter(|_| method.is_some());
    let method = method.map(Property::AuthenticationMethod);
    method.into_iter().chain(data.map(Property::AuthenticationData))
}

/// The code, where this packet may say it.
const fn sayable(reason_code: ReasonCode, packet_type: PacketType) -> ReasonCode {
    if reason_code.is_error() && reason_code.allowed_in(packet_type) {
        reason_code
    } else {
        ReasonCode::NotAuthorized
    }
}
