//! Simpler numbers, times and texts.

use super::Attempt;
use crate::{
    scenario::{Place, Plain},
    span::{Span, SpanRange},
};

/// Makes each value as simple as it may be.
pub(super) fn simpler(attempt: &mut Attempt<'_>) {
    for place in leaves(&attempt.smallest) {
        while let Some(value) = attempt.smallest.at(&place).cloned()
            && candidates(&value)
                .into_iter()
                .any(|candidate| attempt.takes_at(&place, candidate))
        {}
    }
}

impl Attempt<'_> {
    fn takes_at(&mut self, place: &[usize], value: Plain) -> bool {
        let mut candidate = self.smallest.clone();
        if let Some(at) = candidate.at_mut(place) {
            *at = value;
        }
        self.takes(candidate)
    }
}

fn leaves(plain: &Plain) -> Vec<Place> {
    let is_leaf = |place: &Place| plain.at(place).is_some_and(|value| !value.is_branch());
    plain.places().into_iter().filter(is_leaf).collect()
}

/// Simpler ones, the simplest first. Each is less than the value in one order, so that no way leads back.
fn candidates(value: &Plain) -> Vec<Plain> {
    match value {
        Plain::Number(number) => number.as_u64().map(numbers).unwrap_or_default(),
        Plain::Text(text) => texts(text),
        Plain::Null | Plain::Bool(_) | Plain::List(_) | Plain::Map(_) => Vec::new(),
    }
}

fn numbers(number: u64) -> Vec<Plain> {
    let fewer = [0, 1, 2, 10, 100, number / 2, number.saturating_sub(1)];
    let fewer = fewer.into_iter().filter(|fewer| *fewer < number);
    fewer.map(|fewer| Plain::Number(fewer.into())).collect()
}

fn texts(text: &str) -> Vec<Plain> {
    if let Ok(range) = text.parse::<SpanRange>() {
        return spans(range).into_iter().map(Plain::Text).collect();
    }
    if let Some((least, most)) = text.split_once("..") {
        let ends = [least, most].map(|end| end.trim().parse::<u64>().ok());
        return ends
            .into_iter()
            .flatten()
            .map(|end| Plain::Number(end.into()))
            .collect();
    }
    // A topic with fewer levels.
    let shorter = text.rsplit_once('/').map(|(shorter, _)| shorter);
    let shorter = shorter.filter(|shorter| !shorter.is_empty());
    shorter
        .map(|shorter| Plain::Text(shorter.to_owned()))
        .into_iter()
        .collect()
}

/// One length of time rather than two; a rounder one; a shorter one.
fn spans(range: SpanRange) -> Vec<String> {
    if range.min() != range.max() {
        return vec![range.min().to_string(), range.max().to_string()];
    }
    let millis = *range.millis().start();
    let round = [0, 1, 10, 100, 1000, 10_000, 60_000, 3_600_000];
    let rounded = round.iter().skip(1).rev().map(|grain| millis / grain * grain);
    let shorter = round.iter().copied().chain(rounded).chain([millis / 2]);
    let is_simpler = |shorter: &u64| *shorter < millis;
    shorter
        .filter(is_simpler)
        .map(|millis| Span::from_millis(millis).to_string())
        .collect()
}
