use squall_reports::{Group, TestResult, Verdict};

use super::plan::{Plan, Shard};
use crate::work::{Done, Source, micros};

/// What came of all runs, as a report can hold it: what held is counted, what did not stands there by itself.
pub(super) struct Tally {
    shard: Shard,
    groups: Vec<(Source, String, Vec<Row>)>,
}

/// The runs of one scenario with one version.
struct Row {
    mqtt: String,
    variant: String,
    /// The first seed and the last.
    seeds: (u64, u64),
    held: u64,
    micros: u64,
    simulated_micros: u64,
    failed: Vec<TestResult>,
    /// How many more failed.
    more: u64,
}

/// So many failures of one scenario and version are shown by themselves.
const SHOWN: usize = 10;

impl Tally {
    pub(super) const fn new(plan: &Plan) -> Self {
        Self {
            shard: plan.shard,
            groups: Vec::new(),
        }
    }

    pub(super) fn take(&mut self, done: Done) {
        let seed = done.job.seed;
        let row = self.row(&done);
        row.seeds = (row.seeds.0.min(seed), row.seeds.1.max(seed));
        row.micros += done.result.micros;
        row.simulated_micros += micros(done.simulated);
        if done.result.verdict.holds() {
            row.held += 1;
        } else if row.failed.len() < SHOWN {
            row.failed.push(done.result);
        } else {
            row.more += 1;
        }
    }

    fn row(&mut self, done: &Done) -> &mut Row {
        let (source, mqtt) = (&done.job.source, done.job.version.to_string());
        let variant = &done.job.scenario.variant;
        let of_group = self.groups.iter().position(|(known, ..)| known == source);
        let at = of_group.unwrap_or_else(|| {
            let name = match source {
                Source::File(_) => done.job.scenario.name.clone(),
                Source::Swarm => "Swarm".to_owned(),
            };
            self.groups.push((source.clone(), name, Vec::new()));
            self.groups.len() - 1
        });
        let (_, _, rows) = self.groups.get_mut(at).expect("it was found or made");
        let of_row = rows
            .iter()
            .position(|row| row.mqtt == mqtt && row.variant == *variant);
        let at = of_row.unwrap_or_else(|| {
            rows.push(Row::new(mqtt, variant.clone(), done.job.seed));
            rows.len() - 1
        });
        rows.get_mut(at).expect("it was found or made")
    }

    /// As a report shows it. Names are no other shard's.
    pub(super) fn groups(self) -> Vec<Group> {
        let shard = match self.shard.of {
            1 => String::new(),
            of => format!(", shard {}/{of}", self.shard.part),
        };
        let group = |(_, name, rows): (Source, String, Vec<Row>)| Group {
            name,
            target: None,
            results: rows.into_iter().flat_map(|row| row.results(&shard)).collect(),
        };
        self.groups.into_iter().map(group).collect()
    }
}

impl Row {
    const fn new(mqtt: String, variant: String, seed: u64) -> Self {
        Self {
            mqtt,
            variant,
            seeds: (seed, seed),
            held: 0,
            micros: 0,
            simulated_micros: 0,
            failed: Vec::new(),
            more: 0,
        }
    }

    fn results(mut self, shard: &str) -> Vec<TestResult> {
        let mut results = Vec::new();
        if self.held > 0 {
            results.push(self.summary(shard, "held", self.held, Verdict::Pass));
        }
        results.append(&mut self.failed);
        if self.more > 0 {
            let fail = Verdict::Fail {
                expected: vec!["all of them to hold".to_owned()],
                got: format!("{} more that failed are not shown", self.more),
            };
            results.push(self.summary(shard, "failed too", self.more, fail));
        }
        results
    }

    fn summary(&self, shard: &str, what: &str, count: u64, verdict: Verdict) -> TestResult {
        let (variant, mqtt) = (&self.variant, &self.mqtt);
        let between = if variant.is_empty() { "" } else { " " };
        let (first, last) = self.seeds;
        TestResult {
            name: format!("{variant}{between}{mqtt} seeds {first} to {last}{shard}: {count} {what}"),
            mqtt: mqtt.clone(),
            statements: Vec::new(),
            verdict,
            micros: self.micros,
            simulated_micros: Some(self.simulated_micros),
            durability: None,
            packets: Vec::new(),
            repeat: None,
        }
    }
}
