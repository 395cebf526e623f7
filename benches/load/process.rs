use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// A broker's process, which ends with this value.
pub(crate) struct Broker {
    child: Child,
    pub(crate) address: SocketAddr,
    config: Option<PathBuf>,
}

impl Broker {
    pub(crate) fn squall(program: &Path) -> Self {
        let address = free_address();
        let mut command = Command::new(program);
        command.args(["broker", "--log", "off", "--listen", &address.to_string()]);
        Self::start(command, address, None)
    }

    /// Mosquitto without logs, and with queues as long as the load needs, so that it drops nothing.
    pub(crate) fn mosquitto(program: &Path) -> Self {
        let address = free_address();
        let file = std::env::temp_dir().join(format!("squall-load-{}.conf", address.port()));
        let config = format!(
            "listener {} {}\nallow_anonymous true\npersistence false\nlog_type none\n\
             max_inflight_messages 1000\nmax_queued_messages 1000000\nset_tcp_nodelay true\n",
            address.port(),
            address.ip(),
        );
        fs::write(&file, config).expect("a temporary file");
        let mut command = Command::new(program);
        command.arg("-c").arg(&file);
        Self::start(command, address, Some(file))
    }

    /// How long its threads have run.
    pub(crate) fn run_time(&self) -> Duration {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("the broker runs");
        let nanos = tasks.flatten().filter_map(|task| {
            let schedstat = fs::read_to_string(task.path().join("schedstat")).ok()?;
            schedstat.split_whitespace().next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(nanos.sum())
    }

    fn start(mut command: Command, address: SocketAddr, config: Option<PathBuf>) -> Self {
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        Self {
            child,
            address,
            config,
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(config) = &self.config {
            let _ = fs::remove_file(config);
        }
    }
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a bound listener has an address")
}
