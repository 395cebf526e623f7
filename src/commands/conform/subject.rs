//! Which broker the suite is put to.

use squall_conformance::Selected;
use squall_node::Address;

use super::{Args, JOBS, Results, collect, real, simulated, started::Started};
use crate::{
    exit::Misuse,
    target::{self, Profile},
};

/// A broker to be held to the standard.
pub(super) enum Subject {
    /// Ours, in the simulated world.
    Simulated,
    /// One that listens somewhere, and what is known of it.
    There(Address, Option<Profile>),
    /// One that is started for the suite.
    Started(Profile),
}

impl Subject {
    /// The one that the arguments name.
    pub(super) fn of(args: &Args) -> Result<Self, Misuse> {
        let Some(target) = &args.target else {
            return Ok(Self::Simulated);
        };
        let subject = Self::named(target, args)?;
        if args.transport.is_some() && matches!(subject, Self::There(..)) {
            return Err(Misuse::new(
                format!("`{target}` is not started here, and --transport says how to"),
                "say with the address how it is reached: mqtt://, mqtts://, ws:// or wss://",
            ));
        }
        Ok(subject)
    }

    fn named(target: &str, args: &Args) -> Result<Self, Misuse> {
        if !target::is_profile(target) {
            return match &args.address {
                None => Ok(Self::There(address(target)?, None)),
                Some(_) => Err(Misuse::new(
                    format!("`{target}` is an address, and --address is another"),
                    "name a profile with --target, and with --address where its broker listens",
                )),
            };
        }
        let mut profile = target::find(target)?;
        let version = profile.version();
        profile.conformance = profile.conformance.of_version(version.as_deref());
        profile
            .about
            .extend(version.iter().flat_map(|version| [" ", version]));
        Ok(match (&args.address, &profile.address) {
            (Some(address), _) => Self::There(address.clone(), Some(profile)),
            (None, Some(usual)) => Self::There(address(usual)?, Some(profile)),
            (None, None) => Self::Started(profile),
        })
    }

    /// What reports call it.
    pub(super) fn title(&self, args: &Args) -> String {
        match self {
            Self::Simulated => "the simulated broker".to_owned(),
            Self::There(address, None) => args.reached(address).to_string(),
            Self::There(address, Some(profile)) => {
                format!("{} at {}", profile.about, args.reached(address))
            }
            Self::Started(profile) => match args.transport {
                None => profile.about.clone(),
                Some(transport) => format!("{} over {}", profile.about, transport.name()),
            },
        }
    }

    /// What the suite says of it.
    pub(super) async fn results(&self, args: &Args, selected: &[Selected]) -> Result<Results, anyhow::Error> {
        let settings = &args.settings(self)?;
        let jobs = args.jobs.unwrap_or(JOBS).into();
        match self {
            Self::Simulated => {
                collect(
                    simulated::start(args.seed, selected, settings),
                    selected,
                    settings,
                )
                .await
            }
            Self::There(address, profile) => {
                let way = args.way(address, profile.as_ref());
                let found = real::find(&way, selected, settings).await?;
                let results = collect(found.start(jobs, selected, settings), selected, settings).await?;
                Ok(match profile {
                    Some(profile) => profile.conformance.judge_all(results),
                    None => results,
                })
            }
            Self::Started(profile) => {
                let started = Started {
                    profile,
                    program: profile.find_program()?,
                    way: args.way(&address("127.0.0.1")?, Some(profile)),
                    transport: args.transport.unwrap_or_default(),
                    jobs,
                    settings,
                };
                started.results(selected).await
            }
        }
    }
}

/// Where a broker listens.
pub(super) fn address(text: &str) -> Result<Address, Misuse> {
    text.parse().map_err(|error| {
        Misuse::new(
            format!("`{text}`: {error}"),
            "write mqtt://HOST:PORT, or the name of a profile: `squall run --list-targets` lists them",
        )
    })
}
