//! Every case with every version against our own broker, each a test of its own in a simulated world of its own.

use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use squall_conformance::{Duplex, Selected, Settings, Target, Transport, Via, run, select};
use squall_node::{Connector as _, Stream as _};
use squall_proto::{Version, broker::Limits};
use squall_reports::TestResult;
use squall_sim::world::{SimNet, simulate};

const SEED: u64 = 1;

fn main() {
    let trials = cases().map(|selected| Trial::test(selected.name(), move || conforms(selected)));
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit();
}

fn cases() -> impl Iterator<Item = Selected> {
    select(&Version::ALL, &[]).into_iter()
}

/// Our broker conforms. What it does not do yet it says in CONNACK.
fn conforms(selected: Selected) -> Result<(), Failed> {
    let result = in_a_world(selected);
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

/// Runs the case against our broker.
fn in_a_world(selected: Selected) -> TestResult {
    let settings = Settings {
        patience: std::time::Duration::from_secs(5),
        unique: "000000".into(),
        command: "squall conform".into(),
    };
    simulate(SEED, Limits::default(), |net| async move {
        let transport = transport(net);
        let probed = Target::probe(&transport, &[selected.version], "probe", settings.patience).await;
        let target = Arc::new(probed.expect("our broker is there"));
        run(selected, &settings, &target, &transport).await
    })
}

fn transport(net: SimNet) -> Arc<dyn Transport> {
    Arc::new(Via(move || {
        let mut connector = net.connector();
        async move {
            let (read, write) = connector.connect().await?.split();
            Ok(Duplex::new(read, write))
        }
    }))
}
