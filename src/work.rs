//! Runs scenarios on all cores and hands back what came of them in their order: what `squall run` and `squall sweep` have in common.

mod job;
mod scenarios;
mod seeds;
mod stop;
mod variants;

pub(crate) use job::{Done, Job, Source, micros};
pub(crate) use scenarios::{read, version};
pub(crate) use seeds::Seeds;
pub(crate) use stop::Stop;
pub(crate) use variants::chosen;

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

/// What there is to do, and how.
pub(crate) struct Work<'a> {
    /// The job of a place; from the first place without one on, there is none.
    pub(crate) job: &'a (dyn Fn(usize) -> Option<Job> + Sync),
    /// Runs at a time; one a core by default.
    pub(crate) threads: Option<NonZeroUsize>,
    /// Keep traces.
    pub(crate) traces: bool,
    pub(crate) stop: &'a Stop,
}

/// So many results wait at most for whoever takes them.
const WAITING: usize = 1000;

impl Work<'_> {
    /// Runs all jobs, or as many as are begun when it is stopped. `take` gets each in the order of the jobs.
    pub(crate) fn run(
        &self,
        mut take: impl FnMut(Done) -> Result<(), anyhow::Error>,
    ) -> Result<(), anyhow::Error> {
        let threads = self.threads.or_else(|| thread::available_parallelism().ok());
        let next = AtomicUsize::new(0);
        let (hand_in, handed_in) = mpsc::sync_channel(WAITING);
        thread::scope(|scope| {
            for _ in 0..threads.map_or(1, NonZeroUsize::get) {
                let (hand_in, next) = (hand_in.clone(), &next);
                scope.spawn(move || self.some(next, &hand_in));
            }
            drop(hand_in);
            let mut early = BTreeMap::new();
            let mut taken = 0;
            // By value: who hands in learns that nobody takes any more.
            for done in handed_in {
                early.insert(done.place, done);
                while let Some(done) = early.remove(&taken) {
                    taken += 1;
                    if done.is_interrupted() {
                        continue;
                    }
                    take(done).inspect_err(|_| self.stop.set())?;
                }
            }
            Ok(())
        })
    }

    /// What one thread does.
    fn some(&self, next: &AtomicUsize, hand_in: &mpsc::SyncSender<Done>) {
        while !self.stop.is_set() {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = (self.job)(place) else { return };
            // Who took the results has gone: an error ended it all.
            if hand_in.send(job.run(place, self.traces)).is_err() {
                return;
            }
        }
    }
}

/// How fast it went, in a line.
pub(crate) fn rate(runs: u64, simulated: Duration, took: Duration) -> String {
    let took = took.as_secs_f64().max(0.001);
    format!(
        "{runs} runs, {:.0} a second; {:.0} simulated seconds, {:.0} a second",
        runs as f64 / took,
        simulated.as_secs_f64(),
        simulated.as_secs_f64() / took
    )
}
