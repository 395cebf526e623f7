//! Simpler times, numbers and texts.

use super::{Attempt, numbers};
use crate::{
    scenario::{Place, Plain},
    span::SpanRange,
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
    filters(attempt);
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

/// Makes each Topic Filter that is a key simpler.
fn filters(attempt: &mut Attempt<'_>) {
    for place in attempt.smallest.places() {
        let Some((at, parent)) = place.split_last() else {
            continue;
        };
        if !matches!(attempt.smallest.key(parent), Some("filters" | "subscribe")) {
            continue;
        }
        while let Some(filter) = attempt.smallest.key(&place).map(str::to_owned)
            && simpler_filters(&filter).into_iter().any(|simpler| {
                let mut candidate = attempt.smallest.clone();
                if let Some(Plain::Map(entries)) = candidate.at_mut(parent)
                    && let Some((key, _)) = entries.get_mut(*at)
                {
                    *key = simpler;
                }
                attempt.takes(candidate)
            })
        {}
    }
}

/// One that is not shared; one of fewer levels.
fn simpler_filters(filter: &str) -> Vec<String> {
    let shared = filter
        .strip_prefix("$share/")
        .and_then(|rest| rest.split_once('/'));
    let alone = shared.map(|(_, filter)| filter.to_owned());
    let shorter = filter.rsplit_once('/').map(|(shorter, _)| shorter.to_owned());
    // A share name with nothing behind it is no filter.
    let shorter = shorter.filter(|_| shared.is_none_or(|(_, filter)| filter.contains('/')));
    let shorter = shorter.filter(|shorter| !shorter.is_empty());
    alone.into_iter().chain(shorter).collect()
}

/// Simpler ones, the simplest first. Each is less than the value in one order, so that no way leads back.
fn candidates(value: &Plain) -> Vec<Plain> {
    let number = |number: u64| Plain::Number(number.into());
    match value {
        Plain::Number(given) => {
            let simpler = given.as_u64().map(numbers::simpler).unwrap_or_default();
            simpler.into_iter().map(number).collect()
        }
        Plain::Text(text) => texts(text),
        Plain::Null | Plain::Bool(_) | Plain::List(_) | Plain::Map(_) => Vec::new(),
    }
}

fn texts(text: &str) -> Vec<Plain> {
    if let Ok(range) = text.parse::<SpanRange>() {
        let simpler = numbers::simpler_times(range).into_iter();
        return simpler.map(|range| Plain::Text(range.to_string())).collect();
    }
    if let Some((least, most)) = text.split_once("..")
        && let [Ok(least), Ok(most)] = [least, most].map(|end| end.trim().parse::<u64>())
    {
        let all = [least, most, least + most.saturating_sub(least) / 2];
        return all
            .into_iter()
            .map(|number| Plain::Number(number.into()))
            .collect();
    }
    let one_of_many = pattern(text);
    // A topic with fewer levels.
    let shorter = text.rsplit_once('/').map(|(shorter, _)| shorter.to_owned());
    let shorter = shorter.filter(|shorter| !shorter.is_empty());
    one_of_many.into_iter().chain(shorter).map(Plain::Text).collect()
}

/// The first of the topics that a pattern stands for: `1/b` of `{1..3}/b`.
fn pattern(text: &str) -> Option<String> {
    let (before, rest) = text.split_once('{')?;
    let (range, behind) = rest.split_once('}')?;
    let (first, _) = range.split_once("..")?;
    Some(format!("{before}{first}{behind}"))
}
