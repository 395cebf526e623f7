//! What must hold of the codec for any packet and for any bytes.

#![expect(
    clippy::unwrap_used,
    reason = "a test that is wrong about a packet should stop there"
)]

use bytes::{Bytes, BytesMut};
use proptest::{collection::vec, prelude::*, sample::Index};
use squall_proto::{
    DecodeError, Decoder, Delivery, Packet, PacketRef, Properties, Property, Publish, PublishRef,
    SubscriptionId, TopicAlias, TopicName, Version, encode, encode_without_payload, encoded_len,
};

#[path = "codec/fields.rs"]
mod fields;
#[path = "codec/strategies.rs"]
mod strategies;
#[path = "codec/tables.rs"]
mod tables;

/// Bytes of the largest packet taken where the size is not what is tested.
const PACKET_SIZE_MAX: u32 = 1 << 28;

fn encoded(version: Version, packet: PacketRef<'_>) -> BytesMut {
    let mut bytes = BytesMut::new();
    encode(version, packet, &mut bytes);
    bytes
}

/// Every whole packet at the front of `input`, which the decoder takes off it.
fn decode_all(decoder: &mut Decoder, input: &mut BytesMut) -> Result<Vec<Packet>, DecodeError> {
    let mut packets = Vec::new();
    while let Some(packet) = decoder.decode(input)? {
        packets.push(packet);
    }
    Ok(packets)
}

proptest! {
    #[test]
    fn what_was_encoded_decodes_to_the_same_packet((version, packets) in strategies::packets(1)) {
        let packet = packets.first().unwrap();
        let mut bytes = encoded(version, packet.into());
        prop_assert_eq!(encoded_len(version, packet.into()), bytes.len());
        let mut decoder = Decoder::with_version(version, PACKET_SIZE_MAX);
        prop_assert_eq!(decoder.packet_len(&bytes), Ok(Some(bytes.len())));
        let decoded = decoder.decode(&mut bytes);
        prop_assert_eq!(decoded.as_ref(), Ok(&Some(packet.clone())));
        prop_assert!(bytes.is_empty());
    }

    #[test]
    fn any_split_of_the_bytes_gives_the_same_packets(
        (version, packets) in strategies::packets(4),
        cuts in vec(any::<Index>(), 0..12),
        byte_by_byte in prop::bool::weighted(0.1),
    ) {
        let mut all = BytesMut::new();
        packets.iter().for_each(|packet| encode(version, packet.into(), &mut all));
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(all.len() + 1)).collect();
        if byte_by_byte && all.len() < 1000 {
            cuts = (0..all.len()).collect();
        }
        cuts.sort_unstable();
        let mut decoder = match packets.first() {
            Some(Packet::Connect(_)) => Decoder::new(PACKET_SIZE_MAX),
            _ => Decoder::with_version(version, PACKET_SIZE_MAX),
        };
        let (mut received, mut input, mut from) = (Vec::new(), BytesMut::new(), 0);
        for to in cuts.into_iter().chain([all.len()]) {
            input.extend_from_slice(all.get(from..to).unwrap());
            received.extend(decode_all(&mut decoder, &mut input).unwrap());
            from = to;
        }
        prop_assert_eq!(received, packets);
        prop_assert!(input.is_empty());
    }

    #[test]
    fn a_packet_that_is_not_whole_is_left_as_it_is((version, packets) in strategies::packets(1), cut in any::<Index>()) {
        let mut bytes = encoded(version, packets.first().unwrap().into());
        bytes.truncate(cut.index(bytes.len()));
        let before = bytes.clone();
        let mut decoder = Decoder::with_version(version, PACKET_SIZE_MAX);
        prop_assert_eq!(decoder.decode(&mut bytes), Ok(None));
        prop_assert_eq!(bytes, before);
    }

    #[test]
    fn a_packet_of_the_largest_size_is_taken_and_one_a_byte_larger_refused_by_its_fixed_header(
        (version, packets) in strategies::packets(1),
    ) {
        let packet = packets.first().unwrap();
        let bytes = encoded(version, packet.into());
        let size = u32::try_from(bytes.len()).unwrap();
        let mut decoder = Decoder::with_version(version, size);
        let decoded = decoder.decode(&mut bytes.clone());
        prop_assert_eq!(decoded.as_ref(), Ok(&Some(packet.clone())));

        let mut decoder = Decoder::with_version(version, size - 1);
        let too_large = DecodeError::PacketTooLarge { size, size_max: size - 1 };
        let remaining_length = bytes.iter().skip(1).take_while(|byte| **byte >= 0x80).count() + 1;
        let mut fixed_header = BytesMut::from(bytes.get(..1 + remaining_length).unwrap());
        prop_assert_eq!(decoder.packet_len(&fixed_header), Err(too_large));
        prop_assert_eq!(decoder.decode(&mut fixed_header), Err(too_large));
    }

    #[test]
    fn bytes_at_random_are_packets_or_an_error(bytes in vec(any::<u8>(), 0..300), version in strategies::version()) {
        stays_calm(Decoder::with_version(version, PACKET_SIZE_MAX), version, &bytes);
        stays_calm(Decoder::new(PACKET_SIZE_MAX), version, &bytes);
    }

    #[test]
    fn packets_with_changed_bytes_are_packets_or_an_error(
        (version, packets) in strategies::packets(3),
        changes in vec((any::<Index>(), any::<u8>()), 1..5),
    ) {
        let mut bytes = BytesMut::new();
        packets.iter().for_each(|packet| encode(version, packet.into(), &mut bytes));
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            *bytes.get_mut(at).unwrap() = byte;
        }
        stays_calm(Decoder::with_version(version, PACKET_SIZE_MAX), version, &bytes);
    }

    #[test]
    fn a_publish_of_shared_parts_encodes_as_the_packet_does(version in strategies::version(), parts in parts()) {
        let packet = Packet::Publish(parts.packet(version));
        let whole = encoded(version, (&packet).into());
        let shared = PacketRef::Publish(parts.publish());
        prop_assert_eq!(encoded_len(version, shared), whole.len());
        prop_assert_eq!(&encoded(version, shared), &whole);

        let mut without_payload = BytesMut::new();
        let payload = encode_without_payload(version, shared, &mut without_payload).unwrap();
        prop_assert_eq!([without_payload.as_ref(), payload.as_ref()].concat(), whole);
    }

    #[test]
    fn a_packet_of_5_0_can_be_said_in_3_1_1(packet in strategies::packet(Version::V5)) {
        let has_no_word = matches!(packet, Packet::Auth(_) | Packet::Connect(_) | Packet::Publish(Publish { topic: None, .. }));
        if !has_no_word {
            let mut bytes = encoded(Version::V3_1_1, (&packet).into());
            prop_assert_eq!(encoded_len(Version::V3_1_1, (&packet).into()), bytes.len());
            let decoded = Decoder::with_version(Version::V3_1_1, PACKET_SIZE_MAX).decode(&mut bytes);
            prop_assert_eq!(decoded.unwrap().unwrap().packet_type(), packet.packet_type());
        }
    }
}

/// Decodes until there is nothing more or an error. What is taken encodes, and decodes again to the same. No two encodings of a
/// packet are of one length: whoever wants to know whether a packet was encoded as we would need only count.
#[track_caller]
fn stays_calm(mut decoder: Decoder, version: Version, bytes: &[u8]) {
    let mut input = BytesMut::from(bytes);
    let mut left = bytes;
    while let Ok(Some(packet)) = decoder.decode(&mut input) {
        let version = decoder.version().unwrap_or(version);
        let mut again = encoded(version, (&packet).into());
        let (taken, rest) = left.split_at(left.len() - input.len());
        left = rest;
        assert!(taken.len() != again.len() || taken == again, "{taken:02x?}");
        let decoded = Decoder::with_version(version, PACKET_SIZE_MAX).decode(&mut again);
        assert_eq!(decoded, Ok(Some(packet)));
    }
}

/// What a PUBLISH to a subscriber is put together from.
#[derive(Clone, Debug)]
struct Parts {
    dup: bool,
    retain: bool,
    delivery: Delivery,
    topic: Option<TopicName>,
    topic_alias: Option<TopicAlias>,
    message_expiry_interval: Option<u32>,
    properties: Properties,
    subscription_identifiers: Vec<SubscriptionId>,
    payload: Bytes,
}

impl Parts {
    fn publish(&self) -> PublishRef<'_> {
        PublishRef {
            dup: self.dup,
            retain: self.retain,
            delivery: self.delivery,
            topic: self.topic.as_ref(),
            topic_alias: self.topic_alias,
            message_expiry_interval: self.message_expiry_interval,
            properties: &self.properties,
            subscription_identifiers: &self.subscription_identifiers,
            payload: &self.payload,
        }
    }

    /// The same as one packet.
    fn packet(&self, version: Version) -> Publish {
        let ids = self.subscription_identifiers.iter();
        let properties = (self.topic_alias.map(Property::TopicAlias).into_iter())
            .chain(self.message_expiry_interval.map(Property::MessageExpiryInterval))
            .chain(self.properties.iter().cloned())
            .chain(ids.copied().map(Property::SubscriptionIdentifier));
        Publish {
            dup: self.dup,
            retain: self.retain,
            delivery: self.delivery,
            topic: self.topic.clone(),
            payload: self.payload.clone(),
            properties: properties.filter(|_| version == Version::V5).collect(),
        }
    }
}

fn parts() -> impl Strategy<Value = Parts> {
    let flags = (any::<bool>(), any::<bool>(), fields::delivery());
    let topic = (
        prop::option::of(fields::topic_name()),
        prop::option::of(fields::topic_alias()),
    );
    let properties = fields::properties(Version::V5, fields::MESSAGE);
    let ids = vec(fields::subscription_id(), 0..3);
    (
        flags,
        topic,
        prop::option::of(any::<u32>()),
        properties,
        ids,
        fields::payload(),
    )
        .prop_map(
            |((dup, retain, delivery), (topic, topic_alias), expiry, properties, ids, payload)| Parts {
                dup,
                retain,
                delivery,
                topic,
                topic_alias,
                message_expiry_interval: expiry,
                properties,
                subscription_identifiers: ids,
                payload,
            },
        )
}
