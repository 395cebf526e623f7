use std::collections::VecDeque;

use squall_proto::broker::Close;

use super::queue::Queue;

/// Output for one connection that has not left.
#[derive(Default)]
pub(super) struct Held {
    pub(super) output: Queue,
    pub(super) close: Option<Close>,
    /// With it more was unsent than the soft limit, so the broker wants to know when nothing is.
    pub(super) above_soft: bool,
}

/// Output for one connection that waits for commits, in its order.
#[derive(Default)]
pub(super) struct HeldBack {
    /// With the number of the commit that each waits for, which rises.
    held: VecDeque<(u64, Held)>,
    len: usize,
}

impl Held {
    pub(super) const fn is_empty(&self) -> bool {
        self.output.is_empty() && self.close.is_none()
    }

    fn append(&mut self, other: Self) {
        self.output.append(other.output);
        self.close = self.close.or(other.close);
        self.above_soft |= other.above_soft;
    }
}

impl HeldBack {
    /// Bytes that wait.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Holds output back until a commit; whether it is the first that waits for that one.
    pub(super) fn hold(&mut self, commit: u64, output: Held) -> bool {
        self.len += output.output.len();
        match self.held.back_mut() {
            Some((waits_for, last)) if *waits_for == commit => {
                last.append(output);
                false
            }
            Some(_) | None => {
                self.held.push_back((commit, output));
                true
            }
        }
    }

    /// Holds output back that must not overtake what waits; gives it back where nothing does.
    pub(super) fn hold_behind(&mut self, output: Held) -> Option<Held> {
        let Some((_, last)) = self.held.back_mut() else {
            return Some(output);
        };
        self.len += output.output.len();
        last.append(output);
        None
    }

    /// What waited for this commit, or one before it.
    pub(super) fn release(&mut self, commit: u64) -> impl Iterator<Item = Held> {
        std::iter::from_fn(move || {
            let (_, held) = self.held.pop_front_if(|(waits_for, _)| *waits_for <= commit)?;
            self.len -= held.output.len();
            Some(held)
        })
    }
}
