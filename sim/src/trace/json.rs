use std::io::{self, Write};

use serde::Serialize;

use super::{Lines, Trace, What};

/// One event of a run as a line of JSON.
#[derive(Serialize)]
struct Line<'a> {
    scenario: &'a str,
    mqtt: &'a str,
    seed: u64,
    at_micros: u64,
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    wire: Option<u32>,
    #[serde(skip_serializing_if = "str::is_empty")]
    from: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    to: &'a str,
    text: &'a str,
}

/// Writes a run as JSON lines: one line an event, in order, each with the scenario, the version and the seed, so that the traces of
/// many runs may stand in one file.
///
/// # Errors
///
/// Those of `out`.
pub fn write_json_lines(
    out: &mut impl Write,
    scenario: &str,
    mqtt: &str,
    seed: u64,
    trace: &Trace,
) -> io::Result<()> {
    let lines = Lines::new(trace);
    for (index, event) in trace.events.iter().enumerate() {
        let Some(shown) = lines.line(index) else { continue };
        let line = Line {
            scenario,
            mqtt,
            seed,
            at_micros: shown.at_micros,
            event: kind(&event.what),
            wire: event.what.wire().map(|wire| wire.0),
            from: &shown.from,
            to: &shown.to,
            text: &shown.text,
        };
        serde_json::to_writer(&mut *out, &line)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

const fn kind(what: &What) -> &'static str {
    match what {
        What::Opened { .. } => "opened",
        What::Sent { .. } => "sent",
        What::Arrived { .. } => "arrived",
        What::Bytes { .. } => "bytes",
        What::Malformed { .. } => "malformed",
        What::Closed { .. } => "closed",
        What::LetGo { .. } => "let_go",
        What::Ended { .. } => "ended",
        What::HostDown { .. } => "host_down",
        What::HostUp { .. } => "host_up",
        What::FaultBegan { .. } => "fault_began",
        What::FaultEnded { .. } => "fault_ended",
        What::Application { .. } => "application",
        What::Step { .. } => "step",
        What::Missed { .. } => "missed",
        What::Healed => "healed",
    }
}
