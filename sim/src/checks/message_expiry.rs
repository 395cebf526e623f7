//! No message is sent after it has expired, and what is left of its Message Expiry Interval is right. [MQTT-3.3.2-5] [MQTT-3.3.2-6]
//!
//! How long a message has waited in the broker is on the wire only in part: it waited at least from its arrival to the CONNACK of the
//! connection that it leaves on, and, when it is a retained one, to the first SUBSCRIBE that asked for it. What it waited for besides,
//! a send quota or the network, is not known, so an interval that is too long by that is not found. What is sent again was on its way
//! before it expired. Nothing is said of what came while the broker stood still or read slowly.

use std::time::Duration;

use squall_proto::{Instant, Publish, Version};

use super::{Checker, Found, Now, shown};
use crate::model::{Message, Model, Session, Wire};

/// Nothing of its own: the model knows the messages.
pub(super) struct MessageExpiry;

impl MessageExpiry {
    pub(super) const fn new(_: &Model<'_>) -> Self {
        Self
    }
}

/// Intervals are whole seconds, and who rounds how is not said.
const ROUNDED: Duration = Duration::from_secs(1);

impl Checker for MessageExpiry {
    fn observe(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        if let (Some((session, _, publish)), Some((_, message))) = (now.published(), now.delivery())
            && !message.is_will
            && !message.is_read_late
        {
            found.extend(wrong(now, session, message, publish));
        }
    }

    fn finish(&mut self, _: &Now<'_>, _: &mut Vec<Found>) {}
}

fn wrong(now: &Now<'_>, session: &Session, message: &Message, publish: &Publish) -> Option<Found> {
    let wire = now.model.wires.get(session.wire)?;
    let left = publish.properties.message_expiry_interval();
    let Some((arrived, interval)) = published(now, message) else {
        let got = format!(
            "an interval of {} seconds",
            left.filter(|_| message.expires.is_none())?
        );
        let expected = format!("{} to have no Message Expiry Interval", shown(&publish.payload));
        return Some(now.found([message.first.1], expected, got));
    };
    let interval_lasts = Duration::from_secs(u64::from(interval));
    let waited_min = waited_min(now, session, message, wire, publish, arrived);
    let waited_max = now.at.saturating_since(arrived);
    let most = (interval_lasts + ROUNDED).saturating_sub(waited_min);
    let least = interval_lasts.saturating_sub(waited_max + ROUNDED);
    let what = shown(&publish.payload);
    let (expected, got) = if most.is_zero() && !publish.dup {
        let expired = arrived + interval_lasts;
        (
            format!("{what} not to be sent: it expired at {expired}"),
            "it was sent".to_owned(),
        )
    } else {
        let left = left.filter(|_| wire.version() == Some(Version::V5))?;
        let is_right = (least.as_secs()..=most.as_secs()).contains(&u64::from(left));
        if is_right || publish.dup {
            return None;
        }
        let expected = format!(
            "{what} with {} to {} seconds left",
            least.as_secs(),
            most.as_secs()
        );
        (expected, format!("{left} seconds"))
    };
    Some(now.found([message.first.1], expected, got))
}

/// When a message that was published once reached the broker, and its Message Expiry Interval in seconds.
fn published(now: &Now<'_>, message: &Message) -> Option<(Instant, u32)> {
    let [source] = message.sources[..] else {
        return None;
    };
    let mut properties = message.properties(now.model.events)?;
    let interval = properties.next()?.message_expiry_interval()?;
    let arrived = now.model.events.get(source)?.at;
    Some((arrived, interval))
}

/// How long it must have waited in the broker.
fn waited_min(
    now: &Now<'_>,
    session: &Session,
    message: &Message,
    wire: &Wire,
    publish: &Publish,
    arrived: Instant,
) -> Duration {
    let connected = wire.connack.map(|(at, _)| at);
    let mut asked = None;
    if publish.retain {
        let bringing = session.bringing(&now.model.topics, message.topic, Some(message));
        let first = bringing.filter_map(|(_, subscription)| Some(subscription.may.retained_asked?[0]));
        asked = first
            .min()
            .and_then(|first| now.model.events.get(first))
            .map(|event| event.at);
    }
    let since = connected.into_iter().chain(asked).max();
    since.map_or(Duration::ZERO, |since| since.saturating_since(arrived))
}
