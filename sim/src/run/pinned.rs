use rand_pcg::Pcg64Mcg;

use super::steps::purpose;
use crate::{
    scenario::{Action, Scenario, Start, Step},
    world::generator,
};

/// The same with what a seed decides for its steps written down: every time is one time. With that seed it runs alike.
pub(crate) fn pinned(scenario: &Scenario, seed: u64) -> Scenario {
    let steps = scenario.steps.iter().enumerate();
    Scenario {
        steps: steps
            .map(|(place, step)| self::step(step, &mut generator(seed, &purpose(place, step))))
            .collect(),
        ..scenario.clone()
    }
}

/// Draws in the order in which a run does.
fn step(step: &Step, chance: &mut Pcg64Mcg) -> Step {
    let start = match &step.start {
        Start::At(at) => Start::At(at.drawn(chance)),
        Start::After(ids) => Start::After(ids.clone()),
        Start::When { packet, after } => Start::When {
            packet: packet.drawn(chance),
            after: after.clone(),
        },
    };
    let wait = step.wait.drawn(chance);
    let action = match &step.action {
        Action::Fault(fault) => Action::Fault(fault.drawn(chance)),
        other @ (Action::Await(_)
        | Action::Connect(_)
        | Action::Disconnect(_)
        | Action::ExpectNone(_)
        | Action::Note(_)
        | Action::Open(_)
        | Action::Publish(_)
        | Action::Send(_)
        | Action::Shut(_)
        | Action::Subscribe(_)
        | Action::Traffic(_)
        | Action::Unsubscribe(_)) => other.clone(),
    };
    Step {
        id: step.id.clone(),
        start,
        wait,
        action,
    }
}

#[cfg(test)]
mod tests {
    use squall_proto::Version;

    use super::*;
    use crate::run::{Arm, run};

    const RANGES: &str = "
name: n
why: w
clients: { pub: {}, sub: { subscribe: { t: 2 } } }
steps:
  - { at: 1s..3s, id: talk, publish: { from: pub, topic: t, qos: 2, count: 5, every: 100ms } }
  - { at: 1s..2s, loss: { between: [pub, broker], percent: 10..60, for: 1s..2s } }
  - { after: talk, wait: 1s..9s, disconnect: { client: pub } }
  - { when: { packet: PUBREL, from: pub, nth: 1..4 }, wait: 0s..50ms, crash: { host: sub, down: 1s..2s } }
";

    #[test]
    fn what_is_pinned_for_a_seed_has_one_time_a_step_and_runs_alike_with_it() {
        let scenario = Scenario::parse("ranges.yaml", RANGES).unwrap();
        for seed in 0..5 {
            let pinned = pinned(&scenario, seed);
            assert!(!pinned.to_yaml().contains(".."), "{}", pinned.to_yaml());
            let [as_drawn, as_pinned] =
                [&scenario, &pinned].map(|it| run(it, Version::V5, seed, Arm::Faults));
            assert_eq!(as_drawn, as_pinned);
        }
    }
}
