//! A first-in, first-out queue in pieces: however long it grows, what is in it is never moved, and no room is left for as many again.

use alloc::collections::VecDeque;

/// Where something waits its turn.
#[derive(Debug)]
pub(super) struct Queue<T> {
    /// Only one that is alone may be empty: it keeps its room.
    pieces: VecDeque<VecDeque<T>>,
    len: usize,
}

/// How many a piece takes.
const PIECE: usize = 64;

impl<T> Queue<T> {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn front(&self) -> Option<&T> {
        self.pieces.front()?.front()
    }

    pub(super) fn back_mut(&mut self) -> Option<&mut T> {
        self.pieces.back_mut()?.back_mut()
    }

    pub(super) fn push_back(&mut self, item: T) {
        self.len += 1;
        match self.pieces.back_mut() {
            Some(last) if last.len() < PIECE => last.push_back(item),
            Some(_) => {
                let mut piece = VecDeque::with_capacity(PIECE);
                piece.push_back(item);
                self.pieces.push_back(piece);
            }
            // Most queues stay short.
            None => self.pieces.push_back([item].into()),
        }
    }

    pub(super) fn pop_front(&mut self) -> Option<T> {
        let first = self.pieces.front_mut()?;
        let item = first.pop_front()?;
        self.len -= 1;
        if first.is_empty() && self.pieces.len() > 1 {
            self.pieces.pop_front();
        }
        Some(item)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.pieces.iter().flatten()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.pieces.iter_mut().flatten()
    }

    pub(super) fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        for piece in &mut self.pieces {
            piece.retain(&mut keep);
        }
        self.pieces.retain(|piece| !piece.is_empty());
        self.len = self.pieces.iter().map(VecDeque::len).sum();
    }
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self {
            pieces: VecDeque::new(),
            len: 0,
        }
    }
}

impl<T> IntoIterator for Queue<T> {
    type Item = T;
    type IntoIter = core::iter::Flatten<alloc::collections::vec_deque::IntoIter<VecDeque<T>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.pieces.into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Push(usize),
        Pop(usize),
        Retain(u32),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (1..200_usize).prop_map(Step::Push),
            (1..200_usize).prop_map(Step::Pop),
            (1..5_u32).prop_map(Step::Retain),
        ]
    }

    proptest! {
        #[test]
        fn what_comes_first_goes_first(steps in prop::collection::vec(step(), 0..20)) {
            let (mut queue, mut model, mut next) = (Queue::default(), VecDeque::new(), 0_u32);
            for step in steps {
                match step {
                    Step::Push(count) => for _ in 0..count {
                        queue.push_back(next);
                        model.push_back(next);
                        next += 1;
                    },
                    Step::Pop(count) => for _ in 0..count {
                        prop_assert_eq!(queue.pop_front(), model.pop_front());
                    },
                    Step::Retain(of) => {
                        queue.retain(|item| item % of == 0);
                        model.retain(|item| item % of == 0);
                    }
                }
                prop_assert_eq!((queue.len(), queue.front()), (model.len(), model.front()));
                prop_assert_eq!(queue.back_mut(), model.back_mut());
                prop_assert!(queue.iter().eq(model.iter()));
                prop_assert!(queue.iter_mut().eq(model.iter_mut()));
            }
            prop_assert!(queue.into_iter().eq(model));
        }
    }
}
