use bytes::Bytes;

use super::{
    history::History,
    judge::{count, delivered_by},
};
use crate::{
    checks::{Found, Now, shown},
    scenario::{self, EndedAs},
    trace::{Outcome, Told},
};

/// Something that a client told its application, with its place in the trace.
type Heard<'a> = (usize, &'a Told);

pub(super) fn handed(it: &scenario::Handed, name: &str, history: &History, now: &Now<'_>) -> Option<Found> {
    let messages: Vec<(usize, &Bytes)> = told(name, history)
        .filter_map(|(index, told)| match told {
            Told::Message { payload, .. } => Some((index, payload)),
            Told::Connected { .. }
            | Told::Disconnected { .. }
            | Told::SubscriptionLost { .. }
            | Told::StoreFailed { .. }
            | Told::Published { .. } => None,
        })
        .collect();
    match (&it.payloads, &it.of) {
        (Some(payloads), _) => in_this_order(name, payloads, &messages, now),
        (None, Some(of)) => so_often(it, name, of, &messages, history, now),
        (None, None) => None,
    }
}

fn in_this_order(
    name: &str,
    payloads: &[String],
    messages: &[(usize, &Bytes)],
    now: &Now<'_>,
) -> Option<Found> {
    let got: Vec<String> = messages
        .iter()
        .map(|(_, payload)| String::from_utf8_lossy(payload).into_owned())
        .collect();
    if got == payloads {
        return None;
    }
    let events: Vec<usize> = messages.iter().map(|(index, _)| *index).collect();
    let expected = format!("the application of `{name}` to get {}", payloads.join(", "));
    let got = match got.is_empty() {
        true => "nothing".to_owned(),
        false => got.join(", "),
    };
    Some(now.found(events, expected, got))
}

fn so_often(
    it: &scenario::Handed,
    name: &str,
    of: &str,
    messages: &[(usize, &Bytes)],
    history: &History,
    now: &Now<'_>,
) -> Option<Found> {
    let published = history
        .published
        .iter()
        .filter(|message| now.model.scenario.members(of).contains(&message.by));
    for message in published {
        let handed = messages
            .iter()
            .filter(|(_, payload)| **payload == message.payload);
        let events: Vec<usize> = [message.index]
            .into_iter()
            .chain(handed.map(|(index, _)| *index))
            .collect();
        let times = events.len() - 1;
        let (how, is_right) = delivered_by(times, [it.exactly, it.at_least, it.at_most]);
        if !is_right {
            let asked = it.exactly.or(it.at_least).or(it.at_most).map_or(0, count);
            let expected = format!(
                "the application of `{name}` to get {} {how}{asked} times",
                shown(&message.payload)
            );
            return Some(now.found(events, expected, format!("{times} times")));
        }
    }
    None
}

pub(super) fn ended(it: &scenario::Ended, name: &str, history: &History, now: &Now<'_>) -> Option<Found> {
    let steps = &now.model.scenario.steps;
    let wanted = it
        .step
        .as_ref()
        .and_then(|id| steps.iter().position(|step| step.id.as_ref() == Some(id)));
    let ends: Vec<(usize, &Outcome)> = told(name, history)
        .filter_map(|(index, told)| match told {
            Told::Published { step, outcome, .. } if wanted.is_none_or(|wanted| wanted == *step) => {
                Some((index, outcome))
            }
            Told::Published { .. }
            | Told::Message { .. }
            | Told::Connected { .. }
            | Told::Disconnected { .. }
            | Told::SubscriptionLost { .. }
            | Told::StoreFailed { .. } => None,
        })
        .collect();
    let is_so = |(_, outcome): &&(usize, &Outcome)| it.how.is(outcome);
    let so_many = ends.iter().filter(is_so).count();
    let is_right = match it.messages {
        Some(messages) => so_many == messages as usize,
        None => so_many > 0 && so_many == ends.len(),
    };
    if is_right {
        return None;
    }
    let events: Vec<usize> = ends.iter().map(|(index, _)| *index).collect();
    let how_many = it.messages.map_or_else(
        || "each message".to_owned(),
        |messages| format!("{messages} messages"),
    );
    let expected = format!("{how_many} of `{name}` to end as {}", it.how.in_words());
    let got: Vec<String> = ends.iter().map(|(_, outcome)| outcome.to_string()).collect();
    Some(now.found(
        events,
        expected,
        format!("{} ended: {}", got.len(), got.join(", ")),
    ))
}

impl EndedAs {
    fn is(self, outcome: &Outcome) -> bool {
        match (self, outcome) {
            (Self::Acknowledged, Outcome::Answered(code)) => !code.is_error(),
            (Self::Refused(wanted), Outcome::Answered(code)) => code.value() == wanted,
            (Self::Failed, Outcome::Failed(_)) => true,
            (Self::Acknowledged | Self::Refused(_), Outcome::Failed(_))
            | (Self::Failed, Outcome::Answered(_)) => false,
        }
    }

    fn in_words(self) -> String {
        match self {
            Self::Acknowledged => "acknowledged".to_owned(),
            Self::Refused(code) => format!("refused with {code:#04x}"),
            Self::Failed => "failed".to_owned(),
        }
    }
}

pub(super) fn told_of(it: &scenario::ToldOf, name: &str, history: &History, now: &Now<'_>) -> Option<Found> {
    let connected: Vec<usize> = told(name, history)
        .filter(|(_, told)| matches!(told, Told::Connected { .. }))
        .map(|(index, _)| index)
        .collect();
    if let Some(times) = it.connected
        && connected.len() != times as usize
    {
        let expected = format!("`{name}` to say {times} times that it is connected");
        return Some(now.found(connected.clone(), expected, format!("{} times", connected.len())));
    }
    let wanted = it.disconnected.as_ref()?;
    let ends: Vec<(usize, &str)> = told(name, history)
        .filter_map(|(index, told)| match told {
            Told::Disconnected { why } => Some((index, why.as_str())),
            Told::Connected { .. }
            | Told::Message { .. }
            | Told::SubscriptionLost { .. }
            | Told::StoreFailed { .. }
            | Told::Published { .. } => None,
        })
        .collect();
    let meant = ends.iter().filter(|(_, why)| why.contains(&wanted.because));
    if meant.count() == wanted.times as usize {
        return None;
    }
    let events: Vec<usize> = ends.iter().map(|(index, _)| *index).collect();
    let expected = format!(
        "`{name}` to say {} times that it is disconnected: {}",
        wanted.times, wanted.because
    );
    let reasons: Vec<&str> = ends.iter().map(|(_, why)| *why).collect();
    Some(now.found(events, expected, format!("it said: {}", reasons.join("; "))))
}

fn told<'a>(name: &str, history: &'a History) -> impl Iterator<Item = Heard<'a>> {
    let all = history.told.get(name).into_iter().flatten();
    all.map(|(index, told)| (*index, told))
}

pub(super) fn packets(it: &scenario::Packets, name: &str, history: &History, now: &Now<'_>) -> Option<Found> {
    let wires = history.wires.get(name).map_or(&[][..], Vec::as_slice);
    let wanted = it
        .connection
        .map(|nth| wires.get(nth.saturating_sub(1) as usize).copied());
    let sends = it.end().is_some_and(|(_, sends)| sends);
    let is_meant = |packet: &&super::history::Line| {
        packet.client == name
            && packet.sent == sends
            && wanted.is_none_or(|wire| wire == Some(packet.wire))
            && (it.only.is_empty() || it.only.iter().any(|only| only.0 == packet.packet_type))
    };
    let lines: Vec<_> = history.lines.iter().filter(is_meant).collect();
    let is_right = lines.len() == it.are.len()
        && lines
            .iter()
            .zip(&it.are)
            .all(|(line, wanted)| line.text.contains(wanted.as_str()));
    if is_right {
        return None;
    }
    let events: Vec<usize> = lines.iter().map(|line| line.index).collect();
    let verb = if sends { "send" } else { "get" };
    let expected = match it.are.is_empty() {
        true => format!("`{name}` to {verb} nothing of the kind"),
        false => format!("`{name}` to {verb} {}", it.are.join(", then ")),
    };
    let got: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    let got = match got.is_empty() {
        true => "nothing".to_owned(),
        false => got.join(", then "),
    };
    Some(now.found(events, expected, got))
}
