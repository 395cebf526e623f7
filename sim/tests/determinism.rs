//! One seed is one run, byte for byte, in any process: each scenario runs here and in a second process that has another environment,
//! directory, address-space layout and hash keys. `scenarios` runs each twice in one process.

use std::{
    env,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use libtest_mimic::{Arguments, Failed, Trial};
use squall_sim::{
    run::{Arm, run},
    scenario::{Scenario, find_scenarios},
    trace::write_json_lines,
};

const SCENARIOS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios");
const SEED: u64 = 11;
/// The first argument of the second process; the second is a scenario's file.
const SECOND_PROCESS: &str = "--second-process";

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == SECOND_PROCESS) {
        return match arguments.next() {
            Some(file) => second_process(Path::new(&file)),
            None => ExitCode::FAILURE,
        };
    }
    let arguments = Arguments::from_args();
    let files = find_scenarios(&[PathBuf::from(SCENARIOS)]).expect("there are scenarios");
    let trial = |file: PathBuf| {
        let name = file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        Trial::test(name, move || is_the_same_in_a_second_process(&file))
    };
    libtest_mimic::run(&arguments, files.into_iter().map(trial).collect()).exit_code()
}

fn is_the_same_in_a_second_process(file: &Path) -> Result<(), Failed> {
    let second = Command::new(env::current_exe()?)
        .arg(SECOND_PROCESS)
        .arg(file.canonicalize()?)
        .env_clear()
        .env("TZ", "Pacific/Kiritimati")
        .env("LC_ALL", "tr_TR.UTF-8")
        .env("HOME", "/nowhere")
        // Moves the stack.
        .env("FILLER", "x".repeat(100_000))
        .current_dir(env::temp_dir())
        .output()?;
    if !second.status.success() {
        return Err(String::from_utf8_lossy(&second.stderr).into_owned().into());
    }
    let first = histories(file)?;
    let mut lines = first
        .split(|byte| *byte == b'\n')
        .zip(second.stdout.split(|byte| *byte == b'\n'));
    match lines.find(|(first, second)| first != second) {
        None if first.len() == second.stdout.len() => Ok(()),
        None => Err("one process told more than the other".into()),
        Some((first, second)) => {
            let [first, second] = [first, second].map(String::from_utf8_lossy);
            Err(format!("here:\n{first}\nin the second process:\n{second}").into())
        }
    }
}

/// Runs the scenario where everything is otherwise that must not matter, and prints what happened.
fn second_process(file: &Path) -> ExitCode {
    let before: Vec<Vec<u8>> = (1..200).map(|size| vec![0; size * 97]).collect();
    let shown = histories(file);
    drop(before);
    let printed = shown.and_then(|shown| std::io::stdout().write_all(&shown).map_err(Failed::from));
    match printed {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            let message = failed.message().unwrap_or_default().to_owned();
            // Whoever reads it is gone when it cannot be written.
            _ = std::io::stderr().write_all(message.as_bytes());
            ExitCode::FAILURE
        }
    }
}

/// Every variant of a scenario in each version: how it ended, and its trace as JSON lines.
fn histories(file: &Path) -> Result<Vec<u8>, Failed> {
    let mut histories = Vec::new();
    for scenario in Scenario::read_all(file)? {
        for version in scenario.versions.iter().copied() {
            let run = run(&scenario, version, SEED, Arm::Faults);
            writeln!(histories, "{:?} {:?} {:?}", run.end, run.simulated, run.untouched)?;
            write_json_lines(&mut histories, &scenario.variant, version, SEED, &run.trace)?;
        }
    }
    Ok(histories)
}
