use std::time::Duration;

use squall_node::broker::Server;
use squall_proto::{Connack, Connect, Packet, Property, Qos, ReasonCode, Text, broker::Limits};
use tokio::time::sleep;

use crate::harness::{
    Peered, Served, ack, connect, connect_with_will, payload, plain_connect, publish_qos1, subscribe,
};

fn name(client_id: &str) -> Text {
    Text::new(client_id).expect("a legal string")
}

fn persistent(client_id: &str) -> Packet {
    Packet::Connect(Box::new(Connect {
        clean_start: false,
        properties: [Property::SessionExpiryInterval(u32::MAX)].into_iter().collect(),
        ..plain_connect(client_id)
    }))
}

async fn connack(client: &mut Peered) -> Connack {
    match client.next().await {
        Some(Packet::Connack(connack)) => connack,
        other => panic!("expected CONNACK, got {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_kicked_gets_a_disconnect_and_a_close_and_its_will_is_published() {
    let served = Served::new(Limits::default());
    let mut subscriber = served.subscriber("sub", 1 << 10).await;
    let mut client = served.stream(1 << 10);
    client.send(&connect_with_will("c", "will")).await;
    client.next().await;

    assert!(served.server.kick(&name("c")) && !served.server.kick(&name("nobody")));

    let Some(Packet::Disconnect(disconnect)) = client.next().await else {
        panic!("no DISCONNECT");
    };
    assert_eq!(disconnect.reason_code, ReasonCode::AdministrativeAction);
    assert_eq!(client.next().await, None);
    assert_eq!(payload(subscriber.next().await), "will");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_ended_is_not_there_when_its_client_is_back() {
    let served = Served::new(Limits::default());
    let mut client = served.stream(1 << 10);
    client.send(&persistent("c")).await;
    client.next().await;
    drop(client);
    sleep(Duration::from_secs(1)).await;

    assert!(served.server.end_session(&name("c")) && !served.server.end_session(&name("c")));

    let mut client = served.stream(1 << 10);
    client.send(&persistent("c")).await;
    assert!(!connack(&mut client).await.session_present);
}

#[tokio::test(start_paused = true)]
async fn who_is_barred_is_refused_until_it_is_admitted() {
    let served = Served::new(Limits::default());
    served.server.bar(&name("c"));
    let mut client = served.stream(1 << 10);
    client.send(&connect("c")).await;
    assert_eq!(connack(&mut client).await.reason_code, ReasonCode::NotAuthorized);
    assert_eq!(client.next().await, None);

    assert!(served.server.admit(&name("c")) && !served.server.admit(&name("c")));

    served.client("c", 1 << 10).await;
}

/// [MQTT-4.1.0-1] A broker that comes back from a crash with all that it knew.
#[tokio::test(start_paused = true)]
async fn a_broker_that_is_revived_has_its_sessions_and_none_of_its_connections() {
    let server = Server::new(Limits::default(), 0);
    let first = Served::over(server.clone());
    let mut client = first.stream(1 << 10);
    client.send(&persistent("c")).await;
    client.next().await;
    client.send(&subscribe("#", Qos::AtLeastOnce)).await;
    client.next().await;
    first.task.abort();
    assert_eq!(client.next().await, None);

    server.revive();

    let second = Served::over(server);
    let mut publisher = second.client("p", 1 << 10).await;
    publisher.send(&publish_qos1("t", "kept")).await;
    publisher.next().await;
    let mut client = second.stream(1 << 10);
    client.send(&persistent("c")).await;
    assert!(connack(&mut client).await.session_present);
    let kept = client.next().await;
    client.send(&ack(kept.as_ref())).await;
    assert_eq!(payload(kept), "kept");
}
