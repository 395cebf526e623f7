//! From a tree to what it says: serde's reader of [`Node`], the only one that the types of a scenario are built for. YAML, the values of
//! a shrunk scenario and those of a drawn one all become trees first.
//!
//! In reading order: [`typed`], `scalar` (what a word says), `parts` (of maps and lists, and the words of enums).

mod parts;
mod scalar;
#[cfg(test)]
mod tests;

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, Unexpected, Visitor},
    forward_to_deserialize_any,
};

use self::{
    parts::{Entries, Items, Variant, one_of},
    scalar::{Scalar, truth},
};
use super::{
    tree::{Node, Value},
    wrong::Wrong,
};

/// What a tree says, or where it says something else.
pub(super) fn typed<'de, T: Deserialize<'de>>(node: &'de Node) -> Result<T, Wrong> {
    T::deserialize(node).map_err(|wrong| wrong.or_at(node.at))
}

impl Node {
    fn unexpected(&self) -> Unexpected<'_> {
        match &self.value {
            Value::Map(_) => Unexpected::Map,
            Value::List(_) => Unexpected::Seq,
            Value::Text(text) => Unexpected::Str(text),
            Value::Plain(text) => match Scalar::read(text) {
                Some(Scalar::Bool(value)) => Unexpected::Bool(value),
                Some(Scalar::Whole(number)) => Unexpected::Unsigned(number),
                Some(Scalar::Negative(number)) => Unexpected::Signed(number),
                Some(Scalar::Fraction(number)) => Unexpected::Float(number),
                None => Unexpected::Str(text),
            },
            Value::Null => Unexpected::Other("nothing"),
        }
    }

    /// What is none of what the visitor wants.
    fn refused<'de, V: Visitor<'de>>(&self, visitor: &V) -> Wrong {
        Wrong::invalid_type(self.unexpected(), visitor)
    }

    /// A number, quoted or not.
    fn number<'de, V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, Wrong> {
        match self.scalar().and_then(Scalar::number) {
            Some(number) => number.visit(visitor),
            None => Err(self.refused(&visitor)),
        }
    }
}

macro_rules! numbers {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
            self.number(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for &'de Node {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match &self.value {
            Value::Map(entries) => visitor.visit_map(Entries::new(entries)),
            Value::List(items) => visitor.visit_seq(Items(items.iter())),
            Value::Text(text) => visitor.visit_borrowed_str(text),
            Value::Plain(text) => match Scalar::read(text) {
                Some(scalar) => scalar.visit(visitor),
                None => visitor.visit_borrowed_str(text),
            },
            Value::Null => visitor.visit_unit(),
        }
    }

    numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_f32 deserialize_f64
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.scalar().and_then(truth) {
            Some(value) => visitor.visit_bool(value),
            None => Err(self.refused(&visitor)),
        }
    }

    /// A text need not be quoted where nothing else can stand.
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.scalar() {
            Some(text) => visitor.visit_borrowed_str(text),
            None => Err(self.refused(&visitor)),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match &self.value {
            Value::Null => visitor.visit_none(),
            Value::Map(_) | Value::List(_) | Value::Text(_) | Value::Plain(_) => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match &self.value {
            Value::List(items) => visitor.visit_seq(Items(items.iter())),
            Value::Map(_) | Value::Text(_) | Value::Plain(_) | Value::Null => Err(self.refused(&visitor)),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match &self.value {
            Value::Map(entries) => visitor.visit_map(Entries::new(entries)),
            Value::List(_) | Value::Text(_) | Value::Plain(_) | Value::Null => Err(self.refused(&visitor)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let variant = match &self.value {
            Value::Text(word) | Value::Plain(word) => Variant {
                at: self.at,
                word,
                value: None,
            },
            Value::Map(entries) => one_of(entries)?.ok_or_else(|| self.refused(&visitor))?,
            Value::List(_) | Value::Null => return Err(self.refused(&visitor)),
        };
        visitor.visit_enum(variant)
    }

    forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}
