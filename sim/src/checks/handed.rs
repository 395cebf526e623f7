//! What comes to a client is handed to its application: at QoS 2 once, however often it comes before PUBREL; else no more often than it
//! comes. And what the client acknowledges it has handed over. [MQTT-4.3.2-4] [MQTT-4.3.2-5] [MQTT-4.3.3-10] [MQTT-4.3.3-12]
//! [v3 MQTT-4.3.2-2] [v3 MQTT-4.3.3-2]
//!
//! A process that ended without a store has forgotten what it had received, one with a store perhaps what it had not answered. An
//! application that is busy with what was acknowledged when it took it says so later, if ever.

use std::collections::BTreeMap;

use bytes::Bytes;
use squall_proto::{Ack, Packet, PacketId, Publish, Qos};

use super::{Checker, Found, Now, shown};
use crate::{
    model::{Lookup, Model, Receipt, TopicId},
    scenario::Acknowledges,
    trace::{Side, Told, What, WireId},
};

/// What came to each client, by its name, and what its application got.
pub(super) struct Handed {
    clients: BTreeMap<String, Received>,
}

#[derive(Default)]
struct Received {
    /// Its application is in the trace.
    is_told: bool,
    messages: Lookup<Content, Account>,
    /// The QoS 1 and 2 messages that came last with each Packet Identifier.
    by_id: BTreeMap<PacketId, Came>,
}

type Content = (TopicId, Bytes);

#[derive(Default)]
struct Account {
    /// How often the application may get it.
    may: usize,
    handed: usize,
    /// Where it last came.
    came: Option<usize>,
    /// Where it was last handed over.
    handed_at: Option<usize>,
}

struct Came {
    content: Content,
    wire: WireId,
    /// PUBACK or PUBREC has left: who has a store has kept it.
    is_answered: bool,
    /// Its process has ended since, and may not know of it.
    may_be_forgotten: bool,
}

impl Handed {
    pub(super) const fn new(_: &Model<'_>) -> Self {
        Self {
            clients: BTreeMap::new(),
        }
    }

    fn of(&mut self, name: &str) -> &mut Received {
        if !self.clients.contains_key(name) {
            self.clients.insert(name.to_owned(), Received::default());
        }
        self.clients.get_mut(name).expect("it has been entered")
    }

    fn came(&mut self, now: &Now<'_>, id: WireId, publish: &Publish) {
        let (Some(wire), Some(topic)) = (now.model.wires.get(id), now.model.seen.topic) else {
            return;
        };
        // What it does not take it need not hand over.
        if now.model.seen.receipt.is_none() {
            return;
        }
        let received = self.of(&wire.name);
        let content = (topic, publish.payload.clone());
        let before = publish
            .delivery
            .packet_id()
            .and_then(|id| received.by_id.get(&id));
        let is_again =
            now.model.seen.receipt == Some(Receipt::Again) && publish.delivery.qos() == Qos::ExactlyOnce;
        if is_again && before.is_some_and(|before| !before.may_be_forgotten) {
            return;
        }
        let account = received.messages.entry(content.clone()).or_default();
        account.may += 1;
        account.came = Some(now.index);
        // Who uses a Packet Identifier again before it is acknowledged cannot tell which is.
        let is_in_use = before.is_some_and(|before| before.wire == id && !before.is_answered);
        if let Some(packet_id) = publish.delivery.packet_id().filter(|_| !is_in_use) {
            let came = Came {
                content,
                wire: id,
                is_answered: false,
                may_be_forgotten: false,
            };
            received.by_id.insert(packet_id, came);
        }
    }

    /// PUBACK or PUBREC.
    fn answered(&mut self, now: &Now<'_>, wire: WireId, ack: &Ack) -> Option<Found> {
        let wire = now.model.wires.get(wire)?;
        let received = self.of(&wire.name);
        let came = received.by_id.get_mut(&ack.packet_id)?;
        came.is_answered = true;
        let account = received.messages.get(&came.content)?;
        if !received.is_told || account.handed > 0 || ack.reason_code.is_error() || is_busy(now, &wire.name) {
            return None;
        }
        let expected = format!(
            "the application of `{}` to get {} before it is acknowledged",
            wire.name,
            shown(&came.content.1)
        );
        Some(now.found(account.came, expected, "it has not got it"))
    }

    fn handed(&mut self, now: &Now<'_>, name: &str, payload: &Bytes) -> Option<Found> {
        let topic = now.model.seen.topic?;
        let account = self
            .of(name)
            .messages
            .entry((topic, payload.clone()))
            .or_default();
        account.handed += 1;
        let before = account.handed_at.replace(now.index);
        if account.handed <= account.may {
            return None;
        }
        let expected = format!(
            "the application of `{name}` to get {} {} times at most, as it came",
            shown(payload),
            account.may
        );
        let since = account.came.into_iter().chain(before);
        Some(now.found(since, expected, format!("it got it {} times", account.handed)))
    }

    /// A client's process has ended, or its store has failed: with what it has not `kept`, or may not have.
    fn ended(&mut self, name: &str, kept: bool) {
        let received = self.clients.get_mut(name).into_iter();
        for came in received.flat_map(|received| received.by_id.values_mut()) {
            came.may_be_forgotten |= !(kept && came.is_answered);
        }
    }
}

/// Whether a client whose application takes its time is told to end.
fn is_sent_away(now: &Now<'_>, name: &str) -> bool {
    let scenario = now.model.scenario;
    let application = scenario.client(name).map(|client| client.application);
    application.is_some_and(|it| it.takes_time()) && scenario.sends_away(name)
}

/// Whether the application may have taken what it has not handled yet.
fn is_busy(now: &Now<'_>, name: &str) -> bool {
    let application = now.model.scenario.client(name).map(|client| client.application);
    application.is_some_and(|it| it.acknowledges == Acknowledges::Taken && it.takes_time())
}

impl Checker for Handed {
    fn observe(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        match &now.event.what {
            What::Arrived {
                wire,
                from: Side::Broker,
                packet: Packet::Publish(publish),
            } if now.judges(*wire, Side::Client) => self.came(now, *wire, publish),
            What::Sent {
                wire,
                from: Side::Client,
                packet: Packet::Puback(ack) | Packet::Pubrec(ack),
            } if now.judges(*wire, Side::Client) => found.extend(self.answered(now, *wire, ack)),
            What::Application { client, told } => {
                self.of(client).is_told = true;
                match told {
                    Told::Message { payload, .. } => found.extend(self.handed(now, client, payload)),
                    Told::StoreFailed { .. } => self.ended(client, true),
                    _other_news => {}
                }
            }
            What::HostDown { host, kept, .. } => self.ended(host, *kept),
            // What its application has not handled when it is told to end is its again later.
            What::Opened { client, .. } if is_sent_away(now, client) => self.ended(client, true),
            _other_events => {}
        }
    }

    fn finish(&mut self, _: &Now<'_>, _: &mut Vec<Found>) {}
}
