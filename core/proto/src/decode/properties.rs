use core::num::{NonZeroU16, NonZeroU32};

use super::reader::Reader;
use crate::{
    DecodeError, Properties, Property, SubscriptionId, TopicAlias, Version,
    property::{Place, PropertyId},
};

impl Reader {
    /// The properties of a packet or a Will: none in 3.1.1.
    // [MQTT-2.2.2-1]
    pub(super) fn properties(&mut self, version: Version, place: Place) -> Result<Properties, DecodeError> {
        if version == Version::V3_1_1 {
            return Ok(Properties::new());
        }
        match self.variable_byte_integer()? {
            0 => Ok(Properties::new()),
            len => self.within(len as usize, |reader| reader.property_list(place)),
        }
    }

    fn property_list(&mut self, place: Place) -> Result<Properties, DecodeError> {
        let mut properties = Properties::new();
        let mut seen = 0_u64;
        while !self.is_empty() {
            let id = self.property_id(place, &mut seen)?;
            properties.push(self.property(id)?);
        }
        // [X5-3.1.2.11.10-1]
        if properties.authentication_data().is_some() && properties.authentication_method().is_none() {
            return Err(DecodeError::AuthenticationDataWithoutMethod(self.packet_type()));
        }
        Ok(properties)
    }

    /// An identifier that may stand in `place` beside those `seen`, a bit each.
    fn property_id(&mut self, place: Place, seen: &mut u64) -> Result<PropertyId, DecodeError> {
        let position = self.position();
        let value = self.variable_byte_integer()?;
        let id = PropertyId::from_value(value).ok_or(DecodeError::UnknownProperty(position, value))?;
        // [X5-2.2.2.2-1]
        if !id.allowed_in(place) {
            return Err(DecodeError::PropertyNotAllowed(position, id));
        }
        let bit = 1 << id.value();
        // [X5-3.6.2.2-1] [X5-3.7.2.2-1] [X5-3.8.2.1-1] [X5-3.9.2.1-1] [X5-3.11.2.1-1] [X5-3.14.2.2-1..3] [X5-3.15.2.2-1..3]
        // [X5-3.1.2.11-1..8] [X5-3.1.3.2-1..6] [X5-3.2.2.3-1..16] [X5-3.3.2.3-1..4] [X5-3.4.2.2-1] [X5-3.5.2.2-1]
        if *seen & bit != 0 && !id.may_repeat(place) {
            return Err(DecodeError::DuplicateProperty(position, id));
        }
        *seen |= bit;
        Ok(id)
    }

    fn property(&mut self, id: PropertyId) -> Result<Property, DecodeError> {
        let wrong = DecodeError::PropertyValue(self.position(), id);
        Ok(match id {
            PropertyId::PayloadFormatIndicator => Property::PayloadFormatIndicator(self.flag(wrong)?),
            PropertyId::MessageExpiryInterval => Property::MessageExpiryInterval(self.u32()?),
            // [MQTT-3.3.2-19]
            PropertyId::ContentType => Property::ContentType(self.text()?),
            PropertyId::ResponseTopic => Property::ResponseTopic(self.response_topic()?),
            PropertyId::CorrelationData => Property::CorrelationData(self.binary()?),
            // [X5-3.3.2.3.8-1]
            PropertyId::SubscriptionIdentifier => {
                let value = self.variable_byte_integer()?;
                Property::SubscriptionIdentifier(SubscriptionId::new(value).ok_or(wrong)?)
            }
            PropertyId::SessionExpiryInterval => Property::SessionExpiryInterval(self.u32()?),
            PropertyId::AssignedClientIdentifier => Property::AssignedClientIdentifier(self.text()?),
            PropertyId::ServerKeepAlive => Property::ServerKeepAlive(self.u16()?),
            PropertyId::AuthenticationMethod => Property::AuthenticationMethod(self.text()?),
            PropertyId::AuthenticationData => Property::AuthenticationData(self.binary()?),
            PropertyId::RequestProblemInformation => Property::RequestProblemInformation(self.flag(wrong)?),
            PropertyId::WillDelayInterval => Property::WillDelayInterval(self.u32()?),
            PropertyId::RequestResponseInformation => Property::RequestResponseInformation(self.flag(wrong)?),
            PropertyId::ResponseInformation => Property::ResponseInformation(self.text()?),
            PropertyId::ServerReference => Property::ServerReference(self.text()?),
            PropertyId::ReasonString => Property::ReasonString(self.text()?),
            // [X5-3.1.2.11.3-1]
            PropertyId::ReceiveMaximum => {
                Property::ReceiveMaximum(NonZeroU16::new(self.u16()?).ok_or(wrong)?)
            }
            PropertyId::TopicAliasMaximum => Property::TopicAliasMaximum(self.u16()?),
            // [MQTT-3.3.2-8] [X5-3.3.2.3.4-1]
            PropertyId::TopicAlias => Property::TopicAlias(TopicAlias::new(self.u16()?).ok_or(wrong)?),
            PropertyId::MaximumQos => Property::MaximumQos(self.flag(wrong)?),
            PropertyId::RetainAvailable => Property::RetainAvailable(self.flag(wrong)?),
            // [MQTT-1.5.7-1] [X5-1.5.7-1]
            PropertyId::UserProperty => Property::UserProperty(self.text()?, self.text()?),
            // [X5-3.1.2.11.4-1]
            PropertyId::MaximumPacketSize => {
                Property::MaximumPacketSize(NonZeroU32::new(self.u32()?).ok_or(wrong)?)
            }
            PropertyId::WildcardSubscriptionAvailable => {
                Property::WildcardSubscriptionAvailable(self.flag(wrong)?)
            }
            PropertyId::SubscriptionIdentifierAvailable => {
                Property::SubscriptionIdentifierAvailable(self.flag(wrong)?)
            }
            PropertyId::SharedSubscriptionAvailable => {
                Property::SharedSubscriptionAvailable(self.flag(wrong)?)
            }
        })
    }

    // [X5-3.2.2.3.13-1]
    // [X5-3.1.2.11.6-1] [X5-3.1.2.11.7-1] [X5-3.1.3.2.3-1] [X5-3.2.2.3.4-1] [X5-3.2.2.3.5-1] [X5-3.2.2.3.11-1] [X5-3.2.2.3.12-1]
    fn flag(&mut self, wrong: DecodeError) -> Result<bool, DecodeError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(wrong),
        }
    }
}
