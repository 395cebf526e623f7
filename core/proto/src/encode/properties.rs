use bytes::{BufMut, BytesMut};

use super::{len::variable_byte_integer_len, put_binary, put_text, put_variable_byte_integer};
use crate::{Properties, Property, Version, property::PropertyId};

/// The properties with their length; nothing in 3.1.1.
// [MQTT-2.2.2-1] A length of 0 is sent too.
pub(super) fn put_all(version: Version, properties: &Properties, buffer: &mut BytesMut) {
    if version == Version::V3_1_1 {
        return;
    }
    put_variable_byte_integer(properties.iter().map(len).sum(), buffer);
    properties.iter().for_each(|property| put(property, buffer));
}

/// Every identifier fits in one byte.
pub(super) fn put_id(id: PropertyId, buffer: &mut BytesMut) {
    put_variable_byte_integer(id.value() as usize, buffer);
}

pub(super) fn put(property: &Property, buffer: &mut BytesMut) {
    put_id(property.id(), buffer);
    match property {
        Property::PayloadFormatIndicator(flag)
        | Property::RequestProblemInformation(flag)
        | Property::RequestResponseInformation(flag)
        | Property::MaximumQos(flag)
        | Property::RetainAvailable(flag)
        | Property::WildcardSubscriptionAvailable(flag)
        | Property::SubscriptionIdentifierAvailable(flag)
        | Property::SharedSubscriptionAvailable(flag) => buffer.put_u8((*flag).into()),
        Property::MessageExpiryInterval(number)
        | Property::SessionExpiryInterval(number)
        | Property::WillDelayInterval(number) => buffer.put_u32(*number),
        Property::MaximumPacketSize(number) => buffer.put_u32(number.get()),
        Property::ServerKeepAlive(number) | Property::TopicAliasMaximum(number) => buffer.put_u16(*number),
        Property::ReceiveMaximum(number) => buffer.put_u16(number.get()),
        Property::TopicAlias(alias) => buffer.put_u16(alias.value()),
        Property::SubscriptionIdentifier(id) => put_variable_byte_integer(id.value() as usize, buffer),
        Property::ContentType(text)
        | Property::AssignedClientIdentifier(text)
        | Property::AuthenticationMethod(text)
        | Property::ResponseInformation(text)
        | Property::ServerReference(text)
        | Property::ReasonString(text) => put_text(text, buffer),
        Property::ResponseTopic(topic) => put_text(topic.text(), buffer),
        Property::CorrelationData(bytes) | Property::AuthenticationData(bytes) => put_binary(bytes, buffer),
        Property::UserProperty(name, value) => {
            put_text(name, buffer);
            put_text(value, buffer);
        }
    }
}

/// How many bytes [`put`] appends.
pub(super) fn len(property: &Property) -> usize {
    1 + match property {
        Property::PayloadFormatIndicator(_)
        | Property::RequestProblemInformation(_)
        | Property::RequestResponseInformation(_)
        | Property::MaximumQos(_)
        | Property::RetainAvailable(_)
        | Property::WildcardSubscriptionAvailable(_)
        | Property::SubscriptionIdentifierAvailable(_)
        | Property::SharedSubscriptionAvailable(_) => 1,
        Property::MessageExpiryInterval(_)
        | Property::SessionExpiryInterval(_)
        | Property::WillDelayInterval(_)
        | Property::MaximumPacketSize(_) => 4,
        Property::ServerKeepAlive(_)
        | Property::TopicAliasMaximum(_)
        | Property::ReceiveMaximum(_)
        | Property::TopicAlias(_) => 2,
        Property::SubscriptionIdentifier(id) => variable_byte_integer_len(id.value() as usize),
        Property::ContentType(text)
        | Property::AssignedClientIdentifier(text)
        | Property::AuthenticationMethod(text)
        | Property::ResponseInformation(text)
        | Property::ServerReference(text)
        | Property::ReasonString(text) => 2 + text.len(),
        Property::ResponseTopic(topic) => 2 + topic.len(),
        Property::CorrelationData(bytes) | Property::AuthenticationData(bytes) => {
            2 + bytes.len().min(usize::from(u16::MAX))
        }
        Property::UserProperty(name, value) => 2 + name.len() + 2 + value.len(),
    }
}
