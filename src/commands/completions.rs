//! `squall completions`: what a shell needs to complete our commands and options.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::CommandLine;
use crate::exit::Exit;
use crate::output;

/// Print completions for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  squall completions bash > ~/.local/share/bash-completion/completions/squall
  squall completions fish > ~/.config/fish/completions/squall.fish")]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: &Args) -> Result<Exit, anyhow::Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut CommandLine::command(), "squall", &mut script);
    let _ = output::print_raw(&script)?;
    Ok(Exit::Held)
}
