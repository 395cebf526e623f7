//! Fewer differences between two paths that are compared.

use std::collections::BTreeSet;

use super::Attempt;
use crate::scenario::{Place, Plain};

/// Makes the paths the same in what each parameter stands for, as one of them says it.
pub(super) fn common(attempt: &mut Attempt<'_>) {
    for name in parameters(&attempt.smallest) {
        for row in 0..2 {
            let value = rows(&attempt.smallest)
                .get(row)
                .and_then(|row| row.get(&name))
                .cloned();
            let mut candidate = attempt.smallest.clone();
            replace(&mut candidate, &format!("${name}"), value.as_ref());
            if attempt.takes(candidate) {
                break;
            }
        }
    }
}

/// The same without parameters that stand nowhere, and without places whose parameter has no value.
pub(super) fn settled(mut candidate: Plain) -> Plain {
    if candidate.get("paths").is_none() {
        return candidate;
    }
    let known = parameters(&candidate);
    let mut said = BTreeSet::new();
    for (section, value) in candidate.keys().iter().zip(candidate.children()) {
        if section != "paths" {
            texts(value, &mut said);
        }
    }
    for text in &said {
        let is_unknown = |name: &str| name != "share" && !known.iter().any(|known| known == name);
        if text
            .strip_prefix('$')
            .is_some_and(|name| is_parameter(name) && is_unknown(name))
        {
            replace(&mut candidate, text, None);
        }
    }
    candidate.change("paths", |paths| {
        for row in paths.children_mut() {
            row.retain(|name, _| name.is_some_and(|name| said.contains(&format!("${name}"))));
        }
    });
    candidate
}

fn is_parameter(name: &str) -> bool {
    let of_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    !name.is_empty() && name.chars().all(of_name)
}

fn rows(plain: &Plain) -> Vec<Plain> {
    plain
        .get("paths")
        .map(|paths| paths.children().cloned().collect())
        .unwrap_or_default()
}

/// The names of the parameters, each once.
fn parameters(plain: &Plain) -> Vec<String> {
    let mut names: Vec<String> = rows(plain).iter().flat_map(Plain::keys).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn texts(plain: &Plain, found: &mut BTreeSet<String>) {
    match plain {
        Plain::Text(text) => _ = found.insert(text.clone()),
        Plain::List(_) | Plain::Map(_) => plain.children().for_each(|child| texts(child, found)),
        Plain::Null | Plain::Bool(_) | Plain::Number(_) => {}
    }
}

/// Puts a value where a parameter stands, as a file's reader does: a list in place of an item is put in item by item, and nothing leaves
/// the place out.
fn replace(plain: &mut Plain, parameter: &str, value: Option<&Plain>) {
    let is_it = |plain: &Plain| matches!(plain, Plain::Text(text) if text == parameter);
    let is_here = |place: &Place, plain: &Plain| plain.at(place).is_some_and(is_it);
    while let Some(place) = plain.places().into_iter().find(|place| is_here(place, plain)) {
        let in_list = place
            .split_last()
            .and_then(|(last, parent)| Some((*last, plain.at(parent)?, parent.to_vec())))
            .and_then(|(last, list, parent)| matches!(list, Plain::List(_)).then_some((last, parent)));
        match (value, in_list) {
            (None, _) => *plain = plain.without(&place),
            (Some(Plain::List(items)), Some((last, parent))) => {
                if let Some(Plain::List(list)) = plain.at_mut(&parent) {
                    list.splice(last..=last, items.iter().cloned());
                }
            }
            (Some(value), _) => {
                if let Some(at) = plain.at_mut(&place) {
                    *at = value.clone();
                }
            }
        }
    }
}
