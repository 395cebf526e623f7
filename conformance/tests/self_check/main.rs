//! Every case with every version against our own broker, each a test of its own in a simulated world of its own
//! (`conforms`); the same over TLS, over WebSocket, and byte by byte over both (`over`); and the proof that each can fail: the same
//! again with something wrong on the wire (`can_fail`).

mod mutation;
mod over;

use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use squall_conformance::{Duplex, Selected, Settings, Target, Transport, Via, run, select};
use squall_node::{Connector as _, Stream as _};
use squall_proto::Version;
use squall_reports::{Kind, TestResult, Verdict};
use squall_sim::world::{OurBroker, SimNet, simulate};

use self::{
    mutation::{ALL, Memory, Mutation, between},
    over::{Over, in_a_world_over},
};

const SEED: u64 = 1;

/// What no mutation changes, and why. One that is caught after all fails its test, so that the list only shrinks.
const NEVER_CAUGHT: &[(&str, &str)] = &[(
    "qos_0_messages_for_an_absent_client_may_wait",
    "a choice that records whether they waited; on the wire alone the other answer cannot be made up",
)];

fn main() {
    let conforms = cases().map(|selected| {
        Trial::test(format!("conforms::{}", selected.name()), move || {
            conforms(selected)
        })
    });
    let caught = cases().map(|selected| {
        Trial::test(format!("can_fail::{}", selected.name()), move || {
            can_fail(selected)
        })
    });
    let over =
        cases().map(|selected| Trial::test(format!("over::{}", selected.name()), move || over(selected)));
    libtest_mimic::run(
        &Arguments::from_args(),
        conforms.chain(over).chain(caught).collect(),
    )
    .exit();
}

fn cases() -> impl Iterator<Item = Selected> {
    select(&Version::ALL, &[]).into_iter()
}

/// Our broker conforms. What it does not do yet it says in CONNACK.
fn conforms(selected: Selected) -> Result<(), Failed> {
    let result = in_a_world(selected, broker(selected), None);
    if result.verdict.holds() {
        return Ok(());
    }
    let packets: Vec<_> = result
        .packets
        .iter()
        .map(|line| format!("{} -> {} {}", line.from, line.to, line.text))
        .collect();
    let again = format!(
        "cargo test -p squall-conformance --test self_check -- '{}'",
        selected.name()
    );
    Err(format!("{:?}\n{}\nrepeat: {again}", result.verdict, packets.join("\n")).into())
}

/// The verdict is the same whatever lies below MQTT. Cases about WebSocket itself have theirs there alone.
fn over(selected: Selected) -> Result<(), Failed> {
    let broker = broker(selected);
    let is_about_websocket = selected.section.number == "6";
    let plain = in_a_world(selected, broker, None).verdict;
    for over in Over::ALL {
        let verdict = in_a_world_over(selected, broker, over).verdict;
        let as_it_should = match is_about_websocket && over.is_websocket() {
            true => verdict.holds() && !matches!(verdict, Verdict::Unsupported { .. }),
            false => verdict == plain,
        };
        if !as_it_should {
            return Err(format!("{over:?}: {verdict:?}, without it {plain:?}").into());
        }
    }
    Ok(())
}

/// Some mutation makes the case blame the target, or record another choice.
fn can_fail(selected: Selected) -> Result<(), Failed> {
    let broker = broker(selected);
    let sound = in_a_world(selected, broker, None).verdict;
    if matches!(sound, Verdict::Unsupported { .. }) {
        return Ok(());
    }
    let catches = |mutation: &Mutation| {
        let mutated = in_a_world(selected, broker, Some(*mutation)).verdict;
        match mutated.kind() {
            Kind::Fail | Kind::Deviation => true,
            Kind::Choice => mutated != sound,
            Kind::Pass | Kind::Unsupported | Kind::Known | Kind::Inconclusive => false,
        }
    };
    let caught = ALL.iter().any(catches);
    let excused = NEVER_CAUGHT.iter().any(|(name, _)| *name == selected.case.name);
    match (caught, excused) {
        (true, false) | (false, true) => Ok(()),
        (true, true) => Err("a mutation makes it fail now: take it off the list".into()),
        (false, false) => Err("no mutation makes it fail".into()),
    }
}

/// The first of our brokers that the case makes sense with; the plain one if it does with none.
fn broker(selected: Selected) -> OurBroker {
    let makes_sense = |broker: &OurBroker| {
        let verdict = in_a_world(selected, *broker, None).verdict;
        !matches!(verdict, Verdict::Unsupported { .. })
    };
    let found = OurBroker::ALL.into_iter().find(makes_sense);
    found.unwrap_or(OurBroker::Plain)
}

fn settings() -> Settings {
    Settings {
        patience: std::time::Duration::from_secs(5),
        unique: "000000".into(),
        command: "squall conform".into(),
    }
}

/// Runs the case against our broker, with this mutation on the wire in between.
fn in_a_world(selected: Selected, broker: OurBroker, mutation: Option<Mutation>) -> TestResult {
    let settings = settings();
    simulate(SEED, broker, |net| async move {
        let sound = transport(net, None);
        let probed = Target::probe(&sound, &[selected.version], "probe", settings.patience).await;
        let target = known(probed.expect("our broker is there"), broker);
        run(
            selected,
            &settings,
            &target,
            &transport(net, mutation.map(|mutation| (mutation, selected.version))),
        )
        .await
    })
}

/// What the case may know of our broker: what it said, and whom it knows.
fn known(said: Target, broker: OurBroker) -> Arc<Target> {
    Arc::new(match broker.user() {
        Some((name, password)) => said.with_user(name.into(), password.into()),
        None => said,
    })
}

fn transport(net: SimNet, mutation: Option<(Mutation, Version)>) -> Arc<dyn Transport> {
    let memory = Memory::default();
    Arc::new(Via(move || {
        let memory = Memory::clone(&memory);
        let mut connector = net.connector();
        async move {
            let (read, write) = connector.connect().await?.split();
            Ok(match mutation {
                None => Duplex::new(read, write),
                Some((mutation, version)) => between(read, write, mutation, version, memory),
            })
        }
    }))
}
