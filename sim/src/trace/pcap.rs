//! Traces as a capture file that Wireshark and tshark open: pcapng, with the MQTT of every connection in TCP of our making.
//!
//! The trace knows packets, bytes and ends, not segments. So a capture is made as if it had been taken at both hosts: what a side
//! sends has the time when it left, its acknowledgement the time when it arrived. What was lost on the way stands there without
//! one. MQTT inside TLS or WebSocket is shown without them, on port 1883 like all else.
//!
//! In reading order: [`Capture`] (the file), `conversations` (from events to segments), `half` (one direction of a connection),
//! `frame` (from a segment to bytes).

mod conversations;
mod frame;
mod half;

use std::{
    borrow::Cow,
    io::{self, Write},
    net::Ipv4Addr,
};

use pcap_file::{
    DataLink,
    pcapng::{
        Block, PcapNgBlock, PcapNgWriteError, PcapNgWriter,
        blocks::{
            enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption},
            interface_description::{InterfaceDescriptionBlock, InterfaceDescriptionOption},
            name_resolution::{Ipv4Record, NameResolutionBlock, Record},
            opt_common::CommonOption,
            section_header::{SectionHeaderBlock, SectionHeaderOption},
        },
    },
};
use squall_proto::Version;

use self::{conversations::conversations, frame::Frame};
use super::Trace;

/// A capture file that is being written. Each run is an interface of it, and its hosts have addresses of their own.
pub struct Capture<W: Write> {
    file: PcapNgWriter<W>,
    runs: u32,
    /// The last address that was given away.
    address: u32,
}

/// 10.0.0.0.
const NETWORK: u32 = 0x0a00_0000;

impl<W: Write> Capture<W> {
    /// Begins the file.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn new(out: W) -> io::Result<Self> {
        let section = SectionHeaderBlock {
            options: vec![SectionHeaderOption::UserApplication(
                concat!("squall ", env!("CARGO_PKG_VERSION")).into(),
            )],
            ..SectionHeaderBlock::default()
        };
        let file = PcapNgWriter::with_section_header(out, section).map_err(failed)?;
        Ok(Self {
            file,
            runs: 0,
            address: NETWORK,
        })
    }

    /// Adds a run. Its times are virtual: the run began at 0.
    ///
    /// # Errors
    ///
    /// Those of what it is written to.
    pub fn add(&mut self, scenario: &str, mqtt: Version, seed: u64, trace: &Trace) -> io::Result<()> {
        let interface = self.runs;
        self.runs += 1;
        let mut names = Vec::new();
        let mut address = |name: &str| {
            self.address += 1;
            let address = Ipv4Addr::from(self.address);
            names.push((address, name.to_owned()));
            address
        };
        let frames = conversations(trace, &mut address);
        self.write(interface_of(scenario, mqtt, seed))?;
        self.write(resolution(names))?;
        for frame in &frames {
            self.write(packet(interface, frame)?)?;
        }
        Ok(())
    }

    /// Hands out what it was written to, after the last byte.
    ///
    /// # Errors
    ///
    /// Those of what it was written to.
    pub fn finish(self) -> io::Result<W> {
        let mut out = self.file.into_inner();
        out.flush()?;
        Ok(out)
    }

    fn write(&mut self, block: Block<'_>) -> io::Result<()> {
        self.file.write_block(&block).map(drop).map_err(failed)
    }
}

fn interface_of(scenario: &str, mqtt: Version, seed: u64) -> Block<'static> {
    let run = format!("{scenario}, MQTT {mqtt}, seed {seed}");
    InterfaceDescriptionBlock {
        linktype: DataLink::ETHERNET,
        snaplen: 0,
        options: vec![InterfaceDescriptionOption::IfName(run.into())],
    }
    .into_block()
}

fn resolution(names: Vec<(Ipv4Addr, String)>) -> Block<'static> {
    let records = names.into_iter().map(|(ip_addr, name)| {
        Record::Ipv4(Ipv4Record {
            ip_addr,
            names: vec![name.into()],
        })
    });
    NameResolutionBlock {
        records: records.collect(),
        options: Vec::new(),
    }
    .into_block()
}

fn packet(interface_id: u32, frame: &Frame) -> io::Result<Block<'_>> {
    let data = frame.bytes()?;
    let comments = frame.comments.iter();
    let comments =
        comments.map(|comment| EnhancedPacketOption::Common(CommonOption::Comment(Cow::Borrowed(comment))));
    Ok(EnhancedPacketBlock {
        interface_id,
        timestamp: std::time::Duration::from_micros(frame.at.as_micros()),
        original_len: u32::try_from(data.len()).unwrap_or(u32::MAX),
        data: data.into(),
        options: comments.collect(),
    }
    .into_block())
}

fn failed(error: PcapNgWriteError) -> io::Error {
    match error {
        PcapNgWriteError::Io(error) => error,
        error @ (PcapNgWriteError::Validation { .. }
        | PcapNgWriteError::InvalidFormat(_)
        | PcapNgWriteError::StateUpdate(_)) => io::Error::other(error),
    }
}
