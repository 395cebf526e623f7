//! Less waiting between what happens at a time of its own.

use super::Attempt;
use crate::{
    scenario::{Place, Plain},
    span::{Span, SpanRange},
};

/// A gap is made one of these, in milliseconds, if it is longer.
const GAPS: [u64; 4] = [0, 100, 1000, 10_000];

/// Moves all that happens from some time on to an earlier time, and nothing else in relation to it.
pub(super) fn close(attempt: &mut Attempt<'_>) {
    let mut place = 0;
    while let Some(at) = moments(&attempt.smallest).get(place).copied() {
        let before = place
            .checked_sub(1)
            .and_then(|place| moments(&attempt.smallest).get(place).copied());
        let before = before.unwrap_or(0);
        let gaps = GAPS.into_iter().filter(|gap| before + gap < at);
        let closed = gaps
            .into_iter()
            .any(|gap| attempt.takes(earlier(&attempt.smallest, at, at - before - gap)));
        // Two moments that become one are one place less.
        if !closed || moments(&attempt.smallest).get(place).is_some_and(|now| *now < at) {
            place += 1;
        }
    }
}

/// When something happens at a time of its own, in milliseconds, each once, in order.
fn moments(plain: &Plain) -> Vec<u64> {
    let mut moments: Vec<u64> = times(plain)
        .into_iter()
        .map(|(_, range)| *range.millis().start())
        .collect();
    moments.sort_unstable();
    moments.dedup();
    moments
}

fn times(plain: &Plain) -> Vec<(Place, SpanRange)> {
    let time = |place: Place| {
        let is_time = plain.key(&place) == Some("at");
        let Some(Plain::Text(text)) = plain.at(&place).filter(|_| is_time) else {
            return None;
        };
        Some((place, text.parse().ok()?))
    };
    plain.places().into_iter().filter_map(time).collect()
}

/// The same with all that happens from this time on so much earlier.
fn earlier(plain: &Plain, from: u64, by: u64) -> Plain {
    let mut moved = plain.clone();
    for (place, range) in times(plain) {
        let (min, max) = range.millis().into_inner();
        let range = SpanRange::new(
            Span::from_millis(min.saturating_sub(by)),
            Span::from_millis(max.saturating_sub(by)),
        );
        if let (true, Some(range), Some(at)) = (min >= from, range, moved.at_mut(&place)) {
            *at = Plain::Text(range.to_string());
        }
    }
    moved
}
