//! Deliveries of one message, one after the other, as one row: a message for a thousand sessions is two rows, not a thousand and one.
//!
//! ```text
//! entry: session (8 bytes, big-endian), options [, count of Subscription Identifiers (4), each (4)] [, length of the share (2), its text]
//! ```

use squall_proto::{
    Qos, SubscriptionId, Text, TopicFilter,
    broker::{Owed, Record, SharedBy},
};

use crate::database::Trouble;

/// Deliveries of a message whose orders follow each other.
#[derive(Debug)]
pub(super) struct Run {
    /// The order of the first.
    pub(super) first: u64,
    pub(super) message: u64,
    pub(super) count: u32,
    pub(super) entries: Vec<u8>,
}

/// What an entry of a run says.
struct Entry {
    session: u64,
    qos: Qos,
    retain: bool,
    subscription_ids: Vec<SubscriptionId>,
    /// The shared subscription it came by, and RETAIN as it was published.
    share: Option<(TopicFilter, bool)>,
}

/// Bits of the options of an entry, beside the QoS.
const RETAIN: u8 = 1 << 3;
const PUBLISHED_RETAIN: u8 = 1 << 4;
const HAS_IDS: u8 = 1 << 5;
const HAS_SHARE: u8 = 1 << 6;

/// Entries of a run: more begin another, so that no row is too large to be changed.
const COUNT_MAX: u32 = 1024;

impl Run {
    /// The run that begins with this delivery.
    pub(super) fn of(order: u64, delivery: Owed<'_>) -> Self {
        let mut run = Self {
            first: order,
            message: delivery.message,
            count: 0,
            entries: Vec::new(),
        };
        run.append(order, delivery);
        run
    }

    /// Takes a delivery in, if it is the next of this run; how many bytes it added.
    pub(super) fn append(&mut self, order: u64, delivery: Owed<'_>) -> Option<usize> {
        let is_next = order == self.first + u64::from(self.count) && delivery.message == self.message;
        if !is_next || self.count == COUNT_MAX {
            return None;
        }
        let before = self.entries.len();
        self.count += 1;
        write(&mut self.entries, delivery);
        Some(self.entries.len() - before)
    }

    /// Shows each of its deliveries.
    pub(super) fn each(&self, show: &mut dyn FnMut(&Record<'_>)) {
        let run = (self.first, self.message, self.count);
        let shown = deliveries(run, &self.entries, &Over(Vec::new()), show);
        assert!(shown.is_ok(), "a run can read what it has written");
    }
}

fn write(entries: &mut Vec<u8>, delivery: Owed<'_>) {
    let ids = delivery.subscription_ids;
    let mut options = delivery.qos.value();
    for (is_set, bit) in [
        (delivery.retain, RETAIN),
        (delivery.share.is_some_and(|share| share.retain), PUBLISHED_RETAIN),
        (!ids.is_empty(), HAS_IDS),
        (delivery.share.is_some(), HAS_SHARE),
    ] {
        options |= if is_set { bit } else { 0 };
    }
    entries.extend_from_slice(&delivery.session.to_be_bytes());
    entries.push(options);
    if !ids.is_empty() {
        let count = u32::try_from(ids.len()).expect("fewer subscriptions than 4,294,967,296");
        entries.extend_from_slice(&count.to_be_bytes());
        for id in ids {
            entries.extend_from_slice(&id.value().to_be_bytes());
        }
    }
    if let Some(SharedBy { filter, .. }) = delivery.share {
        let len = u16::try_from(filter.len()).expect("a Topic Filter has up to 65,535 bytes");
        entries.extend_from_slice(&len.to_be_bytes());
        entries.extend_from_slice(filter.as_bytes());
    }
}

/// Shows the deliveries of a run that are not over.
pub(super) fn deliveries(
    (first, message, count): (u64, u64, u32),
    mut entries: &[u8],
    over: &Over,
    show: &mut dyn FnMut(&Record<'_>),
) -> Result<(), Trouble> {
    for index in 0..count {
        let entry = read(&mut entries).ok_or_else(|| Trouble::unreadable("a delivery"))?;
        if over.has(index) {
            continue;
        }
        let share = entry.share.as_ref().map(|(filter, retain)| SharedBy {
            filter,
            retain: *retain,
        });
        show(&Record::Queued {
            order: first + u64::from(index),
            delivery: Owed {
                session: entry.session,
                message,
                qos: entry.qos,
                retain: entry.retain,
                subscription_ids: &entry.subscription_ids,
                share,
            },
        });
    }
    Ok(())
}

fn read(entries: &mut &[u8]) -> Option<Entry> {
    let session = u64::from_be_bytes(*entries.split_off(..8)?.first_chunk()?);
    let options = *entries.split_off_first()?;
    let mut subscription_ids = Vec::new();
    if options & HAS_IDS != 0 {
        let count = u32::from_be_bytes(*entries.split_off(..4)?.first_chunk()?);
        for _ in 0..count {
            let id = u32::from_be_bytes(*entries.split_off(..4)?.first_chunk()?);
            subscription_ids.push(SubscriptionId::new(id)?);
        }
    }
    let mut share = None;
    if options & HAS_SHARE != 0 {
        let len = u16::from_be_bytes(*entries.split_off(..2)?.first_chunk()?);
        let text = str::from_utf8(entries.split_off(..usize::from(len))?).ok()?;
        let filter = TopicFilter::from_text(Text::new(text).ok()?).ok()?;
        share = Some((filter, options & PUBLISHED_RETAIN != 0));
    }
    Some(Entry {
        session,
        qos: Qos::from_value(options & 3)?,
        retain: options & RETAIN != 0,
        subscription_ids,
        share,
    })
}

/// Which deliveries of a run are over: a bit each, from the lowest of the first byte on.
pub(super) struct Over(pub(super) Vec<u8>);

impl Over {
    pub(super) fn none(count: u32) -> Self {
        Self(vec![0; usize::try_from(count.div_ceil(8)).unwrap_or(0)])
    }

    pub(super) fn set(&mut self, index: u32) {
        if let Some(byte) = usize::try_from(index / 8).ok().and_then(|at| self.0.get_mut(at)) {
            *byte |= 1 << (index % 8);
        }
    }

    pub(super) fn has(&self, index: u32) -> bool {
        let byte = usize::try_from(index / 8).ok().and_then(|at| self.0.get(at));
        byte.is_some_and(|byte| byte & (1 << (index % 8)) != 0)
    }

    /// Whether that many are.
    pub(super) fn are(&self, count: u32) -> bool {
        self.0.iter().map(|byte| byte.count_ones()).sum::<u32>() >= count
    }
}
