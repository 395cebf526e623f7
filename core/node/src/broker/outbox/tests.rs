use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use parking_lot::Mutex;
use squall_proto::{Packet, Version, broker::Close};
use tokio::io::AsyncWrite;

use super::{Notice, Outbox, Queue};

/// A network that takes so many bytes and no more, and remembers the waker of the last poll it kept waiting.
#[derive(Clone, Default)]
struct Network(Arc<Mutex<Taken>>);

#[derive(Default)]
struct Taken {
    room: usize,
    bytes: Vec<u8>,
    ended: bool,
    broken: bool,
    waker: Option<Waker>,
}

impl AsyncWrite for Network {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut taken = self.0.lock();
        if taken.broken {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let len = taken.room.min(bytes.len());
        if len == 0 {
            taken.waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        taken.room -= len;
        taken.bytes.extend(bytes.iter().take(len));
        Poll::Ready(Ok(len))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.lock().ended = true;
        Poll::Ready(Ok(()))
    }
}

impl Network {
    /// Takes so many bytes more, and says so to whoever waits.
    fn open(&self, room: usize) {
        let waker = {
            let mut taken = self.0.lock();
            taken.room += room;
            taken.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn taken(&self) -> usize {
        self.0.lock().bytes.len()
    }
}

/// The owner's task, which counts how often it was woken.
#[derive(Default)]
struct Owner(AtomicUsize);

impl Wake for Owner {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

struct Rig {
    network: Network,
    outbox: Outbox,
    owner: Arc<Owner>,
}

impl Rig {
    /// An outbox whose owner has been there once, as it is when its connection has begun.
    fn new() -> Self {
        let network = Network::default();
        let rig = Self {
            outbox: Outbox::opening(),
            network: network.clone(),
            owner: Arc::default(),
        };
        rig.outbox.open(network);
        assert_eq!(rig.notice(), Notice::Open);
        rig
    }

    fn notice(&self) -> Notice {
        let waker = Waker::from(Arc::clone(&self.owner));
        self.outbox.poll_notice(&mut Context::from_waker(&waker))
    }

    fn close(&self) -> Poll<bool> {
        let waker = Waker::from(Arc::clone(&self.owner));
        let closed = self.outbox.poll_close(&mut Context::from_waker(&waker));
        closed.map(|closed| closed.is_ok())
    }

    /// Two bytes of output.
    fn append(&self, above_soft: bool) {
        let mut output = Queue::default();
        output.push(Version::V5, (&Packet::Pingresp).into());
        self.outbox.append(output, above_soft);
    }

    /// How often the owner was woken since this was last asked.
    fn wakes(&self) -> usize {
        self.owner.0.swap(0, Ordering::Relaxed)
    }
}

#[test]
fn what_the_network_takes_wakes_nobody() {
    let rig = Rig::new();
    rig.network.open(100);
    rig.append(false);
    assert_eq!(rig.outbox.unsent_bytes(), 2);

    rig.outbox.flush();

    assert_eq!(
        (rig.network.taken(), rig.outbox.unsent_bytes(), rig.wakes()),
        (2, 0, 0)
    );
}

#[test]
fn what_the_network_does_not_take_is_the_owners_to_write() {
    let rig = Rig::new();
    rig.network.open(1);
    rig.append(false);

    rig.outbox.flush();

    assert_eq!((rig.outbox.unsent_bytes(), rig.wakes()), (1, 1));
    assert_eq!(rig.notice(), Notice::Open);
    rig.network.open(100);
    assert_eq!(rig.wakes(), 1, "the network found the owner's waker");
    assert_eq!(rig.notice(), Notice::Open);
    assert_eq!((rig.network.taken(), rig.outbox.unsent_bytes()), (2, 0));
}

/// A poll by anybody else would replace the owner's waker, and nobody would learn that there is room again.
#[test]
fn nobody_but_the_owner_polls_a_network_that_is_full() {
    let rig = Rig::new();
    rig.append(false);
    rig.outbox.flush();
    assert_eq!(rig.notice(), Notice::Open);
    assert_eq!(rig.wakes(), 1);

    for _ in 0..3 {
        rig.append(false);
        rig.outbox.flush();
    }

    assert_eq!(rig.wakes(), 0);
    rig.network.open(100);
    assert_eq!(rig.wakes(), 1, "the owner's waker is still there");
    assert_eq!(rig.notice(), Notice::Open);
    assert_eq!(rig.network.taken(), 8);
}

#[test]
fn an_outbox_that_was_above_the_soft_limit_says_once_that_it_is_empty() {
    let rig = Rig::new();
    rig.append(true);
    rig.outbox.flush();
    assert_eq!(rig.notice(), Notice::Open, "not yet");

    rig.network.open(100);

    assert_eq!(rig.notice(), Notice::Flushed);
    assert_eq!(rig.notice(), Notice::Open);
}

#[test]
fn an_owner_learns_that_another_wrote_what_was_above_the_soft_limit() {
    let rig = Rig::new();
    rig.network.open(100);
    rig.append(true);

    rig.outbox.flush();

    assert_eq!(rig.wakes(), 1);
    assert_eq!(rig.notice(), Notice::Flushed);
}

#[test]
fn closing_ends_the_stream_after_what_was_appended() {
    let rig = Rig::new();
    rig.append(false);
    rig.outbox.close(Close::Disconnected);
    assert_eq!(rig.wakes(), 1);
    assert_eq!(rig.notice(), Notice::Closing(Close::Disconnected));

    assert_eq!(rig.close(), Poll::Pending);
    rig.network.open(100);

    assert_eq!(rig.close(), Poll::Ready(true));
    assert_eq!((rig.network.taken(), rig.network.0.lock().ended), (2, true));
}

#[test]
fn what_is_sent_to_a_broken_stream_is_forgotten() {
    let rig = Rig::new();
    rig.network.0.lock().broken = true;
    rig.append(true);

    rig.outbox.flush();

    assert_eq!(rig.wakes(), 1);
    assert_eq!(rig.notice(), Notice::Broken(io::ErrorKind::ConnectionReset));
    rig.append(true);
    rig.outbox.flush();
    assert_eq!((rig.outbox.unsent_bytes(), rig.wakes()), (0, 0));
    assert_eq!(rig.close(), Poll::Ready(false));
}
