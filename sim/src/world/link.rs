//! What lies between two hosts: what every link does, and the rules of the faults. How long a segment takes is in `way`.

mod way;

use std::collections::{BTreeMap, BTreeSet};

use rand_pcg::Pcg64Mcg;
use squall_proto::Instant;

use self::way::Clock;
pub(super) use self::way::{Parcel, Way, retransmission};
use super::generator;
use crate::{number::Count, span::SpanRange};

/// From one host to another, by their places in the world.
pub(crate) type Direction = (usize, usize);

/// What every link does when no fault says otherwise, and the faults that do.
pub(super) struct Links {
    seed: u64,
    usual: Usual,
    links: BTreeMap<Direction, Link>,
    /// Where each rule is.
    rules: BTreeMap<RuleId, BTreeSet<Direction>>,
    next_rule: u64,
}

/// What a link does when no fault says otherwise.
#[derive(Clone, Copy)]
struct Usual {
    latency: SpanRange,
    loss_percent: u8,
}

/// What a fault does to segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// They wait for the first retransmission after the fault; an RST, which is never sent again, is destroyed.
    Block,
    /// They wait for the end of the fault.
    Hold,
    /// They are gone, and the connection with them; an attempt to connect waits as it does for `Block`.
    Vanish,
    /// They take this long, where it is said, and one of them now and then a spike.
    Latency(Option<SpanRange>, Option<Spikes>),
    /// So many of a hundred are lost at each attempt.
    Loss(u64),
    /// So many bytes a second get through; the others wait for their turn.
    Bandwidth(u64),
    /// They are cut into segments of so many bytes, drawn anew for each; each is read before the next arrives.
    Segment(Count),
    /// They wait so long, drawn anew each time, and what is sent meanwhile arrives with them.
    Coalesce(SpanRange),
}

/// Every so often, one segment takes much longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spikes {
    /// From one to the next, drawn anew each time.
    pub(crate) every: SpanRange,
    /// How long it takes.
    pub(crate) latency: SpanRange,
}

/// Names a rule to who made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RuleId(u64);

/// One direction between two hosts.
struct Link {
    chance: Pcg64Mcg,
    /// In the order in which they began: of two that say the same, the younger is heard.
    rules: Vec<Rule>,
}

/// A rule on one link.
struct Rule {
    id: RuleId,
    effect: Effect,
    touched: u64,
    clock: Clock,
}

impl Links {
    pub(super) const fn new(seed: u64, latency: SpanRange, loss_percent: u8) -> Self {
        Self {
            seed,
            usual: Usual {
                latency,
                loss_percent,
            },
            links: BTreeMap::new(),
            rules: BTreeMap::new(),
            next_rule: 0,
        }
    }

    pub(super) fn add(&mut self, on: BTreeSet<Direction>, effect: Effect) -> RuleId {
        let id = RuleId(self.next_rule);
        self.next_rule += 1;
        for direction in &on {
            self.link(*direction).rules.push(Rule {
                id,
                effect,
                touched: 0,
                clock: Clock::default(),
            });
        }
        self.rules.insert(id, on);
        id
    }

    /// Ends a rule: what it did, to which directions, and how many segments it touched.
    pub(super) fn remove(&mut self, id: RuleId) -> Option<(Effect, BTreeSet<Direction>, u64)> {
        let on = self.rules.remove(&id)?;
        let mut ended = Vec::new();
        for direction in &on {
            let rules = &mut self.link(*direction).rules;
            ended.extend(rules.extract_if(.., |rule| rule.id == id));
        }
        let touched = ended.iter().map(|rule| rule.touched).sum();
        ended.first().map(|rule| (rule.effect, on, touched))
    }

    /// Counts what a rule touched besides the segments that were sent since.
    pub(super) fn touch(&mut self, id: RuleId, direction: Direction) {
        let rules = &mut self.link(direction).rules;
        if let Some(rule) = rules.iter_mut().find(|rule| rule.id == id) {
            rule.touched += 1;
        }
    }

    /// Whether a segment cannot leave, and for what. Counts it where it cannot.
    pub(super) fn stopped(&mut self, direction: Direction) -> Option<Effect> {
        if self.rules.is_empty() {
            return None;
        }
        let mut stopped = None;
        for rule in &mut self.link(direction).rules {
            if rule.effect.stops() {
                rule.touched += 1;
                if stopped != Some(Effect::Vanish) {
                    stopped = Some(rule.effect);
                }
            }
        }
        stopped
    }

    /// Whether a rule of a direction is like this.
    pub(super) fn any(&self, direction: Direction, is_like: impl Fn(Effect) -> bool) -> bool {
        let link = self.links.get(&direction);
        link.is_some_and(|link| link.rules.iter().any(|rule| is_like(rule.effect)))
    }

    /// The lengths of the segments that so many bytes are cut into. `None`: they are left as they are.
    pub(super) fn pieces(&mut self, direction: Direction, bytes: usize) -> Option<Vec<usize>> {
        if self.rules.is_empty() {
            return None;
        }
        self.link(direction).pieces(bytes)
    }

    /// When a segment of a direction leaves, and when it arrives.
    pub(super) fn way(&mut self, direction: Direction, parcel: Parcel, sent: Instant) -> Way {
        let usual = self.usual;
        self.link(direction).way(usual, parcel, sent)
    }

    /// The way of a segment that is under way, now that the link loses others than before: what it has lost it has lost, and what TCP
    /// sends from `now` on is drawn anew.
    pub(super) fn again(&mut self, direction: Direction, parcel: Parcel, way: Way, now: Instant) -> Way {
        let usual = self.usual;
        self.link(direction).again(usual, parcel, way, now)
    }

    fn link(&mut self, direction: Direction) -> &mut Link {
        let seed = self.seed;
        self.links.entry(direction).or_insert_with(|| Link {
            chance: generator(seed, &format!("link {} {}", direction.0, direction.1)),
            rules: Vec::new(),
        })
    }
}

impl Effect {
    /// Whether nothing leaves while it lasts.
    pub(super) const fn stops(self) -> bool {
        match self {
            Self::Block | Self::Hold | Self::Vanish => true,
            Self::Latency(..) | Self::Loss(_) | Self::Bandwidth(_) | Self::Segment(_) | Self::Coalesce(_) => {
                false
            }
        }
    }
}
