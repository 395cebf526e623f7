use std::{
    borrow::Cow,
    io::{self, Write},
};

use bytes::BytesMut;
use squall_proto::{Packet, Version, encode};

use super::{DownLine, How, Kind, Line, told::ToldLine, version::Versions};
use crate::trace::{Down, End, Held, Lines, Trace, What};

/// Writes a run as JSON lines: one line an event, in order, each with the scenario, the version and the seed, so that the traces of
/// many runs may stand in one file.
///
/// # Errors
///
/// Those of `out`.
pub fn write_json_lines(
    out: &mut impl Write,
    scenario: &str,
    mqtt: Version,
    seed: u64,
    trace: &Trace,
) -> io::Result<()> {
    let lines = Lines::new(trace);
    let mqtt = mqtt.to_string();
    let mut versions = Versions::default();
    for (index, event) in trace.events.iter().enumerate() {
        let Some(shown) = lines.line(index) else { continue };
        versions.observe(&event.what);
        let line = Line {
            scenario: scenario.into(),
            mqtt: mqtt.as_str().into(),
            seed,
            at_micros: shown.at_micros,
            event: kind(&event.what),
            wire: event.what.wire().map(|wire| wire.0),
            from: shown.from.into(),
            to: shown.to.into(),
            how: how(&event.what),
            host: host(&event.what),
            down: down(&event.what),
            kept: kept(&event.what),
            client_id: kicked(&event.what).map(|(client_id, _)| client_id.into()),
            ends_session: kicked(&event.what).map(|(_, ends_session)| ends_session),
            step: step(&event.what),
            touched: touched(&event.what),
            packet: event
                .what
                .packet()
                .map(|packet| packet.packet_type().name().into()),
            bytes: bytes(&event.what, &versions),
            what: words(&event.what),
            expected: missed(&event.what).map(|(expected, _)| expected.into()),
            got: missed(&event.what).map(|(_, got)| got.into()),
            told: told(&event.what),
            held: held(&event.what),
            text: shown.text.into(),
        };
        serde_json::to_writer(&mut *out, &line)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

const fn kind(what: &What) -> Kind {
    match what {
        What::Opened { .. } => Kind::Opened,
        What::Sent { .. } => Kind::Sent,
        What::Arrived { .. } => Kind::Arrived,
        What::Unread { .. } => Kind::Unread,
        What::Bytes { .. } => Kind::Bytes,
        What::Malformed { .. } => Kind::Malformed,
        What::Closed { .. } => Kind::Closed,
        What::LetGo { .. } => Kind::LetGo,
        What::Ended { .. } => Kind::Ended,
        What::HostDown { .. } => Kind::HostDown,
        What::HostUp { .. } => Kind::HostUp,
        What::HostPaused { .. } => Kind::HostPaused,
        What::HostResumed { .. } => Kind::HostResumed,
        What::Kicked { .. } => Kind::Kicked,
        What::FaultBegan { .. } => Kind::FaultBegan,
        What::FaultEnded { .. } => Kind::FaultEnded,
        What::Application { .. } => Kind::Application,
        What::Step { .. } => Kind::Step,
        What::Missed { .. } => Kind::Missed,
        What::Held(_) => Kind::Held,
        What::Healed => Kind::Healed,
    }
}

const fn how(what: &What) -> Option<How> {
    if let What::Closed { how, .. } | What::Ended { how, .. } = what {
        Some(match how {
            End::Fin => How::Fin,
            End::Reset => How::Reset,
        })
    } else {
        None
    }
}

fn host(what: &What) -> Option<Cow<'_, str>> {
    if let What::HostDown { host, .. }
    | What::HostUp { host, .. }
    | What::HostPaused { host }
    | What::HostResumed { host } = what
    {
        Some(host.as_str().into())
    } else {
        None
    }
}

const fn down(what: &What) -> Option<DownLine> {
    if let What::HostDown { how, .. } = what {
        Some(match how {
            Down::Stopped => DownLine::Stopped,
            Down::Crashed => DownLine::Crashed,
            Down::PowerLost => DownLine::PowerLost,
        })
    } else {
        None
    }
}

const fn kept(what: &What) -> Option<bool> {
    if let What::HostDown { kept, .. } | What::HostUp { kept, .. } = what {
        Some(*kept)
    } else {
        None
    }
}

fn kicked(what: &What) -> Option<(&str, bool)> {
    if let What::Kicked {
        client_id,
        ends_session,
    } = what
    {
        Some((client_id, *ends_session))
    } else {
        None
    }
}

const fn step(what: &What) -> Option<usize> {
    if let What::FaultBegan { step, .. }
    | What::FaultEnded { step, .. }
    | What::Step { step, .. }
    | What::Missed { step, .. } = what
    {
        Some(*step)
    } else {
        None
    }
}

const fn touched(what: &What) -> Option<u64> {
    if let What::FaultEnded { touched, .. } = what {
        Some(*touched)
    } else {
        None
    }
}

fn words(what: &What) -> Option<Cow<'_, str>> {
    if let What::FaultBegan { what, .. } | What::Step { what, .. } = what {
        Some(what.as_str().into())
    } else {
        None
    }
}

const fn held(what: &What) -> Option<Held> {
    if let What::Held(held) = what {
        Some(*held)
    } else {
        None
    }
}

const fn missed(what: &What) -> Option<(&str, &str)> {
    if let What::Missed { expected, got, .. } = what {
        Some((expected.as_str(), got.as_str()))
    } else {
        None
    }
}

fn told(what: &What) -> Option<ToldLine> {
    if let What::Application { told, .. } = what {
        Some(told.into())
    } else {
        None
    }
}

fn bytes(what: &What, versions: &Versions) -> Option<String> {
    if let What::Bytes { bytes, .. } = what {
        return Some(hex::encode(bytes));
    }
    let version = versions.of(what.wire()?);
    what.packet().map(|packet| hex::encode(encoded(version, packet)))
}

fn encoded(version: Version, packet: &Packet) -> BytesMut {
    let mut bytes = BytesMut::new();
    encode(version, packet.into(), &mut bytes);
    bytes
}
