//! What must hold in every run, one file a check. Each reads the wires alone, in one pass, so it works on any target.
//!
//! To add one: a file here with a type that is a `Checker` and has `new`, and a word in the list below.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a check reads the few kinds of events and packets that it is about"
)]

mod two_paths;

pub(crate) use no_loss::is_still_owed;
pub(crate) use two_paths::{Delivered, Path, differences};

use std::{fmt, time::Duration};

use squall_proto::{Instant, Packet, Publish, Version};

use crate::{
    model::{Delivery, Message, Model, Session, TopicId},
    scenario::Scenario,
    trace::{Event, Side, Trace, What, WireId},
};

/// Something that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The check that found it.
    pub check: &'static str,
    /// When.
    pub at: Instant,
    /// The events of the trace that it is about, by their places, oldest first: what made it owed, what came instead.
    pub events: Vec<usize>,
    /// What was owed, and to whom.
    pub expected: String,
    /// What came instead.
    pub got: String,
}

/// One invariant over a run.
pub(crate) trait Checker {
    /// Takes the next event in, which `model` knows already.
    fn observe(&mut self, now: &Now<'_>, found: &mut Vec<Found>);

    /// The run is over. `now` is its last event once more.
    fn finish(&mut self, now: &Now<'_>, found: &mut Vec<Found>);
}

/// The event that is looked at.
pub(crate) struct Now<'a> {
    /// Its place in the trace.
    pub(crate) index: usize,
    pub(crate) at: Instant,
    pub(crate) event: &'a Event,
    /// As of this event.
    pub(crate) model: &'a Model<'a>,
}

/// What a check found, before it is known which check it was.
pub(crate) struct Found {
    at: Instant,
    events: Vec<usize>,
    expected: String,
    got: String,
}

impl<'a> Now<'a> {
    const fn new(model: &'a Model<'a>, index: usize, event: &'a Event) -> Self {
        Self {
            index,
            at: model.now,
            event,
            model,
        }
    }

    /// What has become of the message of this PUBLISH, where the broker sends it to a session or its client gets it anew.
    pub(crate) fn delivery(&self) -> Option<(&Delivery, &Message)> {
        let delivery = self.model.deliveries.get(self.model.seen.delivery?);
        Some((delivery, self.model.messages.get(delivery.message)))
    }

    /// The PUBLISH that the broker sends to a session, and its topic.
    pub(crate) fn published(&self) -> Option<(&Session, TopicId, &Publish)> {
        let What::Sent {
            wire,
            from: Side::Broker,
            packet: Packet::Publish(publish),
        } = &self.event.what
        else {
            return None;
        };
        let session = self.model.sessions.current(*wire, &self.model.wires)?;
        Some((self.model.sessions.get(session), self.model.seen.topic?, publish))
    }

    /// Whether this side of a connection must keep the rules.
    pub(crate) fn judges(&self, wire: WireId, side: Side) -> bool {
        !may_break(self.model, wire, side)
    }

    /// Something did not hold at this event; `since` are the earlier ones that it is about.
    pub(crate) fn found(
        &self,
        since: impl IntoIterator<Item = usize>,
        expected: impl Into<String>,
        got: impl Into<String>,
    ) -> Found {
        let mut events: Vec<usize> = since.into_iter().collect();
        events.push(self.index);
        events.sort_unstable();
        events.dedup();
        Found {
            at: self.at,
            events,
            expected: expected.into(),
            got: got.into(),
        }
    }
}

/// Makes the registry of the list: one module, one type.
macro_rules! checks {
    ($($module:ident: $check:ident,)*) => {
        $(mod $module;)*

        /// The names of the checks that watch every run, in alphabetical order.
        pub const CHECKS: &[&str] = &[$(stringify!($module)),*];

        fn checkers(model: &Model<'_>) -> Vec<(&'static str, Box<dyn Checker>)> {
            vec![$((stringify!($module), Box::new($module::$check::new(model)) as Box<dyn Checker>)),*]
        }
    };
}

checks! {
    as_published: AsPublished,
    at_most_once: AtMostOnce,
    dup: Dup,
    exactly_once: ExactlyOnce,
    expectations: Expectations,
    handed: Handed,
    keep_alive: KeepAlive,
    liveness: Liveness,
    maximum_packet_size: MaximumPacketSize,
    memory: Memory,
    message_expiry: MessageExpiry,
    no_loss: NoLoss,
    no_redelivery: NoRedelivery,
    no_shared_loss: NoSharedLoss,
    one_connection: OneConnection,
    one_member: OneMember,
    one_will: OneWill,
    order: Order,
    packet_id: PacketIds,
    pings: Pings,
    receive_maximum: ReceiveMaximum,
    resume: Resume,
    retained: Retained,
    session_present: SessionPresent,
    subscription_id: SubscriptionIds,
    topic_alias: TopicAliases,
    well_formed: WellFormed,
}

/// Shows a run to every check. `with_faults` is false for its control arm, in which expectations that only a fault can bring about
/// are not asked.
pub fn check(scenario: &Scenario, version: Version, with_faults: bool, trace: &Trace) -> Vec<Finding> {
    check_within(scenario, version, with_faults, Duration::ZERO, trace)
}

/// As [`check`], of a run in which everything may come so much later than it should: its time was the machine's.
pub fn check_within(
    scenario: &Scenario,
    version: Version,
    with_faults: bool,
    slack: Duration,
    trace: &Trace,
) -> Vec<Finding> {
    let mut model = Model::new(scenario, version, &trace.events);
    model.with_faults = with_faults;
    model.slack = slack;
    let mut checkers = checkers(&model);
    if scenario.broker.script.is_some() {
        checkers.retain(|(name, _)| OF_CLIENTS.contains(name));
    }
    if slack > Duration::ZERO {
        // How late our own client is on a machine that is busy says nothing of the broker.
        checkers.retain(|(name, _)| *name != "pings");
    }
    let mut findings = Vec::new();
    let mut found = Vec::new();
    let mut last = None;
    model.go_through(|model, index, event| {
        let now = Now::new(model, index, event);
        for (check, checker) in &mut checkers {
            checker.observe(&now, &mut found);
            if !found.is_empty() {
                findings.extend(found.drain(..).map(|found| found.by(check)));
            }
        }
        last = Some((index, event));
    });
    if let Some((index, event)) = last {
        let now = Now::new(&model, index, event);
        for (check, checker) in &mut checkers {
            checker.finish(&now, &mut found);
            findings.extend(found.drain(..).map(|found| found.by(check)));
        }
    }
    findings.sort_by_key(|finding| (finding.at, finding.check));
    findings
}

impl Found {
    fn by(self, check: &'static str) -> Finding {
        Finding {
            check,
            at: self.at,
            events: self.events,
            expected: self.expected,
            got: self.got,
        }
    }
}

/// In one line: `exactly_once at 12.034567: expected .., got ..`.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            check,
            at,
            expected,
            got,
            ..
        } = self;
        write!(f, "{check} at {at}: expected {expected}, got {got}")
    }
}

/// A payload as a person reads it: its beginning, where it is text.
pub(crate) fn shown(payload: &[u8]) -> String {
    let text = String::from_utf8_lossy(payload);
    let mark = text.split(' ').next().unwrap_or_default();
    let mut shown: String = mark.chars().take(60).collect();
    if shown.len() < mark.len() {
        shown.push_str("..");
    }
    format!("`{shown}`")
}

/// The checks that judge clients; every other judges the broker, and is not asked where that is a scripted one.
const OF_CLIENTS: [&str; 12] = [
    "dup",
    "expectations",
    "handed",
    "maximum_packet_size",
    "no_redelivery",
    "order",
    "packet_id",
    "pings",
    "receive_maximum",
    "resume",
    "topic_alias",
    "well_formed",
];

/// Whether this side of a connection may break the rules: a peer's, or a scripted broker's.
fn may_break(model: &Model<'_>, wire: WireId, side: Side) -> bool {
    match side {
        Side::Client => {
            let wire = model.wires.get(wire);
            wire.is_some_and(|wire| model.scenario.is_peer(&wire.name))
        }
        Side::Broker => model.scenario.broker.script.is_some(),
    }
}

#[cfg(test)]
mod tests;
