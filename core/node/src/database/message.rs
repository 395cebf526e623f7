use bytes::{Bytes, BytesMut};
use squall_proto::{
    Decoder, Delivery, Packet, PacketId, PacketRef, Properties, Publish, PublishRef, Qos, TopicName, Version,
    encode,
};

/// A message as the PUBLISH of 5.0 that says all of it, without a copy of what it says.
pub(crate) fn publish_bytes(
    topic: &TopicName,
    payload: &Bytes,
    qos: Qos,
    retain: bool,
    properties: &Properties,
) -> BytesMut {
    let delivery = match qos {
        Qos::AtMostOnce => Delivery::AtMostOnce,
        Qos::AtLeastOnce => Delivery::AtLeastOnce(PacketId::MIN),
        Qos::ExactlyOnce => Delivery::ExactlyOnce(PacketId::MIN),
    };
    let publish = PublishRef {
        dup: false,
        retain,
        delivery,
        topic: Some(topic),
        topic_alias: None,
        message_expiry_interval: None,
        properties,
        subscription_identifiers: &[],
        payload,
    };
    let mut bytes = BytesMut::new();
    encode(Version::V5, PacketRef::Publish(publish), &mut bytes);
    bytes
}

/// What [`publish_bytes`] has written; `None` where the bytes are something else.
pub(crate) fn publish(bytes: &[u8]) -> Option<(TopicName, Publish)> {
    let decoded = Decoder::with_version(Version::V5, u32::MAX).decode(&mut BytesMut::from(bytes));
    let Ok(Some(Packet::Publish(mut publish))) = decoded else {
        return None;
    };
    Some((publish.topic.take()?, publish))
}
