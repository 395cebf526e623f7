//! `squall conform`: the conformance suite, against a broker that listens somewhere or ours in the simulated world.
//!
//! [`list`] prints what would run; [`subject`] says on what it runs, [`real`], [`started`] and [`simulated`] how, and [`running`] is what of it is under way;
//! [`client`] is the suite for clients, [`probe`] looks at a broker before anybody judges it.

mod client;
mod list;
mod probe;
mod real;
mod running;
mod simulated;
mod started;
mod subject;

use std::{
    collections::BTreeSet,
    ffi::OsString,
    num::NonZeroUsize,
    path::PathBuf,
    time::{Duration, Instant},
};

use squall_conformance::{AnyCase, Case, Selected, Settings, User, is_refusal, report, select};
use squall_node::Address;
use squall_proto::Version;
use squall_reports::{TestResult, Verdict};

use self::{real::Way, running::Running, subject::Subject};
use crate::{
    connection::secured,
    exit::{Exit, Misuse},
    results::ResultArgs,
    target::{Profile, Transport},
    tls::TlsArgs,
};

/// Hold a broker or a client to the MQTT standard, statement by statement
///
/// Without --target or --client it is our own broker that is held to it, in the simulated world and in virtual time.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  squall conform                                            our broker, in the simulated world
  squall conform --target mqtt://127.0.0.1:1883             any broker
  squall conform --target mosquitto                         one that is started for it, in each of its configurations
  squall conform --target squall --transport wss --segment 1  the same over WebSocket on TLS, with every byte in a frame of its own
  squall conform --target mqtt://127.0.0.1:1883 --mqtt 5.0 --filter will
  squall conform --target wss://broker.example/mqtt --cafile ca.pem --segment 1
  squall conform --list --filter 3.3                        the cases of a section, and their statements
  squall conform --target mqtt://127.0.0.1:1883 --report json=result.json --report junit=result.xml
  squall conform --target mqtt://127.0.0.1:1883 --probe     what it can do, as a profile to name with --target
  squall conform --client -- python3 conformance/drivers/paho_python.py
                                                            a client, told what to do by its driver (docs/CLIENTS.md)
  squall conform --client --list                            the cases about clients

Cases use topics below squall/ and Client Identifiers that begin with sq, and leave neither sessions nor retained messages behind.")]
pub(crate) struct Args {
    /// The broker: mqtt://, mqtts://, ws:// or wss:// with HOST:PORT/PATH, or unix:PATH; or the profile of one that is started for the
    /// suite, by its name (squall run --list-targets) or its file
    #[arg(long, value_name = "URL|NAME|FILE")]
    target: Option<String>,
    /// With a profile of a broker that somebody else has started: where it listens
    #[arg(long, value_name = "URL", requires = "target")]
    address: Option<Address>,
    /// With a profile of a broker that is started for the suite: what is below MQTT, if it can be set to that
    #[arg(long, requires = "target", conflicts_with = "address")]
    transport: Option<Transport>,
    /// Send so many bytes at a time, each in a segment, record or frame of its own
    #[arg(long, value_name = "BYTES", requires = "target")]
    segment: Option<NonZeroUsize>,
    /// Somebody the broker knows: for the cases about enhanced authentication, and for all if it takes nobody else
    #[arg(short, long, value_name = "NAME", requires = "target", requires = "pw")]
    username: Option<String>,
    /// Their password
    #[arg(
        short = 'P',
        long,
        value_name = "PASSWORD",
        requires = "username",
        allow_hyphen_values = true
    )]
    pw: Option<String>,
    /// Hold a client to the standard: COMMAND starts the driver that tells it what to do (docs/CLIENTS.md), once a case, with
    /// SQUALL_HOST, SQUALL_PORT, SQUALL_ADDRESS and SQUALL_MQTT in its environment; {host}, {port} and {version} stand for them
    #[arg(long, conflicts_with_all = ["target", "seed"])]
    client: bool,
    /// With --client: the driver, a program and its arguments
    #[arg(last = true, value_name = "COMMAND", requires = "client")]
    command: Vec<OsString>,
    /// Only this version of the protocol
    #[arg(long, value_name = "VERSION", value_parser = version)]
    mqtt: Option<Version>,
    /// Only cases with this word in their name, of this section (3.3) or about this statement (MQTT-3.3.1-5); may be given several
    /// times, and then one of them must fit
    #[arg(long, value_name = "WORD")]
    filter: Vec<String>,
    /// Only list the cases that would run
    #[arg(long)]
    list: bool,
    /// Judge nothing: find out what the broker can do, and print that as the profile of a target (docs/TARGETS.md)
    #[arg(long, conflicts_with_all = ["client", "list", "filter", "mqtt", "jobs"])]
    probe: bool,
    /// With --probe: write the profile to this new file
    #[arg(long, value_name = "FILE", requires = "probe")]
    profile: Option<PathBuf>,
    /// How many cases run side by side; 64 if not given, 8 with --client
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    jobs: Option<u16>,
    /// How long an answer may take before it counts as missing, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = clap::value_parser!(u16).range(1..=600))]
    timeout: u16,
    /// What the simulated world draws its chances from
    #[arg(long, value_name = "N", default_value = "0", conflicts_with = "target")]
    seed: u64,
    #[command(flatten)]
    tls: TlsArgs,
    #[command(flatten)]
    results: ResultArgs,
}

/// Cases with what came of them.
type Results<C = Case> = Vec<(Selected<C>, TestResult)>;

/// How many cases run side by side, where nobody said.
const JOBS: u16 = 64;

pub(crate) fn run(args: &Args) -> Result<Exit, anyhow::Error> {
    if args.client {
        return client::run(args);
    }
    if args.probe {
        return probe::run(args);
    }
    let selected: Vec<Selected> = args.selected()?;
    if args.list {
        return list::print(&selected);
    }
    args.results.check()?;
    let subject = Subject::of(args)?;
    let start = Instant::now();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let results = runtime.block_on(subject.results(args, &selected))?;
    runtime.shutdown_background();
    if let Some(why) = refused(&results) {
        let mend = "--username and --pw say whom it knows, --cert and --key what shows that; --mqtt asks for a version that it speaks";
        return Err(Misuse::new(why, mend).into());
    }
    let micros = u64::try_from(start.elapsed().as_micros())?;
    args.results.show(&report(subject.title(args), micros, results))
}

impl Args {
    fn selected<C: AnyCase>(&self) -> Result<Vec<Selected<C>>, Misuse> {
        let versions = self
            .mqtt
            .map_or_else(|| Version::ALL.to_vec(), |version| vec![version]);
        let selected = select(&versions, &self.filter);
        if selected.is_empty() {
            let client = if self.client { "--client " } else { "" };
            return Err(Misuse::new(
                format!("no case fits --filter {}", self.filter.join(" --filter ")),
                format!("squall conform {client}--list shows every case with its section and its statements"),
            ));
        }
        Ok(selected)
    }

    fn user(&self) -> Option<User> {
        let user = self.username.as_ref().zip(self.pw.as_ref());
        user.map(|(name, password)| User::new(name, password))
    }

    fn reached(&self, address: &Address) -> Address {
        secured(address.clone(), self.tls.ask_for_tls())
    }

    /// How the broker there is reached, and what its profile knows of it.
    fn way(&self, address: &Address, profile: Option<&Profile>) -> Way {
        let lacks = profile.map(|profile| profile.conformance.lacks.clone());
        Way {
            address: self.reached(address),
            tls: self.tls.client(),
            segment: self.segment,
            user: self.user().or_else(|| profile?.user.clone()),
            lacks: lacks.unwrap_or_default(),
        }
    }

    fn settings(&self, subject: &Subject) -> Result<Settings, anyhow::Error> {
        let mut command = String::from("squall conform");
        let target = match subject {
            Subject::There(address, None) => Some(self.reached(address).to_string()),
            Subject::There(_, Some(_)) | Subject::Started(_) => self.target.clone(),
            Subject::Simulated => None,
        };
        match target {
            Some(target) => {
                command.push_str(&format!(" --target {target}"));
                if let Some(address) = &self.address {
                    command.push_str(&format!(" --address {}", self.reached(address)));
                }
                if let Some(transport) = self.transport {
                    command.push_str(&format!(" --transport {}", transport.name()));
                }
                command.push_str(&self.tls.repeat());
                if let Some(bytes) = self.segment {
                    command.push_str(&format!(" --segment {bytes}"));
                }
                if let Some(name) = &self.username {
                    command.push_str(&format!(" --username {name} --pw PASSWORD"));
                }
            }
            None => command.push_str(&format!(" --seed {}", self.seed)),
        }
        let unique = match &self.target {
            Some(_) => real::unique()?,
            None => "000000".into(),
        };
        Ok(Settings {
            patience: Duration::from_secs(self.timeout.into()),
            unique,
            command,
        })
    }
}

/// What the target said, if it took no CONNECT: then nothing has been tested.
fn refused(results: &Results) -> Option<String> {
    let refusal = |(_, result): &(Selected, TestResult)| {
        let Verdict::Unsupported { why } = &result.verdict else {
            return None;
        };
        is_refusal(why).then(|| why.clone())
    };
    let refusals: Option<BTreeSet<String>> = results.iter().map(refusal).collect();
    let refusals = refusals.filter(|refusals| !refusals.is_empty())?;
    Some(refusals.into_iter().collect::<Vec<_>>().join("; "))
}

/// Waits for every case, or for Ctrl-C: what has not ended by then is inconclusive.
async fn collect<C: AnyCase>(
    mut running: Running,
    selected: &[Selected<C>],
    settings: &Settings,
) -> Result<Results<C>, anyhow::Error> {
    tokio::select! {
        biased;
        asked = interrupt() => asked?,
        ended = running.all_ended() => ended?,
    }
    Ok(running
        .outcomes(selected, Duration::ZERO)
        .or_interrupted(settings))
}

async fn interrupt() -> Result<(), anyhow::Error> {
    Ok(tokio::signal::ctrl_c().await?)
}

fn version(text: &str) -> Result<Version, String> {
    let named = Version::ALL
        .into_iter()
        .find(|version| version.to_string() == text);
    named.ok_or_else(|| "write 3.1.1 or 5.0".into())
}
