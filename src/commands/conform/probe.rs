//! `squall conform --probe`: what a broker can do, as a profile of it.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs::File,
    io::{ErrorKind, Write as _},
    path::Path,
    sync::Arc,
    time::Duration,
};

use serde::Serialize;
use squall_conformance::{Capability, Finding, Probed, Settings, Target, Transport, User, probe};
use squall_node::{Address, NetworkAddress, Scheme};
use squall_proto::Version;
use squall_sim::{
    target::RealBroker as _,
    world::{OurBroker, simulate},
};
use tokio::task::JoinSet;

use super::{
    Args,
    real::{self, Way},
    simulated,
    started::does_not_start,
    subject::Subject,
};
use crate::{
    exit::{Exit, Misuse},
    output,
    target::Process,
};

/// What was found, and of what.
#[derive(Debug, Serialize)]
struct Told {
    /// What reports call it.
    target: String,
    /// Where it takes MQTT, beside other places.
    transports: Vec<String>,
    #[serde(flatten)]
    probed: Probed,
}

/// What a profile says.
#[derive(Serialize)]
struct Found<'a> {
    #[serde(flatten)]
    identity: Option<Identity<'a>>,
    #[serde(skip_serializing_if = "Lacks::is_empty")]
    conformance: Lacks<'a>,
}

#[derive(Serialize)]
struct Lacks<'a> {
    lacks: &'a BTreeMap<Capability, String>,
}

impl Lacks<'_> {
    fn is_empty(&self) -> bool {
        self.lacks.is_empty()
    }
}

/// What it says of a broker that nobody knew.
#[derive(Serialize)]
struct Identity<'a> {
    name: String,
    about: &'a str,
    versions: &'a [String],
    address: String,
    install: &'static str,
}

/// The ports at which brokers usually listen.
const USUAL: &[(Scheme, u16)] = &[
    (Scheme::Mqtt, 1883),
    (Scheme::Mqtts, 8883),
    (Scheme::Ws, 80),
    (Scheme::Ws, 8080),
    (Scheme::Ws, 8083),
    (Scheme::Ws, 9001),
    (Scheme::Wss, 443),
    (Scheme::Wss, 8084),
    (Scheme::Wss, 8443),
];
/// What is longer than this stands out of its column.
const COLUMN_MAX: usize = 32;
/// How long a place may take to answer where perhaps nothing is.
const ANSWERS: Duration = Duration::from_secs(2);

pub(super) fn run(args: &Args) -> Result<Exit, anyhow::Error> {
    let subject = Subject::of(args)?;
    let settings = args.settings(&subject)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let told = match &subject {
        Subject::Simulated => {
            let probed = simulate(args.seed, OurBroker::Plain, |net| async move {
                probe(&settings, &simulated::transport(net), None).await
            });
            Told::of(&subject, args, probed?)
        }
        Subject::There(address, profile) => {
            let way = args.way(address, profile.as_ref());
            runtime.block_on(there(args, &subject, &way, &settings))?
        }
        Subject::Started(profile) => {
            let over = args.transport.unwrap_or_default();
            let process = Process::of_group(profile, &profile.find_program()?, None, over);
            let process =
                process.map_err(|why| Misuse::new(why, "docs/TARGETS.md says what a profile may say"))?;
            runtime.block_on(async {
                let started = process.start().await;
                started.map_err(|why| does_not_start(profile, "", &why))?;
                let way = args.way(&super::subject::address("127.0.0.1")?, Some(profile));
                let transport = real::transport(&way.to(&process, over))?;
                Ok::<_, anyhow::Error>(Told::of(
                    &subject,
                    args,
                    probe(&settings, &transport, way.user).await?,
                ))
            })?
        }
    };
    runtime.shutdown_background();
    let text = match args.results.as_json() {
        true => serde_json::to_string_pretty(&told)? + "\n",
        false => told.profile(&subject, args)?,
    };
    match &args.profile {
        Some(file) => write(file, &text)?,
        None => drop(output::print(&text)?),
    }
    Ok(Exit::Held)
}

async fn there(
    args: &Args,
    subject: &Subject,
    way: &Way,
    settings: &Settings,
) -> Result<Told, anyhow::Error> {
    let transport = real::transport(way)?;
    let probed = probe(settings, &transport, way.user.clone()).await;
    let probed = probed.map_err(|error| real::nothing_answers(&way.address, &error))?;
    Ok(Told {
        transports: transports(way).await?,
        ..Told::of(subject, args, probed)
    })
}

/// Where else on the broker's host, and how else at its port, there is MQTT.
async fn transports(way: &Way) -> Result<Vec<String>, anyhow::Error> {
    let Address::Network(network) = &way.address else {
        return Ok(Vec::new());
    };
    let all = [Scheme::Mqtt, Scheme::Mqtts, Scheme::Ws, Scheme::Wss].map(|scheme| (scheme, network.port));
    let usual = USUAL.iter().filter(|(_, port)| *port != network.port);
    let mut asking = JoinSet::new();
    for (place, (scheme, port)) in all.iter().chain(usual).copied().enumerate() {
        let address = at(network, scheme, port);
        let transport = real::transport(&Way {
            address: address.clone(),
            ..way.clone()
        })?;
        let user = way.user.clone();
        asking.spawn(async move { (place, answer(&address, &transport, user).await) });
    }
    let mut answers = asking.join_all().await;
    answers.sort();
    Ok(answers.into_iter().filter_map(|(_, answer)| answer).collect())
}

fn at(network: &NetworkAddress, scheme: Scheme, port: u16) -> Address {
    let path = match scheme.is_websocket() && network.scheme.is_websocket() {
        true => network.path.clone(),
        false => scheme.path().into(),
    };
    Address::Network(NetworkAddress {
        scheme,
        host: network.host.clone(),
        port,
        path,
    })
}

/// The address, if there is MQTT, or TLS of which nobody knows the CA.
async fn answer(address: &Address, transport: &Arc<dyn Transport>, user: Option<User>) -> Option<String> {
    match Target::probe(transport, &Version::ALL, "probe", ANSWERS, user).await {
        Ok(target)
            if Version::ALL
                .iter()
                .all(|version| target.refuses(*version).is_some()) =>
        {
            None
        }
        Ok(_) => Some(address.to_string()),
        Err(error) if error.to_string().contains("certificate") => {
            Some(format!("{address} ({error}: --cafile names the CA)"))
        }
        Err(_) => None,
    }
}

impl Told {
    fn of(subject: &Subject, args: &Args, probed: Probed) -> Self {
        Self {
            target: subject.title(args),
            transports: Vec::new(),
            probed,
        }
    }

    /// What was found, for readers, and what a profile says of it.
    fn profile(&self, subject: &Subject, args: &Args) -> Result<String, anyhow::Error> {
        let mut text = format!(
            "# What `squall conform --probe` found of {}.\n# docs/TARGETS.md says what else a profile may say.\n#\n",
            self.target
        );
        for line in self.table() {
            let _ = writeln!(text, "# {line}");
        }
        let identity = match subject {
            Subject::There(address, None) => Some(self.identity(&args.reached(address))),
            Subject::There(_, Some(_)) | Subject::Started(_) | Subject::Simulated => None,
        };
        let profile = Found {
            identity,
            conformance: Lacks {
                lacks: &self.probed.lacks,
            },
        };
        Ok(text + "\n" + &toml::to_string(&profile)?)
    }

    fn identity(&self, address: &Address) -> Identity<'_> {
        let about = self.probed.name.as_deref().unwrap_or("a broker");
        let mut words = about.split(|between: char| !between.is_alphanumeric());
        Identity {
            name: words.next().unwrap_or_default().to_lowercase(),
            about,
            versions: &self.probed.versions,
            address: address.to_string(),
            install: "start it, or say with --address where it listens",
        }
    }

    /// What was found, a line each.
    fn table(&self) -> Vec<String> {
        let found = &self.probed.found;
        let all = |of: fn(&Finding) -> usize| found.iter().map(of).max().unwrap_or(0);
        let what = all(|finding| finding.what.len());
        let v3 = all(|finding| finding.v3.as_ref().map_or(0, String::len)).clamp(10, COLUMN_MAX);
        let mut lines = vec![format!("{:what$}  {:v3$}  MQTT 5.0", "", "MQTT 3.1.1")];
        for finding in found {
            let [in_v3, in_v5] = [&finding.v3, &finding.v5].map(|said| said.as_deref().unwrap_or("-"));
            lines.push(format!("{:what$}  {in_v3:v3$}  {in_v5}", finding.what));
        }
        for (version, why) in &self.probed.refused {
            lines.push(format!("MQTT {version}: {why}"));
        }
        lines.extend(
            self.transports
                .iter()
                .map(|transport| format!("listens at {transport}")),
        );
        lines
    }
}

/// Writes a new file: one that is there may be somebody's work.
fn write(file: &Path, text: &str) -> Result<(), Misuse> {
    let written = File::create_new(file).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        let mend = if error.kind() == ErrorKind::AlreadyExists {
            "name a file that there is not, or take that one away"
        } else {
            "name a file in a directory that is there and may be written to"
        };
        Misuse::new(format!("cannot write {}: {error}", file.display()), mend)
    })
}
