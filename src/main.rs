//! The command line of Squall: what each command takes is in its file under `commands/`.
//!
//! * [`commands`] lists them, [`results`] holds the options of those that end with verdicts,
//! * [`connection`] those of clients, [`tls`] those of every command that connects,
//! * [`target`] is what other programs are started as brokers with,
//! * [`exit`] gives the process its number, [`output`] prints, [`properties`] are what messages have beside their payload.

mod commands;
mod connection;
mod exit;
mod output;
mod properties;
mod results;
mod target;
mod tls;
mod work;

use std::process::ExitCode;

use clap::Parser;

use crate::commands::Command;

/// Messages that are kept until they are acknowledged cost glibc's allocator as much again as all the rest of the broker.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// An MQTT 3.1.1 and 5.0 broker and client, and the harness that tests them and any other broker
#[derive(Debug, Parser)]
#[command(name = "squall", version, arg_required_else_help = true, after_help = EXIT_CODES)]
#[command(disable_help_subcommand = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Ends with: 0 all held; 1 something did not hold; 2 wrong use; 3 the harness itself failed.
Colours follow the terminal; NO_COLOR=1 turns them off.";

fn main() -> ExitCode {
    let line = CommandLine::parse();
    exit::of(line.command.run())
}
