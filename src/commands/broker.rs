//! `squall broker`: the broker as a process.

use std::{io, path::PathBuf};

use anstream::{AutoStream, ColorChoice};
use anyhow::Context as _;
use rand::{TryRng as _, rngs::SysRng};
use squall_node::{
    TcpAcceptor,
    broker::Server,
    config::{Config, Listener, LogLevel},
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    task::JoinSet,
};
use tracing::level_filters::LevelFilter;

use crate::{
    exit::{Exit, Misuse},
    output,
};

/// Run the broker until SIGINT or SIGTERM
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  squall broker                                        on 127.0.0.1:1883
  squall broker --listen 0.0.0.0:1883 --listen [::]:1883
  squall broker -c squall.toml --check-config

docs/squall.toml documents every key of the configuration.")]
pub(crate) struct Args {
    /// The configuration, in TOML
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Listen here, and nowhere the configuration says; port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT")]
    listen: Vec<String>,
    /// How much is said on standard error: off, error, warn, info, debug, trace
    #[arg(long, value_name = "LEVEL")]
    log: Option<LogLevel>,
    /// Only say whether the configuration is right
    #[arg(long)]
    check_config: bool,
}

pub(crate) fn run(args: &Args) -> Result<Exit, anyhow::Error> {
    let config = configuration(args)?;
    if args.check_config {
        let _ = output::print("the configuration is right\n")?;
        return Ok(Exit::Held);
    }
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(AutoStream::choice(&io::stderr()) != ColorChoice::Never)
        .with_max_level(LevelFilter::from(config.log.level))
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(&config))
}

fn configuration(args: &Args) -> Result<Config, anyhow::Error> {
    let mut config = match &args.config {
        None => Config::default(),
        Some(file) => {
            let name = file.display().to_string();
            let text = std::fs::read_to_string(file)
                .map_err(|error| Misuse::new(format!("cannot read {name}: {error}"), "-c takes a file"))?;
            Config::parse(&name, &text).map_err(|error| {
                let mend = error
                    .mend()
                    .unwrap_or("docs/squall.toml documents every key")
                    .to_owned();
                Misuse::new(error, mend)
            })?
        }
    };
    if !args.listen.is_empty() {
        config.listeners = args.listen.iter().map(Listener::tcp).collect();
    }
    if let Some(level) = args.log {
        config.log.level = level;
    }
    if config.listeners.is_empty() {
        let mend = "name one under [[listeners]], or with --listen";
        return Err(Misuse::new("the configuration has no listener", mend).into());
    }
    Ok(config)
}

async fn serve(config: &Config) -> Result<Exit, anyhow::Error> {
    let mut signals = [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?];
    let mut acceptors = Vec::new();
    for listener in &config.listeners {
        acceptors.push(bind(listener).await?);
    }
    let server = Server::new(config.limits.clone(), SysRng.try_next_u64()?);
    let mut serving = JoinSet::new();
    let mut greeting = String::new();
    for acceptor in acceptors {
        greeting.push_str(&format!("listening on mqtt://{}\n", acceptor.local_addr()?));
        let server = server.clone();
        serving.spawn(async move { server.serve(acceptor).await });
    }
    greeting.push_str("durability: memory\n");
    let _ = output::print(&greeting)?;

    tokio::select! {
        biased;
        () = any(&mut signals) => server.shutdown(),
        ended = serving.join_next() => ended.transpose().context("the broker failed")?.unwrap_or_default(),
    }
    tokio::select! {
        biased;
        // Asked twice, it does not wait for the clients.
        () = any(&mut signals) => {}
        _ = serving.join_all() => {}
    }
    Ok(Exit::Held)
}

async fn bind(listener: &Listener) -> Result<TcpAcceptor, Misuse> {
    let Listener::Tcp(tcp) = listener;
    TcpAcceptor::bind(&tcp.address).await.map_err(|error| {
        let mend = mend(error.kind());
        Misuse::new(format!("cannot listen on {}: {error}", tcp.address), mend)
    })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the standard library adds kinds")]
const fn mend(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::AddrInUse => {
            "another program listens there: stop it, or choose another port with --listen"
        }
        io::ErrorKind::PermissionDenied => "ports below 1024 are for root: choose a higher one with --listen",
        io::ErrorKind::AddrNotAvailable => {
            "listen at an address of this machine, or at 0.0.0.0 for all of them"
        }
        _ => "--listen takes a host and a port, such as 127.0.0.1:1883",
    }
}

async fn any(signals: &mut [Signal; 2]) {
    let [interrupt, terminate] = signals;
    tokio::select! {
        biased;
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
