use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;

use super::{
    application::{ended, handed, packets, told_of},
    history::{Connected, History, Published, Received},
    shared::shared,
};
use crate::{
    actors::Mark,
    checks::{Found, Now, shown},
    model::Wire,
    scenario::{self, Expectation, Times},
    span::SpanRange,
    trace::Side,
};

/// Judges one expectation at the end of the run.
pub(super) fn judge(expectation: &Expectation, history: &History, now: &Now<'_>, found: &mut Vec<Found>) {
    match expectation {
        Expectation::Closed(it) => found.extend(closed(it, history, now)),
        Expectation::Connected(it) => each(now, &it.client, found, |name| connected(it, name, history, now)),
        Expectation::Delivered(it) => each(now, &it.to, found, |name| delivered(it, name, history, now)),
        Expectation::Ended(it) => each(now, &it.of, found, |name| ended(it, name, history, now)),
        Expectation::Handed(it) => each(now, &it.to, found, |name| handed(it, name, history, now)),
        Expectation::Packets(it) => {
            let whose = it.end().map_or("", |(whose, _)| whose);
            each(now, whose, found, |name| packets(it, name, history, now));
        }
        Expectation::Told(it) => each(now, &it.to, found, |name| told_of(it, name, history, now)),
        Expectation::Received(it) => each(now, &it.client, found, |name| received(it, name, history, now)),
        Expectation::SessionPresent(it) => {
            each(now, &it.client, found, |name| {
                session_present(it, name, history, now)
            });
        }
        Expectation::Shared(it) => found.extend(shared(it, history, now)),
        Expectation::StoreFailed(it) => {
            each(now, &it.client, found, |name| {
                store_failed(it, name, history, now)
            });
        }
        Expectation::WillPublished(it) => {
            each(now, &it.to, found, |name| will_published(it, name, history, now))
        }
    }
}

fn each(now: &Now<'_>, name: &str, found: &mut Vec<Found>, judge: impl FnMut(&str) -> Option<Found>) {
    let members = now.model.scenario.members(name);
    found.extend(members.iter().map(String::as_str).filter_map(judge));
}

fn closed(it: &scenario::Closed, history: &History, now: &Now<'_>) -> Option<Found> {
    let wires = history.wires.get(&it.client).map_or(&[][..], Vec::as_slice);
    let nth = it.connection.saturating_sub(1) as usize;
    let what = format!("connection {} of `{}`", it.connection, it.client);
    let Some(wire) = wires.get(nth).and_then(|id| now.model.wires.get(*id)) else {
        let got = format!("it had {} connections", wires.len());
        return Some(now.found([], format!("{what} to be opened"), got));
    };
    let Some(side) = it.by.side() else {
        let is_open = wire.closed.of(Side::Client).is_none() && wire.closed.of(Side::Broker).is_none();
        return (!is_open).then(|| now.found([], format!("{what} to be open"), "it was closed"));
    };
    let closer = if side == Side::Client { "client" } else { "broker" };
    let Some((at, _)) = wire.closed.of(side) else {
        return Some(now.found(
            [],
            format!("{what} to be closed by the {closer}"),
            "it did not close it",
        ));
    };
    let after = at.saturating_since(wire.heard_at);
    let range = it.after?;
    if is_within(range, after, now) {
        return None;
    }
    let expected = format!("{what} to be closed by the {closer} {range} after its last packet");
    Some(now.found([], expected, format!("{}s", after.as_secs_f64())))
}

/// Whether something took as long as it should; a process of the machine may be late with it, or with what it is counted from.
fn is_within(range: SpanRange, took: Duration, now: &Now<'_>) -> bool {
    let slack = now.model.slack;
    let earliest = range.min().duration().saturating_sub(slack);
    (earliest..=range.max().duration() + slack).contains(&took)
}

fn accepted<'a>(history: &'a History, name: &str) -> Vec<&'a Connected> {
    let all = history.connacks.get(name).map_or(&[][..], Vec::as_slice);
    all.iter().filter(|connected| connected.is_accepted).collect()
}

fn store_failed(it: &scenario::StoreFailed, name: &str, history: &History, now: &Now<'_>) -> Option<Found> {
    let failures = history.store_failures.get(name).map_or(&[][..], Vec::as_slice);
    let got = failures.len();
    let (holds, times) = match it.times {
        Some(times) => (got == times as usize, format!("{times} times")),
        None => (got > 0, "at least once".to_owned()),
    };
    let expected = format!("the store of `{name}` to fail {times}, and its application to be told");
    (!holds).then(|| now.found(failures.iter().copied(), expected, format!("{got} times")))
}

fn connected(it: &scenario::Connected, name: &str, history: &History, now: &Now<'_>) -> Option<Found> {
    let accepted = accepted(history, name);
    if accepted.len() == it.times as usize {
        return None;
    }
    let since: Vec<usize> = accepted.iter().map(|connected| connected.index).collect();
    let expected = format!("`{name}` to connect {} times", it.times);
    Some(now.found(since, expected, format!("it connected {} times", accepted.len())))
}

fn session_present(
    it: &scenario::SessionPresent,
    name: &str,
    history: &History,
    now: &Now<'_>,
) -> Option<Found> {
    let accepted = accepted(history, name);
    let expected = format!(
        "Session Present {} at connect {} of `{name}`",
        u8::from(it.is),
        it.at_connect
    );
    match accepted.get(it.at_connect.saturating_sub(1) as usize) {
        None => Some(now.found([], expected, format!("it connected {} times", accepted.len()))),
        Some(connected) if connected.session_present == it.is => None,
        Some(connected) => Some(now.found(
            [connected.index],
            expected,
            u8::from(connected.session_present).to_string(),
        )),
    }
}

fn received(it: &scenario::Received, name: &str, history: &History, now: &Now<'_>) -> Option<Found> {
    let is_meant = |received: &&Received| {
        received.topic == it.topic && it.retain.is_none_or(|retain| received.retain == retain)
    };
    let of_name = history.received_by(name).filter(is_meant);
    let all: Vec<usize> = of_name.map(|received| received.index).collect();
    if all.len() == it.messages as usize {
        return None;
    }
    let retain = it.retain.map_or(String::new(), |retain| {
        format!(" with RETAIN {}", u8::from(retain))
    });
    let expected = format!(
        "`{name}` to get {} messages of `{}`{retain}",
        it.messages,
        it.topic.text()
    );
    Some(now.found(all.iter().copied(), expected, all.len().to_string()))
}

fn delivered(it: &scenario::Delivered, name: &str, history: &History, now: &Now<'_>) -> Option<Found> {
    let publishers = now.model.scenario.members(&it.of);
    let messages: Vec<&Published> = history
        .published
        .iter()
        .filter(|message| publishers.contains(&message.by) && is_meant(it, message, now))
        .collect();
    if messages.is_empty() {
        let expected = format!("`{}` to publish what `{name}` is to get", it.of);
        return Some(now.found([], expected, "it published nothing of the kind"));
    }
    let wrong: Vec<Found> = messages
        .iter()
        .filter_map(|message| wrong_times(it, name, message, history, now))
        .collect();
    let more = wrong.len().saturating_sub(1);
    let first = wrong.into_iter().next().map(|mut first| {
        if more > 0 {
            first.got = format!("{}, and {more} more like it", first.got);
        }
        first
    });
    first.or_else(|| {
        it.in_order
            .then(|| out_of_order(name, &messages, history, now))
            .flatten()
    })
}

fn is_meant(it: &scenario::Delivered, message: &Published, now: &Now<'_>) -> bool {
    let scenario = now.model.scenario;
    let is_on_topic = it
        .topic
        .as_ref()
        .is_none_or(|filter| filter.matches(&message.topic));
    let is_of_step = it.step.as_ref().is_none_or(|id| {
        let step = scenario
            .steps
            .iter()
            .position(|step| step.id.as_ref() == Some(id));
        step.is_some() && step == Mark::of(&message.payload).map(|mark| mark.step)
    });
    is_on_topic && is_of_step
}

fn wrong_times(
    it: &scenario::Delivered,
    name: &str,
    message: &Published,
    history: &History,
    now: &Now<'_>,
) -> Option<Found> {
    let received = history.received(name, &message.payload);
    let times = received.len();
    let (how, is_right) = delivered_by(times, [it.exactly, it.at_least, it.at_most]);
    let asked = it.exactly.or(it.at_least).or(it.at_most).map_or(0, count);
    let mut events = vec![message.index];
    events.extend(received.iter().map(|received| received.index));
    let what = format!("`{name}` to get {}", shown(&message.payload));
    if !is_right {
        return Some(now.found(
            events,
            format!("{what} {how}{asked} times"),
            format!("{times} times"),
        ));
    }
    let (within, first) = (it.within?, received.first()?);
    let took = first.at.saturating_since(message.at);
    (took > within.duration()).then(|| {
        now.found(
            events,
            format!("{what} within {within}"),
            format!("it took {}s", took.as_secs_f64()),
        )
    })
}

/// Whether so often is exactly, at least or at most as often as it is asked, and which of these is asked.
pub(super) const fn delivered_by(times: usize, asked: [Option<Times>; 3]) -> (&'static str, bool) {
    match asked {
        [Some(exactly), _, _] => ("exactly ", times == count(exactly)),
        [None, Some(least), _] => ("at least ", times >= count(least)),
        [None, None, Some(most)] => ("at most ", times <= count(most)),
        [None, None, None] => ("", true),
    }
}

pub(super) const fn count(times: Times) -> usize {
    match times {
        Times::Never => 0,
        Times::Once => 1,
    }
}

fn out_of_order(name: &str, messages: &[&Published], history: &History, now: &Now<'_>) -> Option<Found> {
    let mut last = BTreeMap::new();
    for message in messages {
        let received = history.received(name, &message.payload);
        let Some(first) = received.first() else {
            continue;
        };
        let stream = (&message.by, &message.topic, message.qos);
        if let Some(before) = last.insert(stream, first.index)
            && before > first.index
        {
            let expected = format!(
                "`{name}` to get {} after what was published before it",
                shown(&message.payload)
            );
            return Some(now.found([first.index, before], expected, "it came first"));
        }
    }
    None
}

fn will_published(
    it: &scenario::WillPublished,
    name: &str,
    history: &History,
    now: &Now<'_>,
) -> Option<Found> {
    let scenario = now.model.scenario;
    let is_of = |wire: &Wire| scenario.members(&it.of).contains(&wire.name);
    let wills = now
        .model
        .wires
        .iter()
        .map(|(_, wire)| wire)
        .filter(|wire| is_of(wire));
    let payload = wills
        .filter_map(|wire| wire.connect.as_deref())
        .find_map(|connect| connect.will.as_ref())
        .map(|will| Bytes::from(will.payload.clone()));
    let what = format!("the Will of `{}`", it.of);
    let Some(payload) = payload else {
        return Some(now.found([], format!("{what} in its CONNECT"), "there is none"));
    };
    let received = history.received(name, &payload);
    let events: Vec<usize> = received.iter().map(|received| received.index).collect();
    if received.len() != it.times as usize {
        let expected = format!("`{name}` to get {what} {} times", it.times);
        return Some(now.found(events, expected, format!("{} times", received.len())));
    }
    let range = it.after?;
    let wrong = received
        .iter()
        .filter_map(|received| received.after_silence)
        .find(|after| !is_within(range, *after, now))?;
    let expected = format!("{what} {range} after its last packet");
    Some(now.found(events, expected, format!("{}s", wrong.as_secs_f64())))
}
