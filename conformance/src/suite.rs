//! How a case runs against a broker.

use std::{sync::Arc, time::Duration};

use squall_reports::{PacketLine, TestResult, Verdict};
use tokio::time::{Instant, timeout};

use crate::{Context, Selected, Stop, Target, Transport};

/// How cases are run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long what must come may take before it counts as not coming.
    pub patience: Duration,
    /// At most six ASCII letters and digits that no run at the same target has had.
    pub unique: String,
    /// The command that runs a selection, up to where `--mqtt` and `--filter` are written: `squall conform --target mqtt://..`.
    pub command: String,
}

/// No case takes longer than this beyond what it waits for.
pub(crate) const AT_MOST: Duration = Duration::from_secs(120);

impl Settings {
    /// A name for a run, made of a number that no other run has drawn.
    #[must_use]
    pub fn unique(mut drawn: u64) -> String {
        const DIGITS: [char; 32] = [
            'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's',
            't', 'u', 'v', 'w', 'x', 'y', 'z', '2', '3', '4', '5', '6', '7',
        ];
        let digit = || {
            let digit = DIGITS.get((drawn % 32) as usize);
            drawn /= 32;
            digit
        };
        std::iter::repeat_with(digit).take(6).flatten().collect()
    }
}

/// Runs one case, and takes away what it left at the target.
pub async fn run(
    selected: Selected,
    settings: &Settings,
    target: &Arc<Target>,
    transport: &Arc<dyn Transport>,
) -> TestResult {
    let start = Instant::now();
    let (verdict, packets) = match target.refuses(selected.version) {
        Some(why) => (Verdict::Unsupported { why: why.into() }, Vec::new()),
        None => verdict(selected, settings, target, transport).await,
    };
    let micros = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
    TestResult {
        micros,
        packets,
        ..selected.result(verdict, settings)
    }
}

async fn verdict(
    selected: Selected,
    settings: &Settings,
    target: &Arc<Target>,
    transport: &Arc<dyn Transport>,
) -> (Verdict, Vec<PacketLine>) {
    let context = Context::new(
        selected.version,
        settings.patience,
        Arc::clone(target),
        Arc::clone(transport),
        format!("{}{:03}", settings.unique, selected.place),
    );
    let case = selected.case;
    let lacks = case.needs.iter().find_map(|capability| target.lacks(*capability));
    if let Some(why) = lacks {
        return (Verdict::Unsupported { why }, Vec::new());
    }
    let outcome = match timeout(settings.patience + AT_MOST, (case.run)(context.clone())).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Stop::Inconclusive("the case came to no end".into())),
    };
    let packets = context.lines();
    context.clean_up().await;
    match outcome {
        Ok(()) => (Verdict::Pass, Vec::new()),
        Err(stop) => (stop.verdict(case.level), packets),
    }
}
