use parking_lot::Mutex;
use tokio::sync::Notify;

/// A value that tasks wait on. Whoever waits is woken in the order in which they began to wait; tokio's `watch` wakes in an order of
/// its own chance, and a run in a world would not repeat.
#[derive(Debug, Default)]
pub struct Watched<T> {
    value: Mutex<T>,
    changed: Notify,
}

impl<T: Clone> Watched<T> {
    /// A value that nobody waits on yet.
    pub fn new(value: T) -> Self {
        Self {
            value: Mutex::new(value),
            changed: Notify::new(),
        }
    }

    /// The value as it is now.
    pub fn get(&self) -> T {
        self.value.lock().clone()
    }

    /// Puts another value in its place.
    pub fn set(&self, value: T) {
        self.modify(|old| *old = value);
    }

    /// Changes the value, and says what `change` says.
    pub fn modify<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let result = change(&mut self.value.lock());
        self.changed.notify_waiters();
        result
    }

    /// Waits until the value is so; it is so at once if it is already. A value that is so between two looks only is missed.
    pub async fn wait_for(&self, is: impl Fn(&T) -> bool) -> T {
        loop {
            let changed = self.changed.notified();
            let mut changed = std::pin::pin!(changed);
            changed.as_mut().enable();
            let value = self.get();
            if is(&value) {
                return value;
            }
            changed.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::task::{JoinSet, yield_now};

    use super::*;

    #[tokio::test]
    async fn all_who_wait_are_woken_in_the_order_in_which_they_began() {
        let watched = Arc::new(Watched::new(0));
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut waiting = JoinSet::new();
        for n in 0..20 {
            let (watched, order) = (Arc::clone(&watched), Arc::clone(&order));
            waiting.spawn(async move {
                let value = watched.wait_for(|value| *value > 1).await;
                order.lock().push((n, value));
            });
        }
        for value in 1..=2 {
            yield_now().await;
            watched.set(value);
        }
        waiting.join_all().await;
        assert_eq!(*order.lock(), (0..20).map(|n| (n, 2)).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn what_is_so_already_is_not_waited_for() {
        let watched = Watched::new("so");
        assert_eq!(watched.wait_for(|value| *value == "so").await, "so");
        assert_eq!(
            watched.modify(|value| std::mem::replace(value, "otherwise")),
            "so"
        );
        assert_eq!(watched.get(), "otherwise");
    }
}
