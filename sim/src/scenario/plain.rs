//! A scenario as plain values, in the order in which a file says them.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Scenario, expand, read, tree::Node, typed::typed};

/// Any value of a file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Plain {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    Text(String),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
}

/// One step of the way to a value: the how-manieth of a list or map.
pub(crate) type Place = Vec<usize>;

impl Plain {
    /// All that a scenario, or a part of one, says, and all that it leaves as it is by default.
    pub(super) fn of(said: &impl Serialize) -> Self {
        let text = serde_json::to_string(said).expect("a scenario is plain values");
        serde_json::from_str(&text).expect("what was just written")
    }

    /// As a file says a scenario: without whatever reads the same when it is left out, and with the one that it is compared with, if
    /// there is one.
    pub(crate) fn file(scenario: &Scenario) -> Self {
        match &scenario.reference {
            Some(reference) => Self::pair(scenario, reference),
            None => Self::lean(scenario),
        }
    }

    /// The scenarios that say this, in the order of its tables, or why it says none. What one that stands alone says may still
    /// contradict itself.
    pub(crate) fn read(&self) -> Result<Vec<Scenario>, String> {
        let root = Node::of_plain(self);
        let scenarios = match expand::is_needed(&root) {
            true => read::variants(root),
            false => typed(&root).map(|alone| vec![alone]),
        };
        scenarios.map_err(|wrong| wrong.to_string())
    }

    /// The scenario that says this, if it is one; of two paths it is the one that is compared.
    pub(crate) fn scenario(&self) -> Option<Scenario> {
        self.read().ok()?.pop()
    }

    /// What a scenario says by itself, without whatever reads the same when it is left out.
    pub(super) fn lean(scenario: &Scenario) -> Self {
        let mut plain = Self::of(scenario);
        // What is nothing is most of it, and need not be tried one by one.
        plain.leave_out_nothing();
        plain.leave_out_below(&mut Place::new(), &scenario.clone().alone());
        plain
    }

    fn leave_out_nothing(&mut self) {
        self.retain(|key, value| key.is_none() || *value != Self::Null);
        self.children_mut().into_iter().for_each(Self::leave_out_nothing);
    }

    fn leave_out_below(&mut self, place: &mut Place, scenario: &Scenario) {
        let mut at = 0;
        while let Some(children) = self.at(place).map(Self::len)
            && at < children
        {
            place.push(at);
            let without = self.without(place);
            if without.scenario().as_ref() == Some(scenario) {
                *self = without;
                place.pop();
            } else {
                self.leave_out_below(place, scenario);
                place.pop();
                at += 1;
            }
        }
    }

    /// In one line, for comparisons.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("plain values are JSON")
    }

    /// The way to every value below, what is above before what is below it.
    pub(crate) fn places(&self) -> Vec<Place> {
        let mut places: Vec<Place> = (0..self.len()).map(|at| vec![at]).collect();
        let mut next = 0;
        while let Some(place) = places.get(next).cloned() {
            let children = self.at(&place).map_or(0, Self::len);
            places.extend((0..children).map(|at| [place.as_slice(), &[at]].concat()));
            next += 1;
        }
        places
    }

    /// The key of the value at the end of the way, if it has one.
    pub(crate) fn key(&self, place: &[usize]) -> Option<&str> {
        let (last, parent) = place.split_last()?;
        match self.at(parent)? {
            Self::Map(entries) => entries.get(*last).map(|(key, _)| key.as_str()),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::List(_) => None,
        }
    }

    /// The keys of a map.
    pub(crate) fn keys(&self) -> Vec<String> {
        match self {
            Self::Map(entries) => entries.iter().map(|(key, _)| key.clone()).collect(),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::List(_) => Vec::new(),
        }
    }

    /// The value of a key, in a map that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(entries) => entries
                .iter()
                .find(|(known, _)| known == key)
                .map(|(_, value)| value),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::List(_) => None,
        }
    }

    /// Changes the value of a key, in a map that has it.
    pub(crate) fn change(&mut self, key: &str, change: impl FnOnce(&mut Self)) {
        if let Self::Map(entries) = self
            && let Some((_, value)) = entries.iter_mut().find(|(known, _)| known == key)
        {
            change(value);
        }
    }

    /// Keeps those values of a list or map that `keep` says yes to, with their keys if they have some.
    pub(crate) fn retain(&mut self, keep: impl Fn(Option<&str>, &Self) -> bool) {
        match self {
            Self::List(items) => items.retain(|item| keep(None, item)),
            Self::Map(entries) => entries.retain(|(key, value)| keep(Some(key), value)),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) => {}
        }
    }

    /// Whether a text in it is this one.
    pub(crate) fn says(&self, text: &str) -> bool {
        match self {
            Self::Text(said) => said == text,
            Self::List(_) | Self::Map(_) => self.children().any(|child| child.says(text)),
            Self::Null | Self::Bool(_) | Self::Number(_) => false,
        }
    }

    /// How many values a list or map has.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::List(items) => items.len(),
            Self::Map(entries) => entries.len(),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) => 0,
        }
    }

    /// Whether it is a list or map.
    pub(crate) const fn is_branch(&self) -> bool {
        matches!(self, Self::List(_) | Self::Map(_))
    }

    /// The values of a list or map.
    pub(crate) fn children(&self) -> impl Iterator<Item = &Self> {
        (0..self.len()).filter_map(|at| self.child(at))
    }

    /// The value of a list or map in this place.
    pub(crate) fn child(&self, at: usize) -> Option<&Self> {
        match self {
            Self::List(items) => items.get(at),
            Self::Map(entries) => entries.get(at).map(|(_, value)| value),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) => None,
        }
    }

    /// The values of a list or map, to be changed.
    pub(crate) fn children_mut(&mut self) -> Vec<&mut Self> {
        match self {
            Self::List(items) => items.iter_mut().collect(),
            Self::Map(entries) => entries.iter_mut().map(|(_, value)| value).collect(),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) => Vec::new(),
        }
    }

    fn child_mut(&mut self, at: usize) -> Option<&mut Self> {
        match self {
            Self::List(items) => items.get_mut(at),
            Self::Map(entries) => entries.get_mut(at).map(|(_, value)| value),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) => None,
        }
    }

    /// The value at the end of the way.
    pub(crate) fn at(&self, place: &[usize]) -> Option<&Self> {
        place.iter().try_fold(self, |plain, at| plain.child(*at))
    }

    /// The value at the end of the way, to be changed.
    pub(crate) fn at_mut(&mut self, place: &[usize]) -> Option<&mut Self> {
        place.iter().try_fold(self, |plain, at| plain.child_mut(*at))
    }

    /// The same without the value at the end of the way; itself, if nothing is there.
    pub(crate) fn without(&self, place: &[usize]) -> Self {
        let mut without = self.clone();
        let Some((last, parent)) = place.split_last() else {
            return without;
        };
        match without.at_mut(parent) {
            Some(Self::List(items)) if *last < items.len() => {
                items.remove(*last);
            }
            Some(Self::Map(entries)) if *last < entries.len() => {
                entries.remove(*last);
            }
            Some(_) | None => {}
        }
        without
    }
}

impl Serialize for Plain {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(number) => number.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items),
            Self::Map(entries) => serializer.collect_map(entries.iter().map(|(key, value)| (key, value))),
        }
    }
}

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PlainVisitor)
    }
}

struct PlainVisitor;

impl<'de> de::Visitor<'de> for PlainVisitor {
    type Value = Plain;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Plain, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Plain::Map(entries))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut sequence: A) -> Result<Plain, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element()? {
            items.push(item);
        }
        Ok(Plain::List(items))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Plain, E> {
        Ok(Plain::Bool(value))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Plain, E> {
        Ok(Plain::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Plain, E> {
        Ok(Plain::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Plain, E> {
        Ok(serde_json::Number::from_f64(number).map_or(Plain::Null, Plain::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Plain, E> {
        Ok(Plain::Text(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Plain, E> {
        Ok(Plain::Null)
    }
}
