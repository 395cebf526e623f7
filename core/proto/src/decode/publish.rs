use super::reader::Reader;
use crate::{DecodeError, Delivery, Publish, Qos, Version, property::Place};

impl Reader {
    pub(super) fn publish(&mut self, version: Version, flags: u8) -> Result<Publish, DecodeError> {
        let topic = self.topic_name_if_any()?;
        // [MQTT-2.2.1-2] [v3 MQTT-2.3.1-5]
        let delivery = match Qos::from_value(flags >> 1 & 3).ok_or(DecodeError::QosThree)? {
            Qos::AtMostOnce => Delivery::AtMostOnce,
            Qos::AtLeastOnce => Delivery::AtLeastOnce(self.packet_id()?),
            Qos::ExactlyOnce => Delivery::ExactlyOnce(self.packet_id()?),
        };
        let properties = self.properties(version, Place::Publish)?;
        // [MQTT-4.7.3-1] [v3 MQTT-4.7.3-1] [X5-3.3.2.1-1]
        if topic.is_none() && properties.topic_alias().is_none() {
            return Err(DecodeError::NoTopic);
        }
        Ok(Publish {
            dup: flags & 8 != 0,
            retain: flags & 1 != 0,
            delivery,
            topic,
            payload: self.take_rest(),
            properties,
        })
    }
}
