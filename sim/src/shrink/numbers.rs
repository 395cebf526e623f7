//! Which numbers and times are simpler than others: those of fewer digits that are not 0, and among them the smaller ones.

use crate::span::{Span, SpanRange};

/// These are tried for every number.
const ROUND: [u64; 14] = [0, 1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 10_000];
/// These are tried for every time, in milliseconds.
const ROUND_TIMES: [u64; 14] = [
    0, 1, 5, 10, 50, 100, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000, 3_600_000,
];

/// Simpler numbers, the simplest first. None leads back.
pub(super) fn simpler(number: u64) -> Vec<u64> {
    let near = near(number)
        .into_iter()
        .chain([number / 2, number.saturating_sub(1)]);
    best(ROUND.into_iter().chain(near).collect(), number, cost)
}

/// Simpler times, the simplest first: one rather than two, then as numbers are.
pub(super) fn simpler_times(range: SpanRange) -> Vec<SpanRange> {
    let (min, max) = range.millis().into_inner();
    let exactly = |millis| SpanRange::from(Span::from_millis(millis));
    if min == max {
        let near = near(min).into_iter().chain([min / 2, min / 1000 * 1000]);
        let all = ROUND_TIMES.into_iter().chain(near).collect();
        return best(all, min, cost_of_time).into_iter().map(exactly).collect();
    }
    let within = |millis: &u64| (min..=max).contains(millis);
    let eighths = (0..=8).flat_map(|eighth| {
        let here = min + (max - min) * eighth / 8;
        near(here).into_iter().chain([here])
    });
    let mut singles: Vec<u64> = ROUND_TIMES.into_iter().chain(eighths).filter(within).collect();
    singles.sort_unstable_by_key(|millis| cost_of_time(*millis));
    singles.dedup();
    let halves = halves(min, max)
        .into_iter()
        .filter_map(|(min, max)| SpanRange::new(Span::from_millis(min), Span::from_millis(max)));
    singles.into_iter().map(exactly).chain(halves).collect()
}

/// Narrower ranges, both ends as round as the width lets them be.
fn halves(min: u64, max: u64) -> [(u64, u64); 2] {
    let middle = min + (max - min) / 2;
    let round = near(middle)
        .into_iter()
        .find(|round| (min + 1..max).contains(round));
    let middle = round.unwrap_or(middle);
    [(min, middle), (middle.max(min + 1), max)]
}

/// Those that cost less than a number, the cheapest first.
fn best<C: Ord>(mut all: Vec<u64>, number: u64, cost: fn(u64) -> C) -> Vec<u64> {
    all.retain(|other| cost(*other) < cost(number));
    all.sort_unstable_by_key(|other| cost(*other));
    all.dedup();
    all
}

/// The round numbers below and above, the roundest first.
fn near(number: u64) -> Vec<u64> {
    let digits = number.checked_ilog10().unwrap_or(0);
    let grains = (0..=digits).rev().filter_map(|zeros| 10_u64.checked_pow(zeros));
    grains
        .take(2)
        .flat_map(|grain| {
            let below = number / grain * grain;
            [below, below.saturating_add(grain)]
        })
        .collect()
}

fn cost(number: u64) -> (u32, u64) {
    (digits(number), number)
}

/// Whole minutes are as simple as seconds.
fn cost_of_time(millis: u64) -> (u32, u64) {
    let of_minutes = millis.is_multiple_of(60_000).then(|| digits(millis / 60_000));
    (of_minutes.unwrap_or_else(|| digits(millis)), millis)
}

/// How many there are up to the last that is not 0.
fn digits(mut number: u64) -> u32 {
    while number > 0 && number.is_multiple_of(10) {
        number /= 10;
    }
    number.checked_ilog10().map_or(0, |digits| digits + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(text: &str) -> Vec<String> {
        let range = text.parse().unwrap();
        simpler_times(range).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_number_becomes_rounder_or_less_and_never_the_other_way() {
        assert!(simpler(0).is_empty());
        assert_eq!(simpler(1), [0]);
        assert_eq!(simpler(7), [0, 1, 2, 3, 5, 6]);
        assert!(simpler(1432).contains(&2000) && simpler(1432).contains(&1000));
        for number in [1, 9, 74, 99, 1432, u64::MAX] {
            for simpler in simpler(number) {
                assert!(cost(simpler) < cost(number));
            }
        }
    }

    #[test]
    fn a_range_of_times_becomes_one_time_if_it_can_and_else_a_half_of_it() {
        let of_range = times("0s..5s 450ms");
        assert!(
            of_range.contains(&"2s".to_owned()) && of_range.contains(&"5s".to_owned()),
            "{of_range:?}"
        );
        assert_eq!(of_range.last().unwrap(), "2s..5s 450ms");
        assert!(times("5s 450ms").contains(&"6s".to_owned()));
        assert!(times("1ms..2ms").len() >= 2);
    }
}
