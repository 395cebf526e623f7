//! What the broker's owner says of it, in messages of its own. They are retained, but on no record and against no limit: the owner says them again.

use alloc::sync::Arc;
use core::mem;

use bytes::Bytes;

use super::{Broker, Output, message::Message};
use crate::{Instant, Properties, Qos, TopicName};

impl Broker {
    /// Sends a message at QoS 0 to whom it matches, and keeps it for those who subscribe from now on, in the place of the one before.
    // [MQTT-3.3.1-5] [v3 MQTT-3.3.1-5]
    pub(super) fn announce(&mut self, now: Instant, topic: TopicName, payload: Bytes, out: &mut impl Output) {
        let message = Message::new(now, topic, payload, Qos::AtMostOnce, Properties::new()).into_kept();
        let mut matches = mem::take(&mut self.matches);
        self.find_matches(None, &message.topic, &mut matches);
        self.find_chosen(None, &message, &mut matches, out);
        self.route(now, &message, None, true, &mut matches, out);
        self.matches = matches;
        self.announced.insert(Arc::clone(&message));
    }
}
