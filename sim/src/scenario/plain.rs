//! A scenario as plain values, in the order in which a file says them.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::Scenario;

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
    /// All that a scenario says, and all that it leaves as it is by default.
    pub(crate) fn of(scenario: &Scenario) -> Self {
        let text = serde_json::to_string(scenario).expect("a scenario is plain values");
        serde_json::from_str(&text).expect("what was just written")
    }

    /// The scenario that says this, if it is one; what it says may still contradict itself.
    pub(crate) fn scenario(&self) -> Option<Scenario> {
        let text = serde_json::to_string(self).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// What a scenario says, without whatever reads the same when it is left out.
    pub(crate) fn lean(scenario: &Scenario) -> Self {
        let mut plain = Self::of(scenario);
        plain.leave_out_below(&mut Place::new(), &scenario.clone().alone());
        plain
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
