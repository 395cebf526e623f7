//! Our decoder against two that others wrote: on the corpus, on packets that the standard allows, and on packets with changed
//! bytes they say the same, or `differential/explained.rs` says why not, and who is right. What another codec makes of a packet is
//! read off the bytes it encodes it to again.

#![expect(
    clippy::unwrap_used,
    reason = "a test that is wrong about a packet should stop there"
)]

use std::collections::{BTreeMap, BTreeSet};

use bytes::BytesMut;
use proptest::{
    prelude::Rng as _,
    strategy::{Strategy as _, ValueTree as _},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use squall_proto::{Decoder, Packet, Properties, Property, Version, encode};

use crate::{
    codecs::{Codec, Said},
    explained::{EXPLAINED, Explained, Kind},
};

#[expect(dead_code, reason = "the cases are read for their bytes")]
#[path = "corpus/case.rs"]
mod case;
#[path = "differential/codecs.rs"]
mod codecs;
#[path = "differential/explained.rs"]
mod explained;
#[expect(dead_code, reason = "codec.rs uses the others")]
#[path = "codec/fields.rs"]
mod fields;
#[path = "codec/strategies.rs"]
mod strategies;

/// Generated packets, and as many with changed bytes.
const GENERATED: u32 = 3_000;

/// Where two codecs say different things.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Disagreement {
    codec: Codec,
    version: Version,
    packet_type: u8,
    kind: Kind<String>,
}

#[test]
fn every_disagreement_with_another_codec_is_explained_and_every_explanation_is_met() {
    let (mut met, mut unexplained) = (BTreeSet::new(), BTreeMap::new());
    for (version, bytes) in inputs() {
        for codec in Codec::ALL {
            let Some(disagreement) = compare(codec, version, &bytes) else {
                continue;
            };
            match EXPLAINED.iter().position(|row| row.covers(&disagreement)) {
                Some(row) => drop(met.insert((row, codec, version))),
                None => drop(unexplained.entry(disagreement).or_insert_with(|| bytes.clone())),
            }
        }
    }
    let list = unexplained
        .iter()
        .map(|(what, bytes)| format!("{what:?}: {bytes:02X?}"));
    let list: Vec<_> = list.collect();
    assert!(
        list.is_empty(),
        "{} not explained:\n{}",
        list.len(),
        list.join("\n")
    );
    let rows = EXPLAINED.iter().enumerate();
    let all = rows.flat_map(|(row, it)| {
        it.with
            .iter()
            .map(move |(codec, version)| (row, *codec, *version))
    });
    let unmet: Vec<_> = all
        .filter(|row| !met.contains(row))
        .map(|(row, codec, version)| (EXPLAINED.get(row), codec, version))
        .collect();
    assert!(unmet.is_empty(), "no input meets {unmet:#?}");
    for row in EXPLAINED {
        println!("{:?} right, {:?}: {}", row.right, row.kind, row.why);
    }
}

impl Explained {
    fn covers(&self, disagreement: &Disagreement) -> bool {
        let kind = match (&self.kind, &disagreement.kind) {
            (Kind::TheyTake(ours), Kind::TheyTake(error)) => ours == error,
            (Kind::TheyRefuse(theirs), Kind::TheyRefuse(error)) => theirs == error,
            (Kind::OtherFields, Kind::OtherFields) | (Kind::TheyBreak, Kind::TheyBreak) => true,
            (Kind::TheyTake(_) | Kind::TheyRefuse(_) | Kind::OtherFields | Kind::TheyBreak, _) => false,
        };
        let packet = self
            .packet
            .is_none_or(|packet| packet as u8 == disagreement.packet_type);
        kind && packet && self.with.contains(&(disagreement.codec, disagreement.version))
    }
}

/// The corpus, generated packets, and both with changed bytes; the same in every run.
fn inputs() -> Vec<(Version, Vec<u8>)> {
    let mut inputs = Vec::new();
    for case in case::all() {
        let versions = case
            .version
            .map_or_else(|| Version::ALL.to_vec(), |version| vec![version]);
        inputs.extend(versions.into_iter().map(|version| (version, case.bytes.clone())));
    }
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    for _ in 0..GENERATED {
        let (version, packets) = strategies::packets(1).new_tree(&mut runner).unwrap().current();
        let mut bytes = BytesMut::new();
        encode(version, packets.first().unwrap().into(), &mut bytes);
        inputs.push((version, bytes.to_vec()));
    }
    let changed: Vec<_> = inputs
        .iter()
        .map(|(version, bytes)| (*version, changed(bytes, &mut runner)))
        .collect();
    inputs.extend(changed);
    inputs
}

/// One to three bytes replaced by values at which something changes.
fn changed(bytes: &[u8], runner: &mut TestRunner) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let mut draw = |bound: u32| usize::try_from(runner.rng().next_u32() % bound).unwrap();
    for _ in 0..=draw(3) {
        if bytes.is_empty() {
            break;
        }
        let at = draw(u32::try_from(bytes.len()).unwrap());
        let byte = [0, 1, 2, 4, 8, 0x10, 0x7F, 0x80, 0xFF]
            .get(draw(9))
            .copied()
            .unwrap();
        *bytes.get_mut(at).unwrap() = byte;
    }
    bytes
}

/// What we say of the first packet, and what they do; `None` where it is the same.
fn compare(codec: Codec, version: Version, bytes: &[u8]) -> Option<Disagreement> {
    let ours = decode(version, bytes);
    if matches!(&ours, Ok(Some(Packet::Connect(connect))) if connect.version != version) {
        return None; // The other codecs have to be told.
    }
    let kind = match (ours, codec.read(version, bytes)) {
        (Ok(Some(ours)), Said::Packet(again)) => {
            let theirs = decode(version, &again).ok().flatten();
            if theirs.map(normal) == Some(normal(ours)) {
                return None;
            }
            Kind::OtherFields
        }
        (Err(error), Said::Packet(_)) => Kind::TheyTake(word(&error)),
        (Ok(Some(_)), Said::Refused(error)) => Kind::TheyRefuse(error),
        (Ok(Some(_)), Said::Incomplete) => Kind::TheyRefuse("Incomplete".to_owned()),
        (Ok(None), Said::Incomplete) | (Err(_), Said::Refused(_)) => return None,
        (Ok(None), Said::Packet(_)) => Kind::TheyTake("Incomplete".to_owned()),
        // Whether a packet that is not whole is refused already is a matter of when.
        (Ok(None), Said::Refused(_)) | (Err(_), Said::Incomplete) => return None,
        (_, Said::Broke) => Kind::TheyBreak,
    };
    let packet_type = bytes.first().copied().unwrap_or_default() >> 4;
    Some(Disagreement {
        codec,
        version,
        packet_type,
        kind,
    })
}

fn decode(version: Version, bytes: &[u8]) -> Result<Option<Packet>, squall_proto::DecodeError> {
    Decoder::with_version(version, u32::MAX).decode(&mut BytesMut::from(bytes))
}

fn word(error: &impl std::fmt::Debug) -> String {
    let text = format!("{error:?}");
    text.split(|c: char| !c.is_alphanumeric())
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// The order of properties means nothing, but among User Properties and among Subscription Identifiers.
fn normal(packet: Packet) -> Packet {
    let sorted = |properties: Properties| -> Properties {
        let mut list: Vec<Property> = properties.iter().cloned().collect();
        list.sort_by_key(|property| property.id() as u8);
        list.into_iter().collect()
    };
    match packet {
        Packet::Connect(mut connect) => {
            connect.properties = sorted(connect.properties);
            if let Some(will) = &mut connect.will {
                will.properties = sorted(std::mem::take(&mut will.properties));
            }
            Packet::Connect(connect)
        }
        Packet::Connack(mut it) => {
            it.properties = sorted(it.properties);
            Packet::Connack(it)
        }
        Packet::Publish(mut it) => {
            it.properties = sorted(it.properties);
            Packet::Publish(it)
        }
        Packet::Puback(mut it) => {
            it.properties = sorted(it.properties);
            Packet::Puback(it)
        }
        Packet::Pubrec(mut it) => {
            it.properties = sorted(it.properties);
            Packet::Pubrec(it)
        }
        Packet::Pubrel(mut it) => {
            it.properties = sorted(it.properties);
            Packet::Pubrel(it)
        }
        Packet::Pubcomp(mut it) => {
            it.properties = sorted(it.properties);
            Packet::Pubcomp(it)
        }
        Packet::Subscribe(mut it) => {
            it.properties = sorted(it.properties);
            Packet::Subscribe(it)
        }
        Packet::Suback(mut it) => {
            it.properties = sorted(it.properties);
            Packet::Suback(it)
        }
        Packet::Unsubscribe(mut it) => {
            it.properties = sorted(it.properties);
            Packet::Unsubscribe(it)
        }
        Packet::Unsuback(mut it) => {
            it.properties = sorted(it.properties);
            Packet::Unsuback(it)
        }
        Packet::Disconnect(mut it) => {
            it.properties = sorted(it.properties);
            Packet::Disconnect(it)
        }
        Packet::Auth(mut it) => {
            it.properties = sorted(it.properties);
            Packet::Auth(it)
        }
        Packet::Pingreq | Packet::Pingresp => packet,
    }
}
