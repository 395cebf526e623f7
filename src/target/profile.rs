use std::{collections::BTreeMap, path::Path, time::Duration};

use serde::Deserialize;
use serde_json::Value;
use squall_sim::scenario::BrokerSettings;

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
    /// The program and its arguments.
    command: Vec<String>,
    /// What to do where there is no such program.
    pub(crate) install: String,
    /// From its start until it takes connections, at most.
    #[serde(with = "humantime_serde", default = "ready")]
    pub(super) ready: Duration,
    config: Config,
    /// How it is set to keep what it has acknowledged, by the word that a scenario has for it.
    durability: BTreeMap<Asked, Durability>,
    /// The line of the configuration for each setting of a scenario's broker.
    #[serde(default)]
    settings: BTreeMap<String, String>,
}

/// The file that it reads.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    file: String,
    text: String,
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

/// A broker's configuration for one run.
#[derive(Clone, Debug)]
pub(super) struct Configured {
    pub(super) file: String,
    pub(super) text: String,
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
        if profile.command.is_empty() {
            return wrong("`command` names no program".to_owned());
        }
        if !profile.config.text.contains("{port}")
            && !profile.command.iter().any(|part| part.contains("{port}"))
        {
            return wrong(
                "neither `command` nor `config.text` has a `{port}`: it would listen where it likes"
                    .to_owned(),
            );
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

    /// The program, as the profile names it.
    pub(super) fn program(&self) -> &str {
        self.command.first().map_or("", String::as_str)
    }

    /// The arguments of the program.
    pub(super) fn arguments(&self, places: &Places<'_>) -> Vec<String> {
        self.command
            .iter()
            .skip(1)
            .map(|part| places.fill(part))
            .collect()
    }

    /// The configuration for a run; or what it cannot be set to, in words.
    pub(super) fn config(
        &self,
        settings: &BrokerSettings,
        data: &Path,
        port: u16,
    ) -> Result<Configured, String> {
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
        let Some(durability) = self.durability.get(&asked) else {
            return Err(format!(
                "the profile of `{}` has no [durability.{}]",
                self.name,
                asked.word()
            ));
        };
        let places = Places {
            data,
            config: Path::new(""),
            port,
        };
        let text = self.config.text.replace("{settings}", &lines.join("\n"));
        Ok(Configured {
            file: self.config.file.clone(),
            text: places.fill(&text.replace("{durability}", &durability.config)),
            keeps: asked > Asked::Memory,
            promises: asked == Asked::Memory || durability.declares > Asked::Memory,
        })
    }

    /// What it declares, by what it is asked for, in words.
    pub(crate) fn declares(&self) -> String {
        let declares = |(asked, durability): (&Asked, &Durability)| match *asked == durability.declares {
            true => asked.word().to_owned(),
            false => format!("{} (declares {})", asked.word(), durability.declares.word()),
        };
        self.durability
            .iter()
            .map(declares)
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// What placeholders stand for.
pub(super) struct Places<'a> {
    pub(super) data: &'a Path,
    pub(super) config: &'a Path,
    pub(super) port: u16,
}

impl Places<'_> {
    fn fill(&self, text: &str) -> String {
        text.replace("{data}", &self.data.display().to_string())
            .replace("{config}", &self.config.display().to_string())
            .replace("{port}", &self.port.to_string())
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
