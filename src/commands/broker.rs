//! `squall broker`: the broker as a process.

mod opening;

use std::{
    convert::Infallible,
    io,
    path::PathBuf,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use anstream::{AutoStream, ColorChoice};
use anyhow::Context as _;
use rand::{TryRng as _, rngs::SysRng};
use squall_node::{
    Address, BindError, Bound, Reload,
    authentication::Authenticator,
    broker::{Announcement, FileStore, Server, StoreError},
    config::{Config, Durability, Listener, LogLevel},
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    task::JoinSet,
};
use tracing::{info, level_filters::LevelFilter, warn};

use crate::{
    exit::{Exit, Misuse},
    output,
};

/// Run the broker until SIGINT or SIGTERM
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  squall broker                                        on 127.0.0.1:1883
  squall broker --listen 0.0.0.0:1883 --listen ws://0.0.0.0:8080
  squall broker --listen mqtts://0.0.0.0:8883 --certificate chain.pem --key key.pem
  squall broker --data /var/lib/squall                 what is acknowledged survives
  squall broker -c squall.toml --check-config

docs/squall.toml documents every key of the configuration. SIGHUP has it read certificates and keys again.")]
pub(crate) struct Args {
    /// The configuration, in TOML
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Listen here, and nowhere the configuration says: HOST:PORT, or mqtt://, mqtts://, ws://, wss:// and HOST:PORT, or
    /// unix:PATH; port 0 takes a free one
    #[arg(long, value_name = "URL")]
    listen: Vec<String>,
    /// PEM file of the certificate for --listen mqtts:// and wss://, with those that link it to its CA
    #[arg(long, value_name = "FILE", requires = "key", requires = "listen")]
    certificate: Option<PathBuf>,
    /// PEM file of the certificate's private key
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
    /// Keep sessions and messages in this directory, which is made if there is none
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// What is waited for before a message is acknowledged: memory, os, disk; disk with --data, if not said
    #[arg(long, value_name = "LEVEL")]
    durability: Option<Durability>,
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
        config.listeners = args.listeners()?;
    }
    if let Some(level) = args.log {
        config.log.level = level;
    }
    if let Some(directory) = &args.data {
        config.data_directory = Some(directory.clone());
    }
    config.durability = args.durability.or(config.durability);
    if config.durability() != Durability::Memory && config.data_directory.is_none() {
        let problem = format!("durability {} needs a place to keep things", config.durability());
        return Err(Misuse::new(problem, "name one with --data DIR, or as data_directory").into());
    }
    for listener in &config.listeners {
        listener
            .check()
            .map_err(|error| Misuse::new(&error, error.mend()))?;
    }
    config
        .authentication
        .load([0; 32])
        .map_err(|error| Misuse::new(&error, error.mend()))?;
    if config.listeners.is_empty() {
        let mend = "name one under [[listeners]], or with --listen";
        return Err(Misuse::new("the configuration has no listener", mend).into());
    }
    Ok(config)
}

impl Args {
    fn listeners(&self) -> Result<Vec<Listener>, Misuse> {
        let files = self.certificate.clone().zip(self.key.clone());
        let listener = |text: &String| {
            let address = Address::to_listen_at(text).map_err(|error| {
                let mend = "--listen takes a host and a port, such as 127.0.0.1:1883 or wss://[::]:8084";
                Misuse::new(format!("cannot listen on {text}: {error}"), mend)
            })?;
            Listener::at(&address, files.clone()).ok_or_else(|| {
                let mend = "add --certificate FILE and --key FILE";
                Misuse::new(format!("{text} needs a certificate"), mend)
            })
        };
        self.listen.iter().map(listener).collect()
    }
}

/// The broker, with somebody who judges clients if the configuration says who may connect.
fn server(config: &Config) -> Result<Server, anyhow::Error> {
    let server = silent_server(config)?.stopping_within(config.stop_timeout);
    if config.sys_interval.is_zero() {
        return Ok(server);
    }
    Ok(server.announcing(Announcement {
        version: concat!("squall ", env!("CARGO_PKG_VERSION")).to_owned(),
        durability: config.durability().to_string(),
        interval: config.sys_interval,
    }))
}

fn silent_server(config: &Config) -> Result<Server, anyhow::Error> {
    let seed = SysRng.try_next_u64()?;
    let mut secret = [0; 32];
    SysRng.try_fill_bytes(&mut secret)?;
    let users = config.authentication.load(secret)?;
    let authenticator = users.map(|users| -> Arc<dyn Authenticator> { Arc::new(users) });
    if let Some(store) = store(config)? {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let restored = Server::restored(config.settings(), seed, authenticator, store, now);
        return Ok(restored.map_err(unusable)?);
    }
    Ok(match authenticator {
        Some(authenticator) => Server::authenticating(config.settings(), seed, authenticator),
        None => Server::new(config.settings(), seed),
    })
}

/// What the broker keeps things in, if it keeps any.
fn store(config: &Config) -> Result<Option<FileStore>, anyhow::Error> {
    let durability = config.durability();
    let Some(directory) = config
        .data_directory
        .as_ref()
        .filter(|_| durability != Durability::Memory)
    else {
        return Ok(None);
    };
    std::fs::create_dir_all(directory)
        .with_context(|| format!("cannot make the directory {}", directory.display()))?;
    let path = directory.join(STORE);
    let opened = match durability {
        Durability::Os => FileStore::open_unsynced(path, opening::watcher()),
        Durability::Disk | Durability::Memory => FileStore::open_watched(path, opening::watcher()),
    };
    Ok(Some(opened.map_err(unusable)?))
}

/// The file in the data directory.
pub(super) const STORE: &str = "broker.redb";

fn unusable(error: StoreError) -> Misuse {
    let mend = error.mend();
    Misuse::new(error, mend)
}

async fn serve(config: &Config) -> Result<Exit, anyhow::Error> {
    let mut signals = [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?];
    let mut listeners = Vec::new();
    for listener in &config.listeners {
        listeners.push(listener.bind().await.map_err(misuse)?);
    }
    let reloads: Vec<Reload> = listeners.iter().filter_map(Bound::reload).collect();
    let server = server(config)?;
    let mut serving = JoinSet::new();
    let mut greeting = String::new();
    for listener in listeners {
        greeting.push_str(&format!("listening on {}\n", listener.url()));
        serving.spawn(listener.serve(server.clone()));
    }
    greeting.push_str(&format!("durability: {}\n", config.durability()));
    let _ = output::print(&greeting)?;

    tokio::select! {
        biased;
        () = any(&mut signals) => server.shutdown(),
        never = reload_when_told(&reloads) => match never? {},
        ended = serving.join_next() => ended.transpose().context("the broker failed")?.unwrap_or_default(),
    }
    tokio::select! {
        biased;
        // Asked twice, it does not wait for the clients.
        () = any(&mut signals) => {}
        _ = serving.join_all() => {}
    }
    if let Some(failure) = server.failure() {
        return Err(anyhow::Error::new(failure).context("the broker has stopped"));
    }
    Ok(Exit::Held)
}

/// At each SIGHUP reads certificates and keys again; where they are not right, those that there are go on.
async fn reload_when_told(reloads: &[Reload]) -> io::Result<Infallible> {
    let mut hangup = signal(SignalKind::hangup())?;
    loop {
        hangup.recv().await;
        for listener in reloads {
            match listener.reload() {
                Ok(()) => info!("{} has read its certificate again", listener.url()),
                Err(error) => warn!(%error, "{} keeps its certificate: {}", listener.url(), error.mend()),
            }
        }
    }
}

fn misuse(error: BindError) -> Misuse {
    let mend = match &error {
        BindError::Place { error, .. } => mend(error.kind()),
        BindError::File(error) => error.mend(),
    };
    Misuse::new(error, mend)
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
        _ => "--listen takes a host and a port, such as 127.0.0.1:1883, or unix: and a path",
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
