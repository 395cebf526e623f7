use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use super::network;

/// A task of a host: while the host is paused it is not polled, and what wakes it waits until the host goes on.
pub(crate) struct Pausable<F> {
    /// The host's place in the world.
    place: usize,
    task: Pin<Box<F>>,
}

impl<F: Future> Pausable<F> {
    pub(crate) fn new(place: usize, task: F) -> Self {
        Self {
            place,
            task: Box::pin(task),
        }
    }
}

impl<F: Future> Future for Pausable<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        if network::with(|network| network.stands_still(self.place, cx.waker())) {
            return Poll::Pending;
        }
        self.task.as_mut().poll(cx)
    }
}
