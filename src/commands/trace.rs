//! `squall trace`: what can be done with a trace that a run has left.

mod log;
mod show;

use clap::Subcommand;

use crate::exit::Exit;

/// Read the trace of a run
///
/// A trace is what `squall run --trace FILE` writes: every packet, fault and connection of its runs, as JSON lines.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  squall run scenarios/no-will-after-disconnect.yaml --trace run.jsonl
  squall trace show run.jsonl                          a line a packet
  squall trace show run.jsonl --pcap run.pcapng        the same for Wireshark")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Show(show::Args),
}

pub(crate) fn run(args: &Args) -> Result<Exit, anyhow::Error> {
    match &args.command {
        Command::Show(args) => show::run(args),
    }
}
