//! SCRAM-SHA-256 and passwords between our client and our broker.

use std::{io, sync::Arc};

use squall_node::{
    authentication::{
        Applicant, Authenticator, Checking, Exchange, Judging, Scram, UserFile, Users, Verifier,
    },
    broker::Server,
    client::{
        self, Again, Authentication, Beginning, Client, Event, Events, Options, ReauthenticateError,
        Reconnect, Version, Why, protocol,
    },
};
use squall_proto::{
    Binary, ReasonCode, Text,
    broker::{Credentials, Judgement, Limits},
    client::{Distrust, NotReauthenticated},
};

use crate::broker::{Wire, serve};

/// As few as the client takes.
const ITERATIONS: u32 = 4096;

fn text(text: &str) -> Text {
    Text::new(text).expect("a legal string")
}

fn users() -> Users {
    let mut file = UserFile::default();
    for (name, password) in [("alice", "secret"), ("Ünal, =x", "пароль")] {
        let verifier = Verifier::new(password.as_bytes(), b"0123456789abcdef".to_vec(), ITERATIONS);
        file.set(name, verifier).expect("a name that may be one");
    }
    Users::new(file, false, [7; 32])
}

fn broker(authenticator: impl Authenticator) -> Wire {
    serve(Server::authenticating(
        Limits::default(),
        1,
        Arc::new(authenticator),
    ))
}

/// A client that connects once.
fn once(wire: &Wire, options: Options) -> (Client, Events) {
    let options = Options {
        reconnect: None,
        ..options
    };
    Client::spawn(options, wire.clone()).expect("options that make sense")
}

fn options(version: Version) -> Options {
    Options::new(protocol::Options::new(version, text("c")), 1)
}

fn scram(user: &str, password: &str) -> Options {
    with(Arc::new(Scram::new(user, password, [9; 32])))
}

fn with(authentication: Arc<dyn Authentication>) -> Options {
    Options {
        authentication: Some(authentication),
        ..options(Version::V5)
    }
}

fn password(version: Version, user: &str, password: &'static str) -> Options {
    let mut options = options(version);
    options.protocol.user_name = Some(text(user));
    options.protocol.password = Some(Binary::new(password).expect("not too long"));
    options
}

async fn assert_connected(wire: &Wire, options: Options) -> (Client, Events) {
    let (client, mut events) = once(wire, options);
    let event = events.next().await;
    assert!(matches!(event, Some(Event::Connected { .. })), "{event:?}");
    (client, events)
}

async fn assert_refused(wire: &Wire, options: Options, reason_code: ReasonCode) {
    let (_client, mut events) = once(wire, options);
    match events.next().await {
        Some(Event::Disconnected {
            why: Why::Refused(connack),
            ..
        }) => assert_eq!(connack.reason_code, reason_code),
        other => panic!("expected {reason_code}, got {other:?}"),
    }
}

/// [MQTT-4.12.0-3] [MQTT-4.12.0-5]
#[tokio::test(start_paused = true)]
async fn who_knows_the_password_is_let_in_without_saying_it() {
    let wire = broker(users());
    for (user, secret) in [("alice", "secret"), ("Ünal, =x", "пароль")] {
        assert_connected(&wire, scram(user, secret)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_and_an_unknown_user_are_refused_alike() {
    let wire = broker(users());
    for (user, secret) in [("alice", "Secret"), ("alice", ""), ("bob", "secret")] {
        assert_refused(&wire, scram(user, secret), ReasonCode::NotAuthorized).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_password_may_be_said_in_both_versions() {
    let wire = broker(users());
    for version in Version::ALL {
        assert_connected(&wire, password(version, "alice", "secret")).await;
        for (user, secret) in [("alice", "Secret"), ("bob", "secret")] {
            let refused = ReasonCode::BadUserNameOrPassword;
            assert_refused(&wire, password(version, user, secret), refused).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_names_nobody_is_let_in_where_anonymous_clients_are_welcome() {
    for version in Version::ALL {
        let wire = broker(users());
        assert_refused(&wire, options(version), ReasonCode::NotAuthorized).await;
        let wire = broker(Users::new(UserFile::default(), true, [7; 32]));
        assert_connected(&wire, options(version)).await;
        let refused = ReasonCode::BadUserNameOrPassword;
        assert_refused(&wire, password(version, "alice", "secret"), refused).await;
    }
}

/// What an [`Exchange`] says, changed on its way.
struct Tampered {
    inner: Arc<Users>,
    change: fn(Judgement) -> Judgement,
}

struct TamperedExchange(Box<dyn Exchange>, fn(Judgement) -> Judgement);

impl Authenticator for Tampered {
    fn check<'a>(&'a self, credentials: &'a Credentials) -> Checking<'a> {
        self.inner.check(credentials)
    }

    fn begin(&self, applicant: Applicant) -> Option<Box<dyn Exchange>> {
        let exchange = self.inner.begin(applicant)?;
        Some(Box::new(TamperedExchange(exchange, self.change)))
    }
}

impl Exchange for TamperedExchange {
    fn step(&mut self, data: Option<Binary>) -> Judging<'_> {
        let Self(inner, change) = self;
        Box::pin(async move { change(inner.step(data).await) })
    }
}

/// [MQTT-4.12.1-2]
#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_know_the_password_is_left_at_once() {
    let lies: [fn(Judgement) -> Judgement; 4] = [
        |judgement| altered(judgement, |text| text.replace("v=", "v=A")),
        |judgement| altered(judgement, |text| text.replace("v=", "e=")),
        |judgement| altered(judgement, |text| text.replace("r=", "r=x")),
        // Lets everybody in without a question.
        |_| Judgement::Accept {
            user: None,
            data: None,
        },
    ];
    for change in lies {
        let inner = Arc::new(users());
        let wire = broker(Tampered { inner, change });
        let (_client, mut events) = once(&wire, scram("alice", "secret"));
        let event = events.next().await;
        let distrusted = matches!(
            event,
            Some(Event::Disconnected {
                why: Why::Distrusted,
                ..
            })
        );
        assert!(distrusted, "{event:?}");
    }
}

fn altered(judgement: Judgement, change: impl Fn(&str) -> String) -> Judgement {
    let changed = |data: Option<Binary>| {
        let data = data.expect("SCRAM says something each time");
        let text = std::str::from_utf8(&data).expect("SCRAM is text");
        Binary::new(change(text)).ok()
    };
    match judgement {
        Judgement::Accept { user, data } => Judgement::Accept {
            user,
            data: changed(data),
        },
        Judgement::Challenge { data } => Judgement::Challenge { data: changed(data) },
        refusal @ Judgement::Refuse(_) => refusal,
    }
}

/// Says what somebody else was heard to say.
#[derive(Debug)]
struct Replay {
    first: &'static str,
    last: String,
}

impl Authentication for Replay {
    fn method(&self) -> Text {
        text("SCRAM-SHA-256")
    }

    fn begin(&self) -> Beginning<'_> {
        let Self { first, last } = self;
        let replay: Box<dyn client::Exchange> = Box::new(Self {
            first,
            last: last.clone(),
        });
        Box::pin(std::future::ready(Ok(replay)))
    }
}

impl client::Exchange for Replay {
    fn first(&mut self) -> Result<Option<Binary>, Distrust> {
        Ok(Binary::new(self.first).ok())
    }

    fn answer(&mut self, _: Option<Binary>) -> Result<Option<Binary>, Distrust> {
        Ok(Binary::new(self.last.clone()).ok())
    }

    fn finish(&mut self, _: Option<Binary>) -> Result<(), Distrust> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_overheard_lets_nobody_in() {
    let users = users();
    let applicant = Applicant {
        client_id: text("c"),
        user_name: None,
        method: text("SCRAM-SHA-256"),
        user: None,
    };
    let scram = Scram::new("alice", "secret", [9; 32]);
    let mut client = scram.begin().await.unwrap();
    let mut server = users.begin(applicant).unwrap();
    let first = client.first().unwrap();
    let Judgement::Challenge { data } = server.step(first.clone()).await else {
        panic!("no challenge")
    };
    let last = client.answer(data).unwrap();
    let said = |data: Option<Binary>| String::from_utf8(data.unwrap().to_vec()).unwrap();
    let accepted = server.step(last.clone()).await;
    assert!(matches!(accepted, Judgement::Accept { .. }));

    let replay = Replay {
        first: said(first).leak(),
        last: said(last),
    };
    let wire = broker(users);
    assert_refused(&wire, with(Arc::new(replay)), ReasonCode::NotAuthorized).await;
}

/// [MQTT-4.12.1-1]
#[tokio::test(start_paused = true)]
async fn a_client_authenticates_again_and_again() {
    let wire = broker(users());
    let (client, _events) = assert_connected(&wire, scram("alice", "secret")).await;
    for _ in 0..3 {
        client
            .reauthenticate()
            .await
            .expect("the password is still right");
    }
}

/// Is right at first, and then somebody else.
#[derive(Debug)]
struct Turncoat(Scram, Scram, std::sync::atomic::AtomicBool);

impl Authentication for Turncoat {
    fn method(&self) -> Text {
        self.0.method()
    }

    fn begin(&self) -> Beginning<'_> {
        if self.2.swap(true, std::sync::atomic::Ordering::Relaxed) {
            self.1.begin()
        } else {
            self.0.begin()
        }
    }
}

/// [MQTT-4.12.1-2]
#[tokio::test(start_paused = true)]
async fn a_client_that_authenticates_again_must_be_who_it_was() {
    for (user, secret) in [("alice", "Secret"), ("Ünal, =x", "пароль")] {
        let wire = broker(users());
        let turncoat = Turncoat(
            Scram::new("alice", "secret", [1; 32]),
            Scram::new(user, secret, [2; 32]),
            false.into(),
        );
        let (client, mut events) = assert_connected(&wire, with(Arc::new(turncoat))).await;
        let failed = client.reauthenticate().await;
        assert!(matches!(
            failed,
            Err(ReauthenticateError::Refused(NotReauthenticated::Disconnected))
        ));
        match events.next().await {
            Some(Event::Disconnected {
                why: Why::Server(disconnect),
                ..
            }) => assert_eq!(disconnect.reason_code, ReasonCode::NotAuthorized),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_without_a_method_cannot_authenticate_again() {
    let wire = broker(users());
    let (client, _events) = assert_connected(&wire, password(Version::V5, "alice", "secret")).await;
    let failed = client.reauthenticate().await;
    let missing = NotReauthenticated::NoAuthenticationMethod;
    assert!(matches!(failed, Err(ReauthenticateError::Refused(why)) if why == missing));
}

/// Cannot get what it needs.
#[derive(Debug)]
struct Unprepared;

impl Authentication for Unprepared {
    fn method(&self) -> Text {
        text("TOKEN")
    }

    fn begin(&self) -> Beginning<'_> {
        Box::pin(std::future::ready(Err(io::Error::other("no token"))))
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_prepared_counts_as_a_server_that_cannot_be_reached() {
    let wire = broker(users());
    let (_client, mut events) = once(&wire, with(Arc::new(Unprepared)));
    let event = events.next().await;
    assert!(matches!(event, Some(Event::Unreachable(_))), "{event:?}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_comes_back_authenticates_anew() {
    let wire = broker(users());
    let mut options = scram("alice", "secret");
    options.reconnect = Some(Reconnect {
        when_taken_over: Again::AsUsual,
        ..Reconnect::default()
    });
    let (first, mut events) = Client::spawn(options, wire.clone()).unwrap();
    events.next().await;
    let (second, _) = assert_connected(&wire, scram("alice", "secret")).await;
    assert!(matches!(events.next().await, Some(Event::Disconnected { .. })));
    second.disconnect().await;
    assert!(matches!(events.next().await, Some(Event::Connected { .. })));
    first
        .reauthenticate()
        .await
        .expect("the exchange is the new connection's");
}
