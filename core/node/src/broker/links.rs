use std::{mem, sync::Arc};

use slab::Slab;
use squall_proto::{
    ConnId, PacketRef, Version,
    broker::{Close, Note, Output, Question},
};
use tracing::{debug, info};

use super::{outbox::Outbox, queue::Queue};
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
}

struct Link {
    outbox: Arc<Outbox>,
    /// Output that only this batch knows of.
    output: Queue,
    close: Option<Close>,
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
            let output = mem::take(&mut link.output);
            let above_soft = link.outbox.unsent_bytes() + output.len() > self.unsent_bytes_soft;
            link.outbox.append(output, above_soft);
            if let Some(close) = link.close.take() {
                link.outbox.close(close);
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

    fn peer(&self, conn: ConnId) -> Option<&Peer> {
        self.links.get(conn.0 as usize).map(|link| &link.peer)
    }
}

impl Output for Links {
    fn send(&mut self, to: ConnId, version: Version, packet: PacketRef<'_>) {
        if let Some(link) = self.touch(to) {
            let before = link.output.len();
            link.output.push(version, packet);
            let pushed = link.output.len() - before;
            self.output_bytes += pushed;
        }
    }

    fn close(&mut self, conn: ConnId, close: Close) {
        if let Some(link) = self.touch(conn) {
            link.close = Some(close);
        }
    }

    fn authenticate(&mut self, _conn: ConnId, question: Question) {
        self.question = Some(question);
    }

    fn unsent_bytes(&self, conn: ConnId) -> usize {
        self.links
            .get(conn.0 as usize)
            .map_or(0, |link| link.outbox.unsent_bytes() + link.output.len())
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "notes may come that are only for who looks closely"
    )]
    fn note(&mut self, note: Note) {
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
