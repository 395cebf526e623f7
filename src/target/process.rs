use std::{
    fs::{self, File},
    io,
    net::{Ipv4Addr, TcpListener},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use squall_node::BoxedStream;
use squall_sim::target::{Doing, RealBroker};
use tempfile::TempDir;
use tokio::{
    net::TcpStream,
    time::{Instant, sleep},
};

use super::{
    Transport,
    profile::{Configured, Group, Places, Profile},
    transport::{CERTIFICATE, write_certificate},
};

/// A broker in processes of the machine, one after another, in a directory of their own: its configuration, its data, and what it says.
pub(crate) struct Process {
    profile: Profile,
    program: PathBuf,
    configured: Configured,
    running: Mutex<Running>,
    directory: TempDir,
}

/// The process there is, and where it listens.
#[derive(Default)]
struct Running {
    child: Option<Child>,
    port: u16,
}

/// How often it is looked whether a process has begun or ended: nothing says so in every operating system.
const LOOK: Duration = Duration::from_millis(5);
/// Somebody else may take a port between the moment it is free and that at which the broker listens there.
const ATTEMPTS: u32 = 5;
/// What is told of what it said last.
const LINES: usize = 8;

impl Process {
    /// Of a profile with this program, in a configuration of the suite. Nothing is started.
    pub(crate) fn of_group(
        profile: &Profile,
        program: &Path,
        group: Option<&Group>,
        transport: Transport,
    ) -> Result<Self, String> {
        let process = Self::new(profile, program, profile.config_of(group, transport)?)?;
        if transport.scheme().is_tls() {
            write_certificate(process.directory.path())?;
        }
        Ok(process)
    }

    /// The same, configured so.
    pub(super) fn new(profile: &Profile, program: &Path, configured: Configured) -> Result<Self, String> {
        let directory =
            TempDir::with_prefix("squall-run-").map_err(|error| cannot("make a directory", &error))?;
        fs::create_dir(directory.path().join(DATA)).map_err(|error| cannot("make a directory", &error))?;
        Ok(Self {
            profile: profile.clone(),
            program: program.to_owned(),
            configured,
            running: Mutex::default(),
            directory,
        })
    }

    /// Whether there is a process.
    pub(crate) fn is_running(&self) -> bool {
        self.running().child.is_some() && self.status().is_none()
    }

    /// The port at which it listens.
    pub(crate) fn port(&self) -> u16 {
        self.running().port
    }

    /// Where its certificate is, if it has one: it is its own authority.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.directory.path().join(CERTIFICATE)
    }

    async fn begin(&self) -> Result<(), String> {
        for _ in 0..ATTEMPTS {
            self.gone().await;
            let port = free_port().map_err(|error| cannot("find a free port", &error))?;
            self.spawn(port)?;
            match self.until_ready(port).await {
                Err(_) if is_taken(port) => {}
                ready => return ready,
            }
        }
        Err("somebody else took each port that was free".to_owned())
    }

    fn spawn(&self, port: u16) -> Result<(), String> {
        let directory = self.directory.path();
        let (data, config) = (directory.join(DATA), directory.join(&self.configured.file));
        let places = Places {
            directory,
            data: &data,
            config: &config,
            port,
        };
        for (name, text) in &self.configured.files {
            fs::write(directory.join(name), places.fill(text))
                .map_err(|error| cannot("write its configuration", &error))?;
        }
        let log = File::options().append(true).create(true).open(self.log());
        let log = log.map_err(|error| cannot("keep what it says", &error))?;
        let said = log
            .try_clone()
            .map_err(|error| cannot("keep what it says", &error))?;
        let child = Command::new(&self.program)
            .args(self.profile.arguments(&places))
            .envs(self.profile.environment(&places))
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .stdout(said)
            .stderr(log)
            // What a terminal sends to all that it runs is for us: we end it, with what it has started.
            .process_group(0)
            .spawn();
        let child = child.map_err(|error| cannot(&format!("start {}", self.program.display()), &error))?;
        let mut running = self.running();
        running.child = Some(child);
        running.port = port;
        Ok(())
    }

    async fn until_ready(&self, port: u16) -> Result<(), String> {
        let began = Instant::now();
        loop {
            if let Some(status) = self.status() {
                return Err(self.last_words(&how(status)));
            }
            if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_ok() {
                return Ok(());
            }
            if began.elapsed() > self.profile.ready {
                self.kill();
                let took = humantime::format_duration(self.profile.ready);
                return Err(self.last_words(&format!("it took no connections within {took}")));
            }
            sleep(LOOK).await;
        }
    }

    /// Waits until no process runs.
    async fn gone(&self) -> Option<ExitStatus> {
        while self.running().child.is_some() {
            if let Some(status) = self.status() {
                return Some(status);
            }
            sleep(LOOK).await;
        }
        None
    }

    /// How the process has ended, if it has.
    fn status(&self) -> Option<ExitStatus> {
        self.running().child.as_mut()?.try_wait().ok().flatten()
    }

    /// Has the process and those that it has started get a signal, if it runs: one that has ended and been waited for has no number any
    /// more.
    fn signal(&self, signal: Signal) {
        let mut running = self.running();
        let Some(child) = &mut running.child else { return };
        let runs = matches!(child.try_wait(), Ok(None));
        let number = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        if let Some(number) = number.filter(|_| runs) {
            // It may end at this moment, and needs no signal then.
            _ = kill_process_group(number, signal);
        }
    }

    /// What happened, with what the process said last.
    fn last_words(&self, what: &str) -> String {
        let said = fs::read(self.log()).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let lines: Vec<&str> = said.lines().collect();
        let last = lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default();
        match last {
            [] => format!("{what}, and said nothing"),
            last => format!("{what}; it said last: {}", last.join("\n")),
        }
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("said")
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const DATA: &str = "data";

impl RealBroker for Process {
    fn start(&self) -> Doing<'_, Result<(), String>> {
        Box::pin(self.begin())
    }

    fn connect(&self) -> Doing<'_, io::Result<BoxedStream>> {
        let port = self.running().port;
        Box::pin(async move {
            let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
            stream.set_nodelay(true)?;
            Ok(BoxedStream::new(stream))
        })
    }

    fn ended(&self) -> Doing<'_, String> {
        Box::pin(async {
            let status = self.gone().await;
            self.last_words(&status.map_or_else(|| "it never ran".to_owned(), how))
        })
    }

    fn kill(&self) {
        self.signal(Signal::KILL);
    }

    fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    fn pause(&self) {
        self.signal(Signal::STOP);
    }

    fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn keeps(&self) -> bool {
        self.configured.keeps
    }

    fn forget(&self) {
        let data = self.directory.path().join(DATA);
        // What cannot be removed is found by the next process: the run tells.
        _ = fs::remove_dir_all(&data);
        _ = fs::create_dir(&data);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if let Some(child) = &mut self.running().child {
            // There is nothing to be done about one that cannot be waited for.
            _ = child.wait();
        }
    }
}

fn free_port() -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

fn is_taken(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err()
}

fn how(status: ExitStatus) -> String {
    format!("it ended with {status}")
}

fn cannot(what: &str, error: &io::Error) -> String {
    format!("cannot {what}: {error}")
}
