//! What the types cannot say: that names are known, that what belongs together is together.

mod faults;
mod hosts;
mod least;
mod speech;

use std::collections::BTreeSet;

use squall_proto::{Text, Version};

use self::faults::{fault, packet_match};
use super::{
    Action, Client, Expectation, MessageProperties, Scenario, Start, Step, Times, ToApplication, Traffic,
    Will, locate::Path, nearest::nearest,
};
use crate::{faults::PacketMatch, span::Span};

/// Something wrong, and where.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) path: Path,
    /// The word it is about, at the path or below.
    pub(super) word: Option<String>,
    pub(super) message: String,
    pub(super) mend: Option<String>,
}

/// What kinds of actor a name may stand for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Client,
    Peer,
    Either,
    /// A client, a peer or the broker.
    Host,
}

type Checked = Result<(), Problem>;

pub(super) fn validate(scenario: &Scenario) -> Checked {
    let root = Path::default();
    if scenario.versions.is_empty() {
        return problem(
            &root.key("versions"),
            "no version",
            "write `3.1.1`, `5.0` or both",
        );
    }
    names(scenario)?;
    if let Some(keep_alive) = scenario.broker.keep_alive {
        let path = root.key("broker").key("keep_alive");
        seconds(keep_alive, u64::from(u16::MAX), &path)?;
    }
    for (name, client) in &scenario.clients {
        self::client(client, &root.key("clients").key(name))?;
    }
    least::least(scenario)?;
    speech::scripts(scenario)?;
    ids(scenario)?;
    for (index, step) in scenario.steps.iter().enumerate() {
        self::step(scenario, step, &root.key("steps").index(index))?;
    }
    for (index, expectation) in scenario.expect.iter().enumerate() {
        self::expectation(scenario, expectation, &root.key("expect").index(index))?;
    }
    let compared = scenario.same.iter().flat_map(|same| &same.to);
    each_known(scenario, Who::Either, compared, &root.key("same"))
}

fn names(scenario: &Scenario) -> Checked {
    let clients = scenario.clients.keys().map(|name| ("clients", name));
    let peers = scenario.peers.keys().map(|name| ("peers", name));
    let mut seen = BTreeSet::new();
    for (section, name) in clients.chain(peers) {
        let path = Path::default().key(section);
        let is_plain = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
        if name.is_empty() || !name.chars().all(is_plain) {
            let message = format!("`{name}` is no name");
            return about(&path, name, message, "use letters, digits, `-` and `_`");
        }
        if name == "broker" || !seen.insert(name) {
            let message = format!("the name `{name}` is taken");
            return about(&path, name, message, "give it another one");
        }
    }
    if seen.is_empty() {
        let mend = "add `clients: { pub: {} }`";
        return problem(&Path::default(), "nobody takes part", mend);
    }
    Ok(())
}

fn client(client: &Client, path: &Path) -> Checked {
    seconds(client.keep_alive, u64::from(u16::MAX), &path.key("keep_alive"))?;
    if let Some(expiry) = client.session_expiry {
        seconds(expiry, u64::from(u32::MAX), &path.key("session_expiry"))?;
    }
    if let Some(will) = &client.will {
        self::will(will, &path.key("will"))?;
    }
    hosts::store(client, path)?;
    match &client.client_id {
        Some(id) => text(id, &path.key("client_id")),
        None => Ok(()),
    }
}

fn will(will: &Will, path: &Path) -> Checked {
    seconds(will.delay, u64::from(u32::MAX), &path.key("delay"))?;
    says(will.expiry, &will.properties, path)
}

/// What an Application Message says of itself.
fn says(expiry: Option<Span>, properties: &MessageProperties, path: &Path) -> Checked {
    if let Some(expiry) = expiry {
        seconds(expiry, u64::from(u32::MAX), &path.key("expiry"))?;
    }
    match properties.problems().into_iter().next() {
        Some((key, message)) => problem(&path.key("properties").key(key), &message, "write another one"),
        None => Ok(()),
    }
}

fn seconds(span: Span, max: u64, path: &Path) -> Checked {
    let duration = span.duration();
    if duration.subsec_millis() != 0 {
        let message = format!("`{span}` is no whole number of seconds, which is what the packet can say");
        return problem(path, &message, "write whole seconds, such as `10s`");
    }
    if duration.as_secs() > max {
        let message = format!("`{span}` is more than the packet can say");
        return problem(path, &message, &format!("write at most `{max}s`"));
    }
    Ok(())
}

fn text(text: &str, path: &Path) -> Checked {
    match Text::new(text) {
        Ok(_) => Ok(()),
        Err(error) => problem(path, &error.to_string(), "write another one"),
    }
}

fn ids(scenario: &Scenario) -> Checked {
    let mut seen = BTreeSet::new();
    for (index, step) in scenario.steps.iter().enumerate() {
        let path = Path::default().key("steps").index(index);
        if let Some(id) = &step.id
            && !seen.insert(id)
        {
            let message = format!("the id `{id}` is taken");
            return about(&path, id, message, "give the step another one");
        }
        // Earlier steps alone: so nothing waits for itself.
        if let Some(id) = step.after().iter().find(|id| !seen.contains(id)) {
            let path = path.key("after");
            return unknown(
                "no earlier step has the id",
                id,
                seen.iter().map(|id| id.as_str()),
                &path,
            );
        }
    }
    Ok(())
}

fn step(scenario: &Scenario, step: &Step, path: &Path) -> Checked {
    if let Start::When { packet: when, .. } = &step.start {
        packet_match(when, &path.key("when"))?;
        let end = when.from.iter().chain(&when.to);
        each_known(scenario, Who::Either, end, path)?;
    }
    match &step.action {
        Action::Await(it) => {
            let path = path.key("await");
            let clients = [&it.connected, &it.disconnected];
            let named = clients.into_iter().flatten().count();
            looked_out_for(scenario, it.packet.as_ref(), it.delivered.as_ref(), named, &path)?;
            for client in clients.into_iter().flatten() {
                known(scenario, Who::Client, client, &path)?;
            }
            Ok(())
        }
        Action::ExpectNone(it) => {
            let path = path.key("expect_none");
            looked_out_for(scenario, it.packet.as_ref(), it.delivered.as_ref(), 0, &path)
        }
        Action::Note(_) => Ok(()),
        Action::Traffic(it) => traffic(scenario, it, &path.key("traffic")),
        Action::Connect(it) => known(scenario, Who::Client, &it.client, path),
        Action::Disconnect(it) => {
            if it.with_will && scenario.versions.contains(&Version::V3_1_1) {
                let message = "3.1.1 cannot say DISCONNECT with Will";
                return problem(&path.key("disconnect"), message, "add `versions: [5.0]`");
            }
            known(scenario, Who::Client, &it.client, path)
        }
        Action::Open(it) => known(scenario, Who::Peer, &it.peer, path),
        Action::Publish(it) => {
            if it.count == 0 {
                return problem(
                    &path.key("publish").key("count"),
                    "no message",
                    "write at least 1",
                );
            }
            says(it.expiry, &it.properties, &path.key("publish"))?;
            known(scenario, Who::Client, &it.from, path)
        }
        Action::Send(it) => speech::send(scenario, it, &path.key("send")),
        Action::Shut(it) => speech::shut(scenario, it, &path.key("shut")),
        Action::Subscribe(it) => {
            if it.filters.0.is_empty() {
                let mend = "write `filters: { \"t/#\": 1 }`";
                return problem(&path.key("subscribe"), "nothing to subscribe to", mend);
            }
            known(scenario, Who::Client, &it.client, path)
        }
        Action::Unsubscribe(it) => known(scenario, Who::Client, &it.client, path),
        Action::Fault(it) => fault(scenario, it, &path.key(it.name())),
    }
}

fn traffic(scenario: &Scenario, it: &Traffic, path: &Path) -> Checked {
    if it.publishers.is_empty() || it.topics.is_empty() {
        let mend = "write `publishers: [pub]` and `topics: [\"t/{1..9}\"]`";
        return problem(path, "nobody publishes, or nowhere", mend);
    }
    if it.count.is_some() == it.lasts.is_some() {
        let mend = "write `count: 1000`, or `for: 10s`";
        return problem(path, "how many messages there are is not said once", mend);
    }
    let subscribers = it.subscribers.iter().flat_map(|subscribers| &subscribers.clients);
    let mut names = it.publishers.iter().chain(subscribers);
    names.try_for_each(|name| known(scenario, Who::Client, name, path))
}

/// `more` are the things named beside a packet and deliveries.
fn looked_out_for(
    scenario: &Scenario,
    packet: Option<&PacketMatch>,
    delivered: Option<&ToApplication>,
    more: usize,
    path: &Path,
) -> Checked {
    if packet.iter().count() + delivered.iter().count() + more != 1 {
        let mend = "write `packet: { packet: PUBACK, to: pub }` or `delivered: { to: sub }`";
        return problem(path, "not one thing to look out for", mend);
    }
    if let Some(packet) = packet {
        packet_match(packet, &path.key("packet"))?;
        each_known(scenario, Who::Either, packet.from.iter().chain(&packet.to), path)?;
    }
    match delivered {
        Some(it) => known(scenario, Who::Client, &it.to, &path.key("delivered")),
        None => Ok(()),
    }
}

fn expectation(scenario: &Scenario, expectation: &Expectation, path: &Path) -> Checked {
    match expectation {
        Expectation::Closed(it) => known(scenario, Who::Either, &it.client, path),
        Expectation::Connected(it) => known(scenario, Who::Either, &it.client, path),
        Expectation::Delivered(it) => {
            said_once([it.exactly, it.at_least, it.at_most], &path.key("delivered"))?;
            if let Some(id) = &it.step {
                step_id(scenario, id, &path.key("delivered").key("step"))?;
            }
            each_known(scenario, Who::Either, [&it.to, &it.of], path)
        }
        Expectation::Ended(it) => {
            if let Some(id) = &it.step {
                step_id(scenario, id, &path.key("ended").key("step"))?;
            }
            known(scenario, Who::Client, &it.of, path)
        }
        Expectation::Handed(it) => {
            let path = path.key("handed");
            let times = [it.exactly, it.at_least, it.at_most];
            match (&it.payloads, &it.of) {
                (Some(_), None) if times.iter().all(Option::is_none) => {}
                (None, Some(of)) => {
                    said_once(times, &path)?;
                    known(scenario, Who::Either, of, &path)?;
                }
                (Some(_), _) | (None, None) => {
                    let mend = "write `payloads: [a, b]`, or `of: pub, exactly: once`";
                    return problem(&path, "not one thing to get", mend);
                }
            }
            known(scenario, Who::Client, &it.to, &path)
        }
        Expectation::Packets(it) => {
            let path = path.key("packets");
            let Some((whose, _)) = it.end() else {
                let mend = "write `from: pub` for what `pub` sends, `to: pub` for what reaches it";
                return problem(&path, "one of `from` and `to` says whose packets they are", mend);
            };
            known(scenario, Who::Either, whose, &path)
        }
        Expectation::Told(it) => known(scenario, Who::Client, &it.to, path),
        Expectation::Received(it) => known(scenario, Who::Either, &it.client, path),
        Expectation::SessionPresent(it) => known(scenario, Who::Either, &it.client, path),
        Expectation::Shared(it) => {
            let path = path.key("shared");
            said_once([it.exactly, it.at_least, it.at_most], &path)?;
            each_known(scenario, Who::Either, it.among.iter().chain([&it.of]), &path)
        }
        Expectation::StoreFailed(it) => known(scenario, Who::Client, &it.client, path),
        Expectation::WillPublished(it) => each_known(scenario, Who::Either, [&it.of, &it.to], path),
    }
}

fn step_id(scenario: &Scenario, id: &str, path: &Path) -> Checked {
    let ids = scenario.steps.iter().filter_map(|step| step.id.as_deref());
    match ids.clone().any(|known| known == id) {
        true => Ok(()),
        false => unknown("no step has the id", id, ids, path),
    }
}

fn said_once(times: [Option<Times>; 3], path: &Path) -> Checked {
    if times.iter().flatten().count() == 1 {
        return Ok(());
    }
    let mend = "write `exactly: once`, or one of `at_least` and `at_most`";
    problem(path, "how often is not said once", mend)
}

fn each_known<'a>(
    scenario: &Scenario,
    who: Who,
    names: impl IntoIterator<Item = &'a String>,
    path: &Path,
) -> Checked {
    names
        .into_iter()
        .try_for_each(|name| known(scenario, who, name, path))
}

fn known(scenario: &Scenario, who: Who, name: &str, path: &Path) -> Checked {
    let clients = scenario.clients.keys().filter(|_| who != Who::Peer);
    let peers = scenario.peers.keys().filter(|_| who != Who::Client);
    let broker = (who == Who::Host).then_some("broker");
    let mut names = clients.chain(peers).map(String::as_str).chain(broker);
    let is_it = |known: &str| scenario.is_it(known, name);
    if names.clone().any(is_it) {
        return Ok(());
    }
    let what = match who {
        Who::Client => "no client is called",
        Who::Peer => "no peer is called",
        Who::Either | Who::Host => "nobody is called",
    };
    unknown(what, name, &mut names, path)
}

fn unknown<'a>(what: &str, word: &str, known: impl Iterator<Item = &'a str>, path: &Path) -> Checked {
    let known: Vec<&str> = known.collect();
    let mend = match nearest(word, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if known.is_empty() => "there is none".to_owned(),
        None => format!("known are {}", known.join(", ")),
    };
    about(path, word, format!("{what} `{word}`"), &mend)
}

fn problem(path: &Path, message: &str, mend: &str) -> Checked {
    Err(Problem {
        path: path.clone(),
        word: None,
        message: message.to_owned(),
        mend: Some(mend.to_owned()),
    })
}

fn about(path: &Path, word: &str, message: String, mend: &str) -> Checked {
    Err(Problem {
        path: path.clone(),
        word: Some(word.to_owned()),
        message,
        mend: Some(mend.to_owned()),
    })
}
