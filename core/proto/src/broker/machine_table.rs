//! A machine's table as text: every state with every event.

use alloc::{format, string::String};
use core::fmt::Debug;

pub(super) fn table<S: Copy + Debug, E: Copy + Debug, N: Debug>(
    states: &[S],
    events: &[E],
    next: impl Fn(S, E) -> Option<N>,
) -> String {
    states
        .iter()
        .flat_map(|state| events.iter().map(move |event| (*state, *event)))
        .map(|(state, event)| row(state, event, next(state, event)))
        .collect()
}

fn row(state: impl Debug, event: impl Debug, next: Option<impl Debug>) -> String {
    let (state, event) = (format!("{state:?}"), format!("{event:?}"));
    let next = next.map_or_else(|| "-".into(), |next| format!("{next:?}"));
    format!("{state:<42} {event:<35} {next}\n")
}
