//! `squall conform --client`: the suite against a client, which a driver of the user's own tells what to do.

use std::{
    ffi::{OsStr, OsString},
    io,
    net::{Ipv4Addr, SocketAddr},
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use squall_conformance::{
    Duplex, Selected, Settings,
    clients::{self, Case, Launch, Launched, Launching},
    report,
};
use squall_proto::Version;
use tokio::{
    net::TcpListener,
    process::{Child, Command},
    sync::mpsc,
    task::AbortHandle,
};

use super::{Args, Results, collect, list, running::Running};
use crate::exit::{Exit, Misuse};

/// How many clients run side by side, where nobody said: each is a process of its own.
const JOBS: u16 = 8;

pub(super) fn run(args: &Args) -> Result<Exit, anyhow::Error> {
    let selected: Vec<Selected<Case>> = args.selected()?;
    if args.list {
        return list::print(&selected);
    }
    args.results.check()?;
    let start = Instant::now();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let results = runtime.block_on(results(args, &selected))?;
    let micros = u64::try_from(start.elapsed().as_micros())?;
    args.results.show(&report(name(&args.command), micros, results))
}

fn settings(args: &Args) -> Settings {
    Settings {
        patience: Duration::from_secs(args.timeout.into()),
        unique: String::new(),
        command: "squall conform --client".into(),
    }
}

async fn results(args: &Args, selected: &[Selected<Case>]) -> Result<Results<Case>, anyhow::Error> {
    let (launch, settings) = (launch(&args.command)?, settings(args));
    if let Err(why) = clients::answers(&settings, &launch).await {
        let mend = "the command is a driver: docs/CLIENTS.md says what it prints and reads, conformance/drivers has some";
        return Err(Misuse::new(format!("{}: {why}", name(&args.command)), mend).into());
    }
    let mut running = Running::new(args.jobs.unwrap_or(JOBS).into());
    for one in selected.iter().copied() {
        let (launch, settings) = (Arc::clone(&launch), settings.clone());
        running.start(one, async move { clients::run(one, &settings, &launch).await });
    }
    collect(running, selected, &settings).await
}

fn launch(command: &[OsString]) -> Result<Arc<dyn Launch>, Misuse> {
    let (program, arguments) = command.split_first().ok_or_else(|| {
        Misuse::new(
            "--client needs the command that starts the driver of a client",
            "squall conform --client -- python3 conformance/drivers/paho_python.py",
        )
    })?;
    Ok(Arc::new(Driven {
        program: program.clone(),
        arguments: arguments.to_vec(),
    }))
}

fn name(command: &[OsString]) -> String {
    let words: Vec<_> = command.iter().map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}

/// A client that a command starts.
struct Driven {
    program: OsString,
    arguments: Vec<OsString>,
}

impl Launch for Driven {
    fn launch(&self, version: Version) -> Launching<'_> {
        Box::pin(self.start(version))
    }
}

/// What ends with the case: no client connects any more, and the process is killed.
struct Kept {
    accepting: AbortHandle,
    _process: Child,
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Driven {
    async fn start(&self, version: Version) -> io::Result<Launched> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let mut process = self.command(listener.local_addr()?, version).spawn()?;
        let (Some(to), Some(from)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(io::Error::other("its standard streams are not there"));
        };
        let (connected, connections) = mpsc::unbounded_channel();
        let accepting = tokio::spawn(accept(listener, connected)).abort_handle();
        let keep = Kept {
            accepting,
            _process: process,
        };
        Ok(Launched {
            lines: Duplex::new(from, to),
            connections,
            keep: Box::new(keep),
        })
    }

    fn command(&self, address: SocketAddr, version: Version) -> Command {
        let values = [
            ("{host}", address.ip().to_string()),
            ("{port}", address.port().to_string()),
            ("{version}", version.to_string()),
        ];
        let arguments = self.arguments.iter().map(|argument| filled(argument, &values));
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .env("SQUALL_HOST", address.ip().to_string())
            .env("SQUALL_PORT", address.port().to_string())
            .env("SQUALL_ADDRESS", address.to_string())
            .env("SQUALL_MQTT", version.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        command
    }
}

/// An argument with values in the places of their names; one that is no Unicode stays as it is.
fn filled(argument: &OsStr, values: &[(&str, String)]) -> OsString {
    let Some(text) = argument.to_str() else {
        return argument.to_owned();
    };
    let filled = values
        .iter()
        .fold(text.to_owned(), |text, (name, value)| text.replace(name, value));
    filled.into()
}

async fn accept(listener: TcpListener, connected: mpsc::UnboundedSender<Duplex>) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let (read, write) = stream.into_split();
        if connected.send(Duplex::new(read, write)).is_err() {
            return;
        }
    }
}
