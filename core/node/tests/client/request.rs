use squall_node::client::{Client, Error, Event, Failure, Message, Misuse, Qos, Version};
use squall_proto::{
    Delivery, Packet, PacketId, Properties, Property, Publish, ReasonCode, Suback, Text, TopicName,
};

use crate::peer::{Listener, Peer, client, message, seconds};

/// A request as the server gets it.
struct Request {
    payload: String,
    response_topic: TopicName,
    properties: Properties,
}

impl Peer {
    async fn request(&mut self) -> Request {
        let packet = self.next().await;
        let Some(Packet::Publish(publish)) = packet else {
            panic!("expected a PUBLISH, got {packet:?}")
        };
        let correlation = publish.properties.correlation_data().expect("correlation data");
        Request {
            payload: String::from_utf8(publish.payload.to_vec()).expect("text"),
            response_topic: publish.properties.response_topic().expect("a response topic"),
            properties: [Property::CorrelationData(correlation)].into_iter().collect(),
        }
    }

    async fn respond(&mut self, request: &Request, payload: &str) {
        self.send(Packet::Publish(Publish {
            dup: false,
            retain: false,
            delivery: Delivery::AtLeastOnce(PacketId::MIN),
            topic: Some(request.response_topic.clone()),
            payload: payload.to_owned().into(),
            properties: request.properties.clone(),
        }))
        .await;
        assert!(matches!(self.next().await, Some(Packet::Puback(_))));
    }
}

async fn asked(client: &Client, payload: &str) -> Result<String, Error> {
    let response = client
        .request(message(payload, Qos::AtMostOnce), seconds(10))
        .await?;
    Ok(String::from_utf8(response.payload.to_vec()).expect("text"))
}

#[tokio::test(start_paused = true)]
async fn requests_under_way_together_each_get_their_response() {
    let (client, _events, mut listener) = client(Version::V5);
    let server = async {
        let mut peer = listener.connected(false).await;
        let granted = peer.grant().await;
        let (one, two) = (peer.request().await, peer.request().await);
        assert_eq!(granted, [one.response_topic.to_string()]);
        for request in [&two, &one] {
            peer.respond(request, &format!("{}!", request.payload)).await;
        }
        peer
    };
    let (one, two, _peer) = tokio::join!(asked(&client, "one"), asked(&client, "two"), server);
    assert_eq!((one, two), (Ok("one!".to_owned()), Ok("two!".to_owned())));
}

#[tokio::test(start_paused = true)]
async fn a_request_survives_the_loss_of_the_session() {
    let (client, _events, mut listener) = client(Version::V5);
    let server = async {
        let mut peer = listener.connected(false).await;
        peer.grant().await;
        let request = peer.request().await;
        drop(peer);
        let mut peer = listener.connected(false).await;
        assert_eq!(peer.grant().await, [request.response_topic.to_string()]);
        peer.respond(&request, "late but well").await;
        peer
    };
    let (response, _peer) = tokio::join!(asked(&client, "one"), server);
    assert_eq!(response, Ok("late but well".to_owned()));
}

async fn answered_with(listener: &mut Listener, code: ReasonCode) -> Peer {
    let mut peer = listener.connected(false).await;
    let Some(Packet::Subscribe(subscribe)) = peer.next().await else {
        panic!("expected a SUBSCRIBE")
    };
    let (packet_id, reason_codes) = (subscribe.packet_id, vec![code]);
    let suback = Suback {
        packet_id,
        reason_codes,
        properties: Properties::new(),
    };
    peer.send(Packet::Suback(suback)).await;
    peer
}

#[tokio::test(start_paused = true)]
async fn a_request_without_a_response_ends_at_its_deadline_and_a_later_one_is_nobodys() {
    let (client, mut events, mut listener) = client(Version::V5);
    let server = async {
        let mut peer = listener.connected(false).await;
        peer.grant().await;
        let request = peer.request().await;
        tokio::time::sleep(seconds(11)).await;
        peer.respond(&request, "too late").await;
        peer
    };
    let (response, _peer) = tokio::join!(asked(&client, "one"), server);
    assert_eq!(response, Err(Error::TimedOut));
    assert!(matches!(events.next().await, Some(Event::Connected { .. })));
    assert!(events.try_next().is_none(), "it is not told as a message");
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_response_cannot_come_says_so() {
    let (client, _events, mut listener) = client(Version::V5);
    let refused = answered_with(&mut listener, ReasonCode::NotAuthorized);
    let (response, _peer) = tokio::join!(asked(&client, "one"), refused);
    assert_eq!(response, Err(Error::Refused(ReasonCode::NotAuthorized)));
}

#[tokio::test(start_paused = true)]
async fn requests_need_5_0() {
    let (client, _events, _listener) = client(Version::V3_1_1);
    let misuse = Failure::Misuse(Misuse::NeedsVersion5("requests"));
    assert_eq!(asked(&client, "one").await, Err(Error::Failed(misuse)));
}

#[tokio::test(start_paused = true)]
async fn the_servers_response_information_is_the_basis_of_the_response_topic() {
    let (client, _events, mut listener) = client(Version::V5);
    let server = async {
        let mut peer = listener.accept().await;
        peer.next().await;
        let basis = Property::ResponseInformation(Text::new("answers/7").unwrap());
        peer.send(Packet::Connack(squall_proto::Connack {
            session_present: false,
            reason_code: ReasonCode::Success,
            properties: [basis].into_iter().collect(),
        }))
        .await;
        assert_eq!(peer.grant().await, ["answers/7/c"]);
        peer
    };
    let request = Message::new(TopicName::new("t").unwrap(), "x".into(), Qos::AtMostOnce);
    let (response, _peer) = tokio::join!(client.request(request, seconds(1)), server);
    assert_eq!(response, Err(Error::TimedOut));
}
