//! What a case about a client sees.

use std::{any::Any, time::Duration};

use squall_proto::{Connack, Connect, Packet, Properties, Property, ReasonCode, Version};
use tokio::{sync::mpsc, time::timeout};

use super::{
    Launched,
    driver::{Command, Driver},
};
pub(crate) use crate::context::Client as Server;
use crate::{
    Duplex, Outcome, Stop,
    context::{WINDOW, log::Log, log::describe, websocket::WebSocket},
    stop::SetUp as _,
};

/// A client under test as one case sees it: the driver that tells it what to do, and the connections it makes.
pub struct Stage {
    /// The version the case runs with.
    pub(crate) version: Version,
    /// How long what must come may take.
    pub(crate) patience: Duration,
    pub(crate) driver: Driver,
    connections: mpsc::UnboundedReceiver<Duplex>,
    /// How many clients the driver was told to connect.
    connects: u32,
    log: Log,
    _keep: Box<dyn Any + Send>,
}

impl Stage {
    pub(super) async fn new(
        launched: Launched,
        version: Version,
        patience: Duration,
        log: Log,
    ) -> Outcome<Self> {
        Ok(Self {
            version,
            patience,
            driver: Driver::begin(launched.lines, patience, log.clone()).await?,
            connections: launched.connections,
            connects: 0,
            log,
            _keep: launched.keep,
        })
    }

    /// The first or the second, by the version the case runs with.
    pub(crate) fn by_version<T>(&self, v3_1_1: T, v5: T) -> T {
        match self.version {
            Version::V3_1_1 => v3_1_1,
            Version::V5 => v5,
        }
    }

    /// The command that connects with a session that outlives its connections by ten minutes.
    pub(crate) fn connect_to_session(&self) -> Command {
        let connect = connect().with("clean_start", 0);
        match self.version {
            Version::V3_1_1 => connect,
            Version::V5 => connect.with("session_expiry", 600),
        }
    }

    /// Connects with Clean Start.
    pub(crate) async fn connected(&mut self) -> Outcome<Server> {
        self.connected_by(&connect(), &[]).await
    }

    /// Connects with a session that outlives its connections.
    pub(crate) async fn connected_to_session(&mut self) -> Outcome<Server> {
        self.connected_by(&self.connect_to_session(), &[]).await
    }

    /// Connects by this command; CONNACK has these properties.
    pub(crate) async fn connected_by(
        &mut self,
        connect: &Command,
        properties: &[Property],
    ) -> Outcome<Server> {
        let (mut server, _) = self.asked_to_connect(connect).await?;
        server.send(connack(false, properties)).await;
        self.driver.expect_connected().await.set_up()?;
        Ok(server)
    }

    /// Gives this command and takes the CONNECT that comes of it, without an answer. Each client of a case has a name of its own: one that
    /// came before may come back once more before its driver has ended it.
    pub(crate) async fn asked_to_connect(&mut self, connect: &Command) -> Outcome<(Server, Connect)> {
        self.connects += 1;
        let name = format!("squall{}", self.connects);
        self.driver
            .tell(&connect.clone().with("client_id", &name))
            .await?;
        loop {
            let (server, connect) = self.accept_connect().await?;
            let came_before = (1..self.connects).any(|nth| *connect.client_id == *format!("squall{nth}"));
            if !came_before {
                return Ok((server, connect));
            }
        }
    }

    /// The client must come back after its connection was lost, and is told whether its session is still there.
    pub(crate) async fn back(&mut self, session_present: bool) -> Outcome<(Server, Connect)> {
        let (mut server, connect) = self.back_unanswered().await?;
        server.send(connack(session_present, &[])).await;
        Ok((server, connect))
    }

    /// The client must come back after its connection was lost; its CONNECT has no answer yet.
    pub(crate) async fn back_unanswered(&mut self) -> Outcome<(Server, Connect)> {
        self.driver.tell(&Command::new("reconnect")).await?;
        self.accept_connect().await
    }

    /// The next connection of the client.
    pub(crate) async fn accept(&mut self) -> Outcome<Server> {
        match timeout(self.patience, self.connections.recv()).await {
            Ok(Some(duplex)) => Ok(Server::serving(
                self.version,
                self.patience,
                self.log.clone(),
                duplex,
            )),
            Ok(None) | Err(_) => Err(Stop::Inconclusive("the client made no connection".into())),
        }
    }

    /// Has the client connect over WebSocket; the head of its request is there, and no answer yet.
    pub(crate) async fn asked_for_websocket(&mut self) -> Outcome<(WebSocket, String)> {
        self.driver.tell(&connect().with("websocket", "/mqtt")).await?;
        WebSocket::asked_for(self.accept().await?).await
    }

    /// A WebSocket of the client, with the subprotocol `mqtt`.
    pub(crate) async fn websocket(&mut self) -> Outcome<WebSocket> {
        let (mut websocket, request) = self.asked_for_websocket().await?;
        websocket.accept(&request, Some("mqtt")).await;
        Ok(websocket)
    }

    async fn accept_connect(&mut self) -> Outcome<(Server, Connect)> {
        let mut server = self.accept().await?;
        let first = server.expect_packet("CONNECT").await.set_up()?;
        let got = describe(&first);
        if let Packet::Connect(connect) = first
            && connect.version == self.version
        {
            return Ok((server, *connect));
        }
        let why = format!("set-up: expected CONNECT of {}, got {got}", self.version);
        Err(Stop::Inconclusive(why))
    }

    /// Asks for something that must not reach the wire: the client refuses it, does nothing, or ends the connection. `wrong` says what on the
    /// wire would be the breach.
    pub(crate) async fn must_not_send(
        &mut self,
        server: &mut Server,
        command: &Command,
        expected: &str,
        wrong: impl Fn(&Packet) -> bool,
    ) -> Outcome {
        let refused = self.driver.ask(command).await?.is_err();
        let window = if refused { WINDOW } else { WINDOW * 2 };
        server.expect_none_before_the_end(window, expected, wrong).await
    }
}

/// The command that connects with Clean Start and a Keep Alive of a minute.
pub(crate) fn connect() -> Command {
    Command::new("connect")
        .with("client_id", "squall1")
        .with("clean_start", 1)
        .with("keep_alive", 60)
}

/// CONNACK of success.
pub(crate) fn connack(session_present: bool, properties: &[Property]) -> Packet {
    Packet::Connack(Connack {
        session_present,
        reason_code: ReasonCode::Success,
        properties: properties.iter().cloned().collect::<Properties>(),
    })
}
