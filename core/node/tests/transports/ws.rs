//! The HTTP before the first frame; tungstenite's own client and server are at the other end.

#![expect(
    clippy::disallowed_types,
    reason = "an independent peer has sockets of its own"
)]

use squall_node::{
    Scheme,
    client::TcpConnector,
    config::{Listener, Ws},
    tls::ClientTls,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, accept_hdr_async, connect_async,
    tungstenite::{
        self,
        client::IntoClientRequest as _,
        handshake::server::{ErrorResponse, Request, Response},
        http::HeaderValue,
    },
};

use crate::harness::{Peer, Served, connector, plain_ws};

pub(crate) type WebSocket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A client of tungstenite, offering these subprotocols.
pub(crate) async fn websocket(
    served: &Served,
    path: &str,
    subprotocols: Option<&'static str>,
) -> Result<(WebSocket, Option<HeaderValue>), tungstenite::Error> {
    let url = format!("ws://{}{path}", served.network().host_and_port());
    let mut request = url.into_client_request().expect("a URL");
    if let Some(subprotocols) = subprotocols {
        let value = HeaderValue::from_static(subprotocols);
        request.headers_mut().insert("Sec-WebSocket-Protocol", value);
    }
    let (websocket, response) = connect_async(request).await?;
    Ok((
        websocket,
        response.headers().get("Sec-WebSocket-Protocol").cloned(),
    ))
}

/// The status and the text of a refusal.
async fn refused(served: &Served, path: &str, subprotocols: Option<&'static str>) -> (u16, String) {
    match websocket(served, path, subprotocols).await {
        Err(tungstenite::Error::Http(response)) => {
            let body = response.body().clone().unwrap_or_default();
            (response.status().as_u16(), String::from_utf8(body).expect("text"))
        }
        other => panic!("expected a refusal, got {other:?}"),
    }
}

/// What is answered to bytes that are no right request.
async fn answer(served: &Served, bytes: &[u8]) -> String {
    let address = served.network();
    let mut tcp = TcpConnector::new(&address.host, address.port);
    let mut stream = squall_node::Connector::connect(&mut tcp).await.expect("TCP");
    stream
        .write_all(bytes)
        .await
        .expect("a socket that takes some bytes");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("an answer");
    String::from_utf8(answer).expect("text")
}

/// [MQTT-6.0.0-4] [v3 MQTT-6.0.0-4]
#[tokio::test]
async fn the_subprotocol_mqtt_is_chosen_among_those_offered() {
    let served = Served::at(&plain_ws()).await;
    for offered in ["mqtt", "mqttv3.1, mqtt", "other,mqtt"] {
        let (_, chosen) = websocket(&served, "/", Some(offered)).await.expect(offered);
        assert_eq!(chosen, Some(HeaderValue::from_static("mqtt")), "{offered}");
    }
}

/// [MQTT-6.0.0-3] [v3 MQTT-6.0.0-3]
#[tokio::test]
async fn without_the_subprotocol_mqtt_there_is_an_answer_that_says_so() {
    let served = Served::at(&plain_ws()).await;
    let (status, why) = refused(&served, "/mqtt", Some("mqttv3.1")).await;
    assert_eq!(
        (status, why.contains("expected the subprotocol mqtt")),
        (400, true),
        "{why}"
    );
    assert!(why.contains("mqttv3.1"), "{why}");
    let (status, why) = refused(&served, "/mqtt", None).await;
    assert_eq!((status, why.contains("got none")), (400, true), "{why}");
}

#[tokio::test]
async fn a_path_that_was_configured_is_the_only_one() {
    let served = Served::at(&Listener::Ws(Ws {
        address: "localhost:0".into(),
        path: Some("/mqtt".into()),
    }))
    .await;
    assert!(websocket(&served, "/mqtt?token=1", Some("mqtt")).await.is_ok());
    let (status, why) = refused(&served, "/", Some("mqtt")).await;
    assert_eq!((status, why.contains("MQTT is at /mqtt")), (404, true), "{why}");
}

#[tokio::test]
async fn what_is_no_websocket_request_is_answered_in_http() {
    let served = Served::at(&plain_ws()).await;
    let cases: [(&[u8], &str, &str); 5] = [
        (b"GET /mqtt HTTP/1.1\r\nHost: a\r\n\r\n", " 400 ", "upgrade"),
        (b"POST /mqtt HTTP/1.1\r\nHost: a\r\n\r\n", " 400 ", "GET"),
        (&[0x10, 0x0D, 0x00, 0x04], " 400 ", "an MQTT CONNECT without WebSocket"),
        (&[0x16, 0x03, 0x01, 0x00], " 400 ", "a TLS handshake"),
        (
            b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\n\r\n",
            " 426 ",
            "Sec-WebSocket-Version: 13",
        ),
    ];
    for (bytes, status, why) in cases {
        let answer = answer(&served, bytes).await;
        assert!(answer.contains(status) && answer.contains(why), "{answer}");
    }
    let endless = [b"GET / HTTP/1.1\r\nA: ".as_slice(), &[b'a'; 9000]].concat();
    assert!(answer(&served, &endless).await.contains("without an end"));
}

/// A server of tungstenite that answers with this subprotocol, or refuses.
async fn server(subprotocol: Option<&'static str>, status: u16) -> Served {
    let listener = TcpListener::bind("localhost:0").await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a client");
        #[expect(clippy::result_large_err, reason = "tungstenite's own signature")]
        let answer = |_: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
            if status != 101 {
                let refusal = tungstenite::http::Response::builder().status(status).body(None);
                return Err(refusal.expect("a response"));
            }
            if let Some(subprotocol) = subprotocol {
                let value = HeaderValue::from_static(subprotocol);
                response.headers_mut().insert("Sec-WebSocket-Protocol", value);
            }
            Ok(response)
        };
        accept_hdr_async(stream, answer).await
    });
    let url = format!("ws://localhost:{port}/mqtt");
    let address = url.parse().expect("an address");
    Served {
        address,
        reload: None,
    }
}

/// [MQTT-6.0.0-3] [MQTT-6.0.0-4] [v3 MQTT-6.0.0-3] [v3 MQTT-6.0.0-4]
#[tokio::test]
async fn a_client_wants_the_subprotocol_mqtt_and_says_what_it_got_instead() {
    let tls = ClientTls::default();
    assert!(server(Some("mqtt"), 101).await.stream(&tls).await.is_ok());
    for (subprotocol, status, why) in [
        (None, 101, "no subprotocol"),
        (Some("other"), 101, "the subprotocol other"),
        (None, 404, "404 Not Found"),
    ] {
        let served = server(subprotocol, status).await;
        let error = served.stream(&tls).await.expect_err(why).to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[tokio::test]
async fn a_client_says_what_else_listens_there() {
    let served = Served::at(&Listener::tcp("localhost:0")).await;
    let mut address = served.network().clone();
    address.scheme = Scheme::Ws;
    address.path = "/mqtt".into();
    let mut connector = connector(&squall_node::Address::Network(address), &ClientTls::default());

    // The broker takes GET for a malformed packet, and closes.
    let error = squall_node::Connector::connect(&mut connector)
        .await
        .expect_err("no WebSocket");

    assert!(error.to_string().contains("WebSocket"), "{error}");
}

/// Behind the answer there may already be frames, and behind the request too.
#[tokio::test]
async fn frames_that_come_with_the_handshake_are_not_lost() {
    let served = Served::at(&plain_ws()).await;
    let address = served.network();
    let mut tcp = TcpConnector::new(&address.host, address.port);
    let mut stream = squall_node::Connector::connect(&mut tcp).await.expect("TCP");
    let mut request = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Protocol: mqtt\r\n\r\n"
        .to_vec();
    // A binary frame of 15 bytes with the mask 0: CONNECT of 5.0 without Client Identifier.
    request.extend([0x82, 0x8F, 0, 0, 0, 0]);
    request.extend([0x10, 13, 0, 4, b'M', b'Q', b'T', b'T', 5, 2, 0, 0, 0, 0, 0]);
    stream
        .write_all(&request)
        .await
        .expect("a socket that takes some bytes");

    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.expect("an answer"));
    }
    let answer = String::from_utf8(answer).expect("text");
    assert!(
        answer.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        "RFC 6455's own example: {answer}"
    );
    assert_eq!(stream.read_u8().await.expect("a frame"), 0x82);
    let len = stream.read_u8().await.expect("its length");
    assert!(len < 126);
    assert_eq!(stream.read_u8().await.expect("its first byte"), 0x20, "CONNACK");
}

#[tokio::test]
async fn our_own_client_is_served_at_any_path() {
    let served = Served::at(&plain_ws()).await;
    let stream = served.stream(&ClientTls::default()).await.expect("a stream");
    assert!(Peer::new(stream).is_served().await);
}
