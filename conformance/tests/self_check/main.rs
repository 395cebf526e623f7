//! Every case with every version against our own broker, each a test of its own in a simulated world of its own
//! (`conforms`); the same over TLS, over WebSocket, and byte by byte over both (`over`); and the proof that each can fail: the same
//! again with something wrong on the wire (`can_fail`). Which mutation fails which case is in `docs/CASE_MUTATIONS.md`.

#[path = "../mutations/http.rs"]
mod http;
mod mutation;
mod over;
mod proof;
#[path = "../mutations/table.rs"]
mod table;

use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use squall_conformance::{Case, Duplex, Selected, Settings, Target, Transport, User, Via, run};
use squall_node::{Connector as _, Stream as _};
use squall_proto::Version;
use squall_reports::{TestResult, Verdict};
use squall_sim::world::{OurBroker, SimNet, simulate};

use self::{
    mutation::{Memory, Mutation, between},
    over::{Over, in_a_world_over},
    proof::{AtOurs, TABLE},
    table::{holds, trials},
};

const SEED: u64 = 1;

fn main() {
    let all = AtOurs::all();
    let mut tests: Vec<_> = trials("conforms", &all, conforms).collect();
    tests.extend(trials("over", &all, over));
    tests.extend(trials("can_fail", &all, |tried| TABLE.proves(tried)));
    tests.push(Trial::test("the_table_of_mutations_is_up_to_date", move || {
        TABLE.is_up_to_date(&all)
    }));
    libtest_mimic::run(&Arguments::from_args(), tests).exit();
}

/// Our broker conforms. What it does not do yet it says in CONNACK.
fn conforms(tried: &AtOurs) -> Result<(), Failed> {
    let (_, result) = tried.sound();
    let again = format!(
        "cargo test -p squall-conformance --test self_check -- '{}'",
        tried.selected.name()
    );
    holds(result, &again)
}

/// The verdict is the same whatever lies below MQTT. Cases about WebSocket itself have theirs there alone.
fn over(tried: &AtOurs) -> Result<(), Failed> {
    let (broker, plain) = tried.sound();
    let plain = &plain.verdict;
    for over in Over::ALL {
        let verdict = in_a_world_over(tried.selected, *broker, over, None).verdict;
        let as_it_should = match (tried.is_about_websocket(), over.is_websocket()) {
            (true, false) => matches!(verdict, Verdict::Unsupported { .. }),
            (true, true) | (false, _) => verdict == *plain,
        };
        if !as_it_should {
            return Err(format!("{over:?}: {verdict:?}, not {plain:?}").into());
        }
    }
    Ok(())
}

fn settings() -> Settings {
    Settings {
        patience: std::time::Duration::from_secs(5),
        unique: "000000".into(),
        command: "squall conform".into(),
    }
}

/// Runs the case against our broker, with this mutation on the wire in between.
fn in_a_world(selected: Selected<Case>, broker: OurBroker, mutation: Option<Mutation>) -> TestResult {
    let settings = settings();
    simulate(SEED, broker, |net| async move {
        let sound = transport(net, None);
        let target = probed(&sound, selected, broker).await;
        run(
            selected,
            &settings,
            &target,
            &transport(net, mutation.map(|mutation| (mutation, selected.version))),
        )
        .await
    })
}

/// What our broker says of itself, and whom it knows.
async fn probed(reached: &Arc<dyn Transport>, selected: Selected<Case>, broker: OurBroker) -> Arc<Target> {
    let user = broker.user().map(|(name, password)| User::new(name, password));
    let probed = Target::probe(reached, &[selected.version], "probe", settings().patience, user).await;
    Arc::new(probed.expect("our broker is there"))
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
