use core::time::Duration;

use super::{Message, Ticket};
use crate::{Delivery, Instant, Packet, PacketId, Property, Publish, Qos};

/// A message of the application's, from its queue to its last acknowledgement.
#[derive(Debug)]
pub(super) struct Pending {
    /// Rises with each message: the order in which they are first sent, and sent again. Never used twice.
    pub(super) order: u64,
    pub(super) ticket: Ticket,
    pub(super) message: Message,
    /// When it came.
    pub(super) since: Instant,
    /// How long it had waited before that, in an earlier process.
    pub(super) waited: Duration,
}

impl Pending {
    /// When its Message Expiry Interval is over; `None` without one.
    pub(super) fn expires(&self) -> Option<Instant> {
        let interval = self.message.properties.message_expiry_interval()?;
        Some(self.since + Duration::from_secs(interval.into()).saturating_sub(self.waited))
    }

    /// Bytes that it counts for in the queue.
    pub(super) fn size(&self) -> usize {
        size(&self.message)
    }

    /// Its PUBLISH; with DUP when it is sent again.
    // [MQTT-4.3.1-1] [MQTT-3.3.1-2] [v3 MQTT-4.3.1-1] [v3 MQTT-3.3.1-2]
    pub(super) fn packet(&self, now: Instant, packet_id: Option<PacketId>, dup: bool) -> Packet {
        let message = &self.message;
        let mut publish = Publish {
            dup,
            retain: message.retain,
            delivery: delivery(message.qos, packet_id),
            topic: Some(message.topic.clone()),
            payload: message.payload.clone(),
            properties: message.properties.clone(),
        };
        let waited = (self.waited + now.saturating_since(self.since)).as_secs();
        if waited > 0 && message.properties.message_expiry_interval().is_some() {
            publish.properties = publish
                .properties
                .iter()
                .map(|property| shortened(property, waited))
                .collect();
        }
        Packet::Publish(publish)
    }
}

/// Bytes of its Topic Name and payload.
pub(super) fn size(message: &Message) -> usize {
    message.topic.len() + message.payload.len()
}

fn delivery(qos: Qos, packet_id: Option<PacketId>) -> Delivery {
    match (qos, packet_id) {
        (Qos::AtLeastOnce, Some(packet_id)) => Delivery::AtLeastOnce(packet_id),
        (Qos::ExactlyOnce, Some(packet_id)) => Delivery::ExactlyOnce(packet_id),
        (Qos::AtMostOnce, _) | (_, None) => Delivery::AtMostOnce,
    }
}

/// A Message Expiry Interval loses the seconds that the message waited with us, as a server's would. One that is sent again past its time
/// keeps a second: it cannot be taken back, and the server lets it expire.
fn shortened(property: &Property, waited: u64) -> Property {
    if let Property::MessageExpiryInterval(seconds) = property {
        let left = u64::from(*seconds).saturating_sub(waited).max(1);
        Property::MessageExpiryInterval(u32::try_from(left).unwrap_or(*seconds))
    } else {
        property.clone()
    }
}
