use std::marker::PhantomData;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

/// For looking up alone, never for going through: its order means nothing.
pub(crate) type Lookup<K, V> = HashMap<K, V, FixedState>;

/// A list that only grows, whose entries are known by numbers of a type of their own.
#[derive(Debug)]
pub(crate) struct Numbered<I, T>(Vec<T>, PhantomData<I>);

/// A number that [`Numbered::push`] gave.
pub(crate) trait Number: Copy {
    fn at(place: u32) -> Self;
    fn place(self) -> usize;
}

impl<I: Number, T> Numbered<I, T> {
    pub(crate) fn push(&mut self, entry: T) -> I {
        let place = u32::try_from(self.0.len()).expect("a run has fewer than 2^32 of anything");
        self.0.push(entry);
        I::at(place)
    }

    /// The entry that has a number of this list.
    pub(crate) fn of(&self, number: I) -> &T {
        self.get(number).expect("the list gave the number")
    }

    pub(crate) fn of_mut(&mut self, number: I) -> &mut T {
        self.0.get_mut(number.place()).expect("the list gave the number")
    }

    pub(crate) fn get(&self, number: I) -> Option<&T> {
        self.0.get(number.place())
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (I, &T)> {
        let places = 0..u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        places.map(I::at).zip(&self.0)
    }

    pub(crate) fn values_mut(&mut self) -> std::slice::IterMut<'_, T> {
        self.0.iter_mut()
    }
}

impl<I, T> Default for Numbered<I, T> {
    fn default() -> Self {
        Self(Vec::new(), PhantomData)
    }
}

/// Makes the types of the numbers.
macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub(crate) struct $name(u32);

            impl Number for $name {
                fn at(place: u32) -> Self {
                    Self(place)
                }

                fn place(self) -> usize {
                    self.0 as usize
                }
            }
        )*
    };
}

pub(crate) use numbers;

numbers! {
    /// A Client Identifier of the run, in the order in which they first reached the broker.
    ClientNumber,
    /// A Topic Filter.
    FilterId,
    /// A host that uses a Client Identifier.
    HolderId,
    /// An Application Message, in the order in which they first reached the broker.
    MessageId,
    /// A session, in the order in which they began.
    SessionId,
    /// A Topic Name.
    TopicId,
}
