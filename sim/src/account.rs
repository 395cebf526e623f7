//! What a broker acknowledged in a run, how often it crashed, and what was lost of it: by message, where the checks say only that
//! something was.
//!
//! It asks what the check `no_loss` asks, and goes on where that has nothing to say any more: a session that should have gone on
//! and did not has lost what waited in it.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "it reads the few kinds of events and packets that it is about"
)]

use std::collections::{BTreeMap, BTreeSet};

use squall_proto::{Instant, Packet, Version};
use squall_reports::{Crash, Duplicate, Durability, Lost};

use crate::{
    checks::{is_still_owed, shown},
    model::{BROKER, ClientNumber, Delivery, MessageId, Model, SessionId},
    scenario::Scenario,
    trace::{Down, Event, Lines, Side, Trace, What},
};

/// What has been seen of a run.
#[derive(Default)]
struct Book {
    qos1: BTreeSet<(MessageId, usize)>,
    qos2: BTreeSet<(MessageId, usize)>,
    crashes: Vec<Crash>,
    /// How many of those there were by now.
    crashed: usize,
    /// The session of each Client Identifier as it was last known.
    sessions: BTreeMap<ClientNumber, SessionId>,
    /// Those that should have gone on, and were not there any more after so many crashes.
    gone: BTreeMap<SessionId, usize>,
}

/// Goes through a run and says what became of what was acknowledged.
pub fn account(scenario: &Scenario, version: Version, trace: &Trace) -> Durability {
    let mut model = Model::new(scenario, version, &trace.events);
    let mut book = Book {
        crashes: crashes(trace),
        ..Book::default()
    };
    model.go_through(|model, _, event| book.enter(model, event));
    let mut account = Durability {
        acknowledged_qos1: book.qos1.len() as u64,
        acknowledged_qos2: book.qos2.len() as u64,
        lost: book.lost(&model),
        duplicates: duplicates(&model),
        crashes: book.crashes,
    };
    account.lost.sort_by_key(|lost| lost.acknowledged_micros);
    account
}

/// The ends of the broker's process that nobody asked it for, and the last packet before each.
pub fn crashes(trace: &Trace) -> Vec<Crash> {
    let mut last = 0;
    let mut crashes = Vec::new();
    for (index, event) in trace.events.iter().enumerate() {
        match &event.what {
            What::Sent { .. } | What::Arrived { .. } => last = index,
            _other_events if is_crash(event) => crashes.push((event.at, last)),
            _other_events => {}
        }
    }
    // To read them needs a look at all of the run.
    let lines = (!crashes.is_empty()).then(|| Lines::new(trace));
    let told = |(at, last): (Instant, usize)| {
        let line = lines.as_ref().and_then(|lines| lines.line(last));
        Crash {
            at_micros: at.as_micros(),
            after: line.map_or_else(String::new, |line| format!("{} {}", line.from, line.text)),
        }
    };
    crashes.into_iter().map(told).collect()
}

fn is_crash(event: &Event) -> bool {
    matches!(&event.what, What::HostDown { host, how, .. } if host == BROKER && *how != Down::Stopped)
}

impl Book {
    fn enter(&mut self, model: &Model<'_>, event: &Event) {
        match &event.what {
            What::Sent {
                from: Side::Broker,
                packet,
                ..
            } => self.said(model, packet),
            _other_events => self.crashed += usize::from(is_crash(event)),
        }
    }

    /// The broker has said something.
    fn said(&mut self, model: &Model<'_>, packet: &Packet) {
        let published = model.seen.answered.and_then(|request| request.publishes);
        match (packet, published) {
            (Packet::Puback(ack), Some(published)) if !ack.reason_code.is_error() => {
                self.qos1.insert(published);
            }
            (Packet::Pubrec(ack), Some(published)) if !ack.reason_code.is_error() => {
                self.qos2.insert(published);
            }
            (Packet::Connack(connack), _) => {
                if let Some(connected) = model.seen.connected {
                    let client = model.sessions.get(connected.session).client;
                    let before = self.sessions.insert(client, connected.session);
                    let has_gone = connected.goes_on && !connack.session_present;
                    let gone = before.filter(|_| has_gone);
                    self.gone.extend(gone.map(|session| (session, self.crashed)));
                }
            }
            _other_packets => {}
        }
    }

    fn lost(&self, model: &Model<'_>) -> Vec<Lost> {
        let mut arrived: BTreeSet<(ClientNumber, MessageId)> = BTreeSet::new();
        for delivery in model.deliveries.iter().filter(|delivery| delivery.arrived > 0) {
            arrived.insert((model.sessions.get(delivery.session).client, delivery.message));
        }
        let is_lost = |delivery: &&Delivery| {
            let client = model.sessions.get(delivery.session).client;
            delivery.owed > delivery.arrived_acknowledged
                && match self.gone.contains_key(&delivery.session) {
                    true => !arrived.contains(&(client, delivery.message)),
                    false => is_still_owed(model, delivery),
                }
        };
        let lost = model.deliveries.iter().filter(is_lost);
        lost.filter_map(|delivery| self.lost_one(model, delivery))
            .collect()
    }

    fn lost_one(&self, model: &Model<'_>, delivery: &Delivery) -> Option<Lost> {
        let (_, acknowledged, _) = delivery.since?;
        let message = model.messages.get(delivery.message);
        let acknowledged_micros = acknowledged.as_micros();
        // Who has lost its session is not sent what came after that either.
        let gone = self.gone.get(&delivery.session).copied();
        let mut crashes = self.crashes.iter();
        let next = crashes.position(|crash| crash.at_micros >= acknowledged_micros);
        let next = next.map(|place| place + 1);
        let crash = gone.into_iter().chain(next).min();
        Some(Lost {
            topic: model.topics.name(message.topic).to_string(),
            message: shown(&message.payload),
            to: model.sessions.get(delivery.session).client_id.to_string(),
            publisher: model.wires.client_id(message.publisher).to_string(),
            acknowledged_micros,
            crash: crash.filter(|nth| *nth > 0),
        })
    }
}

/// By Client Identifier: who has lost its session may get the same in the next.
fn duplicates(model: &Model<'_>) -> Vec<Duplicate> {
    let mut times: BTreeMap<(ClientNumber, MessageId), (usize, usize)> = BTreeMap::new();
    let came = model.deliveries.iter();
    for delivery in came.filter(|delivery| delivery.arrived_exactly_once > 0) {
        let message = model.messages.get(delivery.message);
        if message.is_will {
            continue; // Nobody says how often the broker published it.
        }
        let session = model.sessions.get(delivery.session);
        let copies = session.copies_max(&model.topics, message.topic).max(1);
        let (came, may_come) = times.entry((session.client, delivery.message)).or_default();
        *came += delivery.arrived_exactly_once;
        *may_come = (*may_come).max(message.published * copies);
    }
    let too_often = times.into_iter().filter(|(_, (came, may_come))| came > may_come);
    let told = |((client, message), (came, may_come)): ((ClientNumber, MessageId), (usize, usize))| {
        let message = model.messages.get(message);
        let (_, session) = model.sessions.of_client(client)?;
        Some(Duplicate {
            topic: model.topics.name(message.topic).to_string(),
            message: shown(&message.payload),
            to: session.client_id.to_string(),
            times: came - may_come,
        })
    };
    too_often.filter_map(told).collect()
}
