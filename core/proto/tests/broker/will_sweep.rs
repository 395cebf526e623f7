//! Every meeting of Will Delay, Session Expiry, the way a connection ends, and the way its client comes back.

use std::time::Duration;

use squall_proto::{
    Binary, Connect, Disconnect, Packet, Property, Qos, ReasonCode, TopicName, Version, Will,
};

use crate::table::Table;

/// How the connection ends, at second 0.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Disconnect,
    DisconnectWithWill,
    Lost,
    KeepAlive,
    Refused,
    TakenOver { clean_start: bool },
}

const ENDS: [End; 7] = [
    End::Disconnect,
    End::DisconnectWithWill,
    End::Lost,
    End::KeepAlive,
    End::Refused,
    End::TakenOver { clean_start: false },
    End::TakenOver { clean_start: true },
];

/// Whether and when the client comes back, and with what Clean Start.
type Back = Option<(u64, bool)>;

const BACKS: [Back; 7] = [
    None,
    Some((3, false)),
    Some((3, true)),
    Some((7, false)),
    Some((7, true)),
    Some((15, false)),
    Some((15, true)),
];

#[derive(Clone, Copy, Debug)]
struct Meeting {
    delay: u32,
    /// Session Expiry Interval.
    expiry: u32,
    end: End,
    back: Back,
}

impl Meeting {
    fn all() -> impl Iterator<Item = Self> {
        [0, 5, 20].into_iter().flat_map(move |delay| {
            [0, 10, u32::MAX].into_iter().flat_map(move |expiry| {
                ENDS.into_iter().flat_map(move |end| {
                    let backs: &[Back] = if matches!(end, End::TakenOver { .. }) {
                        &BACKS[..1]
                    } else {
                        &BACKS
                    };
                    backs.iter().copied().map(move |back| Self {
                        delay,
                        expiry,
                        end,
                        back,
                    })
                })
            })
        })
    }

    /// The second at which the Will is to be published, as section 3.1.2.5 and 3.1.3.2.2 have it.
    fn published(self) -> Option<u64> {
        let session_ends = if self.expiry == u32::MAX {
            u64::MAX
        } else {
            u64::from(self.expiry)
        };
        let due = session_ends.min(self.delay.into());
        let back = match self.end {
            End::Disconnect => return None,
            End::TakenOver { clean_start } => Some((0, clean_start)),
            End::DisconnectWithWill | End::Lost | End::KeepAlive | End::Refused => self.back,
        };
        match back {
            Some((at, clean_start)) if at < due => clean_start.then_some(at),
            Some(_) | None => Some(due),
        }
    }

    /// The seconds at which the broker publishes it.
    fn observed(self) -> Vec<u64> {
        let mut t = Table::new(Version::V5);
        t.connect("watcher");
        t.subscribe("watcher", "will", Qos::AtMostOnce);
        let connect = self.connect(&t);
        t.connect_as("a", connect);
        self.end(&mut t);
        let mut seen = Vec::new();
        for second in 0..30 {
            if let Some((_, clean_start)) = self.back.filter(|(at, _)| *at == second) {
                reconnect(&mut t, "back", clean_start);
            }
            seen.extend(t.take_payloads("watcher").iter().map(|_| second));
            t.wait(Duration::from_secs(1));
        }
        seen
    }

    fn connect(self, t: &Table) -> Connect {
        let will = Will {
            topic: TopicName::new("will").unwrap(),
            payload: Binary::new("gone").unwrap(),
            qos: Qos::AtMostOnce,
            retain: false,
            properties: [Property::WillDelayInterval(self.delay)].into_iter().collect(),
        };
        Connect {
            will: Some(will),
            keep_alive: if self.end == End::KeepAlive { 2 } else { 0 },
            properties: [Property::SessionExpiryInterval(self.expiry)]
                .into_iter()
                .collect(),
            ..t.clean("a")
        }
    }

    fn end(self, t: &mut Table) {
        let disconnect = |reason_code| Packet::Disconnect(Disconnect::of(reason_code));
        match self.end {
            End::Disconnect => t.send("a", disconnect(ReasonCode::Success)),
            End::DisconnectWithWill => t.send("a", disconnect(ReasonCode::DisconnectWithWillMessage)),
            End::Lost => t.cut("a"),
            End::KeepAlive => t.wait(Duration::from_secs(3)),
            End::Refused => t.send("a", Packet::Pingresp),
            End::TakenOver { clean_start } => reconnect(t, "second", clean_start),
        }
    }
}

/// Connects again, without a Will.
fn reconnect(t: &mut Table, name: &str, clean_start: bool) {
    let connect = Connect {
        clean_start,
        ..t.clean("a")
    };
    t.connect_as(name, connect);
}

/// [MQTT-3.1.2-8] [MQTT-3.1.2-10] [MQTT-3.1.3-9] [MQTT-3.14.4-3]
#[test]
fn a_will_is_published_once_at_its_time_or_never() {
    let mut meetings = 0;
    for meeting in Meeting::all() {
        meetings += 1;
        let wanted: Vec<u64> = meeting.published().into_iter().collect();
        assert_eq!(meeting.observed(), wanted, "{meeting:?}");
    }
    assert_eq!(meetings, 3 * 3 * (5 * 7 + 2));
}
