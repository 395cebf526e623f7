use alloc::boxed::Box;
use core::{mem, time::Duration};

use crate::{Instant, Will};

/// What is to become of the Will.
///
/// ```text
///                      .------ DISCONNECT 0x00, reconnect -----> None
///                      |  .--- delay passed, session ended ----> published, None
/// None --CONNECT--> Armed --connection ends--> Delayed
/// ```
///
/// A Will Delay Interval of 0 passes at once, and so does an expiry of 0: a connection that ends then goes through `Delayed` in
/// the same moment.
#[derive(Debug, Default)]
pub(super) enum WillState {
    #[default]
    None,
    /// The connection that set it is open.
    Armed(Box<Will>),
    /// The connection ended; published at `at` unless the client is back by then.
    Delayed { will: Box<Will>, at: Instant },
}

/// A [`WillState`] without what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WillPhase {
    None,
    Armed,
    Delayed,
}

/// What decides over a Will.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WillEvent {
    /// DISCONNECT with 0x00 (Normal disconnection).
    Disconnect,
    /// DISCONNECT with another Reason Code, 0x04 (Disconnect with Will Message) first of all.
    DisconnectWithWill,
    /// The Network Connection broke or was closed without DISCONNECT.
    Lost,
    /// The broker ended the connection for a reason of its own.
    Refused,
    /// Another connection of the same client ended this one.
    TakenOver,
    /// The client is back in its session.
    Reconnected,
    /// The session is over.
    SessionEnded,
    /// The Will Delay Interval is over.
    DelayPassed,
}

/// What an event asks of the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WillEffect {
    Nothing,
    /// It is never published.
    Discard,
    Publish,
}

impl WillPhase {
    /// The state after an event, and what becomes of the Will; `None` where the event cannot come.
    // [MQTT-3.1.2-7] [MQTT-3.1.2-8] [MQTT-3.1.2-10] [MQTT-3.1.3-9] [MQTT-3.14.4-3]
    // [v3 MQTT-3.1.2-8] [v3 MQTT-3.1.2-10] [v3 MQTT-3.14.4-3]
    pub(super) const fn next(self, event: WillEvent) -> Option<(Self, WillEffect)> {
        use WillEffect::{Discard, Nothing, Publish};
        use WillEvent::{
            DelayPassed, Disconnect, DisconnectWithWill, Lost, Reconnected, Refused, SessionEnded, TakenOver,
        };
        match (self, event) {
            (Self::Armed, Disconnect) | (Self::Delayed, Reconnected) => Some((Self::None, Discard)),
            (Self::Armed, DisconnectWithWill | Lost | Refused | TakenOver) => Some((Self::Delayed, Nothing)),
            (Self::Delayed, DelayPassed | SessionEnded) => Some((Self::None, Publish)),
            (
                Self::None,
                Disconnect | DisconnectWithWill | Lost | Refused | TakenOver | Reconnected | SessionEnded,
            ) => Some((Self::None, Nothing)),
            (Self::Armed, Reconnected | SessionEnded | DelayPassed)
            | (Self::Delayed, Disconnect | DisconnectWithWill | Lost | Refused | TakenOver)
            | (Self::None, DelayPassed) => None,
        }
    }
}

impl WillState {
    /// The Will of a connection that has just been made.
    pub(super) fn armed(mut will: Will) -> Self {
        will.topic = will.topic.detached();
        will.payload = will.payload.detached();
        will.properties = will.properties.detached();
        Self::Armed(Box::new(will))
    }

    /// The Will of a connection that an earlier process had: it ended now, if `due_at` does not say otherwise.
    pub(super) fn delayed(will: Will, now: Instant, due_at: Option<Instant>) -> Self {
        let latest = now + delay(&will);
        Self::Delayed {
            at: due_at.map_or(latest, |at| at.min(latest)),
            will: Box::new(will),
        }
    }

    /// Goes on with an event; the Will, where it is to be published now.
    pub(super) fn on(&mut self, now: Instant, event: WillEvent) -> Option<Box<Will>> {
        let (phase, effect) = self.phase().next(event)?;
        let will = mem::take(self).into_will()?;
        match (phase, effect) {
            (WillPhase::Armed, _) => *self = Self::Armed(will),
            (WillPhase::Delayed, _) => {
                let at = now + delay(&will);
                *self = Self::Delayed { will, at };
            }
            (WillPhase::None, WillEffect::Publish) => return Some(will),
            (WillPhase::None, WillEffect::Nothing | WillEffect::Discard) => {}
        }
        None
    }

    fn into_will(self) -> Option<Box<Will>> {
        match self {
            Self::None => None,
            Self::Armed(will) | Self::Delayed { will, .. } => Some(will),
        }
    }

    pub(super) const fn is_some(&self) -> bool {
        match self {
            Self::None => false,
            Self::Armed(_) | Self::Delayed { .. } => true,
        }
    }

    /// When its delay is over, if it waits for that.
    pub(super) const fn delayed_until(&self) -> Option<Instant> {
        match self {
            Self::Delayed { at, .. } => Some(*at),
            Self::None | Self::Armed(_) => None,
        }
    }

    const fn phase(&self) -> WillPhase {
        match self {
            Self::None => WillPhase::None,
            Self::Armed(_) => WillPhase::Armed,
            Self::Delayed { .. } => WillPhase::Delayed,
        }
    }
}

fn delay(will: &Will) -> Duration {
    Duration::from_secs(will.properties.will_delay_interval().unwrap_or(0).into())
}

#[cfg(test)]
mod tests {
    use super::{super::machine_table::table, *};

    impl WillPhase {
        const ALL: [Self; 3] = [Self::None, Self::Armed, Self::Delayed];
    }

    impl WillEvent {
        const ALL: [Self; 8] = [
            Self::Disconnect,
            Self::DisconnectWithWill,
            Self::Lost,
            Self::Refused,
            Self::TakenOver,
            Self::Reconnected,
            Self::SessionEnded,
            Self::DelayPassed,
        ];
    }

    #[test]
    fn a_will_is_published_once_or_discarded() {
        insta::assert_snapshot!(table(&WillPhase::ALL, &WillEvent::ALL, WillPhase::next));
    }
}
