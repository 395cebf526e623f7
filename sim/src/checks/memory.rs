//! I18: at the end of a run our broker holds what the wires say it must, and no more: what belonged to a session or a connection is gone
//! with it. [MQTT-4.1.0-2]
//!
//! The world counts when the run is over, which no wire shows: it is for brokers that tell. A session whose expiry is due just then, a
//! subscription without its answer, what may be retained or not: the broker is free to have them.

use std::ops::RangeInclusive;

use super::{Checker, Found, Now};
use crate::{
    model::{Model, Session, Wire},
    trace::{Held, Side, Stored, What},
};

/// Nothing of its own: the model knows what must be there.
pub(super) struct Memory;

impl Memory {
    pub(super) const fn new(_: &Model<'_>) -> Self {
        Self
    }
}

impl Checker for Memory {
    fn observe(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        if let (What::Held(held), false) = (&now.event.what, now.model.disturbances.last()) {
            found.extend(judge(now, held));
        }
    }

    fn finish(&mut self, _: &Now<'_>, _: &mut Vec<Found>) {}
}

fn judge(now: &Now<'_>, held: &Held) -> Vec<Found> {
    let model = now.model;
    let may_live = || {
        let sessions = model.sessions.iter().map(|(_, session)| session);
        sessions.filter(|session| session.may_be_alive(now.at))
    };
    // A CONNECT that could not be answered may have ended it.
    let must_live =
        || may_live().filter(|session| session.is_alive(now.at) && !model.wires.may_have_begun(session.wire));
    let wires = || model.wires.iter().map(|(_, wire)| wire);
    let open = wires().filter(|wire| wire.over_for(Side::Broker).is_none());
    let may_be_held = |session: &Session| {
        session
            .subscriptions
            .values()
            .filter(|it| it.may_be_held())
            .count()
    };
    let is_held = |session: &Session| session.subscriptions.values().filter(|it| it.is_held()).count();
    let all = [
        (
            "Network Connections",
            held.connections,
            wires().filter(|wire| wire.is_up()).count()..=open.count(),
        ),
        (
            "sessions",
            held.sessions,
            must_live().count()..=may_live().count() + wires().filter(|wire| wire.may_have_begun()).count(),
        ),
        (
            "subscriptions",
            held.subscriptions,
            must_live().map(is_held).sum()..=may_live().map(may_be_held).sum(),
        ),
        (
            "retained messages",
            held.retained_messages,
            0..=model.retained.count_max(),
        ),
        (
            "unfinished messages",
            held.unfinished_messages,
            0..=unfinished_max(model, may_live()),
        ),
    ];
    let stored = held.stored.iter().flat_map(|stored| on_disk(held, stored));
    let wrong = all
        .into_iter()
        .chain(stored)
        .filter(|(_, held, range)| !range.contains(held));
    wrong
        .map(|(what, held, range)| {
            let expected = format!("the broker to hold {} {what} at the end", in_words(&range));
            now.found([], expected, held.to_string())
        })
        .collect()
}

/// What is on its disk is what it holds, and no more.
fn on_disk(held: &Held, stored: &Stored) -> [(&'static str, usize, RangeInclusive<usize>); 4] {
    let messages = stored.deliveries + stored.retained_messages;
    [
        ("sessions on its disk", stored.sessions, 0..=held.sessions),
        (
            "retained messages on its disk",
            stored.retained_messages,
            held.retained_messages..=held.retained_messages,
        ),
        (
            "unfinished messages on its disk",
            stored.deliveries,
            0..=held.unfinished_messages,
        ),
        ("messages on its disk", stored.messages, 0..=messages),
    ]
}

fn in_words(range: &RangeInclusive<usize>) -> String {
    if range.start() == range.end() {
        range.start().to_string()
    } else {
        format!("{} to {}", range.start(), range.end())
    }
}

/// Nothing, where every session is connected and every client acknowledges what it gets.
fn unfinished_max<'a>(model: &Model<'_>, mut sessions: impl Iterator<Item = &'a Session>) -> usize {
    let is_behind = |wire: &Wire| model.disturbances.is_behind(wire, model.now);
    let takes_all = |wire: &Wire| wire.is_up() && !model.scenario.is_peer(&wire.name) && !is_behind(wire);
    let is_done = sessions.all(|session| model.wires.get(session.wire).is_some_and(takes_all));
    if is_done { 0 } else { usize::MAX }
}
