use std::{
    collections::BTreeSet,
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use squall_sim::{
    shrink::{Finder, Found, shrink},
    verdict::Failure,
};

use super::{Args, progress::Progress};
use crate::{
    exit::Misuse,
    work::{Done, Job, Source, Stop},
};

/// What does not hold: the first of its kind is shrunk and written to a file.
pub(super) struct Findings<'a> {
    args: &'a Args,
    stop: &'a Stop,
    known: BTreeSet<(String, Failure)>,
    written: Vec<String>,
}

/// So many kinds of failure are shrunk; who has more has other worries.
const KINDS: usize = 20;
/// So many candidates are tried for each at most, in this time.
const TRIES: u32 = 3000;
const TIME: Duration = Duration::from_secs(60);

impl<'a> Findings<'a> {
    pub(super) const fn new(args: &'a Args, stop: &'a Stop) -> Self {
        Self {
            args,
            stop,
            known: BTreeSet::new(),
            written: Vec::new(),
        }
    }

    /// The files that were written.
    pub(super) fn written(&self) -> impl Iterator<Item = &str> {
        self.written.iter().map(String::as_str)
    }

    /// Shrinks and writes what failed, if it is the first of its kind; what the report says is then about the small one.
    pub(super) fn look_at(&mut self, done: Done, progress: &Progress) -> Result<Done, anyhow::Error> {
        let Some(failure) = done.failures.first().cloned() else {
            return Ok(done);
        };
        let kind = (of_which(&done.job), failure.clone());
        if self.args.no_shrink || self.known.len() >= KINDS || !self.known.insert(kind) {
            return Ok(done);
        }
        progress.say(&format!("{}: {failure}; shrinking", done.result.name));
        match self.small(&done.job, failure) {
            Some(found) => self.keep(done, &found),
            None => Ok(done),
        }
    }

    fn small(&self, job: &Job, failure: Failure) -> Option<Found> {
        let finder = Finder::new(failure, job.version, job.seed);
        let began = Instant::now();
        let goes_on = || began.elapsed() < TIME && !self.stop.is_set();
        let part = finder.part(&job.scenario);
        let shrunk = shrink(&part, TRIES, |scenario| goes_on() && finder.fails(scenario));
        finder.found(shrunk.scenario)
    }

    fn keep(&mut self, done: Done, found: &Found) -> Result<Done, anyhow::Error> {
        let name = format!("{}.yaml", found.file_name());
        let file = self.args.found.join(name);
        fs::create_dir_all(&self.args.found)
            .and_then(|()| fs::write(&file, found.to_yaml(&file.display().to_string())))
            .map_err(|error| {
                Misuse::new(
                    format!("cannot write {}: {error}", file.display()),
                    "name a folder that may be written with `--found`, or leave failures as they are with `--no-shrink`",
                )
            })?;
        self.written.push(file.display().to_string());
        Ok(about(done, found, file))
    }
}

/// A failure of another file is another failure.
fn of_which(job: &Job) -> String {
    match &job.source {
        Source::File(file) => format!("{} {}", file.display(), job.scenario.variant),
        Source::Swarm => String::new(),
    }
}

/// The result is about what was found, under the name of the run that found it.
fn about(done: Done, found: &Found, file: PathBuf) -> Done {
    let job = Job {
        source: Source::File(file),
        scenario: std::sync::Arc::new(found.scenario.clone()),
        version: found.version,
        seed: found.seed,
        judging: done.job.judging,
        mutant: None,
    };
    let took = Duration::from_micros(done.result.micros);
    let mut result = job.result(found.judged.clone(), took);
    result.name = done.result.name;
    Done { result, ..done }
}
