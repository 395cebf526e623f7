//! I17: everything accepted ends. When all faults have healed and the time to settle has passed, who wants to be connected is, and
//! no exchange and no request is open. Who fights with another for a Client Identifier to the end comes to no end.

use std::{collections::BTreeSet, time::Duration};

use squall_proto::PacketType;

use super::{Checker, Found, Now};
use crate::{
    model::{Model, Session},
    trace::{Side, Told, What},
};

/// Whose store is damaged, since it last connected; the rest the model knows.
pub(super) struct Liveness {
    damaged: BTreeSet<String>,
}

/// Who has lost its connection to a namesake comes back within this time, if it does.
const FIGHT: Duration = Duration::from_secs(60);
/// What came in the last moment of a run need not be answered in it.
const LAST_MOMENT: Duration = Duration::from_secs(1);

impl Liveness {
    pub(super) const fn new(_: &Model<'_>) -> Self {
        Self {
            damaged: BTreeSet::new(),
        }
    }
}

impl Checker for Liveness {
    fn observe(&mut self, now: &Now<'_>, _: &mut Vec<Found>) {
        let What::Application { client, told } = &now.event.what else {
            return;
        };
        match told {
            Told::StoreFailed { .. } => _ = self.damaged.insert(client.clone()),
            Told::Connected { .. } => _ = self.damaged.remove(client),
            _other_news => {}
        }
    }

    fn finish(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        if now.model.disturbances.last() {
            return;
        }
        unanswered(now, found);
        unfinished(now, found);
        self.absent(now, found);
    }
}

impl Liveness {
    /// A client of ours that connects again by itself, and was not told to stay away, is connected; unless what it says each time is
    /// something that this broker ends a connection for, or its store cannot be opened.
    fn absent(&self, now: &Now<'_>, found: &mut Vec<Found>) {
        // Where segments are always lost, a connection may be too.
        if now.model.scenario.network.loss_percent > 0 {
            return;
        }
        let wires = now.model.wires.iter();
        let up: BTreeSet<&str> = wires
            .filter(|(_, wire)| wire.is_up() || wire.client_at_fault)
            .map(|(_, wire)| wire.name.as_str())
            .collect();
        for (name, client) in &now.model.scenario.clients {
            if !client.stays() || now.model.scenario.sends_away(name) {
                continue;
            }
            for member in now.model.scenario.members(name) {
                let may_be_away = self.damaged.contains(&member) || is_kept_out(now, &member);
                if !up.contains(member.as_str()) && !may_be_away {
                    found.push(now.found([], format!("`{member}` to be connected"), "it is not"));
                }
            }
        }
    }
}

/// No request of a connection that is still up is open.
fn unanswered(now: &Now<'_>, found: &mut Vec<Found>) {
    let wires = now.model.wires.iter();
    for (id, wire) in wires.filter(|(_, wire)| wire.is_up() && !wire.client_at_fault) {
        for request in now.model.requests.open(id) {
            let (at, index) = request.at;
            // What is acknowledged belongs to the session: it is an exchange.
            let is_of_connection = !matches!(request.packet, PacketType::Publish | PacketType::Pubrel);
            if is_of_connection && at + LAST_MOMENT < now.at {
                let expected = format!("the {} of `{}` to be answered", request.packet, wire.name);
                found.push(now.found([index], expected, "no answer"));
            }
        }
    }
}

/// Both ends of every session that is connected have finished what they began.
fn unfinished(now: &Now<'_>, found: &mut Vec<Found>) {
    for (_, session) in now.model.sessions.iter() {
        let wires = &now.model.wires;
        let is_up = wires.get(session.wire).is_some_and(|wire| {
            wire.is_up()
                && !now.model.scenario.is_peer(&wire.name)
                && !now.model.disturbances.is_behind(wire, now.at)
        });
        if is_up && !wires.is_fought_for(session.wire, now.at, FIGHT) {
            found.extend(of_session(now, session, Side::Broker));
            found.extend(of_session(now, session, Side::Client));
        }
    }
}

fn of_session(now: &Now<'_>, session: &Session, side: Side) -> Option<Found> {
    let wire = now.model.wires.get(session.wire)?;
    let mut unfinished = now.model.exchanges.unfinished(wire, side);
    let client_id = &session.client_id;
    let (packet_id, sent) = unfinished.next()?;
    let more = unfinished.count();
    let sender = match side {
        Side::Client => format!("`{client_id}`"),
        Side::Broker => format!("the broker to `{client_id}`"),
    };
    let message = super::shown(&sent.payload);
    let expected = format!("what {sender} sends to be finished: {message}, Packet Identifier {packet_id}");
    let got = match more {
        0 => format!("{} is missing", sent.awaits()),
        more => format!("{} is missing, and {more} more are unfinished", sent.awaits()),
    };
    Some(now.found([], expected, got))
}

/// Whether the last connection of this name was lost to a namesake, who may lose it again.
fn is_kept_out(now: &Now<'_>, name: &str) -> bool {
    let wires = &now.model.wires;
    let mut last = wires
        .iter()
        .filter(|(_, wire)| wire.name == name && wire.client.is_some());
    last.next_back()
        .is_some_and(|(id, _)| wires.is_fought_for(id, now.at, FIGHT))
}
