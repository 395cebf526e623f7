use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use squall_reports::Crash;

use crate::{
    output,
    work::{Done, rate},
};

/// What is done by now: a line that changes while somebody watches, else a new line now and then.
pub(super) struct Progress {
    began: Instant,
    said: Instant,
    bar: ProgressBar,
    runs: u64,
    simulated: Duration,
    events: u64,
    crashes: usize,
    /// The packets that the broker crashed at, of each scenario.
    points: BTreeSet<String>,
    failed: u64,
    kinds: usize,
}

/// From one line to the next, where nobody watches.
const NOW_AND_THEN: Duration = Duration::from_secs(10);

impl Progress {
    pub(super) fn new(began: Instant, length: Option<u64>) -> Self {
        let bar = match (output::watched(), length) {
            (false, _) => ProgressBar::hidden(),
            (true, length) => ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr()),
        };
        let template = match length {
            Some(_) => "{bar:30} {pos}/{len} {eta} {msg}",
            None => "{spinner} {elapsed} {msg}",
        };
        Self {
            began,
            said: began,
            bar: match ProgressStyle::with_template(template) {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            },
            runs: 0,
            simulated: Duration::ZERO,
            events: 0,
            crashes: 0,
            points: BTreeSet::new(),
            failed: 0,
            kinds: 0,
        }
    }

    pub(super) fn one_more(&mut self, done: &Done) {
        self.runs += u64::from(done.runs);
        self.simulated += done.simulated;
        self.events += u64::try_from(done.events).unwrap_or(u64::MAX);
        self.crashes += done.crashes.len();
        let (name, version) = (done.job.name(), done.job.version);
        let point = |crash: &Crash| format!("{name} {version} {}", crash.after);
        self.points.extend(done.crashes.iter().map(point));
        self.failed += u64::from(!done.result.verdict.holds());
        self.bar.inc(1);
        if self.bar.is_hidden() {
            if self.said.elapsed() >= NOW_AND_THEN {
                self.said = Instant::now();
                output::complain(&format!("{}\n", self.line()));
            }
        } else if self.runs.is_multiple_of(100) {
            self.bar.set_message(self.line());
        }
    }

    /// So many kinds of failure are known by now.
    pub(super) const fn know(&mut self, kinds: usize) {
        self.kinds = kinds;
    }

    /// Says what takes a while.
    pub(super) fn say(&self, what: &str) {
        if self.bar.is_hidden() {
            output::complain(&format!("{what}\n"));
        } else {
            self.bar.println(what);
        }
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// All of it in one line.
    pub(super) fn line(&self) -> String {
        let rate = rate(self.runs, self.simulated, self.began.elapsed());
        let kinds = match self.kinds {
            0 => String::new(),
            1 => " in 1 way".to_owned(),
            kinds => format!(" in {kinds} ways"),
        };
        let crashes = match self.crashes {
            0 => String::new(),
            crashes => format!(
                "{crashes} crashes of the broker at {} different packets; ",
                self.points.len()
            ),
        };
        format!(
            "{rate}; {} events; {crashes}{} failed{kinds}",
            self.events, self.failed
        )
    }
}
