use std::{
    future::{Future, poll_fn},
    marker::PhantomData,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use tokio::runtime::{Builder, Runtime};
use turmoil_net::{KernelConfig, Net};

use super::{host::Host, network, tls};
use crate::{
    span::{Span, SpanRange},
    trace::Trace,
};

/// What every link of a world does when no fault says otherwise.
#[derive(Clone, Copy, Debug)]
pub struct WorldConfig {
    /// Decides everything that is left to chance.
    pub seed: u64,
    /// One way, drawn anew for each segment.
    pub latency: SpanRange,
    /// Of a hundred segments with data, how many are lost at each attempt, 0 to 99.
    pub loss_percent: u8,
    /// How time passes.
    pub clock: Clock,
}

/// How time passes in a world.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// It stands still while any task can run, and then jumps to what happens next.
    #[default]
    Virtual,
    /// As the machine's does, for worlds with something outside: such a run does not repeat.
    Real,
}

/// Hosts, the network between them, and time. Lives on one thread, one at a time.
pub struct World {
    // First, because tasks hold sockets: they go while the network is still there.
    runtime: Runtime,
    hosts: Vec<Host>,
    _installed: Installed,
}

impl World {
    /// A world with these hosts. Everything in it is decided by the seed of the configuration and what its tasks do.
    ///
    /// # Panics
    ///
    /// When the thread has a world already, or a name comes twice.
    pub fn new(config: &WorldConfig, names: &[&str]) -> Self {
        let mut builder = Builder::new_current_thread();
        match config.clock {
            Clock::Virtual => builder.enable_time().start_paused(true),
            Clock::Real => builder.enable_all(),
        };
        let runtime = builder
            .on_thread_park(network::settle)
            .build()
            .expect("the system has room for a runtime");
        let inside = runtime.enter();
        // The kernel of turmoil-net counts calls, not time, before it sends again; losses are the link's affair here.
        let mut net = Net::with_config(KernelConfig::default().retx_threshold(u32::MAX));
        let mut hosts = Vec::new();
        let mut named = Vec::new();
        for (place, name) in names.iter().enumerate() {
            hosts.push(Host::new(net.add_host(*name), place));
            named.push(network::Named {
                name: (*name).to_owned(),
                address: net.lookup(name),
            });
        }
        network::install(
            net.enter(),
            named,
            config.seed,
            config.latency,
            config.loss_percent,
        );
        tls::install(config.seed);
        drop(inside);
        Self {
            runtime,
            hosts,
            _installed: Installed(PhantomData),
        }
    }

    /// The hosts, in the order of their names.
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// Runs `body`, what it spawns and the network until `body` ends. Virtual time stands still between two calls.
    pub fn block_on<F: Future>(&self, body: F) -> F::Output {
        self.runtime.block_on(async {
            let mut body = pin!(body);
            let turn = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
            let turn = Arc::new(Turn {
                of_body: AtomicBool::new(true),
                waker: turn,
            });
            let waker = Waker::from(Arc::clone(&turn));
            let output = poll_fn(|cx| {
                if turn.of_body.swap(false, Ordering::Relaxed)
                    && let Poll::Ready(output) = body.as_mut().poll(&mut Context::from_waker(&waker))
                {
                    return Poll::Ready(output);
                }
                network::with(|network| network.poll(cx));
                Poll::Pending
            })
            .await;
            network::with(network::Network::stop);
            output
        })
    }

    /// The history of the world up to now; it begins anew.
    pub fn take_trace(&self) -> Trace {
        network::with(network::Network::take_trace)
    }
}

impl Default for WorldConfig {
    fn default() -> Self {
        Self {
            seed: 0,
            latency: Span::from_millis(1).into(),
            loss_percent: 0,
            clock: Clock::Virtual,
        }
    }
}

/// The driver's next turn: the body has one too when it was woken, and not whenever a segment is due.
struct Turn {
    of_body: AtomicBool,
    waker: Waker,
}

impl Wake for Turn {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.of_body.store(true, Ordering::Relaxed);
        self.waker.wake_by_ref();
    }
}

/// The network of this thread; not to be sent to another.
struct Installed(PhantomData<*const ()>);

impl Drop for Installed {
    fn drop(&mut self) {
        network::uninstall();
        tls::uninstall();
    }
}
