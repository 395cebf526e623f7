//! I12: a Will is published once when its connection ends otherwise than by DISCONNECT, and never else.
//! [MQTT-3.1.2-8] [MQTT-3.1.2-10] [MQTT-3.1.3-9] [MQTT-3.14.4-3] [v3 MQTT-3.1.2-8] [v3 MQTT-3.1.2-10] [v3 MQTT-3.14.4-3]
//!
//! The order within a moment is not on the wire: what comes too early or too often is so for good when its moment is over. A DISCONNECT
//! that a reset threw away, or that came with who takes over, may never have been read.

use std::{mem, time::Duration};

use squall_proto::Instant;

use super::{Checker, Found, Now, shown};
use crate::{
    model::{ClientNumber, MessageId, Model, SessionId, Wire},
    trace::WireId,
};

/// Wills that came in this moment.
pub(super) struct OneWill {
    came: Vec<Came>,
}

struct Came {
    message: MessageId,
    session: SessionId,
    /// If it should not have.
    found: Found,
}

/// How late a Will may be published: nothing says, this is what we hold the broker to.
const GRACE: Duration = Duration::from_secs(1);

impl OneWill {
    pub(super) const fn new(_: &Model<'_>) -> Self {
        Self { came: Vec::new() }
    }

    fn sent(&mut self, now: &Now<'_>) {
        let Some((delivery, message)) = now.delivery().filter(|(_, message)| message.is_will) else {
            return;
        };
        let Some(will) = now.model.wills.get(delivery.message) else {
            return;
        };
        let publisher = now.model.wires.client_id(message.publisher);
        let expected = match will.may {
            0 => format!("no Will of `{publisher}`: its connection has not ended without DISCONNECT"),
            may => format!("the Will of `{publisher}` {may} times"),
        };
        let got = will.got.get(&delivery.session).copied().unwrap_or(0);
        let got = format!("{} for the {got}. time", shown(&message.payload));
        let since = will.ended.into_iter().chain([message.first.1]);
        self.came.push(Came {
            message: delivery.message,
            session: delivery.session,
            found: now.found(since, expected, got),
        });
    }

    fn judge(&mut self, now: &Now<'_>, is_over: bool, found: &mut Vec<Found>) {
        let moment = self.came.first().map(|came| came.found.at);
        // What a process says on two connections is seen in any order.
        let slack = now.model.slack;
        let Some(moment) = moment.filter(|at| *at + slack < now.at || is_over) else {
            return;
        };
        for came in mem::take(&mut self.came) {
            let (model, session) = (now.model, now.model.sessions.get(came.session));
            let message = model.messages.get(came.message);
            let copies = session.copies_max(&model.topics, message.topic).max(1);
            let will = model.wills.get(came.message);
            let may = will.map_or(0, |will| will.may)
                + message.published
                + unread(model, message.publisher, moment);
            let got = will
                .and_then(|will| will.got.get(&came.session))
                .copied()
                .unwrap_or(0);
            if got > may * copies {
                found.push(came.found);
            }
        }
    }
}

/// How many DISCONNECTs of this client came at a moment at which another connection of it took over, perhaps before they were read.
fn unread(model: &Model<'_>, client: ClientNumber, moment: Instant) -> usize {
    let is_unread = |(id, wire): &(WireId, &Wire)| {
        wire.disconnect.is_some_and(|(at, _)| at == moment) && model.wires.is_taken_over_at(*id, moment)
    };
    model.wires.of_client(client).filter(is_unread).count()
}

impl Checker for OneWill {
    fn observe(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        self.judge(now, false, found);
        if let Some((_, _, publish)) = now.published()
            && !publish.retain
            && now.model.seen.is_first
        {
            self.sent(now);
        }
    }

    fn finish(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        self.judge(now, true, found);
        for (message, will) in now.model.wills.iter() {
            let is_late = |due: &&Instant| **due + GRACE < now.at;
            for (session, owed) in &will.owed {
                let due = owed.iter().filter(is_late).count();
                let got = [&will.got, &will.got_retained].map(|got| got.get(session).copied().unwrap_or(0));
                let got: usize = got.into_iter().sum();
                if got >= due || !is_connected(now, *session) {
                    continue;
                }
                let expected = format!(
                    "`{}` to get the Will {} {due} times",
                    now.model.sessions.get(*session).client_id,
                    shown(&now.model.messages.get(message).payload)
                );
                found.push(now.found(will.ended, expected, format!("it came {got} times")));
            }
        }
    }
}

fn is_connected(now: &Now<'_>, id: SessionId) -> bool {
    let session = now.model.sessions.get(id);
    let latest = now.model.sessions.of_client(session.client);
    latest.is_some_and(|(latest, _)| latest == id)
        && now
            .model
            .wires
            .get(session.wire)
            .is_some_and(|wire| wire.is_up() && !wire.is_stuck())
}
