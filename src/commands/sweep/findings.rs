use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
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

/// What does not hold, by kinds: the first of each kind is shrunk and written to a file.
pub(super) struct Findings<'a> {
    args: &'a Args,
    stop: &'a Stop,
    kinds: BTreeMap<(String, Failure), Kind>,
}

/// Runs that fail alike: the same check says the same with other names and numbers, with the faults or without; and, but for a swarm,
/// of the same file and variant.
struct Kind {
    runs: u64,
    /// The name of the first of them.
    first: String,
    /// Where it was written.
    file: Option<String>,
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
            kinds: BTreeMap::new(),
        }
    }

    /// How many kinds there are.
    pub(super) fn kinds(&self) -> usize {
        self.kinds.len()
    }

    /// A line for each kind: what it is, how many runs failed like that, which was the first, and the file that shows it.
    pub(super) fn lines(&self) -> impl Iterator<Item = String> {
        self.kinds.iter().map(|((of, failure), kind)| {
            let of = if of.is_empty() {
                String::new()
            } else {
                format!(" of {of}")
            };
            let file = kind.file.as_ref().map(|file| format!(": {file}"));
            let runs = if kind.runs == 1 { "run" } else { "runs" };
            let (file, many, first) = (file.unwrap_or_default(), kind.runs, &kind.first);
            format!("found {failure}; {many} {runs}{of}, first {first}{file}\n")
        })
    }

    /// Shrinks and writes what failed, if it is the first of its kind; what the report says is then about the small one.
    pub(super) fn look_at(&mut self, done: Done, progress: &Progress) -> Result<Done, anyhow::Error> {
        let Some(failure) = done.failures.first().cloned() else {
            return Ok(done);
        };
        let kind = (of_which(&done.job), failure.clone());
        if let Some(known) = self.kinds.get_mut(&kind) {
            known.runs += 1;
            return Ok(done);
        }
        let is_one_too_many = self.kinds.len() >= KINDS;
        let new = Kind {
            runs: 1,
            first: done.result.name.clone(),
            file: None,
        };
        let new = self.kinds.entry(kind).or_insert(new);
        // A fault that touches nothing is found in its file by its name: a smaller file would show less.
        let is_shown = failure.what == "untouched";
        if self.args.no_shrink || is_one_too_many || is_shown || self.stop.is_set() {
            return Ok(done);
        }
        progress.say(&format!("{}: {failure}; shrinking", done.result.name));
        let Some(found) = small(&done.job, failure, self.stop) else {
            return Ok(done);
        };
        let file = write(&found, &self.args.found)?;
        new.file = Some(file.display().to_string());
        Ok(about(done, &found, file))
    }
}

fn small(job: &Job, failure: Failure, stop: &Stop) -> Option<Found> {
    let finder = Finder::new(&job.scenario, failure, job.version, job.seed);
    let began = Instant::now();
    let goes_on = || began.elapsed() < TIME && !stop.is_set();
    let part = finder.part(&job.scenario);
    let shrunk = shrink(&part, TRIES, |scenario| goes_on() && finder.fails(scenario));
    finder.found(shrunk.scenario)
}

/// Writes it into the folder.
fn write(found: &Found, folder: &Path) -> Result<PathBuf, Misuse> {
    let file = folder.join(format!("{}.yaml", found.file_name()));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&file, found.to_yaml(&file.display().to_string())))
        .map_err(|error| {
            Misuse::new(
                format!("cannot write {}: {error}", file.display()),
                "name a folder that may be written with `--found`, or leave failures as they are with `--no-shrink`",
            )
        })?;
    Ok(file)
}

/// A failure of another file is another failure.
fn of_which(job: &Job) -> String {
    match &job.source {
        Source::File(file) if job.scenario.variant.is_empty() => file.display().to_string(),
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
        target: None,
    };
    let took = Duration::from_micros(done.result.micros);
    let mut result = job.result(found.judged.clone(), took);
    result.name = done.result.name;
    Done { result, ..done }
}
