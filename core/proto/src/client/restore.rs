use super::{
    Client, Misuse, Options, Saved, Ticket,
    pending::Pending,
    queue::Queue,
    record::SavedMessage,
    session::{Received, Release, Session, Stage},
};
use crate::Instant;

impl Client {
    /// A client that is offline and takes up, at the moment `now`, what the records of an earlier process come to: messages go on where
    /// they stood, with their Packet Identifiers, and end with [`Ticket::RESTORED`].
    // [MQTT-4.1.0-1] [MQTT-4.4.0-1] [v3 MQTT-4.1.0-1] [v3 MQTT-4.4.0-1]
    pub fn restore(options: Options, saved: Saved, now: Instant) -> Result<Self, Misuse> {
        let mut client = Self::new(options)?;
        if let Some(client_id) = saved.client_id {
            // A session belongs to its Client Identifier: [MQTT-3.1.3-2] [v3 MQTT-3.1.3-2].
            if !client.options.client_id.is_empty() && client.options.client_id != client_id {
                return Err(Misuse::OtherClientId);
            }
            client.session.restored(client_id, &client.options);
        }
        for packet_id in saved.received {
            client
                .session
                .received
                .insert(packet_id, Received::AwaitingPubrel);
        }
        for (order, message) in saved.messages {
            restore(&mut client.session, &mut client.queue, order, message, now);
        }
        Ok(client)
    }
}

fn restore(session: &mut Session, queue: &mut Queue, order: u64, saved: SavedMessage, now: Instant) {
    let ticket = Ticket::RESTORED;
    session.continue_after(order);
    match saved {
        SavedMessage::Unsent { message, waited } => {
            queue.push(Pending {
                order,
                ticket,
                message,
                since: now,
                waited,
            });
        }
        SavedMessage::Sent {
            packet_id,
            message,
            waited,
        } => {
            let pending = Pending {
                order,
                ticket,
                message,
                since: now,
                waited,
            };
            session.publishes.insert(packet_id, Stage::of(pending));
        }
        SavedMessage::Released {
            packet_id,
            reason_code,
            released,
        } => {
            session.continue_after(released);
            let release = Release {
                order,
                ticket,
                reason_code,
                released,
            };
            session.publishes.insert(packet_id, Stage::Release(release));
        }
    }
}
