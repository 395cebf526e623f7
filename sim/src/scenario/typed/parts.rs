//! How the parts of a map or list are read one by one, and the words of an enum.

use std::slice;

use serde::de::{
    self, DeserializeSeed, Deserializer as _, Error as _, Visitor, value::BorrowedStrDeserializer,
};
use serde_saphyr::Location;

use crate::scenario::{
    tree::{Key, Node, Value},
    wrong::Wrong,
};

/// A map that is a word with its value. `None`: it is empty.
pub(super) fn one_of(entries: &[(Key, Node)]) -> Result<Option<Variant<'_>>, Wrong> {
    match entries {
        [] => Ok(None),
        [(key, value)] => Ok(Some(Variant {
            at: key.at,
            word: &key.text,
            value: Some(value),
        })),
        [(first, _), (second, _), ..] => Err(Wrong::at(
            second.at,
            format!("`{}` beside `{}`", second.text, first.text),
            "make two entries of it, or leave one out",
        )),
    }
}

/// The entries of a map, one after the other.
pub(super) struct Entries<'de> {
    left: slice::Iter<'de, (Key, Node)>,
    value: Option<&'de Node>,
}

impl<'de> Entries<'de> {
    pub(super) fn new(entries: &'de [(Key, Node)]) -> Self {
        Self {
            left: entries.iter(),
            value: None,
        }
    }
}

impl<'de> de::MapAccess<'de> for Entries<'de> {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Wrong> {
        let Some((key, value)) = self.left.next() else {
            return Ok(None);
        };
        self.value = Some(value);
        word(key.at, &key.text, seed).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Wrong> {
        let value = self
            .value
            .take()
            .ok_or_else(|| Wrong::custom("a value without a key"))?;
        seed.deserialize(value).map_err(|wrong| wrong.or_at(value.at))
    }
}

/// The items of a list, one after the other.
pub(super) struct Items<'de>(pub(super) slice::Iter<'de, Node>);

impl<'de> de::SeqAccess<'de> for Items<'de> {
    type Error = Wrong;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Wrong> {
        let item = self.0.next();
        item.map(|item| seed.deserialize(item).map_err(|wrong| wrong.or_at(item.at)))
            .transpose()
    }
}

/// A word out of several, alone or as the key of its value.
pub(super) struct Variant<'de> {
    pub(super) at: Location,
    pub(super) word: &'de str,
    pub(super) value: Option<&'de Node>,
}

impl<'de> de::EnumAccess<'de> for Variant<'de> {
    type Error = Wrong;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Wrong> {
        Ok((word(self.at, self.word, seed)?, self))
    }
}

impl<'de> Variant<'de> {
    /// What the word wants to be said with it.
    fn value(&self) -> Result<&'de Node, Wrong> {
        let missing = || {
            Wrong::at(
                self.at,
                format!("`{}` says nothing", self.word),
                "give it a value",
            )
        };
        self.value.ok_or_else(missing)
    }
}

impl<'de> de::VariantAccess<'de> for Variant<'de> {
    type Error = Wrong;

    fn unit_variant(self) -> Result<(), Wrong> {
        match self.value {
            None => Ok(()),
            Some(Node {
                value: Value::Null, ..
            }) => Ok(()),
            Some(node) => Err(Wrong::at(
                node.at,
                format!("`{}` has no value", self.word),
                "write the word alone",
            )),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Wrong> {
        let value = self.value()?;
        seed.deserialize(value).map_err(|wrong| wrong.or_at(value.at))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Wrong> {
        self.value()?.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.value()?.deserialize_map(visitor)
    }
}

/// A key or the word of a variant.
fn word<'de, S: DeserializeSeed<'de>>(at: Location, word: &'de str, seed: S) -> Result<S::Value, Wrong> {
    let deserializer = BorrowedStrDeserializer::<Wrong>::new(word);
    seed.deserialize(deserializer).map_err(|wrong| wrong.or_at(at))
}
