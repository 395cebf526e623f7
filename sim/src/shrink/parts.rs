//! Fewer clients, steps, messages and settings.

use super::Attempt;
use crate::scenario::{Place, Plain};

/// Takes away whoever takes part, with every step and expectation that names them.
pub(super) fn parties(attempt: &mut Attempt<'_>) {
    for section in ["clients", "peers"] {
        let names = attempt.smallest.get(section).map(Plain::keys).unwrap_or_default();
        for name in names {
            let mut without = attempt.smallest.clone();
            for section in ["clients", "peers"] {
                without.change(section, |parties| {
                    parties.retain(|key, _| key != Some(name.as_str()))
                });
            }
            for section in ["steps", "expect"] {
                without.change(section, |items| items.retain(|_, item| !item.says(&name)));
            }
            without.change("same", |same| {
                same.change("to", |to| to.retain(|_, item| !item.says(&name)));
            });
            attempt.takes(without);
        }
    }
}

/// Takes items out of each list: many at a time at first, then one by one.
pub(super) fn items(attempt: &mut Attempt<'_>) {
    let mut place = 0;
    // The places are counted anew each time: whatever is taken away changes them.
    while let Some(list) = lists(&attempt.smallest).into_iter().nth(place) {
        let mut chunk = length(attempt, &list);
        while chunk > 0 {
            chunks(attempt, &list, chunk);
            chunk /= 2;
        }
        place += 1;
    }
}

fn length(attempt: &Attempt<'_>, list: &[usize]) -> usize {
    attempt.smallest.at(list).map_or(0, Plain::len)
}

/// Takes out so many items in a row, from the end on: what is last is needed least.
fn chunks(attempt: &mut Attempt<'_>, list: &[usize], chunk: usize) {
    let mut end = length(attempt, list);
    while end > 0 {
        let begin = end.saturating_sub(chunk);
        let mut without = attempt.smallest.clone();
        let mut ids = Vec::new();
        for at in (begin..end).rev() {
            let place = [list, &[at]].concat();
            ids.extend(without.at(&place).and_then(|item| item.get("id")).cloned());
            without = without.without(&place);
        }
        if !attempt.takes(without.clone()) {
            // What came after it begins by itself.
            forget(&mut without, &ids);
            attempt.takes(without);
        }
        end = begin;
    }
}

/// Leaves out whatever waits for these steps.
fn forget(plain: &mut Plain, ids: &[Plain]) {
    plain.change("steps", |steps| {
        for step in steps.children_mut() {
            step.change("after", |after| after.retain(|_, id| !ids.contains(id)));
            let is_nothing = |after: &Plain| ids.contains(after) || (after.is_branch() && after.len() == 0);
            step.retain(|key, value| key != Some("after") || !is_nothing(value));
        }
    });
}

/// Takes out each step that only happens, so that others come after it: they come when it would have come.
pub(super) fn notes(attempt: &mut Attempt<'_>) {
    let mut place = 0;
    while let Some(step) = attempt
        .smallest
        .get("steps")
        .and_then(|steps| steps.child(place))
        .cloned()
    {
        let mut without = attempt.smallest.clone();
        without.change("steps", |steps| forget_note(steps, place, &step));
        let is_note = step.get("note").is_some() && step.get("id").is_some();
        if !is_note || !attempt.takes(without) {
            place += 1;
        }
    }
}

fn forget_note(steps: &mut Plain, place: usize, note: &Plain) {
    *steps = steps.without(&[place]);
    let (Plain::Map(said), Some(id)) = (note, note.get("id")) else {
        return;
    };
    for step in steps.children_mut() {
        let waits = matches!(step.get("after"), Some(after) if after == id || *after == Plain::List(vec![id.clone()]));
        let has_wait = step.get("wait").is_some();
        let Plain::Map(entries) = step else { continue };
        if waits {
            entries.retain(|(key, _)| key != "after");
            let is_time = |key: &str| ["after", "at", "when"].contains(&key) || (key == "wait" && !has_wait);
            let times = said.iter().filter(|(key, _)| is_time(key)).cloned();
            entries.splice(0..0, times);
        }
    }
}

/// Takes keys out of each map.
pub(super) fn keys(attempt: &mut Attempt<'_>) {
    let mut place = 0;
    while let Some(entry) = entries(&attempt.smallest).into_iter().nth(place) {
        if !attempt.takes(attempt.smallest.without(&entry)) {
            place += 1;
        }
    }
}

/// The way to every list, the outermost first.
fn lists(plain: &Plain) -> Vec<Place> {
    let is_list = |place: &Place| matches!(plain.at(place), Some(Plain::List(_)));
    plain.places().into_iter().filter(is_list).collect()
}

/// The way to every value that has a key, the outermost first.
fn entries(plain: &Plain) -> Vec<Place> {
    let has_key = |place: &Place| {
        let parent = place.split_last().map(|(_, parent)| parent);
        matches!(parent.and_then(|parent| plain.at(parent)), Some(Plain::Map(_)))
    };
    plain.places().into_iter().filter(has_key).collect()
}
