use super::sink::{Len, Sink};
use crate::{Properties, Property, PropertyId, Version};

/// The properties with their length; nothing in 3.1.1.
// [MQTT-2.2.2-1] A length of 0 is sent too.
pub(super) fn put_list(version: Version, properties: &Properties, sink: &mut impl Sink) {
    if version == Version::V5 {
        sink.variable_byte_integer(len(properties));
        put_all(properties, sink);
    }
}

/// The properties without their length.
pub(super) fn put_all(properties: &Properties, sink: &mut impl Sink) {
    properties.iter().for_each(|property| put(property, sink));
}

/// The bytes of the properties without their length.
pub(crate) fn len(properties: &Properties) -> usize {
    let mut len = Len(0);
    put_all(properties, &mut len);
    len.0
}

/// Every identifier fits in one byte.
pub(super) fn put_id(id: PropertyId, sink: &mut impl Sink) {
    sink.u8(id.value());
}

pub(super) fn put(property: &Property, sink: &mut impl Sink) {
    put_id(property.id(), sink);
    match property {
        Property::PayloadFormatIndicator(flag)
        | Property::RequestProblemInformation(flag)
        | Property::RequestResponseInformation(flag)
        | Property::MaximumQos(flag)
        | Property::RetainAvailable(flag)
        | Property::WildcardSubscriptionAvailable(flag)
        | Property::SubscriptionIdentifierAvailable(flag)
        | Property::SharedSubscriptionAvailable(flag) => sink.u8((*flag).into()),
        Property::MessageExpiryInterval(number)
        | Property::SessionExpiryInterval(number)
        | Property::WillDelayInterval(number) => sink.u32(*number),
        Property::MaximumPacketSize(number) => sink.u32(number.get()),
        Property::ServerKeepAlive(number) | Property::TopicAliasMaximum(number) => sink.u16(*number),
        Property::ReceiveMaximum(number) => sink.u16(number.get()),
        Property::TopicAlias(alias) => sink.u16(alias.value()),
        Property::SubscriptionIdentifier(id) => sink.variable_byte_integer(id.value() as usize),
        Property::ContentType(text)
        | Property::AssignedClientIdentifier(text)
        | Property::AuthenticationMethod(text)
        | Property::ResponseInformation(text)
        | Property::ServerReference(text)
        | Property::ReasonString(text) => sink.text(text),
        Property::ResponseTopic(topic) => sink.text(topic.text()),
        Property::CorrelationData(bytes) | Property::AuthenticationData(bytes) => sink.binary(bytes),
        Property::UserProperty(name, value) => {
            sink.text(name);
            sink.text(value);
        }
    }
}
