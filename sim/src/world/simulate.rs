use std::{
    future::Future,
    io,
    panic::{self, AssertUnwindSafe},
    thread,
};

use rand::RngExt;
use tokio::{task::JoinSet, time::timeout};

use super::{
    OurBroker, World, WorldConfig, generator,
    host::{Host, HostAcceptor, HostConnector},
    network, panics,
};
use crate::{span::Span, trace::Trace};

/// What a body run by [`simulate_with`] sees of the world.
#[derive(Clone, Copy, Debug)]
pub struct SimNet {
    host: Host,
}

impl SimNet {
    /// Makes connections to the server of the world.
    pub fn connector(&self) -> HostConnector {
        self.host.connector(SERVER)
    }

    /// Everything that happened on the wires up to now.
    pub fn trace(&self) -> Trace {
        network::with(|network| network.trace().clone())
    }
}

const SERVER: &str = "broker:1883";
/// No test body needs longer, in virtual time.
const AT_MOST: Span = Span::from_millis(24 * 3600 * 1000);

/// Starts our broker in a world of its own, on a thread of its own, and runs `body` against it in virtual time
/// to its end: sleeping costs nothing, and the same seed gives the same run.
///
/// # Panics
///
/// As [`simulate_with`].
pub fn simulate<T, B>(seed: u64, broker: OurBroker, body: impl FnOnce(SimNet) -> B + Send) -> T
where
    T: Send,
    B: Future<Output = T>,
{
    let serve = move |acceptor| async move {
        let server = broker.server(generator(seed, "broker").random());
        server.serve(acceptor).await;
    };
    simulate_with(seed, serve, body)
}

/// Starts a server in a world of its own, on a thread of its own, and runs `body` against it in virtual time to its end: sleeping
/// costs nothing, and the same seed gives the same run. What `serve` has spawned in a `JoinSet` ends with it.
///
/// # Panics
///
/// When any task of the world panics, `body` among them; or when `body` has not ended after a day of virtual time.
pub fn simulate_with<T, S, B>(
    seed: u64,
    serve: impl FnOnce(HostAcceptor) -> S + Send,
    body: impl FnOnce(SimNet) -> B + Send,
) -> T
where
    T: Send,
    S: Future<Output = ()> + Send + 'static,
    B: Future<Output = T>,
{
    let outcome = on_fresh_thread(|| {
        let config = WorldConfig {
            seed,
            ..WorldConfig::default()
        };
        let world = World::new(&config, &["broker", "suite"]);
        let [broker, suite] = *world.hosts() else {
            unreachable!("two were named")
        };
        world.block_on(async move {
            let acceptor = broker.listen(1883).await?;
            let mut tasks = JoinSet::new();
            tasks.spawn(serve(acceptor));
            Ok::<_, io::Error>(timeout(AT_MOST.duration(), body(SimNet { host: suite })).await?)
        })
    });
    match outcome {
        Outcome {
            panic: Some(panic), ..
        } => panic!("{panic}"),
        Outcome {
            output: Some(Ok(output)),
            ..
        } => output,
        Outcome {
            output: Some(Err(error)),
            ..
        } => panic!("the world came to no end: {error}"),
        Outcome {
            output: None,
            panic: None,
        } => panic!("the body panicked without a word"),
    }
}

/// What came of a body that ran on a thread of its own.
pub(crate) struct Outcome<T> {
    /// `None` when the body itself panicked.
    pub(crate) output: Option<T>,
    /// The first panic of any task, in words.
    pub(crate) panic: Option<String>,
}

/// Runs `body` on a thread of its own, because std keeps hash keys a thread.
pub(crate) fn on_fresh_thread<T: Send>(body: impl FnOnce() -> T + Send) -> Outcome<T> {
    let watched = || {
        panics::watch();
        let output = panic::catch_unwind(AssertUnwindSafe(body)).ok();
        let panic = panics::caught();
        Outcome { output, panic }
    };
    thread::scope(|scope| {
        scope
            .spawn(watched)
            .join()
            .expect("panics of the body were caught")
    })
}
