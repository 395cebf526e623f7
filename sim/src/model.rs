//! What must be true of a run, told from its wires alone: which connections there are, which sessions the broker must have, what was
//! published and retained, which Wills are due, what each session is owed and which exchanges are unfinished. Checks ask it; it asks
//! nobody's mind.
//!
//! In reading order: `moments`, `disturbances`, `wires`, `sessions`, `topics` and `subscriptions`, `messages`, `requests`, `exchanges`,
//! `deliveries`, `groups`, `retained`, `wills`; what reaches the broker goes through `taken`, what it sends through `given`, what it
//! acknowledges through `owed`; `numbered` is how they name each other's things.
//!
//! The moment at which the broker has handled a packet is not on the wire. Where that matters, the model knows two things apart: what is
//! certain, by what the broker has answered, and what may be, since the packet arrived. A session begins with CONNACK; a subscription is
//! owed messages from SUBACK on and may get them from SUBSCRIBE on; a message is owed once it is acknowledged.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each part of the model reads the few kinds of events and packets that it is about"
)]

mod deliveries;
mod disturbances;
mod exchanges;
mod given;
mod groups;
mod messages;
mod moments;
mod numbered;
mod owed;
mod requests;
mod retained;
mod sessions;
mod subscriptions;
mod taken;
mod topics;
mod wills;
mod wires;

pub(crate) use deliveries::{Deliveries, Delivery, DeliveryId};
pub(crate) use disturbances::Disturbances;
pub(crate) use exchanges::{Exchanges, Irregularity, Receipt};
pub(crate) use groups::{Begun, Groups, Owed, Share};
pub(crate) use messages::{Message, Messages};
pub(crate) use numbered::{ClientNumber, FilterId, HolderId, Lookup, MessageId, SessionId, TopicId};
pub(crate) use requests::{Request, Requests};
pub(crate) use retained::Retained;
pub(crate) use sessions::{Connected, Session, Sessions};
pub(crate) use topics::Topics;
pub(crate) use wills::Wills;
pub(crate) use wires::{Wire, Wires};

use std::time::Duration;

use squall_node::client;
use squall_proto::{Instant, Packet, Text, Version, broker::Limits};

use self::moments::order_at_broker;
use crate::{
    faults::Fault,
    scenario::{Action, Scenario},
    trace::{Event, Outcome, Side, Told, What, WireId},
};

/// Everything the checks share, as of the last event it was shown.
#[derive(Debug)]
pub(crate) struct Model<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) version: Version,
    /// Not the control arm.
    pub(crate) with_faults: bool,
    /// How much later than in virtual time everything may come.
    pub(crate) slack: Duration,
    /// When the last event it was shown counts.
    pub(crate) now: Instant,
    /// The whole run.
    pub(crate) events: &'a [Event],
    pub(crate) limits: Limits,
    pub(crate) wires: Wires,
    pub(crate) sessions: Sessions,
    pub(crate) disturbances: Disturbances<'a>,
    /// When the broker's process last ended.
    broker_down: Instant,
    pub(crate) topics: Topics,
    pub(crate) messages: Messages,
    pub(crate) requests: Requests,
    pub(crate) exchanges: Exchanges,
    pub(crate) deliveries: Deliveries,
    pub(crate) groups: Groups,
    pub(crate) retained: Retained,
    pub(crate) wills: Wills,
    /// What the last event was about.
    pub(crate) seen: Seen,
}

/// What an event is about, in the terms of the model.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    /// Of the connection.
    pub(crate) session: Option<SessionId>,
    /// Of a PUBLISH, its Topic Alias resolved, or of what an application is handed.
    pub(crate) topic: Option<TopicId>,
    /// What a PUBLISH brings; `None` also for what nobody has published.
    pub(crate) message: Option<MessageId>,
    /// The broker sends it, and had not begun to.
    pub(crate) is_first: bool,
    /// What has become of it, where the broker sends it or a client gets it for the first time.
    pub(crate) delivery: Option<DeliveryId>,
    /// What a packet was to the end that it reached.
    pub(crate) receipt: Option<Receipt>,
    /// What an acknowledgement of the broker answers.
    pub(crate) answered: Option<Request>,
    /// CONNACK said Success.
    pub(crate) connected: Option<Connected>,
}

impl<'a> Model<'a> {
    pub(crate) fn new(scenario: &'a Scenario, version: Version, events: &'a [Event]) -> Self {
        let limits = scenario.broker.limits();
        Self {
            scenario,
            version,
            with_faults: true,
            slack: Duration::ZERO,
            now: Instant::ZERO,
            events,
            wires: Wires::default(),
            sessions: Sessions::new(&limits),
            disturbances: Disturbances::new(scenario),
            broker_down: Instant::ZERO,
            topics: Topics::new(version == Version::V3_1_1 && limits.shared_subscriptions_v3),
            messages: Messages::default(),
            requests: Requests::default(),
            exchanges: Exchanges::default(),
            deliveries: Deliveries::default(),
            groups: Groups::default(),
            retained: Retained::default(),
            wills: Wills::default(),
            seen: Seen::default(),
            limits,
        }
    }

    /// Takes in the whole run, and lets `look` see each event when it knows it: the model, its place in the trace, the event. The
    /// order is one in which the broker may have handled them.
    pub(crate) fn go_through(&mut self, mut look: impl FnMut(&Self, usize, &'a Event)) {
        let events = self.events;
        for index in order_at_broker(events, self.scenario.broker.has_disk()) {
            if let Some(event) = events.get(index) {
                self.observe(self.now.max(event.at), index, event);
                look(self, index, event);
            }
        }
        self.wills_fall_due(self.now);
    }

    /// Takes the next event in. `at` is the moment at which it counts, which may be later than it happened.
    fn observe(&mut self, at: Instant, index: usize, event: &Event) {
        if at > self.now {
            self.wills_fall_due(self.now);
            self.now = at;
        }
        self.exchanges.begin();
        self.disturbances.observe(event);
        let fault = self.fault(event);
        self.wires.observe(at, event, fault, &mut self.topics);
        let wire = event.what.wire();
        self.seen = Seen {
            session: wire
                .and_then(|wire| self.wires.get(wire))
                .and_then(|wire| wire.session),
            ..Seen::default()
        };
        match &event.what {
            What::Sent {
                wire,
                from: Side::Broker,
                packet,
            } => self.broker_sent(at, index, *wire, packet),
            What::Sent {
                wire,
                from: Side::Client,
                packet,
            } => {
                self.look_up(*wire, Side::Client, packet);
                self.exchanges.sent(at, *wire, Side::Client, packet, &self.wires);
                if self.exchanges.irregularity().is_some() {
                    self.wires.at_fault(*wire);
                }
            }
            What::Arrived {
                wire,
                from: Side::Client,
                packet,
            } => self.broker_got((at, index), *wire, packet),
            What::Arrived {
                wire,
                from: Side::Broker,
                packet,
            } => self.client_got(at, *wire, packet),
            What::Closed { wire, by: side, .. }
            | What::LetGo { wire, by: side }
            | What::Ended { wire, at: side, .. }
                if *side == Side::Broker =>
            {
                self.wills_fall_due(at);
                let is_its_own = !matches!(event.what, What::Ended { .. });
                let knows = self.wires.broker_runs() && (is_its_own || self.wires.broker_hears(at));
                self.sessions.disconnected(at, *wire, knows, &self.wires);
                self.will_of_ended((at, index), *wire, knows);
            }
            _other_events => self.observe_process(at, index, event, fault),
        }
    }

    /// What happens to hosts, and what they tell besides packets.
    fn observe_process(&mut self, at: Instant, index: usize, event: &Event, fault: Option<&Fault>) {
        match &event.what {
            What::HostDown {
                host, kept: false, ..
            }
            | What::HostUp { host, kept: false }
                if host == BROKER =>
            {
                self.forget_broker(at, index);
            }
            What::HostDown { host, .. } if host == BROKER => {
                self.broker_down = at;
                if self.scenario.broker.has_disk() {
                    self.broker_may_forget((at, index));
                }
            }
            What::HostUp { host, .. } if host == BROKER => {
                self.sessions.taken_up(at, self.unsure_since());
                self.wills.taken_up(at);
            }
            What::HostDown {
                host, kept: false, ..
            }
            | What::HostUp { host, kept: false } => self.forget_client(host),
            What::HostDown { host, .. } => self.may_forget(host),
            What::Closed { wire, .. } | What::LetGo { wire, .. } => self.left_by_client(*wire),
            What::FaultBegan { .. } if matches!(fault, Some(Fault::Stop(stop)) if stop.host == BROKER) => {
                // It ends all connections, and may not be able to say so.
                let open: Vec<WireId> = self.wires.iter().map(|(wire, _)| wire).collect();
                for wire in open {
                    self.will_of_ended((at, index), wire, false);
                }
            }
            What::Application { client, told } => match told {
                Told::Message { topic, .. } => self.seen.topic = self.topics.find(topic),
                Told::StoreFailed { .. } if client == BROKER => self.broker_may_forget((at, index)),
                Told::StoreFailed { .. } => self.may_forget(client),
                Told::Published { payload, outcome, .. } => {
                    let is_kept = match outcome {
                        Outcome::Failed(why) => *why == client::Error::Ended.to_string(),
                        Outcome::Answered(_) => false,
                    };
                    let is_over = !payload.is_empty() && !is_kept;
                    for holder in self.wires.holders_of(client) {
                        self.exchanges.told(holder, payload, is_over);
                    }
                }
                _other_news => {}
            },
            What::Kicked {
                client_id,
                ends_session,
            } => self.kicked((at, index), client_id, *ends_session),
            _other_events => {}
        }
    }

    fn client_got(&mut self, at: Instant, wire: WireId, packet: &Packet) {
        self.look_up(wire, Side::Broker, packet);
        // What is larger than it takes it does not take, nor what a scripted broker says before CONNACK.
        let is_refused = |wire: &Wire| wire.is_too_large(packet) || wire.connack.is_none();
        if self.wires.get(wire).is_some_and(is_refused) {
            return;
        }
        if let Packet::Connack(connack) = packet
            && !connack.reason_code.is_error()
            // Who has said that it goes reads it no more.
            && self.wires.get(wire).is_some_and(|wire| !wire.is_done)
        {
            self.exchanges
                .connected(wire, Side::Client, connack.session_present, &self.wires);
        }
        // What a connection still gives that another has taken over from does not come to the session.
        let is_of_session = !self.wires.is_taken_over(wire, Side::Broker);
        let message = self.seen.message.filter(|_| is_of_session);
        let end = (wire, Side::Client);
        let receipt =
            self.exchanges
                .arrived(at, end, packet, message.map(|message| (message, 0)), &self.wires);
        self.seen.receipt = Some(receipt);
        let (Receipt::New, Packet::Publish(publish), Some(message), Some(id)) =
            (receipt, packet, message, self.seen.session)
        else {
            return;
        };
        // Another host of the Client Identifier had it, whose PUBREC is lost.
        if publish.dup
            && let squall_proto::Delivery::ExactlyOnce(packet_id) = publish.delivery
            && self.exchanges.have(self.wires.rivals(wire), packet_id)
        {
            return;
        }
        self.seen.delivery = Some(self.deliveries.arrived(id, message, publish));
        let session = self.sessions.get(id);
        for filter in session.shares(&self.topics, self.messages.get(message).topic) {
            self.groups.arrived(filter, message);
        }
    }

    /// What a PUBLISH is about.
    fn look_up(&mut self, wire: WireId, from: Side, packet: &Packet) {
        if let (Packet::Publish(publish), Some(wire)) = (packet, self.wires.get(wire)) {
            let topic = wire.topic_of(from, publish, &mut self.topics);
            self.seen.topic = topic;
            self.seen.message = topic.and_then(|topic| self.messages.find(topic, &publish.payload));
        }
    }

    /// The fault of the scenario that begins or ends now.
    fn fault(&self, event: &Event) -> Option<&'a Fault> {
        let (What::FaultBegan { step, .. } | What::FaultEnded { step, .. }) = &event.what else {
            return None;
        };
        match &self.scenario.steps.get(*step)?.action {
            Action::Fault(fault) => Some(fault),
            _other_actions => None,
        }
    }

    /// The packet that reached the broker at this place of the run.
    fn request(&self, index: usize) -> Option<&'a Packet> {
        match &self.events.get(index)?.what {
            What::Arrived { packet, .. } => Some(packet),
            _other_events => None,
        }
    }

    /// The broker's process is gone. Durability on a disk: what it has said that it has, it has; of all else it may have done anything or
    /// nothing, as long as no answer could leave.
    fn broker_may_forget(&mut self, now: (Instant, usize)) {
        let ended: Vec<WireId> = self.wires.iter().map(|(wire, _)| wire).collect();
        for wire in ended {
            self.sessions.disconnected(now.0, wire, false, &self.wires);
            self.will_of_ended(now, wire, false);
            self.may_not_have_gone(now, wire);
        }
        self.exchanges.broker_may_forget();
        self.retained.may_be_forgotten();
    }

    /// DISCONNECT has no answer: it may be forgotten where the broker has not closed the connection before its process ended.
    fn may_not_have_gone(&mut self, now: (Instant, usize), id: WireId) {
        let is_open = |wire: &&Wire| wire.disconnect.is_some() && wire.left_at(Side::Broker).is_none();
        if self.wires.get(id).is_some_and(|wire| is_open(&wire)) {
            self.sessions.may_not_have_ended(id, &self.wires);
            self.will_may_be(now, id);
        }
    }

    /// Since when nobody can say of what had no answer whether the broker's disk had it when its process ended.
    fn unsure_since(&self) -> Instant {
        if self.disturbances.broker_may_wait() {
            Instant::ZERO
        } else {
            self.broker_down
        }
    }

    /// The broker's process is gone. Durability in memory: what it knew is gone with it.
    fn forget_broker(&mut self, at: Instant, index: usize) {
        self.sessions.forget_all(at, &mut self.topics);
        self.exchanges.forget_broker();
        self.retained.forget_all(index);
        let accepted = self.wires.iter().filter(|(_, wire)| wire.is_accepted());
        self.wills.forget_all(accepted.map(|(wire, _)| wire));
    }

    /// An administrator ends a client's connection, or its session.
    fn kicked(&mut self, now: (Instant, usize), client_id: &Text, ends_session: bool) {
        let Some(client) = self.wires.client(client_id) else {
            return;
        };
        if ends_session {
            self.wills_of_session(now, client);
            self.sessions.forget(now.0, client, &mut self.topics);
            self.exchanges.forget_at_broker(client);
        } else {
            self.end_connections(now, client, None, false);
            if let Some((wire, _)) = self.wires.of_client(client).next_back() {
                self.sessions.disconnected(now.0, wire, false, &self.wires);
            }
        }
    }

    /// The client's process is gone, and its session with its memory.
    fn forget_client(&mut self, host: &str) {
        for holder in self.wires.holders_of(host) {
            self.exchanges.forget_client(holder);
        }
    }

    /// A client that waited for a slow disk, or read slowly, may not have read what came before it left.
    fn left_by_client(&mut self, wire: WireId) {
        let left = self
            .wires
            .get(wire)
            .filter(|left| left.holder.is_some() && !self.wires.is_taken_over(wire, Side::Client));
        let Some(name) = left.map(|wire| wire.name.clone()) else {
            return;
        };
        if self.disturbances.may_slow(&name) {
            self.may_forget(&name);
        }
    }

    /// The client's process is gone, and what it got last may not be in its store.
    fn may_forget(&mut self, host: &str) {
        let has_lied = self.disturbances.may_take(host);
        for holder in self.wires.holders_of(host) {
            self.exchanges.may_forget(holder, has_lied);
        }
    }
}

/// What the trace calls the broker's host.
pub(crate) const BROKER: &str = "broker";
