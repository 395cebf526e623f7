//! The codec and the topics: what decode, round_trip and topic_match do with one input.

use std::collections::BTreeSet;

use bytes::BytesMut;
use squall_proto::{
    DecodeError, Decoder, Packet, SubscriptionTree, TopicFilter, TopicName, Version, encode, encoded_len,
};

/// The first byte chooses the decoder and the pieces, the rest is what a peer sent: decoded at once and in pieces it is the
/// same packets, and then the same error or none.
pub(crate) fn decode(input: &[u8]) {
    let Some((choice, stream)) = input.split_first() else {
        return;
    };
    let at_once = decode_pieces(decoder(*choice), [stream]);
    let piece = usize::from(choice >> 2) + 1;
    assert_eq!(decode_pieces(decoder(*choice), stream.chunks(piece)), at_once);
}

/// As [`decode`], and each packet encodes to bytes that decode to it again. A shorter form of the same packet may come out,
/// and from then on it stays.
pub(crate) fn round_trip(input: &[u8]) {
    let Some((choice, stream)) = input.split_first() else {
        return;
    };
    let mut decoder = decoder(*choice);
    let mut stream = BytesMut::from(stream);
    while let Ok(Some(packet)) = decoder.decode(&mut stream) {
        let version = decoder
            .version()
            .expect("a packet was decoded, so the version is known");
        let mut bytes = BytesMut::new();
        encode(version, (&packet).into(), &mut bytes);
        assert_eq!(encoded_len(version, (&packet).into()), bytes.len());
        let mut again = Decoder::with_version(version, u32::MAX);
        assert_eq!(again.decode(&mut bytes).as_ref(), Ok(&Some(packet)));
        assert!(bytes.is_empty());
    }
}

/// The first line is a Topic Name and the others are Topic Filters: the tree finds exactly those that match.
pub(crate) fn topic_match(input: &[u8]) {
    let mut lines = std::str::from_utf8(input).unwrap_or_default().split('\n');
    let Ok(topic) = TopicName::new(lines.next().unwrap_or_default()) else {
        return;
    };
    let filters: Vec<_> = (0..)
        .zip(lines.filter_map(|line| TopicFilter::new(line).ok()))
        .collect();
    let mut tree = SubscriptionTree::new(0);
    for (subscriber, filter) in &filters {
        tree.insert(filter.levels(), *subscriber, ());
    }
    let mut found = BTreeSet::new();
    tree.for_each_match(&topic, |subscriber, ()| {
        assert!(found.insert(subscriber), "found twice")
    });
    let matching = filters.iter().filter(|(_, filter)| filter.matches(&topic));
    assert_eq!(found, matching.map(|(subscriber, _)| *subscriber).collect());

    for (subscriber, filter) in &filters {
        assert_eq!(tree.remove(filter.levels(), *subscriber), Some(()));
    }
    assert!(tree.is_empty());
}

/// Before a CONNECT, of either version, or one that takes small packets alone.
fn decoder(choice: u8) -> Decoder {
    match choice & 3 {
        0 => Decoder::new(1 << 20),
        1 => Decoder::with_version(Version::V3_1_1, 1 << 20),
        2 => Decoder::with_version(Version::V5, 1 << 20),
        _ => Decoder::with_version(Version::V5, 32),
    }
}

fn decode_pieces<'a>(
    mut decoder: Decoder,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Packet>, Option<DecodeError>) {
    let (mut packets, mut input) = (Vec::new(), BytesMut::new());
    for piece in pieces {
        input.extend_from_slice(piece);
        loop {
            match decoder.decode(&mut input) {
                Ok(Some(packet)) => packets.push(packet),
                Ok(None) => break,
                Err(error) => return (packets, Some(error)),
            }
        }
    }
    (packets, None)
}
