use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use squall_node::authentication::{Applicant, Authenticator, Checking, Exchange, Judging};
use squall_proto::{
    Auth, Binary, Connack, Packet, Property, Qos, ReasonCode, Text,
    broker::{Credentials, Judgement, Limits},
};
use tokio::time::{Instant, sleep};

use crate::harness::{Peered, Served, bytes_of, connect, payload, plain_connect, publish, subscribe};

/// Thinks for so long about each client, and lets those in whose Client Identifier is not `bad`. By the method `M` it challenges as
/// often as the client's data says.
struct Thinking(Duration);

impl Authenticator for Thinking {
    fn check<'a>(&'a self, credentials: &'a Credentials) -> Checking<'a> {
        Box::pin(async {
            sleep(self.0).await;
            match &*credentials.client_id {
                "bad" => Err(ReasonCode::BadUserNameOrPassword),
                _ => Ok(None),
            }
        })
    }

    fn begin(&self, applicant: Applicant) -> Option<Box<dyn Exchange>> {
        (&*applicant.method == "M").then(|| Box::new(Thought(self.0)) as Box<dyn Exchange>)
    }
}

struct Thought(Duration);

impl Exchange for Thought {
    fn step(&mut self, data: Option<Binary>) -> Judging<'_> {
        Box::pin(async move {
            sleep(self.0).await;
            match data.as_deref() {
                Some(b"more") => Judgement::Challenge { data },
                Some(b"wrong") => Judgement::Refuse(ReasonCode::NotAuthorized),
                Some(_) | None => Judgement::Accept { user: None, data },
            }
        })
    }
}

/// Never says anything, and counts who waits.
struct Silent(Arc<AtomicUsize>);

impl Authenticator for Silent {
    fn check<'a>(&'a self, _: &'a Credentials) -> Checking<'a> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(pending())
    }

    fn begin(&self, _: Applicant) -> Option<Box<dyn Exchange>> {
        None
    }
}

fn by_method(method: &str, data: &'static str) -> Packet {
    let mut connect = plain_connect("c");
    connect.properties = properties(method, data);
    Packet::Connect(Box::new(connect))
}

fn properties(method: &str, data: &'static str) -> squall_proto::Properties {
    let method = Text::new(method).expect("a legal string");
    let data = Binary::new(data).expect("not too long");
    [
        Property::AuthenticationMethod(method),
        Property::AuthenticationData(data),
    ]
    .into_iter()
    .collect()
}

fn auth(reason_code: ReasonCode, data: &'static str) -> Packet {
    Packet::Auth(Auth {
        reason_code,
        properties: properties("M", data),
    })
}

async fn connack(client: &mut Peered) -> Connack {
    match client.next().await {
        Some(Packet::Connack(connack)) => connack,
        other => panic!("expected CONNACK, got {other:?}"),
    }
}

/// [MQTT-3.1.4-6]
#[tokio::test(start_paused = true)]
async fn what_comes_behind_a_connect_waits_until_its_client_is_judged() {
    let served = Served::authenticating(Thinking(Duration::from_secs(3)));
    let mut subscriber = served.subscriber("sub", 1 << 20).await;
    let begun = Instant::now();
    for client_id in ["bad", "good"] {
        let mut client = served.stream(1 << 20);
        let packets = [
            connect(client_id),
            publish("a", client_id),
            publish("a", vec![7; 100_000]),
            subscribe("b", Qos::AtMostOnce),
        ];
        let packets: Vec<u8> = packets.iter().flat_map(bytes_of).collect();
        client.send_bytes(&packets).await;
        let accepted = client_id == "good";
        assert_eq!(connack(&mut client).await.reason_code.is_error(), !accepted);
        let last = client.next().await;
        assert_eq!(matches!(last, Some(Packet::Suback(_))), accepted, "{last:?}");
    }
    assert_eq!(begun.elapsed(), Duration::from_secs(6));
    assert_eq!(payload(subscriber.next().await), "good");
    assert_eq!(payload(subscriber.next().await).len(), 100_000);
}

#[tokio::test(start_paused = true)]
async fn clients_are_judged_at_the_same_time() {
    let served = Served::authenticating(Thinking(Duration::from_secs(3)));
    let mut clients: Vec<_> = (0..100).map(|_| served.stream(1 << 20)).collect();
    let begun = Instant::now();
    for (number, client) in clients.iter_mut().enumerate() {
        client.send(&connect(&format!("c{number}"))).await;
    }
    for client in &mut clients {
        assert_eq!(connack(client).await.reason_code, ReasonCode::Success);
    }
    assert_eq!(begun.elapsed(), Duration::from_secs(3));
}

/// [MQTT-4.12.0-1] [MQTT-4.12.0-4]
#[tokio::test(start_paused = true)]
async fn an_unknown_method_is_refused() {
    let served = Served::authenticating(Thinking(Duration::ZERO));
    let mut client = served.stream(1 << 20);
    client.send(&by_method("N", "")).await;
    assert_eq!(
        connack(&mut client).await.reason_code,
        ReasonCode::BadAuthenticationMethod
    );
    assert_eq!(client.next().await, None);
}

/// [MQTT-4.12.0-2] [MQTT-4.12.0-5]
#[tokio::test(start_paused = true)]
async fn a_client_is_challenged_as_long_as_the_authenticator_wants_to_know_more() {
    let served = Served::authenticating(Thinking(Duration::from_secs(1)));
    let mut client = served.stream(1 << 20);
    client.send(&by_method("M", "more")).await;
    for _ in 0..3 {
        let challenge = client.next().await;
        assert_eq!(challenge, Some(auth(ReasonCode::ContinueAuthentication, "more")));
        client
            .send(&auth(ReasonCode::ContinueAuthentication, "more"))
            .await;
    }
    client.next().await;
    client
        .send(&auth(ReasonCode::ContinueAuthentication, "enough"))
        .await;
    let connack = connack(&mut client).await;
    assert_eq!(connack.reason_code, ReasonCode::Success);
    assert_eq!(connack.properties.authentication_method().as_deref(), Some("M"));
    assert_eq!(
        connack.properties.authentication_data().as_deref(),
        Some(b"enough".as_slice())
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_not_answered_is_refused_in_time_and_its_question_forgotten() {
    let asked = Arc::new(AtomicUsize::new(0));
    let served = Served::authenticating(Silent(Arc::clone(&asked)));
    let begun = Instant::now();
    let mut client = served.stream(1 << 20);
    client.send(&connect("c")).await;
    assert_eq!(
        connack(&mut client).await.reason_code,
        ReasonCode::ServerUnavailable
    );
    assert_eq!(client.next().await, None);
    assert_eq!(begun.elapsed(), Limits::default().connect_timeout);
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

/// [MQTT-4.12.0-4]
#[tokio::test(start_paused = true)]
async fn challenges_do_not_lengthen_the_time_for_connect() {
    let served = Served::authenticating(Thinking(Duration::from_secs(1)));
    let begun = Instant::now();
    let mut client = served.stream(1 << 20);
    client.send(&by_method("M", "more")).await;
    let refused = loop {
        match client.next().await {
            Some(Packet::Connack(connack)) => break connack,
            Some(Packet::Auth(_)) => {
                client
                    .send(&auth(ReasonCode::ContinueAuthentication, "more"))
                    .await
            }
            other => panic!("{other:?}"),
        }
    };
    assert!(refused.reason_code.is_error());
    assert_eq!(begun.elapsed(), Limits::default().connect_timeout);
}

/// [MQTT-4.12.1-1]
#[tokio::test(start_paused = true)]
async fn a_client_is_served_while_it_authenticates_again() {
    let served = Served::authenticating(Thinking(Duration::from_secs(5)));
    let mut client = served.stream(1 << 20);
    client.send(&by_method("M", "")).await;
    connack(&mut client).await;
    let begun = Instant::now();
    client.send(&auth(ReasonCode::ReAuthenticate, "more")).await;
    client.send(&Packet::Pingreq).await;
    assert_eq!(client.next().await, Some(Packet::Pingresp));
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert!(matches!(client.next().await, Some(Packet::Auth(_))));
    client
        .send(&auth(ReasonCode::ContinueAuthentication, "enough"))
        .await;
    assert_eq!(client.next().await, Some(auth(ReasonCode::Success, "enough")));
    assert_eq!(begun.elapsed(), Duration::from_secs(10));
}

/// [MQTT-4.12.1-2]
#[tokio::test(start_paused = true)]
async fn a_client_that_fails_to_authenticate_again_is_disconnected() {
    let served = Served::authenticating(Thinking(Duration::ZERO));
    let mut client = served.stream(1 << 20);
    client.send(&by_method("M", "")).await;
    connack(&mut client).await;
    client.send(&auth(ReasonCode::ReAuthenticate, "wrong")).await;
    let Some(Packet::Disconnect(disconnect)) = client.next().await else {
        panic!("no DISCONNECT")
    };
    assert_eq!(disconnect.reason_code, ReasonCode::NotAuthorized);
    assert_eq!(client.next().await, None);
}

/// A flood costs its sender the connection: AUTH is answered before the next may come.
#[tokio::test(start_paused = true)]
async fn a_flood_of_auth_ends_its_connection_and_no_other() {
    let served = Served::authenticating(Thinking(Duration::from_secs(1)));
    let mut other = served.client("other", 1 << 20).await;
    for first in [by_method("M", "more"), by_method("M", "")] {
        let mut client = served.stream(1 << 20);
        client.send(&first).await;
        client.next().await;
        let flood = bytes_of(&auth(ReasonCode::ReAuthenticate, "more")).repeat(10_000);
        client.send_bytes(&flood).await;
        while client.next().await.is_some() {}
    }
    other.send(&Packet::Pingreq).await;
    assert_eq!(other.next().await, Some(Packet::Pingresp));
}

/// [MQTT-3.1.4-2]
#[tokio::test(start_paused = true)]
async fn who_is_not_let_in_takes_nothing_over() {
    let served = Served::authenticating(Thinking(Duration::ZERO));
    let mut client = served.stream(1 << 20);
    client.send(&by_method("M", "")).await;
    connack(&mut client).await;
    let mut stranger = served.stream(1 << 20);
    stranger.send(&by_method("M", "wrong")).await;
    assert_eq!(
        connack(&mut stranger).await.reason_code,
        ReasonCode::NotAuthorized
    );
    client.send(&Packet::Pingreq).await;
    assert_eq!(client.next().await, Some(Packet::Pingresp));
}
