//! The commands, in the order `squall --help` shows them.
//!
//! To add one: a file `commands/<module>.rs` and a line in the list below. The file holds
//! `pub(crate) struct Args` (`clap::Args`; its doc comment is the command's help) and
//! `pub(crate) fn run(args: &Args) -> Result<Exit, anyhow::Error>`. Wrong use is an `Err` of [`Misuse`](crate::exit::Misuse).

use clap::Subcommand;

use crate::exit::Exit;

macro_rules! commands {
    ($($name:literal: $variant:ident in $module:ident,)+) => {
        $(mod $module;)+

        #[derive(Debug, Subcommand)]
        pub(crate) enum Command {
            $(#[command(name = $name)] $variant($module::Args),)+
        }

        impl Command {
            pub(crate) fn run(&self) -> Result<Exit, anyhow::Error> {
                match self {
                    $(Self::$variant(args) => $module::run(args),)+
                }
            }
        }
    };
}

commands! {
    "broker": Broker in broker,
    "run": Run in run,
    "sweep": Sweep in sweep,
    "conform": Conform in conform,
    "report": Report in report,
    "trace": Trace in trace,
    "pub": Pub in pub_,
    "sub": Sub in sub,
    "passwd": Passwd in passwd,
    "store": Store in store,
    "completions": Completions in completions,
}
