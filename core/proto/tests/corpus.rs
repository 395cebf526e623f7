//! Packets written by hand, valid and malformed: what the decoder makes of each, and that encoding gives the same bytes.
//! A new case is a file in `corpus/<packet>/`; `INSTA_UPDATE=always cargo test -p squall-proto --test corpus` writes down
//! what it decodes to, and the change is read before it is kept.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot read its cases should stop there"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use bytes::BytesMut;
use squall_proto::{DecodeError, Decoder, Packet, PacketType, Version, encode, encoded_len};

use crate::case::Case;

#[path = "corpus/case.rs"]
mod case;

/// Bytes of the largest packet the decoder takes here.
const PACKET_SIZE_MAX: u32 = 1 << 20;

/// A CONNECT tells the version itself.
fn decoder(case: &Case) -> Decoder {
    match case.version {
        Some(version) if case.packet != "connect" => Decoder::with_version(version, PACKET_SIZE_MAX),
        Some(_) | None => Decoder::new(PACKET_SIZE_MAX),
    }
}

fn decode(case: &Case) -> Result<Option<Packet>, DecodeError> {
    decoder(case).decode(&mut BytesMut::from(case.bytes.as_slice()))
}

/// The packet; or the error with what it breaks and what the peer is told.
fn outcome(case: &Case) -> String {
    match decode(case) {
        Ok(Some(packet)) => format!("{packet:?}"),
        Ok(None) => "needs more bytes".to_owned(),
        Err(error) => {
            let statement = case.version.and_then(|version| error.statement(version));
            let statement = statement.map(|id| format!(" [{id}]")).unwrap_or_default();
            format!("{:#04X}{statement} {error}", error.reason_code().value())
        }
    }
}

#[test]
fn each_case_decodes_to_the_packet_or_the_error_written_down() {
    let mut outcomes = BTreeMap::<String, String>::new();
    for case in case::all() {
        let lines = outcomes.entry(case.packet.clone()).or_default();
        writeln!(lines, "{}: {}", case.name, outcome(&case)).unwrap();
    }
    for (packet, lines) in outcomes {
        insta::assert_snapshot!(packet, lines);
    }
}

#[test]
fn each_valid_packet_encodes_to_the_bytes_it_came_in() {
    for case in case::all() {
        let Ok(Some(packet)) = decode(&case) else {
            assert!(case.is_canonical, "{}: only a packet has another form", case.name);
            continue;
        };
        let version = case.version.unwrap();
        let mut encoded = BytesMut::new();
        encode(version, (&packet).into(), &mut encoded);
        assert_eq!(encoded_len(version, (&packet).into()), encoded.len());
        let same = encoded == case.bytes;
        assert_eq!(
            same, case.is_canonical,
            "{}/{}: {encoded:02X?}",
            case.packet, case.name
        );
    }
}

#[test]
fn a_connect_tells_the_version_it_is_filed_under() {
    for case in case::all() {
        let mut decoder = decoder(&case);
        if let Ok(Some(_)) = decoder.decode(&mut BytesMut::from(case.bytes.as_slice())) {
            assert_eq!(decoder.version(), case.version, "{}/{}", case.packet, case.name);
        }
    }
}

#[test]
fn each_packet_type_has_a_valid_case_in_each_version_that_has_it() {
    let valid: BTreeSet<_> = case::all()
        .iter()
        .filter_map(|case| Some((case.version?, decode(case).ok()??.packet_type())))
        .collect();
    for packet_type in PacketType::ALL {
        assert!(valid.contains(&(Version::V5, packet_type)), "{packet_type}");
        let is_known = packet_type != PacketType::Auth;
        assert_eq!(
            valid.contains(&(Version::V3_1_1, packet_type)),
            is_known,
            "{packet_type}"
        );
    }
}

#[test]
fn each_way_to_be_malformed_has_a_case() {
    let reached: BTreeSet<_> = case::all()
        .iter()
        .filter_map(|case| decode(case).err().map(variant))
        .collect();
    let missing: Vec<_> = VARIANTS.iter().filter(|name| !reached.contains(*name)).collect();
    assert!(missing.is_empty(), "no case of the corpus decodes to {missing:?}");
}

macro_rules! variants {
    ($($name:ident)*) => {
        /// Every variant of [`DecodeError`]; a new one does not compile until it stands here.
        const VARIANTS: &[&str] = &[$(stringify!($name)),*];

        fn variant(error: DecodeError) -> &'static str {
            match error {
                $(DecodeError::$name { .. } => stringify!($name),)*
            }
        }
    };
}

variants! {
    ReservedPacketType
    FirstPacketNotConnect
    FixedHeaderFlags
    QosThree
    DupAtMostOnce
    RemainingLengthTooLong
    RemainingLengthNotMinimal
    PacketTooLarge
    ProtocolName
    UnsupportedProtocolLevel
    Truncated
    TrailingBytes
    VariableByteIntegerTooLong
    VariableByteIntegerNotMinimal
    Text
    TopicName
    ResponseTopic
    TopicFilter
    ZeroPacketId
    ReasonCode
    UnknownProperty
    PropertyNotAllowed
    DuplicateProperty
    PropertyValue
    AuthenticationDataWithoutMethod
    AuthWithoutMethod
    ConnectReservedFlag
    WillQosThree
    WillQosWithoutWill
    WillRetainWithoutWill
    PasswordWithoutUserName
    ConnackReservedFlags
    SessionPresentOnRefusal
    NoTopic
    EmptySubscribe
    EmptyUnsubscribe
    EmptySuback
    EmptyUnsuback
    SubscriptionReservedBits
    SubscriptionQosThree
    RetainHandlingThree
    NoLocalOnShared
}
