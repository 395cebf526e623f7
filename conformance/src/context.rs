//! What a case sees of the target.
//!
//! * [`Context`] makes connections and names,
//! * [`Client`] is one connection: `client` moves bytes, `expect` says what must come, `flows` are whole exchanges,
//! * [`websocket`] is a connection of which a case writes every WebSocket frame,
//! * `log` keeps every packet for the report,
//! * `trail` is what a case leaves behind at the target, and takes away again.

mod client;
mod expect;
mod flows;
pub(crate) mod log;
mod trail;
pub(crate) mod websocket;

use std::{sync::Arc, time::Duration};

use squall_proto::{Connack, Connect, Packet, Property, Qos, ReasonCode, Version};
use squall_reports::PacketLine;
use tokio::time::{Instant, sleep, timeout};

pub(crate) use self::client::Client;
use self::{log::Log, trail::Trail};
use crate::{
    Outcome, Stop, Target, Transport, packets,
    stop::{SetUp as _, check},
};

/// The target as one case sees it: connections, and names that no other case uses.
#[derive(Clone)]
pub struct Context {
    /// The version the case runs with.
    pub(crate) version: Version,
    /// How long what must come may take.
    pub(crate) patience: Duration,
    target: Arc<Target>,
    transport: Arc<dyn Transport>,
    unique: String,
    log: Log,
    trail: Trail,
}

/// What the topics of all cases begin with.
const TOPICS: &str = "squall/";

/// How long a case watches for what must not come.
pub(crate) const WINDOW: Duration = Duration::from_millis(300);

impl Context {
    /// `unique`: at most twelve ASCII letters and digits that no other case and no other run has.
    pub(crate) fn new(
        version: Version,
        patience: Duration,
        target: Arc<Target>,
        transport: Arc<dyn Transport>,
        unique: String,
    ) -> Self {
        Self {
            version,
            patience,
            target,
            transport,
            unique,
            log: Log::start(),
            trail: Trail::default(),
        }
    }

    /// A Topic Name or Filter of this case: `below` is its last levels.
    pub(crate) fn topic(&self, below: &str) -> String {
        format!("{TOPICS}{}/{below}", self.unique)
    }

    /// A Client Identifier of this case that every server must accept: `name` has at most nine letters and digits.
    pub(crate) fn client_id(&self, name: &str) -> String {
        format!("sq{}{name}", self.unique)
    }

    /// The first or the second, by the version the case runs with.
    pub(crate) fn by_version<T>(&self, v3_1_1: T, v5: T) -> T {
        match self.version {
            Version::V3_1_1 => v3_1_1,
            Version::V5 => v5,
        }
    }

    /// What the target said about itself when the suite began.
    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    /// Opens a connection and sends nothing.
    pub(crate) async fn open(&self, name: &str) -> Outcome<Client> {
        let opened = timeout(self.patience, self.transport.connect()).await;
        match opened {
            Ok(Ok(duplex)) => Ok(Client::new(self, name, duplex)),
            Ok(Err(error)) => Err(Stop::Inconclusive(format!("no connection: {error}"))),
            Err(_) => Err(Stop::Inconclusive("no connection: it took too long".into())),
        }
    }

    /// A connected client with Clean Start.
    pub(crate) async fn connect(&self, name: &str) -> Outcome<Client> {
        Ok(self.connect_with(name, |_| ()).await?.0)
    }

    /// A connected client without Clean Start, whose session outlives its connections by ten minutes.
    pub(crate) async fn resume(&self, name: &str) -> Outcome<(Client, Connack)> {
        self.connect_with(name, |connect| self.make_persistent(connect))
            .await
    }

    /// Lets a CONNECT ask for a session that outlives its connections by ten minutes, and for the one there is.
    pub(crate) fn make_persistent(&self, connect: &mut Connect) {
        connect.clean_start = false;
        if self.version == Version::V5 {
            connect.properties.push(Property::SessionExpiryInterval(600));
        }
    }

    /// A connected client whose CONNECT `change` has had a look at.
    pub(crate) async fn connect_with(
        &self,
        name: &str,
        change: impl FnOnce(&mut Connect),
    ) -> Outcome<(Client, Connack)> {
        let connect = self.connect_packet(name, change);
        let asked = connect.properties.session_expiry_interval();
        let (client, connack) = self.available(name, &connect).await?;
        check(connack.reason_code == ReasonCode::Success, "CONNACK 0x00", || {
            log::describe(&Packet::Connack(connack.clone()))
        })
        .set_up()?;
        match connack.properties.session_expiry_interval() {
            Some(granted) if asked.is_some_and(|asked| granted < asked) => Err(Stop::Unsupported(format!(
                "its CONNACK says Session Expiry Interval {granted}"
            ))),
            Some(_) | None => Ok((client, connack)),
        }
    }

    /// Sends CONNECT, again and again for as long as the target says that it is not available just now: some do where a session is
    /// taken over at that moment.
    pub(crate) async fn available(&self, name: &str, connect: &Connect) -> Outcome<(Client, Connack)> {
        let deadline = Instant::now() + self.patience;
        loop {
            let mut client = self.open(name).await?;
            client.send(Packet::Connect(Box::new(connect.clone()))).await;
            let connack = client.expect_connack().await.set_up()?;
            let is_available = !matches!(
                connack.reason_code,
                ReasonCode::ServerUnavailable | ReasonCode::ServerBusy
            );
            if is_available || Instant::now() >= deadline {
                return Ok((client, connack));
            }
            sleep(WINDOW).await;
        }
    }

    /// A client that is subscribed to `filter` and granted `qos`, and another one.
    pub(crate) async fn pair(&self, filter: &str, qos: Qos) -> Outcome<(Client, Client)> {
        let mut subscriber = self.connect("sub").await?;
        subscriber.subscribe(filter, qos).await?;
        Ok((subscriber, self.connect("pub").await?))
    }

    /// Sends a CONNECT written by hand, which the target must refuse. Returns the bytes it answered with.
    pub(crate) async fn refused(&self, connect: &str, because: &str) -> Outcome<Vec<u8>> {
        let mut client = self.open("client").await?;
        client.send_hex(connect).await;
        let answer = client.expect_bytes_and_close(because).await?;
        check(!accepts(&answer), "no CONNACK 0x00", || ::hex::encode(&answer))?;
        Ok(answer)
    }

    /// Sends a CONNECT written by hand, which the target must not accept, but may take for something else.
    pub(crate) async fn not_accepted(&self, connect: &str) -> Outcome {
        let mut client = self.open("client").await?;
        client.send_hex(connect).await;
        let (answer, closed) = client.bytes_until_close().await;
        check(!accepts(&answer), "no CONNACK 0x00", || ::hex::encode(&answer))?;
        if closed {
            Ok(())
        } else {
            Err(Stop::Choice("goes on by another specification".into()))
        }
    }

    /// A CONNECT of this case.
    pub(crate) fn connect_packet(&self, name: &str, change: impl FnOnce(&mut Connect)) -> Connect {
        let mut connect = packets::connect(self.version, &self.client_id(name));
        change(&mut connect);
        connect
    }

    /// What went over the wires, oldest first.
    pub(crate) fn lines(&self) -> Vec<PacketLine> {
        self.log.lines()
    }

    /// Takes away what the case left at the target: retained messages and sessions. What cannot be taken away stays.
    pub(crate) async fn clean_up(&self) {
        let _ = timeout(self.patience, trail::clean_up(self)).await;
    }
}

/// Whether these bytes begin with a CONNACK of success.
fn accepts(answer: &[u8]) -> bool {
    let connack = answer.strip_prefix(&[0x20]).unwrap_or_default();
    let length_len = connack.iter().take_while(|byte| **byte >= 0x80).count() + 1;
    // The acknowledge flags, then the code.
    connack.get(length_len + 1) == Some(&0)
}
