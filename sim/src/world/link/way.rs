use std::time::Duration;

use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use squall_proto::Instant;
use turmoil_net::TcpSegment;

use super::{Effect, Link, Spikes, Usual};
use crate::span::SpanRange;

/// What the way of a segment depends on.
#[derive(Clone, Copy)]
pub(crate) struct Parcel {
    bytes: usize,
    /// TCP sends it again when it is lost.
    lossy: bool,
    syn: bool,
}

/// The way of a segment.
#[derive(Clone, Copy)]
pub(crate) struct Way {
    /// When its turn on the link has come.
    pub(crate) departs: Instant,
    takes: Takes,
}

/// How long a segment takes from then on.
#[derive(Clone, Copy, Default)]
struct Takes {
    /// Until TCP sends it for the last time: the attempts before are lost.
    waits: Duration,
    latency: Duration,
}

/// One of the times that TCP sends a segment.
struct Attempt {
    /// So long after the first.
    waits: Duration,
    /// How long it waits for an acknowledgement.
    timeout: Duration,
}

/// What a rule remembers of one link.
#[derive(Clone, Copy, Default)]
pub(super) struct Clock {
    /// When the link is free, the next spike is due, or what is gathered leaves. `None`: it has not begun.
    at: Option<Instant>,
    /// How long what is gathered then takes.
    takes: Takes,
}

/// How TCP waits before it sends a segment again: doubled at each attempt, up to a bound.
const RETRANSMISSION: Duration = Duration::from_millis(200);
const RETRANSMISSION_OF_SYN: Duration = Duration::from_secs(1);
const RETRANSMISSION_MAX: Duration = Duration::from_secs(120);
/// The grain of virtual time.
const TICK: Duration = Duration::from_millis(1);

impl Parcel {
    pub(crate) const fn of(segment: &TcpSegment) -> Self {
        Self {
            bytes: segment.payload.len(),
            lossy: !segment.payload.is_empty() || segment.flags.syn || segment.flags.fin,
            syn: segment.flags.syn,
        }
    }
}

impl Link {
    pub(super) fn way(&mut self, usual: Usual, parcel: Parcel, sent: Instant) -> Way {
        if self.rules.is_empty() {
            let takes = Takes {
                waits: self.losses(usual, parcel, Attempt::first(parcel.syn)),
                latency: draw(&mut self.chance, usual.latency),
            };
            return Way { departs: sent, takes };
        }
        let (leaves, joined) = self.gathered(parcel, sent);
        let takes = joined.unwrap_or_else(|| Takes {
            waits: self.losses(usual, parcel, Attempt::first(parcel.syn)),
            latency: self.latency(usual, leaves),
        });
        self.remember_gathered(leaves, takes);
        let departs = self.queued(parcel, leaves);
        Way { departs, takes }
    }

    /// See [`super::Links::again`].
    pub(super) fn again(&mut self, usual: Usual, parcel: Parcel, way: Way, now: Instant) -> Way {
        if way.departs + way.takes.waits <= now {
            return way;
        }
        let next = Attempt::first(parcel.syn).not_before(way.departs, now);
        let waits = self.losses(usual, parcel, next);
        let takes = Takes { waits, ..way.takes };
        Way { takes, ..way }
    }

    /// See [`super::Links::pieces`].
    pub(super) fn pieces(&mut self, bytes: usize) -> Option<Vec<usize>> {
        let Self { chance, rules } = self;
        let mut youngest = None;
        for rule in rules {
            if let Effect::Segment(size) = rule.effect {
                youngest = Some((size, &mut rule.touched));
            }
        }
        let (size, touched) = youngest.filter(|_| bytes > 0)?;
        let mut pieces = Vec::new();
        let mut left = bytes;
        while left > 0 {
            let piece = usize::try_from(chance.random_range(size.range())).unwrap_or(usize::MAX);
            pieces.push(piece.min(left));
            left -= piece.min(left);
        }
        *touched += pieces.len() as u64 - 1;
        Some(pieces)
    }

    /// When a segment leaves that may have to wait until more is gathered, and how long those take that it joins.
    fn gathered(&mut self, parcel: Parcel, sent: Instant) -> (Instant, Option<Takes>) {
        let Self { chance, rules } = self;
        for rule in rules.iter_mut().rev() {
            let Effect::Coalesce(within) = rule.effect else {
                continue;
            };
            match rule.clock.at {
                Some(leaves) if sent < leaves => {
                    rule.touched += u64::from(parcel.bytes > 0);
                    return (leaves, Some(rule.clock.takes));
                }
                Some(_) | None if parcel.bytes > 0 => {
                    let leaves = sent + draw(chance, within);
                    rule.clock.at = Some(leaves);
                    return (leaves, None);
                }
                Some(_) | None => return (sent, None),
            }
        }
        (sent, None)
    }

    /// What is gathered until `leaves` takes this long, all of it.
    fn remember_gathered(&mut self, leaves: Instant, takes: Takes) {
        for rule in &mut self.rules {
            if let Effect::Coalesce(_) = rule.effect
                && rule.clock.at == Some(leaves)
            {
                rule.clock.takes = takes;
            }
        }
    }

    /// When the last byte of a segment is on the link: what was sent before has its turn first.
    fn queued(&mut self, parcel: Parcel, sent: Instant) -> Instant {
        let mut departs = sent;
        for rule in &mut self.rules {
            let Effect::Bandwidth(bytes_per_second) = rule.effect else {
                continue;
            };
            let free = rule.clock.at.unwrap_or_default().max(departs);
            let micros = (parcel.bytes as u64).saturating_mul(1_000_000) / bytes_per_second.max(1);
            let done = free + Duration::from_micros(micros);
            rule.clock.at = Some(done);
            rule.touched += u64::from(parcel.bytes > 0 && done - departs >= TICK);
            departs = done;
        }
        departs
    }

    fn latency(&mut self, usual: Usual, departs: Instant) -> Duration {
        let Self { chance, rules } = self;
        let mut latency = draw(chance, usual.latency);
        for rule in rules {
            if let Effect::Latency(instead, spikes) = rule.effect {
                if let Some(instead) = instead {
                    latency = draw(chance, instead);
                    rule.touched += 1;
                }
                if let Some(spikes) = spikes
                    && rule.clock.is_spike(spikes, departs, |range| draw(chance, range))
                {
                    latency = draw(chance, spikes.latency);
                    rule.touched += 1;
                }
            }
        }
        latency
    }

    /// How long TCP takes to get a segment into the network for good, from this attempt on.
    fn losses(&mut self, usual: Usual, parcel: Parcel, mut attempt: Attempt) -> Duration {
        let Self { chance, rules } = self;
        if !parcel.lossy {
            return attempt.waits;
        }
        let mut percent = u64::from(usual.loss_percent);
        for rule in &*rules {
            if let Effect::Loss(instead) = rule.effect {
                percent = instead;
            }
        }
        // A link that loses everything for ever is a partition; here each attempt has a chance.
        let percent = u32::try_from(percent.min(99)).unwrap_or(99);
        while percent > 0 && chance.random_ratio(percent, 100) {
            attempt = attempt.next();
            for rule in &mut *rules {
                rule.touched += u64::from(matches!(rule.effect, Effect::Loss(_)));
            }
        }
        attempt.waits
    }
}

impl Clock {
    /// Whether the next spike is due. The first comes one span after the first segment.
    fn is_spike(
        &mut self,
        spikes: Spikes,
        now: Instant,
        mut draw: impl FnMut(SpanRange) -> Duration,
    ) -> bool {
        let due = *self.at.get_or_insert_with(|| now + draw(spikes.every));
        if now >= due {
            self.at = Some(now + draw(spikes.every));
        }
        now >= due
    }
}

impl Way {
    /// When it ends, in whole milliseconds, if nothing that was sent before is still under way.
    pub(crate) fn arrives(self) -> Instant {
        let arrives = self.departs + self.takes.waits + self.takes.latency;
        Instant::from_micros(arrives.as_micros().next_multiple_of(1000))
    }
}

impl Attempt {
    const fn first(syn: bool) -> Self {
        Self {
            waits: Duration::ZERO,
            timeout: if syn {
                RETRANSMISSION_OF_SYN
            } else {
                RETRANSMISSION
            },
        }
    }

    fn next(self) -> Self {
        Self {
            waits: self.waits + self.timeout,
            timeout: (self.timeout * 2).min(RETRANSMISSION_MAX),
        }
    }

    /// The next from `now` on, of a segment that was sent first at `since`; perhaps this one.
    fn not_before(mut self, since: Instant, now: Instant) -> Self {
        while since + self.waits < now {
            self = self.next();
        }
        self
    }
}

fn draw(chance: &mut Pcg64Mcg, range: SpanRange) -> Duration {
    Duration::from_millis(chance.random_range(range.millis()))
}

/// When TCP first sends a segment again that it sent at `since`, not before `now`.
pub(crate) fn retransmission(since: Instant, now: Instant, syn: bool) -> Instant {
    let again = Attempt::first(syn).next();
    since + again.not_before(since, now).waits
}
