use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use squall_proto::PacketType;
use squall_sim::trace::{Capture, Recorded, What, read_json_lines};

use super::log::{Log, Wanted};
use crate::{
    commands::run::create,
    exit::{Exit, Misuse},
    output::{self, Reader},
};

/// Show a trace as a packet log
///
/// A line a packet: when it was sent, by whom to whom, what it says, and how long it was under way, or that it never arrived.
/// Connections, faults, steps and what clients tell their applications stand between them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  squall trace show run.jsonl
  squall trace show run.jsonl --client sub --from 3s --until 4.5s
  squall trace show run.jsonl --packet PUBLISH --packet PUBREL
  squall trace show - < run.jsonl                      from standard input
  squall trace show run.jsonl --pcap run.pcapng        opens in Wireshark")]
pub(super) struct Args {
    /// What `squall run --trace FILE` wrote; `-` is standard input
    trace: PathBuf,
    /// Of this client or peer alone; may be given many times
    #[arg(long, value_name = "NAME")]
    client: Vec<String>,
    /// Packets of this type alone; may be given many times
    #[arg(long, value_name = "TYPE", value_parser = packet_type)]
    packet: Vec<PacketType>,
    /// Not what happened earlier, in virtual time
    #[arg(long, value_name = "TIME", value_parser = time)]
    from: Option<Duration>,
    /// Not what happened later
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<Duration>,
    /// Show arrivals as lines of their own
    #[arg(long)]
    arrivals: bool,
    /// Write all of it to a capture file (pcapng), with the MQTT of every connection in TCP on port 1883
    #[arg(long, value_name = "FILE", conflicts_with_all = ["client", "packet", "from", "until", "arrivals"])]
    pcap: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<Exit, anyhow::Error> {
    let runs = read(&args.trace)?;
    if let Some(file) = &args.pcap {
        return capture(file, &runs).context("cannot write the capture");
    }
    let wanted = args.wanted(&runs)?;
    let mut shown = false;
    for run in &runs {
        let log = Log::new(run, &wanted);
        if log.is_empty() {
            continue;
        }
        let gap = if shown { "\n" } else { "" };
        shown = true;
        if output::print(&format!("{gap}{log}")).context("cannot print the log")? == Reader::Gone {
            return Ok(Exit::Held);
        }
    }
    if !shown {
        output::complain("nothing in the trace matches\n");
    }
    Ok(Exit::Held)
}

impl Args {
    fn wanted(&self, runs: &[Recorded]) -> Result<Wanted, Misuse> {
        let names = names(runs);
        for client in &self.client {
            if !names.contains(client.as_str()) {
                let known: Vec<&str> = names.iter().copied().take(12).collect();
                return Err(Misuse::new(
                    format!("nobody in the trace is called `{client}`"),
                    format!("there are {}", known.join(", ")),
                ));
            }
        }
        Ok(Wanted {
            clients: self.client.clone(),
            packets: self.packet.clone(),
            from: self.from.unwrap_or(Duration::ZERO),
            until: self.until.unwrap_or(Duration::MAX),
            arrivals: self.arrivals,
        })
    }
}

/// Everybody who opens a connection.
fn names(runs: &[Recorded]) -> BTreeSet<&str> {
    let events = runs.iter().flat_map(|run| &run.trace.events);
    let names = events.filter_map(|event| {
        if let What::Opened { client, .. } = &event.what {
            Some(client.as_str())
        } else {
            None
        }
    });
    names.collect()
}

fn read(file: &Path) -> Result<Vec<Recorded>, Misuse> {
    let wrong = |problem: &dyn std::fmt::Display| {
        Misuse::new(
            format!("{}: {problem}", file.display()),
            "name a file that `squall run --trace FILE` of this version of squall wrote",
        )
    };
    let input: Box<dyn BufRead> = if file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(BufReader::new(File::open(file).map_err(|error| wrong(&error))?))
    };
    read_json_lines(input).map_err(|error| wrong(&error))
}

fn capture(file: &Path, runs: &[Recorded]) -> Result<Exit, anyhow::Error> {
    let mut capture = Capture::new(create(file)?)?;
    for run in runs {
        capture.add(&run.scenario, run.mqtt, run.seed, &run.trace)?;
    }
    capture.finish()?;
    Ok(Exit::Held)
}

fn packet_type(text: &str) -> Result<PacketType, String> {
    let mut all = PacketType::ALL.into_iter();
    all.find(|packet| packet.name().eq_ignore_ascii_case(text))
        .ok_or_else(|| {
            format!(
                "write one of {}",
                PacketType::ALL.map(PacketType::name).join(", ")
            )
        })
}

/// As the log shows it, `3.506`, or with its units, `1m 3s 506ms`.
fn time(text: &str) -> Result<Duration, String> {
    let seconds = text.strip_suffix('s').unwrap_or(text);
    match seconds.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string()),
        Err(_) => humantime::parse_duration(text)
            .map_err(|error| format!("{error}; write seconds, `3.506`, or units, `1m 3s 506ms`")),
    }
}
