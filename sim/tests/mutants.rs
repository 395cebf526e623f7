//! Every mutant is caught by the scenario and the check that its entry names; the same scenario without it, with its faults and
//! without, is not. What a mutant did not touch proves nothing and fails.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::Path,
    process::ExitCode,
    sync::{Arc, Mutex, OnceLock},
};

use libtest_mimic::{Arguments, Failed, Trial};
use squall_proto::Version;
use squall_sim::{
    checks::{CHECKS, check},
    mutants::{Mutant, mutants},
    run::{Arm, run_with},
    scenario::Scenario,
    trace::Side,
};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const SEED: u64 = 1;

/// What was found without any mutant, by scenario and version: nothing, one hopes. Each is looked at once.
type Sound = Mutex<BTreeMap<(&'static str, Version), Arc<OnceLock<Vec<String>>>>>;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let sound: Arc<Sound> = Arc::default();
    let trial = |mutant: &'static Mutant| {
        let sound = Arc::clone(&sound);
        Trial::test(mutant.name, move || is_caught(mutant, &sound))
    };
    let mut trials: Vec<Trial> = mutants().map(|(_, mutant)| trial(mutant)).collect();
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
    let scenario = scenario(by.scenario)?;
    let false_alarms = not_caught(&scenario, by.scenario, by.version, sound);
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

fn scenario(name: &str) -> Result<Scenario, Failed> {
    let file = Path::new(ROOT).join(format!("scenarios/{name}.yaml"));
    Scenario::read(&file).map_err(Failed::from)
}

/// What is found with everybody sound, with the faults and without.
fn not_caught(scenario: &Scenario, name: &'static str, version: Version, sound: &Sound) -> Vec<String> {
    let found = Arc::clone(
        sound
            .lock()
            .expect("nobody panics holding it")
            .entry((name, version))
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
    let table = table();
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

const HEAD: &str = "# Mutants

Brokers and clients that are broken in one way each, and what catches each: a scenario in `scenarios/` and the check that speaks up there.
Written by a test that sees each caught, and sees that the same scenario finds nothing with everybody sound, with its faults and without:
`SQUALL_UPDATE_MUTANTS=1 cargo test -p squall-sim --test mutants`. To see one at work: `squall run scenarios/<scenario>.yaml --seed 1 --mutant
<mutant>`. The code is in `sim/src/mutants/`, a file a concern.

A mutation sits in the host of the broker, or of every client, between what carries MQTT and the node, and changes what passes. Checks read
wires alone, so whatever they can see can be broken there, and nothing in the broker or the client that ship is built for it.

## Mistakes that repeat

";

fn table() -> String {
    let mut text = String::from(HEAD);
    text.push_str("| | mistake | mutants |\n|---|---|---|\n");
    for (mistake, what) in MISTAKES {
        let of_it = mutants().filter(|(_, mutant)| stands_for(mutant, mistake));
        _ = writeln!(text, "| {mistake} | {what} | {} |", of_it.count());
    }
    let [brokers, clients] =
        [Side::Broker, Side::Client].map(|side| mutants().filter(|(_, mutant)| mutant.side == side).count());
    _ = writeln!(text, "\n{brokers} brokers and {clients} clients, each caught.");
    let mut before = "";
    for (concern, mutant) in mutants() {
        if concern != before {
            let title = concern.replace('_', " ");
            _ = writeln!(
                text,
                "\n## {title}\n\n| mutant | what it does | stands for | caught in | by |\n|---|---|---|---|---|"
            );
            before = concern;
        }
        let by = mutant.caught_by;
        _ = writeln!(
            text,
            "| `{}` | The {} {}. | {} | [{}](../scenarios/{}.yaml) in {} | `{}` |",
            mutant.name,
            side(mutant),
            mutant.does,
            mutant.stands_for,
            by.scenario,
            by.scenario,
            by.version,
            by.check
        );
    }
    text
}
