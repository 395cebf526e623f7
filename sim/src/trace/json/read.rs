use std::{
    collections::BTreeMap,
    io::{self, BufRead},
    mem,
};

use bytes::{Bytes, BytesMut};
use squall_proto::{DecodeError, Decoder, Instant, Packet, Text, Version};

use super::{BROKER, DownLine, How, Kind, Line, Recorded, version::Versions};
use crate::trace::{Down, End, Event, Side, Trace, What, WireId};

/// Why a file is no trace: which of its lines, what is wrong with it, and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The file cannot be read on.
    #[error("line {line}: {error}")]
    Io {
        /// From 1.
        line: usize,
        /// Why.
        error: io::Error,
    },
    /// A line is no event, or none that can follow those before it.
    #[error("line {line}: {problem}")]
    Line {
        /// From 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// There is no line at all.
    #[error("there is no event in it")]
    Empty,
}

/// Reads what [`write_json_lines`](super::write_json_lines) wrote, the very same events: every run in the file, in its order.
/// Lines of one run stand together.
///
/// # Errors
///
/// When a line is no event: nothing is guessed and nothing left out.
pub fn read_json_lines(from: impl BufRead) -> Result<Vec<Recorded>, TraceError> {
    let mut runs: Vec<Recorded> = Vec::new();
    let mut wires = Wires::default();
    for (line, text) in (1..).zip(from.lines()) {
        let text = text.map_err(|error| TraceError::Io { line, error })?;
        let of_line = move |problem| TraceError::Line { line, problem };
        let read: Line<'_> = serde_json::from_str(&text).map_err(|error| of_line(in_words(&error)))?;
        let mqtt = version(&read.mqtt).map_err(of_line)?;
        let run = match runs.last_mut() {
            Some(run) if run.is_of(&read, mqtt) => run,
            Some(_) | None => {
                wires = Wires::default();
                runs.push(Recorded::new(&read, mqtt));
                runs.last_mut().expect("one was just pushed")
            }
        };
        let at = Instant::from_micros(read.at_micros);
        let what = wires.event(read).map_err(of_line)?;
        if run.trace.events.last().is_some_and(|last| last.at > at) {
            return Err(of_line("it happened before the line above it".to_owned()));
        }
        run.trace.events.push(Event { at, what });
    }
    if runs.is_empty() {
        return Err(TraceError::Empty);
    }
    Ok(runs)
}

impl Recorded {
    fn new(line: &Line<'_>, mqtt: Version) -> Self {
        Self {
            scenario: line.scenario.clone().into_owned(),
            mqtt,
            seed: line.seed,
            trace: Trace::default(),
        }
    }

    fn is_of(&self, line: &Line<'_>, mqtt: Version) -> bool {
        (self.scenario.as_str(), self.mqtt, self.seed) == (&*line.scenario, mqtt, line.seed)
    }
}

/// What of the lines before decides what a line means.
#[derive(Default)]
struct Wires {
    versions: Versions,
    /// The client of each connection.
    clients: BTreeMap<WireId, String>,
    /// Of each side that sends, what has been told since its last packet.
    parts: BTreeMap<(WireId, Side), BytesMut>,
}

type Read<T> = Result<T, String>;

impl Wires {
    fn event(&mut self, mut line: Line<'_>) -> Read<What> {
        let told = line.told.take();
        let line = &line;
        let what = match line.event {
            Kind::Opened => self.opened(line)?,
            Kind::Sent => self.sent(line)?,
            Kind::Arrived => {
                let (wire, from, packet) = self.arrived(line)?;
                What::Arrived { wire, from, packet }
            }
            Kind::Unread => {
                let (wire, from, packet) = self.arrived(line)?;
                What::Unread { wire, from, packet }
            }
            Kind::Bytes => self.bytes(line)?,
            Kind::Malformed => self.malformed(line)?,
            Kind::Closed => {
                let (wire, by) = self.from(line)?;
                let how = how(line)?;
                What::Closed { wire, by, how }
            }
            Kind::LetGo => {
                let (wire, by) = self.from(line)?;
                What::LetGo { wire, by }
            }
            Kind::Ended => {
                let (wire, from) = self.from(line)?;
                let (at, how) = (from.other(), how(line)?);
                What::Ended { wire, at, how }
            }
            Kind::HostDown => What::HostDown {
                host: host(line)?,
                how: down(line)?,
                kept: needed(line.kept, "kept")?,
            },
            Kind::HostUp => What::HostUp {
                host: host(line)?,
                kept: needed(line.kept, "kept")?,
            },
            Kind::HostPaused => What::HostPaused { host: host(line)? },
            Kind::HostResumed => What::HostResumed { host: host(line)? },
            Kind::Kicked => What::Kicked {
                client_id: client_id(line)?,
                ends_session: needed(line.ends_session, "ends_session")?,
            },
            Kind::FaultBegan => What::FaultBegan {
                step: needed(line.step, "step")?,
                what: words(line)?,
            },
            Kind::FaultEnded => What::FaultEnded {
                step: needed(line.step, "step")?,
                touched: needed(line.touched, "touched")?,
            },
            Kind::Application => What::Application {
                client: line.from.clone().into_owned(),
                told: needed(told, "told")?.read()?,
            },
            Kind::Step => What::Step {
                step: needed(line.step, "step")?,
                what: words(line)?,
            },
            Kind::Missed => What::Missed {
                step: needed(line.step, "step")?,
                expected: needed(line.expected.as_deref(), "expected")?.to_owned(),
                got: needed(line.got.as_deref(), "got")?.to_owned(),
            },
            Kind::Held => What::Held(needed(line.held, "held")?),
            Kind::Healed => What::Healed,
        };
        Ok(what)
    }

    fn opened(&mut self, line: &Line<'_>) -> Read<What> {
        let wire = WireId(needed(line.wire, "wire")?);
        let client = line.from.clone().into_owned();
        if self.clients.insert(wire, client.clone()).is_some() {
            return Err(format!("connection {} was opened before", wire.0));
        }
        Ok(What::Opened { wire, client })
    }

    fn sent(&mut self, line: &Line<'_>) -> Read<What> {
        let (wire, from) = self.from(line)?;
        self.parts.remove(&(wire, from));
        let packet = self.packet(line, wire)?;
        let what = What::Sent { wire, from, packet };
        self.versions.observe(&what);
        Ok(what)
    }

    fn arrived(&self, line: &Line<'_>) -> Read<(WireId, Side, Packet)> {
        let (wire, from) = self.from(line)?;
        Ok((wire, from, self.packet(line, wire)?))
    }

    fn bytes(&mut self, line: &Line<'_>) -> Read<What> {
        let (wire, from) = self.from(line)?;
        let bytes = bytes(line)?;
        self.parts
            .entry((wire, from))
            .or_default()
            .extend_from_slice(&bytes);
        Ok(What::Bytes { wire, from, bytes })
    }

    /// What is wrong is found out once more.
    fn malformed(&mut self, line: &Line<'_>) -> Read<What> {
        let (wire, from) = self.from(line)?;
        let mut bytes = self
            .parts
            .get_mut(&(wire, from))
            .map(mem::take)
            .unwrap_or_default();
        match self.decode(wire, from, &mut bytes) {
            Err(error) => Ok(What::Malformed { wire, from, error }),
            Ok(_) => Err("the `bytes` before it are not malformed".to_owned()),
        }
    }

    fn packet(&self, line: &Line<'_>, wire: WireId) -> Read<Packet> {
        let mut bytes = BytesMut::from(bytes(line)?);
        let mut decoder = Decoder::with_version(self.versions.of(wire), u32::MAX);
        match decoder.decode(&mut bytes) {
            Ok(Some(packet)) if bytes.is_empty() => Ok(packet),
            Ok(_) => Err("`bytes` are not one whole packet".to_owned()),
            Err(error) => Err(format!("`bytes` are no packet: {error}")),
        }
    }

    /// As the world decoded them.
    fn decode(&self, wire: WireId, from: Side, bytes: &mut BytesMut) -> Result<Option<Packet>, DecodeError> {
        let mut decoder = match (from, self.versions.known(wire)) {
            (Side::Client, None) => Decoder::new(u32::MAX),
            (Side::Client | Side::Broker, _) => Decoder::with_version(self.versions.of(wire), u32::MAX),
        };
        decoder.decode(bytes)
    }

    /// The connection, and which side of it a line is from.
    fn from(&self, line: &Line<'_>) -> Read<(WireId, Side)> {
        let wire = WireId(needed(line.wire, "wire")?);
        let Some(client) = self.clients.get(&wire) else {
            return Err(format!("no line before it opened connection {}", wire.0));
        };
        match (&*line.from, &*line.to) {
            (from, BROKER) if from == client => Ok((wire, Side::Client)),
            (BROKER, to) if to == client => Ok((wire, Side::Broker)),
            (from, to) => Err(format!(
                "connection {} is between `{client}` and `broker`, not `{from}` and `{to}`",
                wire.0
            )),
        }
    }
}

fn version(text: &str) -> Read<Version> {
    let mut all = Version::ALL.into_iter();
    all.find(|version| version.to_string() == text)
        .ok_or_else(|| format!("`mqtt` is `{text}`, neither 3.1.1 nor 5.0"))
}

fn needed<T>(value: Option<T>, key: &str) -> Read<T> {
    value.ok_or_else(|| format!("this event has a `{key}`"))
}

fn how(line: &Line<'_>) -> Read<End> {
    Ok(match needed(line.how, "how")? {
        How::Fin => End::Fin,
        How::Reset => End::Reset,
    })
}

fn down(line: &Line<'_>) -> Read<Down> {
    Ok(match needed(line.down, "down")? {
        DownLine::Stopped => Down::Stopped,
        DownLine::Crashed => Down::Crashed,
        DownLine::PowerLost => Down::PowerLost,
    })
}

fn client_id(line: &Line<'_>) -> Read<Text> {
    let client_id = needed(line.client_id.as_deref(), "client_id")?;
    Text::new(client_id).map_err(|error| format!("`client_id`: {error}"))
}

fn host(line: &Line<'_>) -> Read<String> {
    Ok(needed(line.host.as_deref(), "host")?.to_owned())
}

fn words(line: &Line<'_>) -> Read<String> {
    Ok(needed(line.what.as_deref(), "what")?.to_owned())
}

fn bytes(line: &Line<'_>) -> Read<Bytes> {
    let hex = needed(line.bytes.as_deref(), "bytes")?;
    let bytes = hex::decode(hex).map_err(|error| format!("`bytes` is no hex: {error}"))?;
    Ok(bytes.into())
}

/// Without the line, which for one line alone is always 1.
fn in_words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line 1 column {}", error.column());
    match text.strip_suffix(&place) {
        Some(text) if error.column() > 0 => format!("{text}, at column {}", error.column()),
        Some(_) | None => text,
    }
}
