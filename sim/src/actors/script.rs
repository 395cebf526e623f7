//! What whoever speaks packet by packet answers: what its script says, and otherwise what is usual.

use std::{collections::BTreeMap, time::Duration};

use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use squall_proto::{Packet, Version};

use super::line::Saying;
use crate::{
    scenario::{RawPacket, Rule, Speaker},
    world::generator,
};

/// The rules of a peer or a scripted broker, and how often each was met.
#[derive(Debug)]
pub(super) struct Script {
    name: String,
    rules: Vec<(Rule, u32)>,
    /// Answers that wait for more to be answered with, by rule and connection.
    gathered: BTreeMap<(usize, u32), Vec<Vec<u8>>>,
    chance: Pcg64Mcg,
}

/// A packet that came, and where.
pub(super) struct Hearing<'a> {
    /// The number of the connection, from 1.
    pub(super) connection: u32,
    pub(super) version: Version,
    pub(super) packet: &'a Packet,
    /// The true Session Present, where it is a CONNECT.
    pub(super) session_present: bool,
}

impl Script {
    pub(super) fn new(name: &str, rules: &[Rule], seed: u64) -> Self {
        Self {
            name: name.to_owned(),
            rules: rules.iter().map(|rule| (rule.clone(), 0)).collect(),
            gathered: BTreeMap::new(),
            chance: generator(seed, &format!("script {name}")),
        }
    }

    /// What is said to a packet. `usual` is what is answered where no rule says otherwise.
    pub(super) fn answer(&mut self, hearing: &Hearing<'_>, usual: Option<RawPacket>) -> Option<Saying> {
        let Some((place, n)) = self.rule_for(hearing) else {
            return usual.map(|usual| self.saying(hearing, &[usual], 1));
        };
        let (rule, _) = self.rules.get(place).cloned()?;
        let answers = rule.with.unwrap_or_else(|| usual.into_iter().collect());
        let mut saying = self.saying(hearing, &answers, n);
        if let Some(at_once) = rule.reversed {
            let gathered = self.gathered.entry((place, hearing.connection)).or_default();
            gathered.push(saying.bytes.to_vec());
            if gathered.len() < at_once as usize {
                return None;
            }
            let last_first: Vec<u8> = gathered.drain(..).rev().flatten().collect();
            saying.bytes = last_first.into();
        }
        saying.after = Duration::from_millis(self.chance.random_range(rule.after.millis()));
        saying.pieces = rule.pieces;
        saying.then = rule.then;
        Some(saying)
    }

    /// The place of the first rule that is for a packet, and how often it has been met.
    fn rule_for(&mut self, hearing: &Hearing<'_>) -> Option<(usize, u32)> {
        let mut first = None;
        for (place, (rule, met)) in self.rules.iter_mut().enumerate() {
            if !rule.is_about(hearing.packet, hearing.connection) {
                continue;
            }
            *met += 1;
            if rule.nth.is_none_or(|nth| nth == *met) {
                first.get_or_insert((place, *met));
            }
        }
        first
    }

    fn saying(&self, hearing: &Hearing<'_>, packets: &[RawPacket], n: u32) -> Saying {
        let speaker = Speaker {
            name: &self.name,
            version: hearing.version,
            n,
            answers: Some(hearing.packet),
            session_present: hearing.session_present,
        };
        let bytes: Vec<u8> = packets.iter().flat_map(|packet| packet.bytes(&speaker)).collect();
        Saying {
            bytes: bytes.into(),
            ..Saying::default()
        }
    }
}
