//! What a client does about a server that breaks the standard.

use squall_proto::{Packet, Property, Qos};

use super::{
    driver::Command,
    stage::{Server, Stage, connect},
};
use crate::{
    Outcome, Stop,
    packets::{self, Also as _},
    stop::SetUp as _,
};

/// Sends this by the version of the case to a client that is connected and subscribed, which must close the connection.
pub(crate) async fn closes_after(t: &mut Stage, v3: &str, v5: &str) -> Outcome {
    let mut server = subscribed(t, &connect(), &[]).await?;
    server.send_hex(t.by_version(v3, v5)).await;
    closes(&mut server).await
}

/// Sends this, of 5.0, to a client that is connected and subscribed, which may close the connection or go on: which it does is recorded.
pub(crate) async fn closes_after_or_not(t: &mut Stage, v5: &str) -> Outcome {
    let mut server = subscribed(t, &connect(), &[]).await?;
    server.send_hex(v5).await;
    if goes_on(&mut server).await {
        return Err(Stop::Choice("tolerated".into()));
    }
    server.expect_closed("or the next PUBLISH acknowledged").await?;
    Err(Stop::Choice("closed".into()))
}

/// A client that is connected by this command and subscribed to everything at QoS 2.
pub(crate) async fn subscribed(t: &mut Stage, connect: &Command, properties: &[Property]) -> Outcome<Server> {
    let mut server = t.connected_by(connect, properties).await?;
    t.driver
        .tell(&Command::subscribe("#", Qos::ExactlyOnce.value()))
        .await?;
    let subscribe = server.expect_subscribe().await.set_up()?;
    server.grant(&subscribe).await;
    Ok(server)
}

/// The client must close the connection for what it was sent.
pub(crate) async fn closes(server: &mut Server) -> Outcome {
    closes_because(server, "because of it").await
}

/// The client must close the connection, and `because` says why.
pub(crate) async fn closes_because(server: &mut Server, because: &str) -> Outcome {
    if goes_on(server).await {
        return Err(Stop::broken(
            format!("the connection is closed {because}"),
            "the client goes on, and acknowledges the next PUBLISH",
        ));
    }
    server.expect_closed(because).await.map(drop)
}

/// Whether the client acknowledges what comes next, so that nobody waits for the end of a connection that goes on.
async fn goes_on(server: &mut Server) -> bool {
    const NEXT: u16 = 4242;
    server
        .send(Packet::Publish(packets::publish("next", "x").qos1(NEXT)))
        .await;
    server.expect_puback(NEXT).await.is_ok()
}
