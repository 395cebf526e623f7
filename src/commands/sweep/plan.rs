use std::{
    path::PathBuf,
    str::FromStr,
    sync::Arc,
    time::{Duration, Instant},
};

use squall_proto::Version;
use squall_sim::{scenario::Scenario, swarm, verdict::Judging};

use super::Args;
use crate::{
    exit::Misuse,
    work::{Job, Seeds, Source},
};

/// What is run, in an order that each shard takes its part of.
pub(super) struct Plan {
    what: What,
    seeds: Seeds,
    pub(super) shard: Shard,
    twice: bool,
    control: bool,
    began: Instant,
    lasts: Option<Duration>,
}

enum What {
    /// Every scenario with each of its versions; all of them with one seed, then with the next.
    Given(Vec<(PathBuf, Arc<Scenario>, Version)>),
    /// One scenario a seed.
    Drawn(Option<Version>),
}

/// One part of so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shard {
    /// From 1.
    pub(super) part: u64,
    pub(super) of: u64,
}

/// One of so many runs is done twice.
const SAMPLE: u64 = 64;

impl Plan {
    pub(super) fn new(
        args: &Args,
        scenarios: Vec<(PathBuf, Arc<Scenario>)>,
        began: Instant,
    ) -> Result<Self, Misuse> {
        let what = if args.swarm {
            What::Drawn(args.mqtt)
        } else {
            What::Given(with_versions(args, scenarios)?)
        };
        Ok(Self {
            what,
            seeds: args.seeds.unwrap_or_else(Seeds::all),
            shard: args.shard,
            twice: args.twice,
            control: !args.no_control,
            began,
            lasts: args.lasts,
        })
    }

    /// The job of a place among those of the shard; `None` when there is none, or no time.
    pub(super) fn job(&self, place: usize) -> Option<Job> {
        // However short the time is, there is something to tell.
        if place > 0 && self.lasts.is_some_and(|lasts| self.began.elapsed() >= lasts) {
            return None;
        }
        let index = self.shard.index(place)?;
        let twice = self.twice || index.is_multiple_of(SAMPLE);
        match &self.what {
            What::Given(given) => {
                let each = u64::try_from(given.len()).ok()?;
                let seed = self.seeds.nth(index / each)?;
                let (file, scenario, version) = given.get(usize::try_from(index % each).ok()?)?;
                let judging = Judging {
                    twice,
                    control: self.control,
                    touched: true,
                    over: true,
                };
                Some(Job {
                    source: Source::File(file.clone()),
                    scenario: Arc::clone(scenario),
                    version: *version,
                    seed,
                    judging,
                    mutant: None,
                    target: None,
                })
            }
            What::Drawn(version) => Some(drawn(self.seeds.nth(index)?, *version, twice)),
        }
    }

    /// How many jobs there are; `None` when time decides.
    pub(super) fn length(&self) -> Option<u64> {
        let each = match &self.what {
            What::Given(given) => u64::try_from(given.len()).ok()?,
            What::Drawn(_) => 1,
        };
        self.lasts.is_none().then(|| {
            let all = self.seeds.count().saturating_mul(each);
            all.saturating_sub(self.shard.part - 1).div_ceil(self.shard.of)
        })
    }
}

/// The scenario of a seed. Another version than it was drawn for is not one that it may be run with.
fn drawn(seed: u64, version: Option<Version>, twice: bool) -> Job {
    let scenario = swarm::draw(seed, version);
    Job {
        source: Source::Swarm,
        version: scenario.versions.first().copied().unwrap_or(Version::V5),
        seed,
        judging: Judging {
            twice,
            // Who may be left without an answer, or its connection, for ever may wait for ever.
            over: !scenario.leaves_open(),
            ..Judging::ONCE
        },
        scenario: Arc::new(scenario),
        mutant: None,
        target: None,
    }
}

fn with_versions(
    args: &Args,
    scenarios: Vec<(PathBuf, Arc<Scenario>)>,
) -> Result<Vec<(PathBuf, Arc<Scenario>, Version)>, Misuse> {
    let mut given = Vec::new();
    for (file, scenario) in scenarios {
        let wanted = |version: &&Version| args.mqtt.is_none_or(|wanted| wanted == **version);
        let versions: Vec<Version> = scenario.versions.iter().filter(wanted).copied().collect();
        given.extend(
            versions
                .into_iter()
                .map(|version| (file.clone(), Arc::clone(&scenario), version)),
        );
    }
    if given.is_empty() {
        return Err(Misuse::new(
            "none of the scenarios is for this version",
            "leave `--mqtt` out, or name another one",
        ));
    }
    Ok(given)
}

impl Shard {
    /// The place among all of what is in this place among the shard's.
    fn index(self, place: usize) -> Option<u64> {
        u64::try_from(place)
            .ok()?
            .checked_mul(self.of)?
            .checked_add(self.part - 1)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write which of how many, such as 1/8".to_owned();
        let (part, of) = text.split_once('/').ok_or_else(wrong)?;
        let number = |text: &str| text.trim().parse::<u64>().map_err(|_| wrong());
        let (part, of) = (number(part)?, number(of)?);
        if (1..=of).contains(&part) {
            Ok(Self { part, of })
        } else {
            Err(wrong())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn plan(shard: &str, seeds: &str) -> Plan {
        let scenario = Arc::new(swarm::draw(1, None));
        let files = ["one", "two", "three"];
        let given = files.map(|file| (PathBuf::from(file), Arc::clone(&scenario), Version::V5));
        Plan {
            what: What::Given(given.to_vec()),
            seeds: seeds.parse().unwrap(),
            shard: shard.parse().unwrap(),
            twice: false,
            control: true,
            began: Instant::now(),
            lasts: None,
        }
    }

    fn jobs(plan: &Plan) -> Vec<(Source, u64)> {
        let jobs = (0..).map_while(|place| plan.job(place));
        jobs.map(|job| (job.source, job.seed)).collect()
    }

    #[test]
    fn shards_are_all_of_the_work_and_no_job_twice() {
        let all = jobs(&plan("1/1", "5..16"));
        assert_eq!(all.len(), 33);
        let mut of_shards = Vec::new();
        for part in 1..=4 {
            let plan = plan(&format!("{part}/4"), "5..16");
            let jobs = jobs(&plan);
            assert_eq!(plan.length(), Some(jobs.len() as u64));
            of_shards.extend(jobs);
        }
        assert_eq!(of_shards.len(), all.len());
        let set = |jobs: &[(Source, u64)]| {
            let words = jobs.iter().map(|job| format!("{job:?}"));
            words.collect::<BTreeSet<_>>()
        };
        assert_eq!(set(&of_shards), set(&all));
    }

    #[test]
    fn every_scenario_is_run_with_a_seed_before_the_next_seed() {
        let seeds: Vec<u64> = jobs(&plan("1/1", "3")).iter().map(|(_, seed)| *seed).collect();
        assert_eq!(seeds, [0, 0, 0, 1, 1, 1, 2, 2, 2]);
    }

    #[test]
    fn what_is_no_shard_is_refused() {
        for text in ["", "1", "0/4", "5/4", "1/0", "a/b", "-1/4"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
