use alloc::vec::Vec;

use super::reader::Reader;
use crate::{
    DecodeError, Qos, RetainHandling, Subscribe, SubscriptionOptions, TopicFilter, Unsubscribe, Version,
    property::Place,
};

impl Reader {
    pub(super) fn subscribe(&mut self, version: Version) -> Result<Subscribe, DecodeError> {
        let packet_id = self.packet_id()?;
        let properties = self.properties(version, Place::Subscribe)?;
        // [MQTT-3.8.3-2] [v3 MQTT-3.8.3-3] [X5-3.8.3-1]
        if self.is_empty() {
            return Err(DecodeError::EmptySubscribe);
        }
        let mut filters = Vec::new();
        while !self.is_empty() {
            filters.push(self.subscription(version)?);
        }
        Ok(Subscribe {
            packet_id,
            filters,
            properties,
        })
    }

    pub(super) fn unsubscribe(&mut self, version: Version) -> Result<Unsubscribe, DecodeError> {
        let packet_id = self.packet_id()?;
        let properties = self.properties(version, Place::Unsubscribe)?;
        // [MQTT-3.10.3-2] [v3 MQTT-3.10.3-2] [X5-3.10.3-1]
        if self.is_empty() {
            return Err(DecodeError::EmptyUnsubscribe);
        }
        let mut filters = Vec::new();
        while !self.is_empty() {
            filters.push(self.topic_filter(version)?);
        }
        Ok(Unsubscribe {
            packet_id,
            filters,
            properties,
        })
    }

    fn subscription(&mut self, version: Version) -> Result<(TopicFilter, SubscriptionOptions), DecodeError> {
        let filter = self.topic_filter(version)?;
        let position = self.position();
        let options = self.subscription_options(version)?;
        // [MQTT-3.8.3-4]
        if options.no_local && filter.share_name().is_some() {
            return Err(DecodeError::NoLocalOnShared(position));
        }
        Ok((filter, options))
    }

    fn subscription_options(&mut self, version: Version) -> Result<SubscriptionOptions, DecodeError> {
        let position = self.position();
        let options = self.u8()?;
        let reserved = match version {
            Version::V3_1_1 => 0b1111_1100,
            Version::V5 => 0b1100_0000,
        };
        // [MQTT-3.8.3-5] [v3 MQTT-3.8.3-4]
        if options & reserved != 0 {
            return Err(DecodeError::SubscriptionReservedBits(position, options));
        }
        Ok(SubscriptionOptions {
            // [X5-3.8.3.1-1]
            qos: Qos::from_value(options & 3).ok_or(DecodeError::SubscriptionQosThree(position))?,
            no_local: options & 4 != 0,
            retain_as_published: options & 8 != 0,
            // [X5-3.8.3.1-2]
            retain_handling: RetainHandling::from_value(options >> 4)
                .ok_or(DecodeError::RetainHandlingThree(position))?,
        })
    }
}
