//! The HTTP with which a WebSocket begins.

use std::{fmt, io, time::Duration};

use bytes::BytesMut;
use data_encoding::BASE64;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    time::timeout,
};
use tungstenite::{
    handshake::{
        client::Response,
        derive_accept_key,
        machine::TryParse,
        server::{Request, create_response, write_response},
    },
    http::{HeaderMap, HeaderValue, StatusCode, header},
};

/// What a client asks for.
pub(super) struct HttpRequest<'a> {
    pub(super) host: &'a str,
    pub(super) path: &'a str,
    /// What the server has to answer to.
    pub(super) nonce: [u8; 16],
}

/// Why a server does not take a request.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    why: String,
}

/// The subprotocol of both versions.
const MQTT: &str = "mqtt";

/// Answers a client's request; returns what came behind it. One that is not taken is told why, in HTTP.
pub(super) async fn answer(
    read: &mut (impl AsyncRead + Unpin),
    write: &mut (impl AsyncWrite + Unpin),
    path: Option<&str>,
) -> io::Result<BytesMut> {
    let mut unread = BytesMut::new();
    let answered = match read_head::<Request>(read, &mut unread).await? {
        Ok(request) => response(&request, path),
        Err(what) => Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            format!("expected a WebSocket request, got {what}"),
        )),
    };
    match answered {
        Ok(response) => {
            write.write_all(&response).await?;
            write.flush().await?;
            Ok(unread)
        }
        Err(refusal) => {
            refusal.tell(read, write).await;
            Err(io::Error::new(io::ErrorKind::InvalidData, refusal.to_string()))
        }
    }
}

/// The answer that accepts a request, if it is to be accepted.
fn response(request: &Request, path: Option<&str>) -> Result<Vec<u8>, Refusal> {
    if let Some(path) = path
        && request.uri().path() != path
    {
        let why = format!("MQTT is at {path}, not at {}", request.uri().path());
        return Err(Refusal::new(StatusCode::NOT_FOUND, why));
    }
    let mut response = create_response(request).map_err(|error| {
        let status = match request.headers().get(header::SEC_WEBSOCKET_VERSION) {
            Some(version) if version != "13" => StatusCode::UPGRADE_REQUIRED,
            Some(_) | None => StatusCode::BAD_REQUEST,
        };
        Refusal::new(status, error)
    })?;
    // [MQTT-6.0.0-3] [v3 MQTT-6.0.0-3]
    let offered: Vec<_> = subprotocols(request.headers()).collect();
    if !offered.contains(&MQTT) {
        let why = match offered.as_slice() {
            [] => "expected the subprotocol mqtt in Sec-WebSocket-Protocol, got none".to_owned(),
            other => format!(
                "expected the subprotocol mqtt in Sec-WebSocket-Protocol, got {}",
                other.join(", ")
            ),
        };
        return Err(Refusal::new(StatusCode::BAD_REQUEST, why));
    }
    // [MQTT-6.0.0-4] [v3 MQTT-6.0.0-4]
    response
        .headers_mut()
        .insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(MQTT));
    let mut bytes = Vec::new();
    write_response(&mut bytes, &response)
        .map_err(|error| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, error))?;
    Ok(bytes)
}

/// Asks a server; returns what came behind its answer.
pub(super) async fn ask(
    read: &mut (impl AsyncRead + Unpin),
    write: &mut (impl AsyncWrite + Unpin),
    request: &HttpRequest<'_>,
) -> io::Result<BytesMut> {
    let HttpRequest { host, path, nonce } = request;
    let key = BASE64.encode(nonce);
    // [MQTT-6.0.0-3] [v3 MQTT-6.0.0-3]
    let text = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: {MQTT}\r\n\r\n"
    );
    write.write_all(text.as_bytes()).await?;
    write.flush().await?;
    let mut unread = BytesMut::new();
    let response = read_head::<Response>(read, &mut unread)
        .await?
        .map_err(|what| not_accepted(format!("expected an answer in HTTP, got {what}")))?;
    check(&response, &key)?;
    Ok(unread)
}

/// Whether a server has accepted, and what was asked for.
fn check(response: &Response, key: &str) -> io::Result<()> {
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(not_accepted(format!("it answers {}", response.status())));
    }
    let said = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let upgrades = said(header::UPGRADE).is_some_and(|to| to.eq_ignore_ascii_case("websocket"))
        && said(header::CONNECTION).is_some_and(|what| what.eq_ignore_ascii_case("upgrade"));
    if !upgrades || said(header::SEC_WEBSOCKET_ACCEPT) != Some(&derive_accept_key(key.as_bytes())) {
        return Err(not_accepted("its answer is to another request".into()));
    }
    if said(header::SEC_WEBSOCKET_EXTENSIONS).is_some() {
        return Err(not_accepted("it uses an extension that was not offered".into()));
    }
    match said(header::SEC_WEBSOCKET_PROTOCOL) {
        // [MQTT-6.0.0-4] [v3 MQTT-6.0.0-4]
        Some(MQTT) => Ok(()),
        Some(other) => Err(not_accepted(format!("it chose the subprotocol {other}"))),
        None => Err(not_accepted(
            "it chose no subprotocol, so it speaks no MQTT".into(),
        )),
    }
}

fn not_accepted(why: String) -> io::Error {
    let why = format!("the server makes no WebSocket with the subprotocol mqtt: {why}");
    io::Error::new(io::ErrorKind::ConnectionRefused, why)
}

/// Reads up to the empty line, and leaves in `unread` what comes behind it. What came instead, if it is no HTTP.
async fn read_head<T: TryParse>(
    read: &mut (impl AsyncRead + Unpin),
    unread: &mut BytesMut,
) -> io::Result<Result<T, String>> {
    loop {
        if read.read_buf(unread).await? == 0 {
            let why = "the connection was closed before the WebSocket was made";
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, why));
        }
        match T::try_parse(unread) {
            Ok(Some((len, head))) => {
                drop(unread.split_to(len));
                return Ok(Ok(head));
            }
            Ok(None) if unread.len() < HEAD_MAX => {}
            Ok(None) => return Ok(Err(format!("{HEAD_MAX} bytes of headers without an end"))),
            Err(error) => return Ok(Err(guessed(unread, &error))),
        }
    }
}

/// What bytes that are no HTTP seem to be.
fn guessed(bytes: &[u8], error: &impl fmt::Display) -> String {
    match bytes {
        [0x10, ..] => "an MQTT CONNECT without WebSocket".to_owned(),
        [0x16, 0x03, ..] => "a TLS handshake".to_owned(),
        _ => format!("something else: {error}"),
    }
}

fn subprotocols(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .filter(|name| !name.is_empty())
}

impl Refusal {
    fn new(status: StatusCode, why: impl fmt::Display) -> Self {
        Self {
            status,
            why: why.to_string(),
        }
    }

    /// Says so to the client, if it listens, and takes what it still sends: a close with bytes unread would be a reset, and it
    /// might not see the answer.
    async fn tell(&self, read: &mut (impl AsyncRead + Unpin), write: &mut (impl AsyncWrite + Unpin)) {
        let Self { status, why } = self;
        let text = format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
             Sec-WebSocket-Version: 13\r\nConnection: close\r\n\r\n{why}\n",
            why.len() + 1
        );
        let telling = async {
            write.write_all(text.as_bytes()).await?;
            write.shutdown().await?;
            let mut unwanted = vec![0; 1024];
            for _ in 0..DRAINS {
                if read.read(&mut unwanted).await? == 0 {
                    break;
                }
            }
            Ok::<_, io::Error>(())
        };
        // Whether it heard it or not, there is nothing more to say.
        let _ = timeout(LINGER, telling).await;
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, why } = self;
        write!(f, "no WebSocket, answered {}: {why}", status.as_u16())
    }
}

/// Bytes of headers that are read at most, before the last read.
const HEAD_MAX: usize = 8 << 10;
/// Reads of 1 KiB that a refused request is worth.
const DRAINS: usize = 64;
/// For a client to take the refusal.
const LINGER: Duration = Duration::from_secs(1);
