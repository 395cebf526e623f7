use std::{
    any::Any,
    collections::BTreeMap,
    io, mem,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use squall_node::{Acceptor, Peer, broker::Records};
use squall_proto::{Packet, Text, broker::Fetched};

use super::{
    Mutant, Mutation,
    conn::{Act, Conn, Way},
    mutation::Kept,
    stream::MutatedStream,
};
use crate::trace::Side;

/// A mutant in a run.
#[derive(Debug)]
pub(crate) struct Mutated {
    mutant: Mutant,
    /// How often something was other than it would have been, in all hosts.
    touched: Arc<AtomicU64>,
}

/// A mutant at work in one host, through all lives of its process.
#[derive(Clone)]
pub(crate) struct Mutator(Arc<Mutex<AtWork>>);

struct AtWork {
    side: Side,
    mutation: Mutation,
    /// How many connections each Client Identifier has had.
    connections: BTreeMap<Text, u32>,
    touched: Arc<AtomicU64>,
    /// Records that were put off.
    late: Records,
    /// Halves of connections that stay open.
    kept: Vec<Box<dyn Any + Send>>,
}

/// Accepts connections for a broker that is a mutant.
pub(crate) struct MutatedAcceptor<A> {
    below: A,
    mutator: Mutator,
}

impl Mutated {
    pub(crate) fn new(mutant: &Mutant) -> Self {
        Self {
            mutant: *mutant,
            touched: Arc::default(),
        }
    }

    /// What is at work in one more host of this side; `None` where nothing is wrong.
    pub(crate) fn mutator(&self, side: Side) -> Option<Mutator> {
        (side == self.mutant.side).then(|| {
            Mutator(Arc::new(Mutex::new(AtWork {
                side,
                mutation: (self.mutant.make)(),
                connections: BTreeMap::new(),
                touched: Arc::clone(&self.touched),
                late: Records::default(),
                kept: Vec::new(),
            })))
        })
    }

    /// How often something was other than it would have been.
    pub(crate) fn touched(&self) -> u64 {
        self.touched.load(Relaxed)
    }
}

impl Mutator {
    /// What goes over this stream from now on is broken.
    pub(crate) const fn stream<S>(self, stream: S) -> MutatedStream<S> {
        MutatedStream::new(stream, self)
    }

    /// What comes from here is broken.
    pub(crate) const fn acceptor<A: Acceptor>(self, below: A) -> MutatedAcceptor<A> {
        MutatedAcceptor { below, mutator: self }
    }

    pub(super) fn side(&self) -> Side {
        self.at_work().side
    }

    /// What the mutant makes of a packet.
    pub(super) fn mutate(&self, way: Way, packet: Packet, conn: &mut Conn) -> Vec<Act> {
        let mut at_work = self.at_work();
        match &packet {
            Packet::Connect(connect) => {
                let nth = at_work.connections.entry(connect.client_id.clone()).or_default();
                *nth += 1;
                conn.connected(connect, *nth);
            }
            Packet::Connack(connack) => conn.answered(connack.session_present),
            Packet::Publish(_)
            | Packet::Puback(_)
            | Packet::Pubrec(_)
            | Packet::Pubrel(_)
            | Packet::Pubcomp(_)
            | Packet::Subscribe(_)
            | Packet::Suback(_)
            | Packet::Unsubscribe(_)
            | Packet::Unsuback(_)
            | Packet::Pingreq
            | Packet::Pingresp
            | Packet::Disconnect(_)
            | Packet::Auth(_) => {}
        }
        let sound = Act::Pass(way, packet.clone());
        at_work.mutation.apply(packet, conn);
        let acts = conn.take_acts();
        if acts != [sound] {
            at_work.touched.fetch_add(1, Relaxed);
        }
        acts
    }

    /// What becomes of the records of a commit: those that are kept with it, or nothing where all are.
    pub(super) fn records(&self, records: &Records) -> Option<Records> {
        let mut at_work = self.at_work();
        let AtWork {
            mutation: Mutation::Store(mutation),
            late,
            touched,
            ..
        } = &mut *at_work
        else {
            return None;
        };
        let mut kept = mem::take(late);
        records.each(|record| match mutation(record) {
            Kept::Now => kept.push(record),
            Kept::Later => late.push(record),
            Kept::Never => {}
        });
        touched.fetch_add((kept.len() != records.len()).into(), Relaxed);
        Some(kept)
    }

    /// What is made of messages that were read from the disk.
    pub(super) fn fetched(&self, found: Vec<Fetched>) -> Vec<Fetched> {
        let mut at_work = self.at_work();
        let Mutation::Fetch(change) = &mut at_work.mutation else {
            return found;
        };
        let mut changed = found.clone();
        change(&mut changed);
        at_work.touched.fetch_add((changed != found).into(), Relaxed);
        changed
    }

    /// Whether syncs are left out; then one was.
    pub(super) fn leaves_out_sync(&self) -> bool {
        let at_work = self.at_work();
        let does = matches!(at_work.mutation, Mutation::Unsynced);
        at_work.touched.fetch_add(does.into(), Relaxed);
        does
    }

    /// The process has ended, and what it had put off with it.
    pub(super) fn begins_anew(&self) {
        self.at_work().late = Records::default();
    }

    /// Bytes that were no packet were put right.
    pub(super) fn forgave(&self) {
        self.at_work().touched.fetch_add(1, Relaxed);
    }

    /// Keeps a half of a connection open.
    pub(super) fn keep(&self, half: impl Any + Send) {
        let mut at_work = self.at_work();
        at_work.touched.fetch_add(1, Relaxed);
        at_work.kept.push(Box::new(half));
    }

    fn at_work(&self) -> MutexGuard<'_, AtWork> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<A: Acceptor> Acceptor for MutatedAcceptor<A> {
    type Stream = MutatedStream<A::Stream>;
    type Opening = Pin<Box<dyn Future<Output = io::Result<Self::Stream>> + Send>>;

    async fn accept(&mut self) -> io::Result<(Self::Opening, Peer)> {
        let (opening, peer) = self.below.accept().await?;
        let mutator = self.mutator.clone();
        let opening = async move { Ok(mutator.stream(opening.await?)) };
        Ok((Box::pin(opening), peer))
    }

    fn task<T: Future<Output = ()> + Send + 'static>(
        &self,
        serve: T,
    ) -> impl Future<Output = ()> + Send + 'static {
        self.below.task(serve)
    }
}
