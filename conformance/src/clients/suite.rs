//! How a case runs against a client.

use std::sync::Arc;

use squall_proto::Version;
use squall_reports::{TestResult, Verdict};
use tokio::time::{Instant, timeout};

use super::{Case, Launch, Stage};
use crate::{Outcome, Selected, Settings, Stop, context::log::Log, suite::AT_MOST};

/// Starts the client once, and says what its driver knows.
///
/// # Errors
///
/// Why it is no driver, in words for whoever wrote it.
pub async fn answers(settings: &Settings, launch: &Arc<dyn Launch>) -> Result<Vec<String>, String> {
    match stage(Version::V3_1_1, settings, launch, Log::start()).await {
        Ok(stage) => Ok(stage.driver.known().to_vec()),
        Err(Stop::Inconclusive(why) | Stop::Unsupported(why) | Stop::Choice(why)) => Err(why),
        Err(Stop::Broken { got, .. }) => Err(got),
    }
}

/// Runs one case, with a client of its own.
pub async fn run(selected: Selected<Case>, settings: &Settings, launch: &Arc<dyn Launch>) -> TestResult {
    let start = Instant::now();
    let log = Log::start();
    let patience = settings.patience + AT_MOST;
    let outcome = match timeout(patience, outcome(selected, settings, launch, log.clone())).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Stop::Inconclusive("the case came to no end".into())),
    };
    let (verdict, packets) = match outcome {
        Ok(()) => (Verdict::Pass, Vec::new()),
        Err(stop) => (stop.verdict(selected.case.level(selected.version)), log.lines()),
    };
    TestResult {
        micros: u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX),
        packets,
        ..selected.result(verdict, settings)
    }
}

async fn stage(version: Version, settings: &Settings, launch: &Arc<dyn Launch>, log: Log) -> Outcome<Stage> {
    let launched = launch.launch(version).await;
    let launched =
        launched.map_err(|error| Stop::Inconclusive(format!("the client cannot be started: {error}")))?;
    Stage::new(launched, version, settings.patience, log).await
}

async fn outcome(
    selected: Selected<Case>,
    settings: &Settings,
    launch: &Arc<dyn Launch>,
    log: Log,
) -> Outcome {
    let stage = stage(selected.version, settings, launch, log).await?;
    (selected.case.run)(stage).await
}
