//! I20: the same traffic by another path gives the same deliveries. It needs two runs, so it is no [`Checker`](super::Checker):
//! who judges a variant that is compared with another asks it when both have been run.

use std::collections::{BTreeMap, BTreeSet};

use squall_proto::{Instant, Packet, Qos, Version};

use super::{Finding, shown};
use crate::{
    actors::Mark,
    model::{Model, Receipt},
    scenario::{Ignored, Same, Scenario},
    trace::{Event, Side, Trace, What},
};

/// A run to compare.
#[derive(Clone, Copy)]
pub(crate) struct Path<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) version: Version,
    pub(crate) trace: &'a Trace,
    /// Its time was the machine's: what a fault cuts off is not the same each time.
    pub(crate) is_real: bool,
}

/// What must be the same: who got what, and how.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Received {
    to: String,
    /// Its mark, with the step as the scenario calls it; else its payload.
    message: String,
    topic: String,
    qos: Option<Qos>,
    retain: Option<bool>,
}

/// When it was received, by places in the trace.
type Deliveries = BTreeMap<Received, Vec<usize>>;

/// How often a run delivered what, to be compared with.
#[derive(Debug)]
pub(crate) struct Delivered {
    same: Same,
    times: BTreeMap<Received, usize>,
}

impl Delivered {
    /// What must be the same of a run.
    pub(crate) fn of(path: Path<'_>, same: &Same) -> Self {
        let deliveries = deliveries(path, same).into_iter();
        Self {
            same: same.clone(),
            times: deliveries
                .map(|(received, events)| (received, events.len()))
                .collect(),
        }
    }

    /// Whether it counts what a path counts that must be the same in this.
    pub(crate) fn is_of(&self, same: &Same) -> bool {
        self.same == *same
    }
}

/// Where a path's deliveries are not those of the other, `name`, that `delivered` them.
pub(crate) fn differences(path: Path<'_>, delivered: &Delivered, name: &str) -> Vec<Finding> {
    let same = &delivered.same;
    let here = deliveries(path, same);
    let all: BTreeSet<&Received> = here.keys().chain(delivered.times.keys()).collect();
    let at = path.trace.events.last().map_or(Instant::ZERO, |event| event.at);
    let is_left_to_chance = path.is_real && path.scenario.has_faults();
    let differs = |received: &Received| {
        let events = here.get(received).map_or(&[][..], Vec::as_slice);
        let (here, there) = (events.len(), delivered.times.get(received).copied().unwrap_or(0));
        let is_same = match received.qos {
            Some(Qos::AtMostOnce) if is_left_to_chance => true,
            Some(Qos::AtLeastOnce) if is_left_to_chance => (here > 0) == (there > 0),
            _any if same.ignoring.contains(&Ignored::Copies) => (here > 0) == (there > 0),
            _any => here == there,
        };
        (!is_same).then(|| Finding {
            check: "two_paths",
            at: events
                .last()
                .and_then(|index| path.trace.events.get(*index))
                .map_or(at, |event| event.at),
            events: events.to_vec(),
            expected: format!("{} {}, as by `{name}`", received.in_words(), times(there)),
            got: times(here),
        })
    };
    all.into_iter().filter_map(differs).collect()
}

fn times(count: usize) -> String {
    match count {
        0 => "not at all".to_owned(),
        1 => "once".to_owned(),
        more => format!("{more} times"),
    }
}

impl Received {
    fn in_words(&self) -> String {
        let qos = self
            .qos
            .map_or(String::new(), |qos| format!(" at QoS {}", qos.value()));
        let retain = match self.retain {
            Some(true) => " with RETAIN",
            Some(false) | None => "",
        };
        let Self {
            to, message, topic, ..
        } = self;
        format!("`{to}` to get {message} of `{topic}`{qos}{retain}")
    }
}

fn deliveries(path: Path<'_>, same: &Same) -> Deliveries {
    let to: Vec<String> = same
        .to
        .iter()
        .flat_map(|name| path.scenario.members(name))
        .collect();
    let mut model = Model::new(path.scenario, path.version, &path.trace.events);
    let mut deliveries = Deliveries::new();
    model.go_through(|model, index, event| {
        let is_meant = |received: &Received| to.is_empty() || to.contains(&received.to);
        if let Some(mut received) = received(model, event, same).filter(is_meant) {
            if same.together {
                received.to = "all of them".to_owned();
            }
            deliveries.entry(received).or_default().push(index);
        }
    });
    deliveries
}

/// What a client has just got, redeliveries that it must recognise left out.
fn received(model: &Model<'_>, event: &Event, same: &Same) -> Option<Received> {
    let What::Arrived {
        wire,
        from: Side::Broker,
        packet: Packet::Publish(publish),
    } = &event.what
    else {
        return None;
    };
    model.seen.receipt.filter(|receipt| *receipt == Receipt::New)?;
    let topic = model.topics.name(model.seen.topic?);
    let unless = |ignored| !same.ignoring.contains(&ignored);
    let qos = unless(Ignored::Qos).then(|| publish.delivery.qos());
    Some(Received {
        to: model.wires.get(*wire)?.name.clone(),
        message: message(model.scenario, &publish.payload),
        topic: topic.text().to_string(),
        qos,
        retain: unless(Ignored::Retain).then_some(publish.retain),
    })
}

/// Where a path has a step more than another, the places of steps in marks are not the same; their ids are.
fn message(scenario: &Scenario, payload: &[u8]) -> String {
    let Some(mark) = Mark::of(payload) else {
        return shown(payload);
    };
    let id = scenario.steps.get(mark.step).and_then(|step| step.id.as_deref());
    match id {
        Some(id) => format!("`{}/{id}/{}`", mark.client, mark.n),
        None => format!("`{mark}`"),
    }
}
