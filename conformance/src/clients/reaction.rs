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

/// The client must close the connection for what it was sent. One that goes on acknowledges what comes next, so that nobody waits for it.
pub(crate) async fn closes(server: &mut Server) -> Outcome {
    const NEXT: u16 = 4242;
    server
        .send(Packet::Publish(packets::publish("next", "x").qos1(NEXT)))
        .await;
    let because = "the connection is closed";
    let goes_on = server.expect_puback(NEXT).await;
    match goes_on {
        Ok(_) => Err(Stop::broken(
            because,
            "the client goes on, and acknowledges the next PUBLISH",
        )),
        Err(_) => server.expect_closed("because of it").await.map(drop),
    }
}
