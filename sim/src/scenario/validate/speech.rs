//! What peers and a scripted broker say.

use super::{Checked, Path, Who, known, problem, seconds};
use crate::scenario::{BrokerSettings, Pieces, RawBody, RawPacket, Rule, Scenario, Send, Shut};

/// The scripts of everybody who has one.
pub(super) fn scripts(scenario: &Scenario) -> Checked {
    let root = Path::default();
    for (name, peer) in &scenario.peers {
        let path = root.key("peers").key(name);
        if peer.count == Some(0) {
            return problem(&path.key("count"), "nobody", "write at least 1");
        }
        if peer.pings.is_some_and(|pings| pings.duration().is_zero()) {
            return problem(&path.key("pings"), "no pause between pings", "write `10s`");
        }
        rules(&peer.script, &path.key("script"))?;
    }
    let Some(script) = &scenario.broker.script else {
        return Ok(());
    };
    let path = root.key("broker");
    let alone = BrokerSettings {
        script: Some(script.clone()),
        ..BrokerSettings::default()
    };
    if scenario.broker != alone {
        let mend = "leave the others out; a CONNACK of the script says what it grants";
        return problem(&path, "a scripted broker has no other settings", mend);
    }
    rules(script, &path.key("script"))
}

fn rules(rules: &[Rule], path: &Path) -> Checked {
    for (index, rule) in rules.iter().enumerate() {
        let path = path.index(index);
        for (key, number) in [
            ("connection", rule.connection),
            ("nth", rule.nth),
            ("reversed", rule.reversed),
        ] {
            if number == Some(0) {
                return problem(&path.key(key), "the first is 1", "write 1 or more");
            }
        }
        packets(rule.with.as_deref().unwrap_or_default(), &path.key("with"))?;
        pieces(rule.pieces, &path.key("pieces"))?;
    }
    Ok(())
}

fn packets(packets: &[RawPacket], path: &Path) -> Checked {
    for (index, packet) in packets.iter().enumerate() {
        let path = path.index(index);
        if packet.wrong.flags.is_some_and(|flags| flags > 0x0f) {
            return problem(&path.key("flags"), "more than four bits", "write at most 0xf");
        }
        let RawBody::Connect(connect) = &packet.body else {
            continue;
        };
        let path = path.key("CONNECT");
        seconds(connect.keep_alive, u64::from(u16::MAX), &path.key("keep_alive"))?;
        if let Some(expiry) = connect.session_expiry {
            seconds(expiry, u64::from(u32::MAX), &path.key("session_expiry"))?;
        }
        if let Some(delay) = connect.will.as_ref().and_then(|will| will.delay) {
            seconds(delay, u64::from(u32::MAX), &path.key("will").key("delay"))?;
        }
    }
    Ok(())
}

fn pieces(pieces: Option<Pieces>, path: &Path) -> Checked {
    match pieces {
        Some(Pieces { bytes: 0, .. }) => {
            problem(&path.key("bytes"), "no bytes at a time", "write at least 1")
        }
        Some(pieces) if pieces.every.duration().is_zero() => {
            let message = "without a pause it is one segment again";
            problem(&path.key("every"), message, "write at least `1ms`")
        }
        Some(_) | None => Ok(()),
    }
}

pub(super) fn send(scenario: &Scenario, send: &Send, path: &Path) -> Checked {
    if send.hex.is_empty() && send.packets.is_empty() {
        let mend = "add `hex: c0 00` or `packets: [PINGREQ]`";
        return problem(path, "nothing to send", mend);
    }
    if send.times == 0 {
        return problem(&path.key("times"), "nothing to send", "write at least 1");
    }
    packets(&send.packets, &path.key("packets"))?;
    pieces(send.pieces, &path.key("pieces"))?;
    speaker(scenario, &send.from, send.to.as_deref(), path)
}

pub(super) fn shut(scenario: &Scenario, shut: &Shut, path: &Path) -> Checked {
    speaker(scenario, &shut.peer, shut.to.as_deref(), path)
}

/// A peer, or the broker if it is scripted; which alone has more than one it may speak to.
fn speaker(scenario: &Scenario, name: &str, to: Option<&str>, path: &Path) -> Checked {
    let is_broker = name == "broker";
    if is_broker && scenario.broker.script.is_none() {
        let mend = "add `broker: { script: [] }`";
        return problem(path, "our broker does not say what a step tells it", mend);
    }
    if !is_broker {
        known(scenario, Who::Peer, name, path)?;
    }
    match to {
        Some(to) if is_broker => known(scenario, Who::Either, to, path),
        Some(_) => problem(
            &path.key("to"),
            "a peer speaks to the broker alone",
            "leave it out",
        ),
        None => Ok(()),
    }
}
