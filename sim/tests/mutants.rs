//! Every mutant is caught by the scenario and the check that its entry names; the same scenario without it, with its faults and
//! without, is not. What a mutant did not touch proves nothing and fails. And every scenario is failed by a mutant.

#[path = "mutants/seen_to_fail.rs"]
mod seen_to_fail;
#[path = "mutants/table.rs"]
mod table;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Arc, Mutex, OnceLock},
};

use libtest_mimic::{Arguments, Failed, Trial};
use squall_proto::Version;
use squall_sim::{
    checks::{CHECKS, check},
    mutants::{CaughtBy, Mutant, mutants},
    run::{Arm, run_with},
    scenario::{Scenario, find_scenarios},
    trace::Side,
    verdict::{Judging, judge_by},
};

use self::seen_to_fail::{Fails, seen_to_fail};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const SEED: u64 = 1;

/// What was found without any mutant, by scenario and version: nothing, one hopes. Each is looked at once.
type Sound = Mutex<BTreeMap<(&'static str, &'static str, Version), Arc<OnceLock<Vec<String>>>>>;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let sound: Arc<Sound> = Arc::default();
    let trial = |mutant: &'static Mutant| {
        let sound = Arc::clone(&sound);
        Trial::test(mutant.name, move || is_caught(mutant, &sound))
    };
    let mut trials: Vec<Trial> = mutants().map(|(_, mutant)| trial(mutant)).collect();
    let fail = |it: Fails| {
        Trial::test(
            format!("{} fails with {}", it.by.scenario, it.mutant),
            move || fails(&it),
        )
    };
    trials.extend(seen_to_fail().map(fail));
    trials.push(Trial::test(
        "every_scenario_has_been_seen_to_fail",
        every_scenario_has_been_seen_to_fail,
    ));
    trials.push(Trial::test("names_are_told_apart", names_are_told_apart));
    trials.push(Trial::test(
        "every_mistake_has_a_mutant",
        every_mistake_has_a_mutant,
    ));
    trials.push(Trial::test("the_table_is_up_to_date", the_table_is_up_to_date));
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn is_caught(mutant: &'static Mutant, sound: &Sound) -> Result<(), Failed> {
    let by = mutant.caught_by;
    let scenario = scenario(&by)?;
    let false_alarms = not_caught(&scenario, &by, sound);
    if !false_alarms.is_empty() {
        return Err(format!("found without the mutant too: {}", false_alarms.join("; ")).into());
    }
    let run = run_with(&scenario, by.version, SEED, Arm::Faults, Some(mutant));
    if run.mutated == 0 {
        return Err("it had no occasion to do anything wrong: name a scenario that gives it one".into());
    }
    let findings = check(&scenario, by.version, true, &run.trace);
    if findings.iter().any(|finding| finding.check == by.check) {
        return Ok(());
    }
    let found: Vec<String> = findings.iter().map(ToString::to_string).collect();
    let version = by.version;
    Err(format!(
        "escaped `{}`; found {found:#?}\nsee it: squall run scenarios/{}.yaml --mqtt {version} --seed {SEED} --mutant {}",
        by.check, by.scenario, mutant.name
    )
    .into())
}

/// The one that is meant.
fn scenario(by: &CaughtBy) -> Result<Scenario, Failed> {
    let file = Path::new(ROOT).join(format!("scenarios/{}.yaml", by.scenario));
    let variants = Scenario::read_all(&file).map_err(Failed::from)?;
    let names: Vec<String> = variants.iter().map(|one| one.variant.clone()).collect();
    let one = variants.into_iter().find(|one| one.variant == by.variant);
    one.ok_or_else(|| Failed::from(format!("it has no variant {:?}, but {names:?}", by.variant)))
}

/// What is found with everybody sound, with the faults and without.
fn not_caught(scenario: &Scenario, by: &CaughtBy, sound: &Sound) -> Vec<String> {
    let version = by.version;
    let found = Arc::clone(
        sound
            .lock()
            .expect("nobody panics holding it")
            .entry((by.scenario, by.variant, version))
            .or_default(),
    );
    let arms: &[(Arm, bool)] = match scenario.control {
        true => &[(Arm::Faults, true), (Arm::Control, false)],
        false => &[(Arm::Faults, true)],
    };
    let look = || {
        let findings = arms.iter().flat_map(|(arm, with_faults)| {
            let run = run_with(scenario, version, SEED, *arm, None);
            check(scenario, version, *with_faults, &run.trace)
        });
        findings.map(|finding| finding.to_string()).collect()
    };
    found.get_or_init(look).clone()
}

/// That it holds with everybody sound is for `scenarios`.
fn fails(it: &Fails) -> Result<(), Failed> {
    let mutant = Mutant::find(it.mutant).ok_or("there is no such mutant")?;
    let scenario = scenario(&it.by)?;
    let judged = judge_by(&scenario, it.by.version, SEED, Judging::ONCE, Some(mutant));
    match judged
        .statements
        .iter()
        .any(|statement| statement.id == it.by.check)
    {
        true => Ok(()),
        false => Err(format!("`{}` did not find it: {:?}", it.by.check, judged.verdict).into()),
    }
}

fn every_scenario_has_been_seen_to_fail() -> Result<(), Failed> {
    let folder = PathBuf::from(ROOT).join("scenarios");
    let files = find_scenarios(std::slice::from_ref(&folder))?;
    let caught = mutants().map(|(_, mutant)| mutant.caught_by.scenario);
    let failed: BTreeSet<&str> = caught.chain(seen_to_fail().map(|it| it.by.scenario)).collect();
    let name = |file: &PathBuf| {
        Some(
            file.strip_prefix(&folder)
                .ok()?
                .with_extension("")
                .to_str()?
                .to_owned(),
        )
    };
    let names = files.iter().filter_map(name);
    let never: Vec<String> = names.filter(|name| !failed.contains(name.as_str())).collect();
    match never.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "nobody has seen these fail: {never:#?}\nfind a mutant that does it (`squall run FILE --mutant NAME`), or write one: a row \
             in sim/tests/mutants/seen_to_fail.tsv"
        )
        .into()),
    }
}

fn names_are_told_apart() -> Result<(), Failed> {
    let mut names: Vec<&str> = mutants().map(|(_, mutant)| mutant.name).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    let unknown: Vec<&str> = mutants()
        .map(|(_, mutant)| mutant.caught_by.check)
        .filter(|check| !CHECKS.contains(check))
        .collect();
    let named_for_their_side = mutants().all(|(_, mutant)| mutant.name.starts_with(side(mutant)));
    match (names.len() == all, unknown.is_empty(), named_for_their_side) {
        (true, true, true) => Ok(()),
        (false, ..) => Err("two have one name".into()),
        (_, false, _) => Err(format!("no check is called {unknown:?}").into()),
        (.., false) => Err("a name begins with its side".into()),
    }
}

/// The mistakes that repeat in brokers and clients of the field.
const MISTAKES: &[(&str, &str)] = &[
    (
        "D1",
        "what QoS 2 has received is kept with the connection, not with the session",
    ),
    (
        "D2",
        "PUBREL is not kept or not sent again; the sender goes back to PUBLISH",
    ),
    (
        "D3",
        "Packet Identifiers are taken that are in use: after a reconnect, beside SUBSCRIBE, before PUBCOMP",
    ),
    (
        "D4",
        "the send quota is not given back, not begun anew, or taken by what takes none",
    ),
    ("D5", "expiry is applied in the wrong place"),
    ("D6", "a takeover is two steps with a gap between them"),
    ("D7", "the timer of a Will is not tied to its session"),
    (
        "D8",
        "a second path (retained, Will, shared, resumed) forgets what the first one does",
    ),
    ("D9", "what is sent again is not as it must be: DUP, order, alias"),
    ("D10", "what is acknowledged is not yet owned"),
    (
        "D11",
        "time: another factor, the wrong event, a timer that is not set again",
    ),
    (
        "D12",
        "a read is taken for a packet, or a size is off by the header",
    ),
];

fn every_mistake_has_a_mutant() -> Result<(), Failed> {
    let has = |mistake: &str| mutants().any(|(_, mutant)| stands_for(mutant, mistake));
    let without: Vec<&str> = MISTAKES
        .iter()
        .map(|(mistake, _)| *mistake)
        .filter(|mistake| !has(mistake))
        .collect();
    match without.is_empty() {
        true => Ok(()),
        false => Err(format!("no mutant stands for {without:?}").into()),
    }
}

fn stands_for(mutant: &Mutant, mistake: &str) -> bool {
    mutant.stands_for.split(", ").any(|it| it == mistake)
}

const fn side(mutant: &Mutant) -> &'static str {
    match mutant.side {
        Side::Client => "client",
        Side::Broker => "broker",
    }
}

/// `SQUALL_UPDATE_MUTANTS=1` writes it.
fn the_table_is_up_to_date() -> Result<(), Failed> {
    let path = Path::new(ROOT).join("docs/MUTANTS.md");
    let table = table::table();
    if std::env::var_os("SQUALL_UPDATE_MUTANTS").is_some() {
        return Ok(fs::write(path, table)?);
    }
    match fs::read_to_string(path)? == table {
        true => Ok(()),
        false => Err(
            "docs/MUTANTS.md is old: SQUALL_UPDATE_MUTANTS=1 cargo test -p squall-sim --test mutants".into(),
        ),
    }
}
