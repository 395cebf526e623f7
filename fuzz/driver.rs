//! Runs a body of a fuzz target on a stable compiler: on bytes made from a seed, as many as given, or for as many seconds as
//! `SQUALL_FUZZ_SECONDS` says, with the seeds that follow. Inputs that a coverage-guided run kept are run first.

use std::{
    env, fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Numbers that look random, the same in every run.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Below `bound`, which is not 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).expect("a length");
        usize::try_from(self.next() % bound).expect("less than a length")
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let [byte, ..] = self.next().to_be_bytes();
        byte
    }
}

/// Runs `body` on what `make` makes of the seeds from 0: `runs` of them, or for `SQUALL_FUZZ_SECONDS`. An input that panics is
/// named by its seed, and written to a file.
pub(crate) fn drive(target: &str, runs: u64, make: impl Fn(&mut Random) -> Vec<u8>, body: impl Fn(&[u8])) {
    let mut done = 0;
    for path in kept(target) {
        let input = fs::read(&path).expect("an input that was kept");
        run(target, &path.display().to_string(), &input, &body);
        done += 1;
    }
    let seconds = env::var("SQUALL_FUZZ_SECONDS")
        .ok()
        .map(|seconds| seconds.parse().expect("a number of seconds"));
    let until = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let from = env::var("SQUALL_FUZZ_SEED").map_or(0, |seed| seed.parse().expect("a seed"));
    for seed in from.. {
        let is_over = until.map_or(seed - from >= runs, |until| Instant::now() >= until);
        if is_over {
            break;
        }
        run(
            target,
            &format!("SQUALL_FUZZ_SEED={seed}"),
            &make(&mut Random::new(seed)),
            &body,
        );
        done += 1;
    }
    println!("{target}: {done} inputs");
}

fn run(target: &str, name: &str, input: &[u8], body: &impl Fn(&[u8])) {
    let named = Named { target, name, input };
    body(input);
    std::mem::forget(named);
}

/// Says which input it was when the body panics.
struct Named<'a> {
    target: &'a str,
    name: &'a str,
    input: &'a [u8],
}

impl Drop for Named<'_> {
    fn drop(&mut self) {
        let file = env::temp_dir().join(format!("squall-fuzz-{}", self.target));
        let written = fs::write(&file, self.input).is_ok();
        eprintln!(
            "the input is {}; its {} bytes are in {} ({written})",
            self.name,
            self.input.len(),
            file.display()
        );
    }
}

/// The inputs that are kept for a target, by name.
fn kept(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|above| above.join("fuzz/seeds").join(target));
    let entries = folder.into_iter().find_map(|folder| fs::read_dir(folder).ok());
    let mut paths: Vec<_> = entries
        .into_iter()
        .flatten()
        .map(|entry| entry.expect("a file").path())
        .collect();
    paths.sort();
    paths
}
