//! Frames; tungstenite's own client is at the other end.

use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt as _, StreamExt as _};
use squall_node::client::{Qos, Version};
use squall_proto::{Decoder, Packet};
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::{
        CloseFrame,
        frame::{
            Frame, FrameHeader,
            coding::{CloseCode, Data, OpCode},
        },
    },
};

use crate::{
    harness::{Served, bytes_of, connect, message, plain_ws},
    ws::{WebSocket, websocket},
};

/// A WebSocket to a broker, on which a test speaks frame by frame.
struct Framed {
    websocket: WebSocket,
    decoder: Decoder,
    unread: BytesMut,
}

impl Framed {
    async fn to(served: &Served) -> Self {
        let (websocket, _) = websocket(served, "/mqtt", Some("mqtt")).await.expect("accepted");
        Self {
            websocket,
            decoder: Decoder::with_version(Version::V5, u32::MAX),
            unread: BytesMut::new(),
        }
    }

    async fn connected(served: &Served) -> Self {
        let mut framed = Self::to(served).await;
        framed
            .send(Message::Binary(bytes_of(&connect("c")).freeze()))
            .await;
        assert!(matches!(framed.packet().await, Packet::Connack(_)));
        framed
    }

    async fn send(&mut self, message: Message) {
        self.websocket.send(message).await.expect("the broker reads");
    }

    async fn next(&mut self) -> Message {
        let next = self.websocket.next().await.expect("it goes on");
        next.expect("frames that are right")
    }

    async fn packet(&mut self) -> Packet {
        loop {
            if let Some(packet) = self.decoder.decode(&mut self.unread).expect("packets") {
                return packet;
            }
            let next = self.next().await;
            let Message::Binary(some) = next else {
                panic!("expected a binary frame, got {next:?}")
            };
            self.unread.extend_from_slice(&some);
        }
    }

    /// The code of the Close that comes next.
    async fn close_code(&mut self) -> CloseCode {
        let next = self.next().await;
        let Message::Close(Some(close)) = next else {
            panic!("expected Close, got {next:?}")
        };
        close.code
    }
}

fn fragment(bytes: &[u8], of: Data, last: bool) -> Message {
    let payload = Bytes::copy_from_slice(bytes);
    Message::Frame(Frame::message(payload, OpCode::Data(of), last))
}

/// [MQTT-6.0.0-2] [v3 MQTT-6.0.0-2]
#[tokio::test]
async fn frames_need_not_begin_or_end_where_packets_do() {
    let served = Served::at(&plain_ws()).await;
    let mut framed = Framed::to(&served).await;
    let bytes = [
        bytes_of(&connect("c")),
        bytes_of(&Packet::Pingreq),
        bytes_of(&Packet::Pingreq),
    ]
    .concat();
    for byte in bytes.iter().take(5) {
        framed
            .send(Message::Binary(Bytes::copy_from_slice(&[*byte])))
            .await;
    }
    framed.send(Message::Binary(Bytes::new())).await;
    framed
        .send(Message::Binary(Bytes::copy_from_slice(
            bytes.get(5..).unwrap_or_default(),
        )))
        .await;

    assert!(matches!(framed.packet().await, Packet::Connack(_)));
    assert_eq!(framed.packet().await, Packet::Pingresp);
    assert_eq!(framed.packet().await, Packet::Pingresp);
}

/// A message in fragments may never end, and is answered all the same.
#[tokio::test]
async fn a_fragment_is_taken_before_the_message_is_whole() {
    let served = Served::at(&plain_ws()).await;
    let mut framed = Framed::to(&served).await;

    framed
        .send(fragment(&bytes_of(&connect("c")), Data::Binary, false))
        .await;
    assert!(matches!(framed.packet().await, Packet::Connack(_)));
    framed.send(Message::Ping(Bytes::from_static(b"between"))).await;
    assert_eq!(framed.next().await, Message::Pong(Bytes::from_static(b"between")));
    framed
        .send(fragment(&bytes_of(&Packet::Pingreq), Data::Continue, false))
        .await;
    assert_eq!(framed.packet().await, Packet::Pingresp);
    framed
        .send(fragment(&bytes_of(&Packet::Pingreq), Data::Continue, true))
        .await;
    assert_eq!(framed.packet().await, Packet::Pingresp);
}

/// [MQTT-6.0.0-1] [v3 MQTT-6.0.0-1]
#[tokio::test]
async fn a_text_frame_closes_the_connection_and_no_other() {
    let served = Served::at(&plain_ws()).await;
    let mut other = Framed::to(&served).await;
    let mut framed = Framed::connected(&served).await;

    framed.send(Message::text("hello")).await;

    assert_eq!(framed.close_code().await, CloseCode::Unsupported);
    assert!(
        !matches!(framed.websocket.next().await, Some(Ok(_))),
        "nothing comes after it"
    );
    other
        .send(Message::Binary(bytes_of(&connect("other")).freeze()))
        .await;
    assert!(matches!(other.packet().await, Packet::Connack(_)));
}

#[tokio::test]
async fn a_frame_that_breaks_rfc_6455_closes_the_connection() {
    let served = Served::at(&plain_ws()).await;
    let reserved = Frame::from_payload(
        FrameHeader {
            rsv1: true,
            opcode: OpCode::Data(Data::Binary),
            ..Default::default()
        },
        Bytes::from_static(b"x"),
    );
    for broken in [
        fragment(b"x", Data::Continue, true),
        Message::Frame(reserved),
        Message::Frame(Frame::message(
            Bytes::new(),
            OpCode::Data(Data::Reserved(3)),
            true,
        )),
    ] {
        let mut framed = Framed::connected(&served).await;
        framed.send(broken.clone()).await;
        assert_eq!(framed.close_code().await, CloseCode::Protocol, "{broken:?}");
    }
}

#[tokio::test]
async fn a_ping_is_answered_while_packets_go_out() {
    let served = Served::at(&plain_ws()).await;
    let mut framed = Framed::connected(&served).await;
    for _ in 0..100 {
        framed
            .send(Message::Binary(bytes_of(&Packet::Pingreq).freeze()))
            .await;
        framed.send(Message::Ping(Bytes::from_static(&[9; 125]))).await;
    }
    let (mut pongs, mut pingresps) = (0, 0);
    while pingresps < 100 || pongs == 0 {
        let next = framed.next().await;
        if let Message::Binary(packets) = &next {
            pingresps += packets.len() / 2;
        } else {
            assert_eq!(next, Message::Pong(Bytes::from_static(&[9; 125])));
            pongs += 1;
        }
    }
    assert!(pongs <= 100);
}

#[tokio::test]
async fn close_is_answered_with_close() {
    let served = Served::at(&plain_ws()).await;
    let mut framed = Framed::connected(&served).await;
    let close = CloseFrame {
        code: CloseCode::Away,
        reason: "".into(),
    };
    framed.send(Message::Close(Some(close))).await;
    assert_eq!(framed.close_code().await, CloseCode::Away);
}

/// tungstenite collects 64 MiB at most, and frames of 16 MiB: a large packet comes in frames of a bearable size.
#[tokio::test]
async fn a_large_packet_comes_in_frames_that_a_browser_takes() {
    let served = Served::at(&plain_ws()).await;
    let mut framed = Framed::connected(&served).await;
    let subscribe = [0x82, 7, 0, 1, 0, 0, 1, b't', 0];
    framed
        .send(Message::Binary(Bytes::copy_from_slice(&subscribe)))
        .await;
    assert!(matches!(framed.packet().await, Packet::Suback(_)));
    let (publisher, _events) = served.client("pub", &Default::default());

    let published = publisher.publish(message("t", vec![5; 1 << 20], Qos::AtLeastOnce));
    let (published, packet) = tokio::join!(published, framed.packet());

    published.expect("acknowledged");
    let Packet::Publish(publish) = packet else {
        panic!("{packet:?}")
    };
    assert!(publish.payload == vec![5; 1 << 20]);
}
