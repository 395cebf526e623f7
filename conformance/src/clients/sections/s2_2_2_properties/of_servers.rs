//! The packets of a server that have room for properties, and what a client must have done for one of them to come.

use squall_proto::{Packet, PacketId};

use crate::{
    Outcome,
    clients::{
        Stage,
        driver::Command,
        reaction::subscribed,
        sections::s3_03_publish::id_of,
        stage::{Server, connect},
    },
    packets::{self, Also as _},
    place::{PUBACK, PUBCOMP, PUBREC, PUBREL, Place, about},
    stop::SetUp as _,
};

/// A packet of a server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    Connack,
    /// To a client that named an Authentication Method.
    ConnackOfMethod,
    /// At QoS 0.
    Publish,
    /// To a client that takes Topic Aliases.
    PublishWithAliases,
    Puback,
    Pubrec,
    Pubrel,
    Pubcomp,
    Suback,
    Unsuback,
    Disconnect,
    Auth,
}

impl Sent {
    /// Where its properties stand.
    pub(super) const fn place(self) -> &'static Place {
        match self {
            Self::Connack | Self::ConnackOfMethod => &CONNACK,
            Self::Publish | Self::PublishWithAliases => &PUBLISH,
            Self::Puback => &PUBACK,
            Self::Pubrec => &PUBREC,
            Self::Pubrel => &PUBREL,
            Self::Pubcomp => &PUBCOMP,
            Self::Suback => &SUBACK,
            Self::Unsuback => &UNSUBACK,
            Self::Disconnect => &DISCONNECT,
            Self::Auth => &AUTH,
        }
    }

    /// Sends these bytes of the packet to a client that it can come to, about the Packet Identifier that it must be about.
    pub(super) async fn send(self, t: &mut Stage, bytes: Vec<u8>) -> Outcome<Server> {
        let (mut server, id) = self.awaited(t).await?;
        let bytes = match id {
            Some(id) => about(bytes, id),
            None => bytes,
        };
        server.send_bytes(&bytes).await;
        Ok(server)
    }

    async fn awaited(self, t: &mut Stage) -> Outcome<(Server, Option<PacketId>)> {
        match self {
            Self::Connack => Ok((t.asked_to_connect(&connect()).await?.0, None)),
            Self::ConnackOfMethod | Self::Auth => Ok((t.asked_to_connect(&authenticating()).await?.0, None)),
            Self::Publish => Ok((subscribed(t, &connect(), &[]).await?, None)),
            Self::PublishWithAliases => {
                let takes_aliases = connect().with("topic_alias_maximum", 10);
                Ok((subscribed(t, &takes_aliases, &[]).await?, None))
            }
            Self::Puback => published(t, 1).await,
            Self::Pubrec => published(t, 2).await,
            Self::Pubrel => received(t).await,
            Self::Pubcomp => released(t).await,
            Self::Suback => subscribing(t).await,
            Self::Unsuback => unsubscribing(t).await,
            Self::Disconnect => Ok((t.connected().await?, None)),
        }
    }
}

/// By the Authentication Method that the properties of [`Place`] name.
fn authenticating() -> Command {
    connect()
        .with("authentication_method", "m")
        .with("authentication_data", "d")
}

async fn published(t: &mut Stage, qos: u8) -> Outcome<(Server, Option<PacketId>)> {
    let mut server = t.connected().await?;
    t.driver.tell(&Command::publish("t", qos, "x")).await?;
    let id = id_of(&server.expect_publish("t").await.set_up()?)?;
    Ok((server, Some(id)))
}

async fn received(t: &mut Stage) -> Outcome<(Server, Option<PacketId>)> {
    const ID: PacketId = PacketId::MIN;
    let mut server = subscribed(t, &connect(), &[]).await?;
    let publish = packets::publish("t", "x").qos2(ID.value());
    server.send(Packet::Publish(publish)).await;
    server.expect_pubrec(ID.value()).await.set_up()?;
    Ok((server, Some(ID)))
}

async fn released(t: &mut Stage) -> Outcome<(Server, Option<PacketId>)> {
    let mut server = t.connected().await?;
    t.driver.tell(&Command::publish("t", 2, "x")).await?;
    let publish = server.expect_publish("t").await.set_up()?;
    server.receive(&publish).await.set_up()?;
    Ok((server, Some(id_of(&publish)?)))
}

async fn subscribing(t: &mut Stage) -> Outcome<(Server, Option<PacketId>)> {
    let mut server = t.connected().await?;
    t.driver.tell(&Command::subscribe("t", 0)).await?;
    let id = server.expect_subscribe().await.set_up()?.packet_id;
    Ok((server, Some(id)))
}

async fn unsubscribing(t: &mut Stage) -> Outcome<(Server, Option<PacketId>)> {
    let mut server = subscribed(t, &connect(), &[]).await?;
    t.driver.tell(&Command::unsubscribe("#")).await?;
    let id = server.expect_unsubscribe().await.set_up()?.packet_id;
    Ok((server, Some(id)))
}

const CONNACK: Place = Place::new(
    "CONNACK",
    0x20,
    ["00 00 # no Session Present, Success", ""],
    &[
        0x11, 0x12, 0x13, 0x15, 0x16, 0x1a, 0x1c, 0x1f, 0x21, 0x22, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a,
    ],
);

// Nothing says that the first two stand once; each subscription has its identifier.
const PUBLISH: Place = Place::new(
    "PUBLISH",
    0x30,
    ["00 01 74 # t", ""],
    &[0x01, 0x02, 0x03, 0x08, 0x09, 0x0b, 0x23, 0x26],
)
.often(&[0x01, 0x02, 0x0b, 0x26]);

const SUBACK: Place = Place::new(
    "SUBACK",
    0x90,
    ["00 01 # the Packet Identifier", "00 # granted QoS 0"],
    &[0x1f, 0x26],
);

const UNSUBACK: Place = Place::new(
    "UNSUBACK",
    0xb0,
    ["00 01 # the Packet Identifier", "00 # Success"],
    &[0x1f, 0x26],
);

const DISCONNECT: Place = Place::new(
    "DISCONNECT",
    0xe0,
    ["8b # Server shutting down", ""],
    &[0x11, 0x1c, 0x1f, 0x26],
);

const AUTH: Place = Place::new(
    "AUTH",
    0xf0,
    ["18 # Continue authentication", ""],
    &[0x15, 0x16, 0x1f, 0x26],
);
