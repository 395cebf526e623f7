mod fetches;

use std::{collections::VecDeque, mem, sync::Arc};

use slab::Slab;
use squall_proto::{
    ConnId, Packet, PacketRef, Version,
    broker::{Close, Fetch, Note, Output, Question, Record},
};
use tracing::{debug, info};

use super::{
    announcing::Tally,
    held::{Held, HeldBack},
    outbox::Outbox,
    queue::Queue,
    store::Records,
};
use crate::Peer;

/// Every connection's way out, as the broker sees them: under its lock.
pub(super) struct Links {
    links: Slab<Link>,
    /// Those with output since the last [`Links::hand_over`].
    touched: Vec<ConnId>,
    output_bytes: usize,
    /// What the broker asked about the connection that a batch comes from.
    question: Option<Question>,
    unsent_bytes_soft: usize,
    pub(super) tally: Tally,
    /// What is to be recorded, and what waits for it; `None` where nothing is kept.
    keeping: Option<Keeping>,
}

/// What a broker with a store knows of its next commit.
#[derive(Default)]
struct Keeping {
    records: Records,
    /// The number of the commit that they will be part of.
    commit: u64,
    /// How many records there were before this input.
    before: usize,
    /// Those with output of this input.
    fresh: Vec<ConnId>,
    /// Who waits for which commit.
    waiting: VecDeque<(u64, ConnId)>,
    /// Whether commits fail for now.
    stalled: bool,
    /// Messages that the broker wants from the store, once the records so far are committed.
    fetches: VecDeque<Fetch>,
}

struct Link {
    outbox: Arc<Outbox>,
    /// Output that only this batch knows of.
    output: Queue,
    close: Option<Close>,
    /// Output of this input, where it may have to wait for its records.
    fresh: Held,
    /// Output that waits for records.
    held_back: HeldBack,
    /// The commit that the last records of what came on it are part of.
    recorded_in: Option<u64>,
    /// Whether output has left it, the CONNACK first of all.
    is_answered: bool,
    touched: bool,
    peer: Peer,
}

impl Links {
    pub(super) const fn new(unsent_bytes_soft: usize) -> Self {
        Self {
            links: Slab::new(),
            touched: Vec::new(),
            output_bytes: 0,
            question: None,
            unsent_bytes_soft,
            tally: Tally::new(),
            keeping: None,
        }
    }

    /// Takes up a connection. `None` when there are more than a [`ConnId`] can tell apart.
    pub(super) fn open(&mut self, outbox: Arc<Outbox>, peer: Peer) -> Option<ConnId> {
        let entry = self.links.vacant_entry();
        let conn = ConnId(u32::try_from(entry.key()).ok()?);
        entry.insert(Link {
            outbox,
            output: Queue::default(),
            close: None,
            fresh: Held::default(),
            held_back: HeldBack::default(),
            recorded_in: None,
            is_answered: false,
            touched: false,
            peer,
        });
        Some(conn)
    }

    /// Forgets a connection. Its `ConnId` is given to another from now on.
    pub(super) fn remove(&mut self, conn: ConnId) {
        self.links.try_remove(conn.0 as usize);
    }

    /// Every connection there is.
    pub(super) fn conns(&self) -> Vec<ConnId> {
        let keys = self.links.iter().map(|(key, _)| u32::try_from(key));
        keys.flatten().map(ConnId).collect()
    }

    /// Bytes of output since the last [`Links::hand_over`].
    pub(super) const fn output_bytes(&self) -> usize {
        self.output_bytes
    }

    /// Whether what the broker asked holds the connection that the batch comes from.
    pub(super) fn holds(&self) -> bool {
        self.question.as_ref().is_some_and(Question::holds)
    }

    /// What the broker asked since the last time.
    pub(super) const fn take_question(&mut self) -> Option<Question> {
        self.question.take()
    }

    /// Gives this batch's output to the outboxes, in `to` those that are to be flushed when the lock is free.
    pub(super) fn hand_over(&mut self, to: &mut Vec<Arc<Outbox>>) {
        self.output_bytes = 0;
        for conn in self.touched.drain(..) {
            let Some(link) = self.links.get_mut(conn.0 as usize) else {
                continue;
            };
            link.touched = false;
            let output = Held {
                output: mem::take(&mut link.output),
                close: link.close.take(),
                above_soft: false,
            };
            give(&link.outbox, output, self.unsent_bytes_soft);
            to.push(Arc::clone(&link.outbox));
        }
    }

    /// From now on records are kept, and what depends on them is held back.
    pub(super) fn keep_records(&mut self) {
        self.keeping = Some(Keeping::default());
    }

    /// Whether there are records that wait for a commit.
    pub(super) fn has_records(&self) -> bool {
        self.keeping
            .as_ref()
            .is_some_and(|keeping| !keeping.records.is_empty())
    }

    /// The records of the next commit, and its number.
    pub(super) fn take_records(&mut self) -> Option<(u64, Records)> {
        let keeping = self.keeping.as_mut()?;
        if keeping.records.is_empty() {
            return None;
        }
        let commit = keeping.commit;
        keeping.commit += 1;
        keeping.before = 0;
        Some((commit, mem::take(&mut keeping.records)))
    }

    /// Whether so many records wait for a commit that connections which make them are to wait. While commits fail, what makes records is
    /// refused, which has to be read.
    pub(super) fn is_behind(&self) -> bool {
        self.keeping
            .as_ref()
            .is_some_and(|keeping| !keeping.stalled && keeping.records.bytes() > RECORDS_MAX)
    }

    /// Whether what came on a connection made some of the records that wait.
    pub(super) fn has_recorded(&self, conn: ConnId) -> bool {
        let (link, keeping) = (self.links.get(conn.0 as usize), &self.keeping);
        let in_next = keeping.as_ref().map(|keeping| keeping.commit);
        link.is_some_and(|link| link.recorded_in.is_some() && link.recorded_in == in_next)
    }

    /// An input, `from` this connection, is handled: if it made records, its output waits for them, and so does what comes later on the same connections.
    pub(super) fn settle(&mut self, from: Option<ConnId>) {
        let Some(keeping) = &mut self.keeping else { return };
        let recorded = keeping.records.len() > keeping.before;
        keeping.before = keeping.records.len();
        if recorded && let Some(link) = from.and_then(|from| self.links.get_mut(from.0 as usize)) {
            link.recorded_in = Some(keeping.commit);
        }
        for conn in keeping.fresh.drain(..) {
            let Some(link) = self.links.get_mut(conn.0 as usize) else {
                continue;
            };
            let above_soft = link.unsent_bytes() > self.unsent_bytes_soft;
            let fresh = Held {
                above_soft,
                ..mem::take(&mut link.fresh)
            };
            if keeping.stalled && fresh.close.is_some() {
                // A connection ends now. What waited is not acknowledged then, and what is said last promises nothing.
                let mut last = fresh;
                if mem::take(&mut link.held_back).len() > 0 && !link.is_answered {
                    // [MQTT-3.2.0-1] [v3 MQTT-3.2.0-1] It was CONNACK that waited.
                    last.output = Queue::default();
                }
                link.send(last, conn, &mut self.touched);
            } else if recorded {
                if link.held_back.hold(keeping.commit, fresh) {
                    keeping.waiting.push_back((keeping.commit, conn));
                }
            } else if let Some(fresh) = link.held_back.hold_behind(fresh) {
                link.send(fresh, conn, &mut self.touched);
            }
        }
    }

    /// Commits fail from now on, or do no longer.
    pub(super) const fn stall(&mut self, stalled: bool) {
        if let Some(keeping) = &mut self.keeping {
            keeping.stalled = stalled;
        }
    }

    /// A commit is over: what waited for it goes to the outboxes, in `to` those that are to be flushed when the lock is free.
    pub(super) fn committed(&mut self, commit: u64, to: &mut Vec<Arc<Outbox>>) {
        let Some(keeping) = &mut self.keeping else { return };
        while let Some((_, conn)) = keeping
            .waiting
            .pop_front_if(|(waits_for, _)| *waits_for <= commit)
        {
            let Some(link) = self.links.get_mut(conn.0 as usize) else {
                continue;
            };
            for held in link.held_back.release(commit) {
                link.is_answered = true;
                give(&link.outbox, held, self.unsent_bytes_soft);
            }
            to.push(Arc::clone(&link.outbox));
        }
    }

    /// The link, remembered as one with output.
    fn touch(&mut self, conn: ConnId) -> Option<&mut Link> {
        let link = self.links.get_mut(conn.0 as usize)?;
        if !link.touched {
            link.touched = true;
            self.touched.push(conn);
        }
        Some(link)
    }

    /// Where a packet goes. PINGRESP promises nothing, and its place among the others says nothing: it waits for no record, so that who
    /// waits long for an acknowledgement knows that the broker is there.
    // [MQTT-3.12.4-1] [v3 MQTT-3.12.4-1]
    fn way_of(&mut self, conn: ConnId, packet: PacketRef<'_>) -> Option<&mut Queue> {
        if let PacketRef::Packet(Packet::Pingresp) = packet {
            return Some(&mut self.touch(conn)?.output);
        }
        self.output(conn).map(|(output, _)| output)
    }

    /// Where the output of this input goes: at once, or first to see whether it made records.
    fn output(&mut self, conn: ConnId) -> Option<(&mut Queue, &mut Option<Close>)> {
        let Some(keeping) = &mut self.keeping else {
            let link = self.touch(conn)?;
            return Some((&mut link.output, &mut link.close));
        };
        let link = self.links.get_mut(conn.0 as usize)?;
        if link.fresh.is_empty() {
            keeping.fresh.push(conn);
        }
        Some((&mut link.fresh.output, &mut link.fresh.close))
    }

    fn peer(&self, conn: ConnId) -> Option<&Peer> {
        self.links.get(conn.0 as usize).map(|link| &link.peer)
    }
}

impl Link {
    /// What need not wait goes out with this batch.
    fn send(&mut self, output: Held, conn: ConnId, touched: &mut Vec<ConnId>) {
        self.is_answered |= !output.output.is_empty();
        self.output.append(output.output);
        self.close = self.close.or(output.close);
        if !mem::replace(&mut self.touched, true) {
            touched.push(conn);
        }
    }

    fn unsent_bytes(&self) -> usize {
        let held = self.fresh.output.len() + self.held_back.len();
        self.outbox.unsent_bytes() + self.output.len() + held
    }
}

fn give(outbox: &Outbox, held: Held, unsent_bytes_soft: usize) {
    let Held {
        output,
        close,
        above_soft,
    } = held;
    let above_soft = above_soft || outbox.unsent_bytes() + output.len() > unsent_bytes_soft;
    outbox.append(output, above_soft);
    if let Some(close) = close {
        outbox.close(close);
    }
}

impl Output for Links {
    fn send(&mut self, to: ConnId, version: Version, packet: PacketRef<'_>) {
        if let Some(output) = self.way_of(to, packet) {
            let before = output.len();
            output.push(version, packet);
            let pushed = output.len() - before;
            self.output_bytes += pushed;
            self.tally.sent += 1;
        }
    }

    fn close(&mut self, conn: ConnId, close: Close) {
        if let Some((_, closes)) = self.output(conn) {
            *closes = Some(close);
        }
    }

    fn persist(&mut self, record: Record<'_>) {
        self.tally.record(&record);
        if let Some(keeping) = &mut self.keeping {
            keeping.records.push(&record);
        }
    }

    fn can_fetch(&self) -> bool {
        self.keeping.is_some()
    }

    fn fetch(&mut self, fetch: Fetch) {
        if let Some(keeping) = &mut self.keeping {
            keeping.fetches.push_back(fetch);
        }
    }

    fn authenticate(&mut self, _conn: ConnId, question: Question) {
        self.question = Some(question);
    }

    fn unsent_bytes(&self, conn: ConnId) -> usize {
        self.links.get(conn.0 as usize).map_or(0, Link::unsent_bytes)
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "notes may come that are only for who looks closely"
    )]
    fn note(&mut self, note: Note) {
        self.tally.note(&note);
        match &note {
            Note::Connected {
                conn,
                client_id,
                version,
                session_present,
            } => {
                let peer = self.peer(*conn).map(tracing::field::display);
                info!(%conn, peer, %client_id, %version, session_present, "connected");
            }
            Note::Authenticated { conn, user } => {
                let user = user.as_ref().map(tracing::field::display);
                info!(%conn, user, "authenticated");
            }
            Note::Refused { conn, cause } => {
                let peer = self.peer(*conn).map(tracing::field::display);
                info!(%conn, peer, %cause, "refused");
            }
            Note::Disconnected {
                conn,
                client_id,
                cause,
            } => info!(%conn, %client_id, %cause, "disconnected"),
            note => debug!(?note),
        }
    }
}

/// Bytes of records that gather while a commit is under way, before connections that make more are not read.
const RECORDS_MAX: usize = 8 << 20;
