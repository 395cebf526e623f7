//! What a case leaves behind at the target.

use std::{
    collections::BTreeSet,
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use squall_proto::{Connect, Disconnect, Packet, Publish, ReasonCode, Version};

use super::{Client, Context};
use crate::{Outcome, packets};

/// Shared by the clients of a case, which note what they leave.
#[derive(Clone, Debug, Default)]
pub(super) struct Trail(Arc<Mutex<Left>>);

#[derive(Debug, Default)]
struct Left {
    /// Topics that may hold a retained message.
    retained: BTreeSet<String>,
    /// Client Identifiers that may have a session.
    sessions: BTreeSet<String>,
}

impl Trail {
    /// To be told of every packet that is sent.
    pub(super) fn note(&self, packet: &Packet) {
        match packet {
            Packet::Connect(connect) => self.note_connect(connect),
            Packet::Publish(publish) => self.note_publish(publish),
            Packet::Connack(_)
            | Packet::Puback(_)
            | Packet::Pubrec(_)
            | Packet::Pubrel(_)
            | Packet::Pubcomp(_)
            | Packet::Subscribe(_)
            | Packet::Suback(_)
            | Packet::Unsubscribe(_)
            | Packet::Unsuback(_)
            | Packet::Pingreq
            | Packet::Pingresp
            | Packet::Disconnect(_)
            | Packet::Auth(_) => {}
        }
    }

    fn note_connect(&self, connect: &Connect) {
        let outlives = match connect.version {
            Version::V3_1_1 => !connect.clean_start,
            Version::V5 => connect.properties.session_expiry_interval().is_some(),
        };
        let will = connect.will.as_ref().filter(|will| will.retain);
        self.change(|left| {
            if outlives && !connect.client_id.is_empty() {
                left.sessions.insert(connect.client_id.as_str().to_owned());
            }
            left.retained
                .extend(will.map(|will| will.topic.text().as_str().to_owned()));
        });
    }

    fn note_publish(&self, publish: &Publish) {
        let topic = publish.topic.as_ref().filter(|_| publish.retain);
        self.change(|left| {
            left.retained
                .extend(topic.map(|topic| topic.text().as_str().to_owned()))
        });
    }

    fn change<T>(&self, change: impl FnOnce(&mut Left) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Takes away what was noted. The retained messages go last: the end of a session may publish a retained Will.
pub(super) async fn clean_up(context: &Context) -> Outcome {
    let left = context.trail.change(mem::take);
    for session in &left.sessions {
        let mut client = context.open("clean-up").await?;
        let connect = packets::connect(context.version, session);
        client.send(Packet::Connect(Box::new(connect))).await;
        client.expect_connack().await?;
        leave(client).await;
    }
    if !left.retained.is_empty() {
        let mut client = context.connect("clean").await?;
        for topic in &left.retained {
            client
                .send(Packet::Publish(packets::Also::retained(packets::publish(
                    topic, "",
                ))))
                .await;
        }
        client.ping().await?;
        leave(client).await;
    }
    Ok(())
}

async fn leave(mut client: Client) {
    client
        .send(Packet::Disconnect(Disconnect::of(ReasonCode::Success)))
        .await;
}
