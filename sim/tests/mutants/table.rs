//! `docs/MUTANTS.md`.

use std::fmt::Write as _;

use squall_sim::{
    mutants::{CaughtBy, mutants},
    trace::Side,
};

use super::{MISTAKES, seen_to_fail::seen_to_fail, side, stands_for};

const HEAD: &str = "# Mutants

Brokers and clients that are broken in one way each, and what catches each: a scenario in `scenarios/` and the check that speaks up there.
Written by a test that sees each caught, and sees that the same scenario finds nothing with everybody sound, with its faults and without:
`SQUALL_UPDATE_MUTANTS=1 cargo test -p squall-sim --test mutants`. To see one at work: `squall run scenarios/<scenario>.yaml --seed 1 --mutant
<mutant>`. The code is in `sim/src/mutants/`, a file a concern.

A mutation sits in the host of the broker, or of every client, between what carries MQTT and the node, and changes what passes. Checks read
wires alone, so whatever they can see can be broken there, and nothing in the broker or the client that ship is built for it.

## Mistakes that repeat

";

pub(super) fn table() -> String {
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
            "| `{}` | The {} {}. | {} | {} | `{}` |",
            mutant.name,
            side(mutant),
            mutant.does,
            mutant.stands_for,
            place(&by),
            by.check
        );
    }
    text + &scenarios()
}

const SCENARIOS: &str = "
## Scenarios that no row above names

Each has been seen to fail: with this mutant, by this check.

| scenario | mutant | by |
|---|---|---|
";

fn scenarios() -> String {
    let mut text = String::from(SCENARIOS);
    for it in seen_to_fail() {
        let place = place(&it.by);
        _ = writeln!(text, "| {place} | `{}` | `{}` |", it.mutant, it.by.check);
    }
    text
}

fn place(by: &CaughtBy) -> String {
    let CaughtBy {
        scenario,
        variant,
        version,
        ..
    } = by;
    let variant = match *variant {
        "" => String::new(),
        variant => format!(" `{variant}`"),
    };
    format!("[{scenario}](../scenarios/{scenario}.yaml){variant} in {version}")
}
