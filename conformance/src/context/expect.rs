//! What must come, and what must not.

use std::time::Duration;

use squall_proto::{
    Ack, Auth, Connack, Connect, Disconnect, Packet, PacketId, Publish, Qos, Suback, Subscribe, Unsuback,
    Unsubscribe,
};
use tokio::time::Instant;

use super::{
    Client, WINDOW, accepts,
    client::{End, Next},
    log::describe,
};
use crate::{Outcome, Stop};

/// The packet of this type, copied.
macro_rules! match_packet {
    ($packet:expr, $variant:ident) => {
        if let Packet::$variant(inner) = $packet {
            Some(inner.clone())
        } else {
            None
        }
    };
}

/// Packets that are told of one by one; of more, the last alone.
const TOLD: usize = 8;

/// What packets say, in words.
fn told(packets: &[Packet]) -> String {
    let (first, rest) = packets.split_at(packets.len().min(TOLD));
    let mut words: Vec<String> = first.iter().map(describe).collect();
    if let [between @ .., last] = rest {
        if !between.is_empty() {
            words.push(format!("{} more", between.len()));
        }
        words.push(describe(last));
    }
    words.join(", ")
}

impl Client {
    /// Waits for the first packet that `pick` takes; what it does not take is kept for later. `expected` says what is right.
    pub(crate) async fn expect<T>(
        &mut self,
        expected: &str,
        mut pick: impl FnMut(&Packet) -> Option<T>,
    ) -> Outcome<T> {
        let kept = self.inbox.iter().position(|packet| pick(packet).is_some());
        if let Some(picked) = kept
            .and_then(|place| self.inbox.remove(place))
            .and_then(|packet| pick(&packet))
        {
            return Ok(picked);
        }
        let mut instead = Vec::new();
        let deadline = Instant::now() + self.patience;
        loop {
            match self.next(deadline).await {
                Next::Packet(packet) => {
                    if let Some(picked) = pick(&packet) {
                        return Ok(picked);
                    }
                    instead.push(describe(&packet));
                    self.inbox.push_back(packet);
                }
                Next::End(end) => {
                    instead.push(self.end_of(&end));
                    return Err(Stop::broken(expected, instead.join(", then ")));
                }
                Next::Nothing => {
                    instead.push(format!("nothing in {:?}", self.patience));
                    return Err(Stop::broken(expected, instead.join(", then ")));
                }
            }
        }
    }

    /// The next packet, whatever it is.
    pub(crate) async fn expect_packet(&mut self, expected: &str) -> Outcome<Packet> {
        self.expect(expected, |packet| Some(packet.clone())).await
    }

    /// CONNECT.
    pub(crate) async fn expect_connect(&mut self) -> Outcome<Box<Connect>> {
        self.expect("CONNECT", |packet| match_packet!(packet, Connect))
            .await
    }

    /// SUBSCRIBE.
    pub(crate) async fn expect_subscribe(&mut self) -> Outcome<Subscribe> {
        self.expect("SUBSCRIBE", |packet| match_packet!(packet, Subscribe))
            .await
    }

    /// UNSUBSCRIBE.
    pub(crate) async fn expect_unsubscribe(&mut self) -> Outcome<Unsubscribe> {
        self.expect("UNSUBSCRIBE", |packet| match_packet!(packet, Unsubscribe))
            .await
    }

    /// AUTH.
    pub(crate) async fn expect_auth(&mut self) -> Outcome<Auth> {
        self.expect("AUTH", |packet| match_packet!(packet, Auth)).await
    }

    /// DISCONNECT.
    pub(crate) async fn expect_disconnect(&mut self) -> Outcome<Disconnect> {
        self.expect("DISCONNECT", |packet| match_packet!(packet, Disconnect))
            .await
    }

    /// The next PUBLISH with this payload, whatever it is about.
    pub(crate) async fn expect_payload(&mut self, payload: &str) -> Outcome<Publish> {
        self.expect(&format!("PUBLISH of {payload:?}"), |packet| {
            match_packet!(packet, Publish).filter(|publish| publish.payload == payload)
        })
        .await
    }

    /// CONNACK.
    pub(crate) async fn expect_connack(&mut self) -> Outcome<Connack> {
        self.expect("CONNACK", |packet| match_packet!(packet, Connack))
            .await
    }

    /// PUBACK of this Packet Identifier.
    pub(crate) async fn expect_puback(&mut self, id: u16) -> Outcome<Ack> {
        self.expect(&format!("PUBACK id {id}"), |packet| {
            of(match_packet!(packet, Puback), id)
        })
        .await
    }

    /// PUBREC of this Packet Identifier.
    pub(crate) async fn expect_pubrec(&mut self, id: u16) -> Outcome<Ack> {
        self.expect(&format!("PUBREC id {id}"), |packet| {
            of(match_packet!(packet, Pubrec), id)
        })
        .await
    }

    /// PUBREL of this Packet Identifier.
    pub(crate) async fn expect_pubrel(&mut self, id: PacketId) -> Outcome<Ack> {
        let id = id.value();
        self.expect(&format!("PUBREL id {id}"), |packet| {
            of(match_packet!(packet, Pubrel), id)
        })
        .await
    }

    /// PUBREL of any Packet Identifier.
    pub(crate) async fn expect_any_pubrel(&mut self) -> Outcome<Ack> {
        self.expect("PUBREL", |packet| match_packet!(packet, Pubrel))
            .await
    }

    /// What answers a PUBLISH of this QoS, of any Packet Identifier: PUBACK, or PUBREC.
    pub(crate) async fn expect_acknowledgement(&mut self, qos: Qos) -> Outcome<Ack> {
        match qos {
            Qos::AtMostOnce | Qos::AtLeastOnce => {
                self.expect("PUBACK", |packet| match_packet!(packet, Puback))
                    .await
            }
            Qos::ExactlyOnce => {
                self.expect("PUBREC", |packet| match_packet!(packet, Pubrec))
                    .await
            }
        }
    }

    /// PUBCOMP of this Packet Identifier.
    pub(crate) async fn expect_pubcomp(&mut self, id: u16) -> Outcome<Ack> {
        self.expect(&format!("PUBCOMP id {id}"), |packet| {
            of(match_packet!(packet, Pubcomp), id)
        })
        .await
    }

    /// SUBACK of this Packet Identifier.
    pub(crate) async fn expect_suback(&mut self, id: u16) -> Outcome<Suback> {
        let suback =
            |packet: &Packet| match_packet!(packet, Suback).filter(|suback| suback.packet_id.value() == id);
        self.expect(&format!("SUBACK id {id}"), suback).await
    }

    /// UNSUBACK of this Packet Identifier.
    pub(crate) async fn expect_unsuback(&mut self, id: u16) -> Outcome<Unsuback> {
        let unsuback = |packet: &Packet| {
            match_packet!(packet, Unsuback).filter(|unsuback| unsuback.packet_id.value() == id)
        };
        self.expect(&format!("UNSUBACK id {id}"), unsuback).await
    }

    /// PINGRESP.
    pub(crate) async fn expect_pingresp(&mut self) -> Outcome {
        self.expect("PINGRESP", |packet| (*packet == Packet::Pingresp).then_some(()))
            .await
    }

    /// The next PUBLISH to this topic, whichever way it comes.
    pub(crate) async fn expect_publish(&mut self, topic: &str) -> Outcome<Publish> {
        self.expect(&format!("PUBLISH to {topic:?}"), |packet| {
            published(packet, topic)
        })
        .await
    }

    /// Nothing that `pick` takes may come for a short while; what else comes is kept.
    pub(crate) async fn expect_none(&mut self, expected: &str, pick: impl Fn(&Packet) -> bool) -> Outcome {
        self.expect_none_within(WINDOW, expected, pick).await
    }

    /// As [`expect_none`](Self::expect_none), for as long as given.
    pub(crate) async fn expect_none_within(
        &mut self,
        window: Duration,
        expected: &str,
        pick: impl Fn(&Packet) -> bool,
    ) -> Outcome {
        let deadline = Instant::now() + window;
        let mut kept = self.inbox.iter();
        if let Some(packet) = kept.find(|packet| pick(packet)) {
            return Err(Stop::broken(expected, describe(packet)));
        }
        loop {
            match self.next(deadline).await {
                Next::Packet(packet) if pick(&packet) => {
                    let got = describe(&packet);
                    self.inbox.push_back(packet);
                    return Err(Stop::broken(expected, got));
                }
                Next::Packet(packet) => self.inbox.push_back(packet),
                Next::End(End::Malformed(why)) => {
                    return Err(Stop::broken(expected, format!("malformed packet: {why}")));
                }
                Next::End(End::Closed) => {
                    return Err(Stop::broken(expected, format!("{} was closed", self.name)));
                }
                Next::Nothing => return Ok(()),
            }
        }
    }

    /// As [`expect_none_within`](Self::expect_none_within), and the target may close the connection.
    pub(crate) async fn expect_none_before_the_end(
        &mut self,
        window: Duration,
        expected: &str,
        pick: impl Fn(&Packet) -> bool,
    ) -> Outcome {
        let outcome = self.expect_none_within(window, expected, &pick).await;
        match self.has_closed() && self.inbox.iter().all(|packet| !pick(packet)) {
            true => Ok(()),
            false => outcome,
        }
    }

    /// No PUBLISH to this topic may come for a short while.
    pub(crate) async fn expect_no_publish(&mut self, topic: &str) -> Outcome {
        self.expect_none(&format!("no PUBLISH to {topic:?}"), |packet| {
            published(packet, topic).is_some()
        })
        .await
    }

    /// The target must close the connection, and may say what it likes before that. Returns what it said.
    pub(crate) async fn expect_closed(&mut self, because: &str) -> Outcome<Vec<Packet>> {
        self.expect_closed_within(self.patience, because).await
    }

    /// As [`expect_closed`](Self::expect_closed), with a deadline of its own.
    pub(crate) async fn expect_closed_within(
        &mut self,
        patience: Duration,
        because: &str,
    ) -> Outcome<Vec<Packet>> {
        let deadline = Instant::now() + patience;
        let mut said: Vec<_> = self.inbox.drain(..).collect();
        loop {
            let instead = match self.next(deadline).await {
                Next::Packet(packet) => {
                    said.push(packet);
                    continue;
                }
                Next::End(End::Closed) => return Ok(said),
                Next::End(End::Malformed(why)) => format!("malformed packet: {why}"),
                Next::Nothing => format!("it was still open after {patience:?}"),
            };
            let got = [told(&said), instead].join(", ");
            return Err(Stop::broken(
                format!("the connection is closed {because}"),
                got.trim_start_matches(", "),
            ));
        }
    }

    /// Ends a case about something wrong: the target must close the connection, and whether it says why in a DISCONNECT is recorded.
    pub(crate) async fn says_why_or_not(&mut self, because: &str) -> Outcome {
        let said = self.expect_closed(because).await?;
        let mut disconnects = said.iter().filter_map(|packet| match_packet!(packet, Disconnect));
        let choice = disconnects.next().map_or_else(
            || "closed without a word".into(),
            |disconnect| format!("DISCONNECT 0x{:02X}, then closed", disconnect.reason_code.value()),
        );
        Err(Stop::Choice(choice))
    }

    /// Whether the target closes the connection because of what was sent, where it may or may not: one that goes on answers a PINGREQ.
    pub(crate) async fn closes(&mut self) -> bool {
        self.send(Packet::Pingreq).await;
        let deadline = Instant::now() + self.patience;
        loop {
            match self.next(deadline).await {
                Next::Packet(Packet::Pingresp) => return false,
                Next::Packet(packet) => self.inbox.push_back(packet),
                Next::End(_) => return true,
                Next::Nothing => return self.has_ended(),
            }
        }
    }

    /// Ends a case about something wrong for which the standard names no answer: whether the target closes the connection is recorded.
    pub(crate) async fn closed_or_not(&mut self) -> Outcome {
        let closed = self.closes().await;
        Err(Stop::Choice(if closed { "closed" } else { "tolerated" }.into()))
    }

    /// The bytes the target answers with, whatever they are, and whether it closes the connection after them.
    pub(crate) async fn bytes_until_close(&mut self) -> (Vec<u8>, bool) {
        let bytes = self.next_bytes(Instant::now() + self.patience).await;
        (bytes.to_vec(), self.has_ended())
    }

    /// Whether the target answers a CONNECT written by hand with a CONNACK of success.
    pub(crate) async fn is_accepted(&mut self) -> bool {
        let bytes = self.next_bytes(Instant::now() + WINDOW).await;
        accepts(&bytes)
    }

    /// The bytes the target answers with before it closes the connection, whatever they are.
    pub(crate) async fn expect_bytes_and_close(&mut self, because: &str) -> Outcome<Vec<u8>> {
        let (bytes, closed) = self.bytes_until_close().await;
        if closed {
            return Ok(bytes);
        }
        Err(Stop::broken(
            format!("the connection is closed {because}"),
            format!(
                "{}, and it was still open after {:?}",
                ::hex::encode(&bytes),
                self.patience
            ),
        ))
    }

    fn end_of(&self, end: &End) -> String {
        match end {
            End::Closed => format!("the connection of {:?} was closed", self.name),
            End::Malformed(why) => format!("malformed packet: {why}"),
        }
    }
}

fn of(ack: Option<Ack>, id: u16) -> Option<Ack> {
    ack.filter(|ack| ack.packet_id.value() == id)
}

/// The PUBLISH that this packet is, if it goes to this topic.
pub(crate) fn published(packet: &Packet, topic: &str) -> Option<Publish> {
    match_packet!(packet, Publish).filter(|publish| {
        publish
            .topic
            .as_ref()
            .is_some_and(|name| name.text().as_str() == topic)
    })
}
