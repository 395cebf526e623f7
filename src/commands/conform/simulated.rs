//! The suite against our broker, each case in a simulated world of its own.

use std::{sync::Arc, time::Instant};

use squall_conformance::{Duplex, Selected, Settings, Target, Transport, User, Via, interrupted, run};
use squall_node::{Connector as _, Stream as _};
use squall_reports::{TestResult, Verdict};
use squall_sim::world::{OurBroker, SimNet, simulate};

use super::running::Running;

/// Starts the cases, as many at a time as there are processors.
pub(super) fn start(seed: u64, selected: &[Selected], settings: &Settings) -> Running {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let mut running = Running::new(processors);
    for selected in selected.iter().copied() {
        let settings = settings.clone();
        running.start(selected, async move {
            let fallback = interrupted(selected, &settings);
            let ended = tokio::task::spawn_blocking(move || one(seed, selected, &settings)).await;
            ended.unwrap_or(fallback)
        });
    }
    running
}

/// Runs one case in a world of its own, with the first of our brokers that it makes sense with.
fn one(seed: u64, selected: Selected, settings: &Settings) -> TestResult {
    let [plain, others @ ..] = OurBroker::ALL;
    let mut result = with(seed, selected, settings, plain);
    for broker in others {
        if !matches!(result.verdict, Verdict::Unsupported { .. }) {
            break;
        }
        result = with(seed, selected, settings, broker);
    }
    result
}

/// The case's own time is the real one; what it waited for is the simulated one.
fn with(seed: u64, selected: Selected, settings: &Settings, broker: OurBroker) -> TestResult {
    let start = Instant::now();
    let mut result = simulate(seed, broker, |net| async move {
        let transport = transport(net);
        let user = broker.user().map(|(name, password)| User::new(name, password));
        let probed = Target::probe(&transport, &[selected.version], "probe", settings.patience, user).await;
        let target = Arc::new(probed.unwrap_or_default());
        run(selected, settings, &target, &transport).await
    });
    result.simulated_micros = Some(result.micros);
    result.micros = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
    result
}

/// Reaches the broker of a world.
pub(super) fn transport(net: SimNet) -> Arc<dyn Transport> {
    Arc::new(Via(move || {
        let mut connector = net.connector();
        async move {
            let (read, write) = connector.connect().await?.split();
            Ok(Duplex::new(read, write))
        }
    }))
}
