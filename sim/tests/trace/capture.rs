//! A capture is read by others' code: every byte is there, in order, with checksums that are right.

use std::collections::BTreeMap;

use bytes::BytesMut;
use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use pcap_file::pcapng::{
    Block, PcapNgReader,
    blocks::{enhanced_packet::EnhancedPacketOption, name_resolution::Record, opt_common::CommonOption},
};
use squall_proto::Version;
use squall_sim::{
    run::{Arm, run},
    scenario::Scenario,
    trace::{Capture, Trace},
};

use crate::bytes::{CONNECT, told_by, trace_of};

struct Read {
    names: Vec<String>,
    comments: Vec<String>,
    segments: Vec<Segment>,
}

struct Segment {
    micros: u128,
    ports: (u16, u16),
    seq: u32,
    ack: u32,
    /// `S`, `F`, `R`, or nothing.
    flag: &'static str,
    payload: Vec<u8>,
}

fn captured(trace: &Trace) -> Vec<u8> {
    let mut capture = Capture::new(Vec::new()).unwrap();
    capture.add("by hand", Version::V5, 1, trace).unwrap();
    capture.finish().unwrap()
}

fn read(file: &[u8]) -> Read {
    let mut reader = PcapNgReader::new(file).unwrap();
    let mut read = Read {
        names: Vec::new(),
        comments: Vec::new(),
        segments: Vec::new(),
    };
    while let Some(block) = reader.next_block() {
        let block = block.unwrap().0;
        if let Block::NameResolution(names) = block {
            for record in names.records {
                if let Record::Ipv4(record) = record {
                    read.names
                        .extend(record.names.iter().map(|name| name.to_string()));
                }
            }
        } else if let Block::EnhancedPacket(packet) = block {
            for option in &packet.options {
                if let EnhancedPacketOption::Common(CommonOption::Comment(comment)) = option {
                    read.comments.push(comment.to_string());
                }
            }
            read.segments
                .push(segment(packet.timestamp.as_micros(), &packet.data));
        }
    }
    read
}

fn segment(micros: u128, data: &[u8]) -> Segment {
    let packet = SlicedPacket::from_ethernet(data).unwrap();
    let (Some(NetSlice::Ipv4(ip)), Some(TransportSlice::Tcp(tcp))) = (packet.net, packet.transport) else {
        panic!("only TCP over IPv4")
    };
    assert_eq!(
        ip.header().to_header().calc_header_checksum(),
        ip.header().header_checksum()
    );
    let checksum = tcp
        .to_header()
        .calc_checksum_ipv4(&ip.header().to_header(), tcp.payload());
    assert_eq!(checksum.unwrap(), tcp.checksum());
    let flag = match (tcp.syn(), tcp.fin(), tcp.rst()) {
        (true, ..) => "S",
        (_, true, _) => "F",
        (.., true) => "R",
        _ => "",
    };
    Segment {
        micros,
        ports: (tcp.source_port(), tcp.destination_port()),
        seq: tcp.sequence_number(),
        ack: tcp.acknowledgment_number(),
        flag,
        payload: tcp.payload().to_vec(),
    }
}

/// What each direction carries; every byte stands where its sequence number says, and nothing is acknowledged that was not sent.
fn streams(segments: &[Segment]) -> BTreeMap<(u16, u16), BytesMut> {
    let mut next: BTreeMap<(u16, u16), u32> = BTreeMap::new();
    let mut streams: BTreeMap<(u16, u16), BytesMut> = BTreeMap::new();
    for segment in segments {
        let expected = next.entry(segment.ports).or_insert(segment.seq);
        assert_eq!(segment.seq, *expected, "{:?}", segment.ports);
        let taken = u32::try_from(segment.payload.len()).unwrap();
        *expected += taken + u32::from(matches!(segment.flag, "S" | "F"));
        streams
            .entry(segment.ports)
            .or_default()
            .extend_from_slice(&segment.payload);
        let (from, to) = segment.ports;
        assert!(segment.ack <= next.get(&(to, from)).copied().unwrap_or_default());
    }
    streams
}

#[test]
fn every_byte_is_there_however_it_left() {
    let pieces: &[&[u8]] = &[
        &CONNECT[..1],
        &CONNECT[1..],
        b"\x30\x06\x00\x01t",
        b"\x00hi\xc0\x00\xff\x01",
        b"more",
    ];
    let trace = trace_of(pieces);
    let read = read(&captured(&trace));
    let streams = streams(&read.segments);
    let sent = streams.iter().find(|((_, to), _)| *to == 1883).unwrap().1;
    assert_eq!(*sent, told_by(&trace, Version::V5));
    assert!(sent.starts_with(&pieces[..4].concat()), "{sent:?}");
    assert_eq!(read.names, ["broker", "suite"]);
    assert!(
        read.comments
            .iter()
            .any(|comment| comment.contains("what is no packet")),
        "{:?}",
        read.comments
    );
    let flags: String = read.segments.iter().map(|segment| segment.flag).collect();
    assert!(flags.starts_with("SS") && flags.len() > 2, "{flags}");
    assert!(read.segments.is_sorted_by_key(|segment| segment.micros));
}

const CUT: &str = r#"
name: a cut
why: to be seen
clients:
  pub: { session: persistent }
steps:
  - at: 1s
    publish: { from: pub, topic: "t", qos: 2, size: 4000 }
  - cut: { when: { packet: PUBREL, from: pub, nth: 1 }, side: before, mode: rst }
"#;

#[test]
fn what_a_cut_destroys_is_there_and_said_to_be_lost() {
    let scenario = Scenario::parse("cut", CUT).unwrap();
    let run = run(&scenario, Version::V5, 1, Arm::Faults);
    let read = read(&captured(&run.trace));
    for comment in ["never arrives", "made up by the network: a cut"] {
        assert!(
            read.comments.iter().any(|said| said == comment),
            "{:?}",
            read.comments
        );
    }
    assert!(
        read.comments.iter().any(|said| said.contains("fault: cut")),
        "{:?}",
        read.comments
    );
    let lost: &[u8] = b"\x62\x02\x00\x01";
    let sent = read.segments.iter().filter(|segment| segment.payload == lost);
    assert_eq!(sent.count(), 2, "PUBREL, and PUBREL again on the next connection");
    assert!(read.segments.iter().all(|segment| segment.payload.len() <= 1460));
}
