use std::{
    future::Future,
    io,
    panic::{self, AssertUnwindSafe},
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

/// Starts our broker in a world of its own and runs `body` against it in virtual time to its end: sleeping costs nothing, and the same
/// seed gives the same run.
///
/// # Panics
///
/// As [`simulate_with`].
pub fn simulate<T, B>(seed: u64, broker: OurBroker, body: impl FnOnce(SimNet) -> B) -> T
where
    B: Future<Output = T>,
{
    let serve = move |acceptor| async move {
        let server = broker.server(generator(seed, "broker").random());
        server.serve(acceptor).await;
    };
    simulate_with(seed, serve, body)
}

/// Starts a server in a world of its own and runs `body` against it in virtual time to its end: sleeping costs nothing, and the same
/// seed gives the same run. What `serve` has spawned in a `JoinSet` ends with it.
///
/// # Panics
///
/// When any task of the world panics, `body` among them; when `body` has not ended after a day of virtual time; or within another
/// world or runtime of the thread.
pub fn simulate_with<T, S, B>(
    seed: u64,
    serve: impl FnOnce(HostAcceptor) -> S,
    body: impl FnOnce(SimNet) -> B,
) -> T
where
    S: Future<Output = ()> + Send + 'static,
    B: Future<Output = T>,
{
    let outcome = watched(|| {
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

/// What came of a body that was watched.
pub(crate) struct Outcome<T> {
    /// `None` when the body itself panicked.
    pub(crate) output: Option<T>,
    /// The first panic of any task, in words.
    pub(crate) panic: Option<String>,
}

/// Runs `body` in this thread and keeps what panics. Worlds follow each other in a thread: what it keeps of one for the next is empty
/// buffers, which no run can see.
pub(crate) fn watched<T>(body: impl FnOnce() -> T) -> Outcome<T> {
    panics::watch();
    let output = panic::catch_unwind(AssertUnwindSafe(body)).ok();
    let panic = panics::caught();
    Outcome { output, panic }
}
