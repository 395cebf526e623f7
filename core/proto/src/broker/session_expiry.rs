use core::time::Duration;

use crate::{Connect, Version};

/// Where a session stands between its connections.
///
/// ```text
///             .--------------- connected --------------.
///             v                                        |
///  New --> Online --connection ends: expiry finite--> OfflineUntil --expired, Clean Start, revoked--> Ended
///             |  '--connection ends: never expires--> OfflineForEver ------Clean Start, revoked-------^
///             '-----connection ends: expiry 0---------------------------------------------------------'
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SessionPhase {
    /// It has a Network Connection.
    Online,
    /// It has none, and ends at a deadline.
    OfflineUntil,
    /// It has none, and waits for the next.
    OfflineForEver,
    /// It is forgotten.
    Ended,
}

/// What decides over a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SessionEvent {
    /// A connection goes on with it.
    Connected,
    /// Its connection ended.
    ConnectionEnded(Expiry),
    /// The deadline has come.
    Expired,
    /// A connection with Clean Start begins another in its place.
    CleanStart,
    /// An administrator ends it; its connection has ended before.
    Revoked,
}

/// What a Session Expiry Interval says; in 3.1.1 it follows from Clean Session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expiry {
    /// 0: the session ends with its connection.
    AtOnce,
    /// It outlives its connection for a while.
    After,
    /// 0xFFFFFFFF.
    Never,
}

impl SessionPhase {
    /// The state after an event; `None` where the event cannot come: Clean Start and another connection end the one there was.
    // [MQTT-3.1.2-4] [MQTT-3.1.2-5] [MQTT-3.1.2-23] [MQTT-4.1.0-1] [MQTT-4.1.0-2]
    // [v3 MQTT-3.1.2-4] [v3 MQTT-3.1.2-6] [v3 MQTT-4.1.0-1] [v3 MQTT-4.1.0-2]
    pub(super) const fn next(self, event: SessionEvent) -> Option<Self> {
        use SessionEvent::{CleanStart, Connected, ConnectionEnded, Expired, Revoked};
        match (self, event) {
            (Self::OfflineUntil | Self::OfflineForEver, Connected) => Some(Self::Online),
            (Self::Online, ConnectionEnded(Expiry::AtOnce))
            | (Self::OfflineUntil, Expired)
            | (Self::OfflineUntil | Self::OfflineForEver, CleanStart | Revoked) => Some(Self::Ended),
            (Self::Online, ConnectionEnded(Expiry::After)) => Some(Self::OfflineUntil),
            (Self::Online, ConnectionEnded(Expiry::Never)) => Some(Self::OfflineForEver),
            (Self::Online, Connected | Expired | CleanStart | Revoked)
            | (Self::OfflineUntil, ConnectionEnded(_))
            | (Self::OfflineForEver, ConnectionEnded(_) | Expired)
            | (Self::Ended, _) => None,
        }
    }
}

impl Expiry {
    /// That of a session which outlives its connection so long; `None` is for ever.
    pub(super) const fn of(expiry: Option<Duration>) -> Self {
        match expiry {
            Some(expiry) if expiry.is_zero() => Self::AtOnce,
            Some(_) => Self::After,
            None => Self::Never,
        }
    }

    /// What DISCONNECT makes of it; `None` where that is a Protocol Error (section 3.14.2.2.2).
    // [X5-3.14.2.2.2-1]
    pub(super) const fn changed(self, to: Self) -> Option<Self> {
        match (self, to) {
            (Self::AtOnce, Self::After | Self::Never) => None,
            (Self::AtOnce, Self::AtOnce) | (Self::After | Self::Never, _) => Some(to),
        }
    }
}

/// How long the session is to outlive the connection; `None` is for ever.
pub(super) fn expiry_asked(connect: &Connect) -> Option<Duration> {
    match connect.version {
        Version::V3_1_1 if connect.clean_start => Some(Duration::ZERO),
        Version::V3_1_1 => None,
        Version::V5 => expiry_interval(connect.properties.session_expiry_interval().unwrap_or(0)),
    }
}

/// A Session Expiry Interval as a duration; `None` is for ever.
pub(super) const fn expiry_interval(seconds: u32) -> Option<Duration> {
    if seconds == u32::MAX {
        None
    } else {
        Some(Duration::from_secs(seconds as u64))
    }
}

/// [`expiry_interval`] the other way round.
pub(super) fn interval_of(expiry: Option<Duration>) -> u32 {
    expiry.map_or(u32::MAX, |expiry| {
        u32::try_from(expiry.as_secs()).unwrap_or(u32::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::{super::machine_table::table, *};

    impl SessionPhase {
        const ALL: [Self; 4] = [
            Self::Online,
            Self::OfflineUntil,
            Self::OfflineForEver,
            Self::Ended,
        ];
    }

    impl SessionEvent {
        const ALL: [Self; 7] = [
            Self::Connected,
            Self::ConnectionEnded(Expiry::AtOnce),
            Self::ConnectionEnded(Expiry::After),
            Self::ConnectionEnded(Expiry::Never),
            Self::Expired,
            Self::CleanStart,
            Self::Revoked,
        ];
    }

    impl Expiry {
        const ALL: [Self; 3] = [Self::AtOnce, Self::After, Self::Never];
    }

    #[test]
    fn a_session_outlives_its_connections_as_long_as_its_expiry_says() {
        insta::assert_snapshot!(table(&SessionPhase::ALL, &SessionEvent::ALL, SessionPhase::next));
    }

    #[test]
    fn disconnect_shortens_and_lengthens_an_expiry_but_not_one_of_zero() {
        insta::assert_snapshot!(table(&Expiry::ALL, &Expiry::ALL, Expiry::changed));
    }
}
