//! How what a file says is put together of what is drawn.

use proptest::{
    prelude::{Just, Strategy as _, any},
    sample::select,
    strategy::BoxedStrategy,
};
use serde_json::{Map, Value};

/// A strategy of what a file says in one place.
pub(super) type Draw = BoxedStrategy<Value>;

/// What there is always.
pub(super) fn just(value: impl Into<Value>) -> Draw {
    Just(value.into()).boxed()
}

/// Nothing: the key is left out.
pub(super) fn nothing() -> Draw {
    just(Value::Null)
}

/// One of these.
pub(super) fn one_of<T: Clone + Into<Value> + std::fmt::Debug + 'static>(values: &[T]) -> Draw {
    select(values.to_vec()).prop_map(Into::into).boxed()
}

/// Half of the time nothing.
pub(super) fn sometimes(draw: Draw) -> Draw {
    (any::<bool>(), draw)
        .prop_map(|(is_there, value)| if is_there { value } else { Value::Null })
        .boxed()
}

/// Only if the feature is on, and then half of the time.
pub(super) fn if_on(on: bool, draw: Draw) -> Draw {
    if on { sometimes(draw) } else { nothing() }
}

/// A whole number.
pub(super) fn number(range: std::ops::RangeInclusive<u64>) -> Draw {
    range.prop_map(Value::from).boxed()
}

/// Whole seconds.
pub(super) fn seconds(range: std::ops::RangeInclusive<u64>) -> Draw {
    range
        .prop_map(|seconds| Value::from(format!("{seconds}s")))
        .boxed()
}

/// So many milliseconds.
pub(super) fn millis(range: std::ops::RangeInclusive<u64>) -> Draw {
    range
        .prop_map(|millis| Value::from(format!("{millis}ms")))
        .boxed()
}

/// A range of milliseconds that begins and ends in this one.
pub(super) fn milli_range(range: std::ops::RangeInclusive<u64>) -> Draw {
    (range.clone(), range)
        .prop_map(|(one, other)| Value::from(format!("{}ms..{}ms", one.min(other), one.max(other))))
        .boxed()
}

/// A map of these keys, without those of which nothing was drawn.
pub(super) fn map(entries: Vec<(&'static str, Draw)>) -> Draw {
    let (keys, values): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
    values
        .prop_map(move |values| {
            let entries = keys.iter().map(|key| (*key).to_owned()).zip(values);
            Value::Object(
                entries
                    .filter(|(_, value)| !value.is_null())
                    .collect::<Map<_, _>>(),
            )
        })
        .boxed()
}

/// One to so many of them, each once, as the keys of a map with values drawn for each.
pub(super) fn some_keys(keys: &[&'static str], at_most: usize, value: &Draw) -> Draw {
    let entries = keys
        .iter()
        .map(|key| (Just((*key).to_owned()), value.clone()).boxed());
    let entries: Vec<_> = entries.collect();
    let at_most = at_most.min(keys.len()).max(1);
    (
        entries,
        proptest::sample::subsequence((0..keys.len()).collect::<Vec<_>>(), 1..=at_most),
    )
        .prop_map(|(entries, chosen)| {
            let chosen = chosen.into_iter().filter_map(|at| entries.get(at).cloned());
            Value::Object(chosen.collect())
        })
        .boxed()
}
