use std::{collections::BTreeMap, time::Duration};

use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use squall_proto::Instant;

use super::generator;
use crate::span::SpanRange;

/// From one host to another, by their places in the world.
pub(crate) type Direction = (usize, usize);

/// What every link does when no fault says otherwise, and the faults that do.
pub(super) struct Links {
    seed: u64,
    latency: SpanRange,
    loss_percent: u8,
    chance: BTreeMap<Direction, Pcg64Mcg>,
    rules: Vec<Rule>,
    next_rule: u64,
}

/// What a fault does to segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// They wait for the first retransmission after the fault; an RST, which is never sent again, is destroyed.
    Block,
    /// They wait for the end of the fault.
    Hold,
    /// They take this long.
    Latency(SpanRange),
    /// So many of a hundred are lost at each attempt.
    Loss(u64),
}

/// Names a rule to who made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RuleId(u64);

struct Rule {
    id: RuleId,
    on: Vec<Direction>,
    effect: Effect,
    touched: u64,
}

/// How TCP waits before it sends a segment again: doubled at each attempt, up to a bound.
const RETRANSMISSION: Duration = Duration::from_millis(200);
const RETRANSMISSION_OF_SYN: Duration = Duration::from_secs(1);
const RETRANSMISSION_MAX: Duration = Duration::from_secs(120);

impl Links {
    pub(super) const fn new(seed: u64, latency: SpanRange, loss_percent: u8) -> Self {
        Self {
            seed,
            latency,
            loss_percent,
            chance: BTreeMap::new(),
            rules: Vec::new(),
            next_rule: 0,
        }
    }

    pub(super) fn add(&mut self, on: Vec<Direction>, effect: Effect) -> RuleId {
        let id = RuleId(self.next_rule);
        self.next_rule += 1;
        self.rules.push(Rule {
            id,
            on,
            effect,
            touched: 0,
        });
        id
    }

    /// Ends a rule: what it did, to which directions, and how many segments it touched.
    pub(super) fn remove(&mut self, id: RuleId) -> Option<(Effect, Vec<Direction>, u64)> {
        let at = self.rules.iter().position(|rule| rule.id == id)?;
        let rule = self.rules.remove(at);
        Some((rule.effect, rule.on, rule.touched))
    }

    /// Whether a segment has to wait, and for what. Counts it where it does.
    pub(super) fn stopped(&mut self, direction: Direction) -> Option<Effect> {
        let mut stopped = None;
        for rule in self.on(direction) {
            if matches!(rule.effect, Effect::Block | Effect::Hold) {
                rule.touched += 1;
                stopped = stopped.or(Some(rule.effect));
            }
        }
        stopped
    }

    /// Whether segments have to wait.
    pub(super) fn is_stopped(&mut self, direction: Direction) -> bool {
        self.on(direction)
            .any(|rule| matches!(rule.effect, Effect::Block | Effect::Hold))
    }

    /// How long a segment is under way. `lossy`: it is one that TCP sends again when it is lost.
    pub(super) fn delay(&mut self, direction: Direction, lossy: bool, syn: bool) -> Duration {
        let (mut latency, mut percent) = (self.latency, u64::from(self.loss_percent));
        for rule in self.on(direction) {
            match rule.effect {
                Effect::Latency(instead) => {
                    latency = instead;
                    rule.touched += 1;
                }
                Effect::Loss(instead) => percent = instead,
                Effect::Block | Effect::Hold => {}
            }
        }
        let waits = if lossy {
            self.losses(direction, percent, syn)
        } else {
            Duration::ZERO
        };
        waits + Duration::from_millis(self.chance(direction).random_range(latency.millis()))
    }

    /// How long TCP takes to get a segment into the network for good.
    fn losses(&mut self, direction: Direction, percent: u64, syn: bool) -> Duration {
        // A link that loses everything for ever is a partition; here each attempt has a chance.
        let percent = u32::try_from(percent.min(99)).unwrap_or(99);
        let mut waits = Duration::ZERO;
        let mut timeout = first_timeout(syn);
        while percent > 0 && self.chance(direction).random_ratio(percent, 100) {
            waits += timeout;
            timeout = (timeout * 2).min(RETRANSMISSION_MAX);
            for rule in self.on(direction) {
                if let Effect::Loss(_) = rule.effect {
                    rule.touched += 1;
                }
            }
        }
        waits
    }

    fn on(&mut self, direction: Direction) -> impl Iterator<Item = &mut Rule> {
        self.rules
            .iter_mut()
            .filter(move |rule| rule.on.contains(&direction))
    }

    fn chance(&mut self, direction: Direction) -> &mut Pcg64Mcg {
        let seed = self.seed;
        self.chance
            .entry(direction)
            .or_insert_with(|| generator(seed, &format!("link {} {}", direction.0, direction.1)))
    }
}

/// When TCP first sends a segment again that it sent at `since`, not before `now`.
pub(super) fn retransmission(since: Instant, now: Instant, syn: bool) -> Instant {
    let mut at = since;
    let mut timeout = first_timeout(syn);
    while at < now || at == since {
        at += timeout;
        timeout = (timeout * 2).min(RETRANSMISSION_MAX);
    }
    at
}

const fn first_timeout(syn: bool) -> Duration {
    if syn {
        RETRANSMISSION_OF_SYN
    } else {
        RETRANSMISSION
    }
}
