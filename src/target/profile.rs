use std::{collections::BTreeMap, path::Path, process::Command, time::Duration};

use serde::Deserialize;
use serde_json::Value;
use squall_conformance::User;
use squall_sim::scenario::BrokerSettings;

use super::{
    Transport,
    conformance::Conformance,
    transport::{CERTIFICATE, KEY},
};
use crate::exit::Misuse;

/// What is known of a broker: how it is started and set, and what it declares. `docs/TARGETS.md` documents every key.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    /// What `--target` calls it.
    pub(crate) name: String,
    /// What it is, in a few words.
    pub(crate) about: String,
    /// The versions of the protocol that it speaks.
    pub(crate) versions: Vec<String>,
    /// The program and its arguments; empty for a broker that somebody else starts.
    #[serde(default)]
    command: Vec<String>,
    /// What its environment says besides ours.
    #[serde(default)]
    environment: BTreeMap<String, String>,
    /// Where it listens if somebody else starts it.
    pub(crate) address: Option<String>,
    /// What to do where there is no such program, or nothing answers.
    pub(crate) install: String,
    /// What prints its version, to look for the first number with points in.
    #[serde(default)]
    version: Vec<String>,
    /// From its start until it takes connections, at most.
    #[serde(with = "humantime_serde", default = "ready")]
    pub(super) ready: Duration,
    #[serde(default)]
    config: Config,
    /// In place of `{listener}`, by what is below MQTT.
    #[serde(default)]
    transports: BTreeMap<Transport, String>,
    /// How it is set to keep what it has acknowledged, by the word that a scenario has for it.
    #[serde(default)]
    durability: BTreeMap<Asked, Durability>,
    /// The line of the configuration for each setting of a scenario's broker.
    #[serde(default)]
    settings: BTreeMap<String, String>,
    /// Somebody it knows in its plain configuration.
    pub(crate) user: Option<User>,
    /// Other configurations of it, for the conformance suite.
    #[serde(default)]
    pub(crate) groups: Vec<Group>,
    /// What the conformance suite is to know of it.
    #[serde(default)]
    pub(crate) conformance: Conformance,
}

/// The file that it reads, and those that this one names.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    file: String,
    text: String,
    /// By name.
    #[serde(default)]
    files: BTreeMap<String, String>,
}

/// A configuration in which a broker does less than usual, or more.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Group {
    /// What reports call it.
    pub(crate) name: String,
    /// In place of `{settings}`.
    config: String,
    /// Files that it names, beside those of the usual configuration.
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// Somebody it knows.
    pub(crate) user: Option<User>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Durability {
    config: String,
    declares: Asked,
}

/// What survives of what was acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Asked {
    /// Nothing that the process does not.
    Memory,
    /// All of it, a crash of the process.
    Os,
    /// All of it, a loss of power.
    Disk,
}

/// A broker's configuration for one run, its [`Places`] still to be filled in.
#[derive(Clone, Debug)]
pub(super) struct Configured {
    pub(super) file: String,
    /// By name, the one it reads first among them.
    pub(super) files: BTreeMap<String, String>,
    /// The next process takes up what the last one has on disk.
    pub(super) keeps: bool,
    /// It declares that this is all it has acknowledged, also when it is killed.
    pub(super) promises: bool,
}

/// In place of the program's name: this program.
pub(super) const SQUALL: &str = "{squall}";

const fn ready() -> Duration {
    Duration::from_secs(20)
}

impl Profile {
    /// Reads a profile; `file` names it in errors.
    pub(super) fn parse(file: &str, text: &str) -> Result<Self, Misuse> {
        let mend = "docs/TARGETS.md says what a profile may say";
        let profile: Self = toml::from_str(text)
            .map_err(|error| Misuse::new(format!("{file}: {}", error.to_string().trim_end()), mend))?;
        let wrong = |problem: String| Err(Misuse::new(format!("{file}: {problem}"), mend));
        if profile.command.is_empty() == profile.address.is_none() {
            return wrong(
                "there is one of `command`, what starts it, and `address`, where it listens".to_owned(),
            );
        }
        if !profile.listens_at_its_port() {
            return wrong(
                "neither `command` nor `config.text` has a `{port}`: it would listen where it likes"
                    .to_owned(),
            );
        }
        if profile.config.text.contains("{listener}") != profile.transports.contains_key(&Transport::Tcp) {
            return wrong("`{listener}` stands in `config.text`, and `transports.tcp` is what goes there: there are both, or neither".to_owned());
        }
        if let Some(problem) = profile.conformance.problem() {
            return wrong(problem);
        }
        let known = known_settings();
        match profile.settings.keys().find(|key| !known.contains_key(*key)) {
            Some(unknown) => wrong(format!(
                "`settings.{unknown}` is no setting of a scenario's broker: there are {}",
                known.keys().cloned().collect::<Vec<_>>().join(", ")
            )),
            None => Ok(profile),
        }
    }

    /// The program, as the profile names it; `None` where somebody else starts it.
    pub(super) fn program(&self) -> Option<&str> {
        self.command.first().map(String::as_str)
    }

    /// The version of its program here, if there is a way to ask.
    pub(crate) fn version(&self) -> Option<String> {
        let (program, arguments) = self.version.split_first()?;
        let said = Command::new(super::program(program)?)
            .args(arguments)
            .output()
            .ok()?;
        let said = [said.stdout, said.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        let is_version =
            |word: &&str| word.contains('.') && word.starts_with(|first: char| first.is_ascii_digit());
        let words = said.split(|between: char| between.is_whitespace() || [',', '@'].contains(&between));
        let mut words = words.map(|word| word.trim_start_matches('v'));
        words.find(is_version).map(str::to_owned)
    }

    /// The arguments of the program.
    pub(super) fn arguments(&self, places: &Places<'_>) -> Vec<String> {
        self.command
            .iter()
            .skip(1)
            .map(|part| places.fill(part))
            .collect()
    }

    /// What its environment says besides ours, by name.
    pub(super) fn environment(&self, places: &Places<'_>) -> impl Iterator<Item = (&str, String)> {
        self.environment
            .iter()
            .map(|(name, text)| (name.as_str(), places.fill(text)))
    }

    /// The configuration for a run; or what it cannot be set to, in words.
    pub(super) fn config(&self, settings: &BrokerSettings) -> Result<Configured, String> {
        let mut lines = Vec::new();
        let mut asked = Asked::Memory;
        for (name, value) in asked_for(settings) {
            if name == "durability" {
                asked = serde_json::from_value(value)
                    .map_err(|_| "the scenario asks for a durability that no profile knows".to_owned())?;
                continue;
            }
            let Some(line) = self.settings.get(&name) else {
                return Err(format!("the profile of `{}` cannot set `{name}`", self.name));
            };
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            lines.push(line.replace("{value}", &value));
        }
        self.configured(asked, &lines.join("\n"), Transport::Tcp)
    }

    /// The configuration of a group, or the usual one.
    pub(super) fn config_of(
        &self,
        group: Option<&Group>,
        transport: Transport,
    ) -> Result<Configured, String> {
        let lines = group.map_or("", |group| &*group.config);
        let mut configured = self.configured(Asked::Memory, lines, transport)?;
        configured
            .files
            .extend(group.into_iter().flat_map(|group| group.files.clone()));
        Ok(configured)
    }

    fn configured(&self, asked: Asked, settings: &str, transport: Transport) -> Result<Configured, String> {
        let Some(durability) = self.durability.get(&asked) else {
            return Err(format!(
                "the profile of `{}` has no [durability.{}]",
                self.name,
                asked.word()
            ));
        };
        let text = self.config.text.replace("{settings}", settings);
        let text = text.replace("{listener}", self.listener(transport)?);
        let mut files = self.config.files.clone();
        files.insert(
            self.config.file.clone(),
            text.replace("{durability}", &durability.config),
        );
        Ok(Configured {
            file: self.config.file.clone(),
            files,
            keeps: asked > Asked::Memory,
            promises: asked == Asked::Memory || durability.declares > Asked::Memory,
        })
    }

    /// What has it listen for this.
    fn listener(&self, transport: Transport) -> Result<&str, String> {
        match (self.transports.get(&transport), transport) {
            (Some(text), _) => Ok(text),
            (None, Transport::Tcp) => Ok(""),
            (None, Transport::Tls | Transport::Ws | Transport::Wss) => Err(format!(
                "the profile of `{}` has no `transports.{}`",
                self.name,
                transport.name()
            )),
        }
    }

    /// Whether it is told at which port to listen, if it is started at all.
    fn listens_at_its_port(&self) -> bool {
        let has_port = |text: &String| text.contains("{port}");
        self.address.is_some()
            || has_port(&self.config.text)
            || self.command.iter().any(has_port)
            || (!self.transports.is_empty() && self.transports.values().all(has_port))
    }

    /// What it declares, by what it is asked for, in words; or that nothing is asked of it but to conform.
    pub(crate) fn declares(&self) -> String {
        if self.address.is_some() {
            return "started by somebody else: for `squall conform` alone".to_owned();
        }
        let declares = |(asked, durability): (&Asked, &Durability)| match *asked == durability.declares {
            true => asked.word().to_owned(),
            false => format!("{} (declares {})", asked.word(), durability.declares.word()),
        };
        let declared: Vec<String> = self.durability.iter().map(declares).collect();
        format!("durability {}", declared.join(", "))
    }
}

/// What placeholders stand for.
pub(super) struct Places<'a> {
    /// What is its own: its configuration, and the data in it.
    pub(super) directory: &'a Path,
    pub(super) data: &'a Path,
    pub(super) config: &'a Path,
    pub(super) port: u16,
}

impl Places<'_> {
    pub(super) fn fill(&self, text: &str) -> String {
        let in_directory = |name| self.directory.join(name).display().to_string();
        text.replace("{directory}", &self.directory.display().to_string())
            .replace("{data}", &self.data.display().to_string())
            .replace("{config}", &self.config.display().to_string())
            .replace("{port}", &self.port.to_string())
            .replace("{certificate}", &in_directory(CERTIFICATE))
            .replace("{key}", &in_directory(KEY))
    }
}

impl Asked {
    const fn word(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Os => "os",
            Self::Disk => "disk",
        }
    }
}

/// What a scenario asks of its broker that is not as usual, by name.
fn asked_for(settings: &BrokerSettings) -> Vec<(String, Value)> {
    let usual = known_settings();
    let asked = as_written(settings).into_iter();
    asked
        .filter(|(name, value)| usual.get(name) != Some(value))
        .collect()
}

/// Every setting there is, as it usually is.
fn known_settings() -> serde_json::Map<String, Value> {
    as_written(&BrokerSettings::default())
}

fn as_written(settings: &BrokerSettings) -> serde_json::Map<String, Value> {
    match serde_json::to_value(settings) {
        Ok(Value::Object(settings)) => settings,
        Ok(_) | Err(_) => unreachable!("settings are written as a map"),
    }
}
