use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use squall_node::broker::{Progress, Watcher};
use tracing::info;

use crate::output;

/// Shows how far the opening of a store has come: on a line that changes while somebody watches, else in the log now and then.
pub(super) fn watcher() -> Watcher {
    let shown = Mutex::new(Shown::new());
    Watcher::new(move |progress| {
        shown
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .show(progress)
    })
}

/// From one line of the log to the next. What takes less long says nothing.
const NOW_AND_THEN: Duration = Duration::from_secs(2);

struct Shown {
    bar: ProgressBar,
    said: Instant,
}

impl Shown {
    fn new() -> Self {
        let bar = if output::watched() {
            ProgressBar::with_draw_target(Some(100), ProgressDrawTarget::stderr())
        } else {
            ProgressBar::hidden()
        };
        let bar = match ProgressStyle::with_template("{bar:30} {percent}% {msg}") {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        };
        Self {
            bar,
            said: Instant::now(),
        }
    }

    fn show(&mut self, progress: Progress) {
        if matches!(progress, Progress::Read { rows, of } if rows >= of) {
            return self.bar.finish_and_clear();
        }
        let (percent, what) = (percent(progress), what(progress));
        if self.bar.is_hidden() {
            if self.said.elapsed() >= NOW_AND_THEN {
                self.said = Instant::now();
                info!("opening the store: {what}, {percent}%");
            }
        } else if self.bar.position() != percent || self.bar.message() != what {
            self.bar.set_message(what);
            self.bar.set_position(percent);
        }
    }
}

const fn what(progress: Progress) -> &'static str {
    match progress {
        Progress::Repaired(_) => "it was not closed, and is looked through",
        Progress::Checking => "its checksums are compared",
        Progress::Compacting => "it is mostly free, and made shorter",
        Progress::Read { .. } => "sessions and messages are read",
        _ => "it takes a while",
    }
}

/// How much of the present step is done.
fn percent(progress: Progress) -> u64 {
    match progress {
        Progress::Read { rows, of } => rows.saturating_mul(100) / of.max(1),
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is between 0 and 100"
        )]
        Progress::Repaired(part) => (part.clamp(0.0, 1.0) * 100.0) as u64,
        Progress::Checking | Progress::Compacting | _ => 0,
    }
}
