//! Brokers that are started for a run: what is known of each ([`Profile`], `conformance`), how it is looked up, and the process that it
//! becomes (`process`), which listens for what `transport` lists.

mod conformance;
mod process;
mod profile;
mod transport;

use std::{fmt, fs, path::PathBuf, sync::Arc, time::Duration};

use squall_proto::Version;
use squall_sim::{
    scenario::{BrokerSettings, Scenario},
    target::{self, RealBroker},
};

pub(crate) use self::{
    process::Process,
    profile::{Group, Profile},
    transport::Transport,
};
use crate::{exit::Misuse, work::Stop};

/// A broker that can be started.
pub(crate) struct Target {
    /// What `--target` said.
    called: String,
    profile: Profile,
    /// The file of the command's program.
    program: PathBuf,
    /// Whose end is that of the runs.
    stop: Stop,
    /// The longest that a run may take by what its scenario says.
    longest: Duration,
}

/// The profiles that come with the program, by their names.
const PROFILES: [(&str, &str); 15] = [
    ("activemq", include_str!("../conformance/targets/activemq.toml")),
    ("aedes", include_str!("../conformance/targets/aedes.toml")),
    ("amqtt", include_str!("../conformance/targets/amqtt.toml")),
    ("aws-iot", include_str!("../conformance/targets/aws-iot.toml")),
    ("emqx", include_str!("../conformance/targets/emqx.toml")),
    ("flashmq", include_str!("../conformance/targets/flashmq.toml")),
    ("hivemq", include_str!("../conformance/targets/hivemq.toml")),
    ("mosquitto", include_str!("../conformance/targets/mosquitto.toml")),
    ("nanomq", include_str!("../conformance/targets/nanomq.toml")),
    (
        "nats-server",
        include_str!("../conformance/targets/nats-server.toml"),
    ),
    ("rabbitmq", include_str!("../conformance/targets/rabbitmq.toml")),
    ("rmqttd", include_str!("../conformance/targets/rmqttd.toml")),
    ("rumqttd", include_str!("../conformance/targets/rumqttd.toml")),
    ("squall", include_str!("../conformance/targets/squall.toml")),
    ("vernemq", include_str!("../conformance/targets/vernemq.toml")),
];

/// Where a program is looked for besides `PATH`: distributions keep brokers there, and PATH leaves it out for who is not root.
const ALSO: [&str; 2] = ["/usr/sbin", "/usr/local/sbin"];

/// The profiles that come with the program, in the order of their names.
pub(crate) fn profiles() -> Result<Vec<Profile>, Misuse> {
    let read = |(name, text): &(&str, &str)| Profile::parse(name, text);
    PROFILES.iter().map(read).collect()
}

/// The profile of this name, or in this file.
pub(crate) fn find(wanted: &str) -> Result<Profile, Misuse> {
    if let Some((name, text)) = PROFILES.iter().find(|(name, _)| *name == wanted) {
        return Profile::parse(name, text);
    }
    if !is_file(wanted) {
        let names: Vec<&str> = PROFILES.iter().map(|(name, _)| *name).collect();
        let mend = format!(
            "there are {}; another broker's profile is a file, such as ./broker.toml",
            names.join(", ")
        );
        return Err(Misuse::new(format!("no target is called `{wanted}`"), mend));
    }
    let text = fs::read_to_string(wanted).map_err(|error| {
        let mend =
            "name a profile that comes with the program, or a file; docs/TARGETS.md says what one may say";
        Misuse::new(format!("cannot read {wanted}: {error}"), mend)
    })?;
    Profile::parse(wanted, &text)
}

/// Whether this is what [`find`] finds, and no address.
pub(crate) fn is_profile(wanted: &str) -> bool {
    PROFILES.iter().any(|(name, _)| *name == wanted) || is_file(wanted)
}

fn is_file(wanted: &str) -> bool {
    wanted.ends_with(".toml")
}

impl Target {
    /// The broker that `--target` says, whose program there must be.
    pub(crate) fn new(called: &str, longest: Duration, stop: &Stop) -> Result<Self, Misuse> {
        let profile = find(called)?;
        let program = profile.find_program()?;
        Ok(Self {
            called: called.to_owned(),
            profile,
            program,
            stop: stop.clone(),
            longest,
        })
    }

    /// What `--target` said.
    pub(crate) fn called(&self) -> &str {
        &self.called
    }

    /// What reports call it.
    pub(crate) fn title(&self) -> String {
        format!("{}, in processes of this machine", self.profile.about)
    }

    /// Why a scenario cannot be put to it, if it cannot.
    pub(crate) fn lacks(&self, scenario: &Scenario, version: Version) -> Option<String> {
        if !self.profile.versions.contains(&version.to_string()) {
            return Some(format!("the profile of `{}` has no {version}", self.profile.name));
        }
        let takes = target::takes(scenario);
        if takes > self.longest {
            let (takes, longest) = (rounded(takes), rounded(self.longest));
            return Some(format!(
                "it takes {takes} of real time, and --longest is {longest}"
            ));
        }
        let set = || self.profile.config(&scenario.broker);
        target::cannot_be_real(scenario).or_else(|| set().err())
    }
}

impl target::Target for Target {
    fn broker(&self, settings: &BrokerSettings) -> Result<Arc<dyn RealBroker>, String> {
        let configured = self.profile.config(settings)?;
        let process = Process::new(&self.profile, &self.program, configured)?;
        Ok(Arc::new(process))
    }

    fn promises(&self, settings: &BrokerSettings) -> bool {
        let configured = self.profile.config(settings);
        configured.is_ok_and(|configured| configured.promises)
    }

    fn is_interrupted(&self) -> bool {
        self.stop.is_set()
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("called", &self.called)
            .finish_non_exhaustive()
    }
}

impl Profile {
    /// The file of its program, which there must be.
    pub(crate) fn find_program(&self) -> Result<PathBuf, Misuse> {
        let Some(name) = self.program() else {
            let problem = format!("`{}` is a broker that somebody else starts", self.name);
            return Err(Misuse::new(
                problem,
                "name a profile with a `command`: docs/TARGETS.md has an example",
            ));
        };
        let problem = || format!("there is no {name}, which `{}` is", self.name);
        program(name).ok_or_else(|| Misuse::new(problem(), &self.install))
    }
}

fn rounded(time: Duration) -> humantime::FormattedDuration {
    humantime::format_duration(Duration::from_secs(time.as_secs()))
}

/// The file of a program: itself where it has a directory, otherwise the first of its name where programs are.
fn program(name: &str) -> Option<PathBuf> {
    if name == profile::SQUALL {
        return std::env::current_exe().ok();
    }
    let there = |file: PathBuf| file.is_file().then_some(file);
    if name.contains('/') {
        return there(PathBuf::from(name));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut directories = std::env::split_paths(&path).chain(ALSO.map(PathBuf::from));
    directories.find_map(|directory| there(directory.join(name)))
}
