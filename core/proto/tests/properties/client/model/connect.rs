//! The life of a connection.

use std::{collections::BTreeMap, num::NonZeroU16, time::Duration};

use squall_proto::{
    Connack, Connect, Disconnect, Instant, Packet, Properties, Qos, ReasonCode, Version,
    client::{Event, Resubscribe, SessionLost, Why},
};

use super::{Connection, Model, Phase, Standing};

/// What the server said it takes.
pub(super) struct Limits {
    pub(super) receive_maximum: u16,
    pub(super) packet_size_max: usize,
    pub(super) maximum_qos: Qos,
    properties: Properties,
}

/// A connection that the client is to end.
pub(super) struct Ending {
    /// DISCONNECT with any of these comes first, if there is one.
    pub(super) say: Vec<ReasonCode>,
    pub(super) why: Reason,
}

/// What the application is told of an end.
pub(super) enum Reason {
    Exactly(Why),
    /// A violation with any of these codes.
    Violated(Vec<ReasonCode>),
    Malformed,
}

impl Ending {
    pub(super) const fn silent(why: Why) -> Self {
        Self {
            say: Vec::new(),
            why: Reason::Exactly(why),
        }
    }
}

impl Reason {
    fn is(&self, told: &Why) -> bool {
        match (self, told) {
            (Self::Exactly(why), told) => why == told,
            (Self::Violated(codes), Why::Violated(violation)) => codes.contains(&violation.reason_code()),
            (Self::Malformed, Why::Malformed(_)) => true,
            (Self::Violated(_) | Self::Malformed, _) => false,
        }
    }
}

impl Model {
    pub(crate) fn opened(&mut self, now: Instant) {
        self.now = now;
        self.phase = Phase::Connecting {
            connect_sent: false,
            opened: now,
            deadline: now + self.options.connect_timeout,
        };
    }

    /// Whether the server may have a session of this client.
    pub(crate) fn server_may_have_session(&self) -> bool {
        self.session == Standing::Kept && !self.clean_start()
    }

    fn clean_start(&self) -> bool {
        match self.session {
            Standing::Unknown => self.options.clean_start,
            Standing::Kept => false,
            Standing::Ended => true,
        }
    }

    pub(super) fn sent_connect(&mut self, connect: &Connect) -> Result<(), String> {
        let options = &self.options;
        let says = &connect.properties;
        let receive_maximum = says.receive_maximum().map_or(u16::MAX, NonZeroU16::get);
        let is_right = connect.version == options.version
            && connect.client_id == options.client_id
            && connect.keep_alive == options.keep_alive
            && connect.clean_start == self.clean_start()
            && connect.will == options.will
            && says.session_expiry_interval().unwrap_or(0) == options.session_expiry_interval
            && says.topic_alias_maximum().unwrap_or(0) == options.topic_alias_maximum
            && (options.version == Version::V3_1_1 || receive_maximum == options.receive_maximum);
        if is_right {
            Ok(())
        } else {
            Err("CONNECT does not say what the options say".into())
        }
    }

    pub(super) fn connack(&mut self, connack: &Connack) {
        if connack.reason_code.is_error() {
            return self.end(Ending::silent(Why::Refused(connack.clone())));
        }
        let (v3, clean_start) = (self.version() == Version::V3_1_1, self.clean_start());
        // [MQTT-3.2.2-4] 3.1.1 leaves it to the client, unless it asked for a clean session.
        if connack.session_present && (clean_start || !(v3 || self.session == Standing::Kept)) {
            return self.violated(&[ReasonCode::ProtocolError]);
        }
        self.events.push(Event::Connected {
            session_present: connack.session_present,
            connack: connack.clone(),
        });
        self.session = Standing::Kept;
        self.phase = Phase::Connected(self.connection(connack));
        if connack.session_present {
            self.resume();
        } else {
            self.session_lost();
        }
        self.renew(connack.session_present);
    }

    fn connection(&self, connack: &Connack) -> Connection {
        let (says, options) = (&connack.properties, &self.options);
        // [MQTT-3.2.2-21] [MQTT-3.1.2-21]
        let keep_alive = says.server_keep_alive().unwrap_or(options.keep_alive);
        let expiry = says
            .session_expiry_interval()
            .unwrap_or(options.session_expiry_interval);
        let limits = Limits::new(connack, options.inflight);
        Connection {
            quota: limits.receive_maximum,
            limits,
            session_outlives_it: match options.version {
                Version::V3_1_1 => !options.clean_start,
                Version::V5 => expiry != 0,
            },
            keep_alive: (keep_alive > 0).then(|| Duration::from_secs(keep_alive.into())),
            // CONNECT is a packet like others.
            last_sent: match self.phase {
                Phase::Connecting { opened, .. } => opened,
                _ => self.now,
            },
            last_received: self.now,
            ping_is_due: false,
            pingresp_deadline: None,
            aliases_of_server: BTreeMap::new(),
            aliases_of_client: BTreeMap::new(),
        }
    }

    /// [MQTT-3.2.2-5] [MQTT-3.1.2-4] [v3 MQTT-3.1.2-6]
    fn session_lost(&mut self) {
        self.received.clear();
        let mut again = Vec::new();
        for in_flight in std::mem::take(&mut self.in_flight) {
            // Squall publishes again what the server may not have, unless it is told otherwise.
            if let Some(reason_code) = in_flight.released {
                self.finished(in_flight.waiting.ticket, Ok(reason_code));
            } else if in_flight.waiting.message.qos == Qos::ExactlyOnce
                && self.options.session_lost == SessionLost::Fail
            {
                self.finished(
                    in_flight.waiting.ticket,
                    Err(squall_proto::client::Failure::SessionLost),
                );
            } else {
                again.push(in_flight.waiting);
            }
        }
        again.append(&mut self.waiting);
        self.waiting = again;
    }

    fn renew(&mut self, session_present: bool) {
        let all = match self.options.resubscribe {
            Resubscribe::Always => true,
            Resubscribe::WhenSessionLost => !session_present,
            Resubscribe::Never => {
                if !session_present {
                    self.granted.clear();
                }
                false
            }
        };
        if all {
            self.renewals = self
                .granted
                .iter()
                .map(|(filter, granted)| (filter.clone(), granted.renewal()))
                .collect();
        }
    }

    pub(super) fn violated(&mut self, codes: &[ReasonCode]) {
        self.end(Ending {
            say: if self.version() == Version::V5 {
                codes.to_vec()
            } else {
                Vec::new()
            },
            why: Reason::Violated(codes.to_vec()),
        });
    }

    pub(super) fn malformed(&mut self) {
        let codes = vec![ReasonCode::MalformedPacket, ReasonCode::ProtocolError];
        self.end(Ending {
            say: if self.version() == Version::V5 {
                codes
            } else {
                Vec::new()
            },
            why: Reason::Malformed,
        });
    }

    pub(super) fn server_disconnects(&mut self, disconnect: &Disconnect) {
        // [MQTT-3.14.2-2]
        if self.version() == Version::V3_1_1 || disconnect.properties.session_expiry_interval().is_some() {
            return self.violated(&[ReasonCode::ProtocolError]);
        }
        self.end(Ending::silent(Why::Server(disconnect.clone())));
    }

    pub(crate) fn disconnect(&mut self, now: Instant, code: ReasonCode) {
        self.now = now;
        if let Phase::Connecting { .. } | Phase::Connected(_) = self.phase {
            let can_say = self.version() == Version::V5 || code == ReasonCode::Success;
            self.end(Ending {
                say: if can_say { vec![code] } else { Vec::new() },
                why: Reason::Exactly(Why::Requested),
            });
        }
    }

    pub(crate) fn lost(&mut self, now: Instant) {
        self.now = now;
        if let Phase::Connecting { .. } | Phase::Connected(_) = self.phase {
            self.events.push(Event::Disconnected(Why::Lost));
            self.leave();
        }
        self.phase = Phase::Offline;
    }

    pub(super) fn end(&mut self, ending: Ending) {
        self.leave();
        self.phase = Phase::Ending(ending);
    }

    /// What ends with a connection.
    fn leave(&mut self) {
        let Phase::Connected(connection) = &self.phase else {
            return;
        };
        self.session = if connection.session_outlives_it {
            Standing::Kept
        } else {
            Standing::Ended
        };
        self.requests_unsent();
        self.received_offline();
    }

    /// [MQTT-3.14.4-1] [MQTT-3.14.4-2] [v3 MQTT-3.14.4-1] [v3 MQTT-3.14.4-2]
    pub(super) fn sent_disconnect(&mut self, code: ReasonCode) -> Result<(), String> {
        match &mut self.phase {
            Phase::Ending(ending) if ending.say.contains(&code) => {
                ending.say.clear();
                Ok(())
            }
            _ => Err("there is no reason to disconnect".into()),
        }
    }

    pub(crate) fn closed(&mut self) -> Result<(), String> {
        match &self.phase {
            Phase::Ending(ending) if ending.say.is_empty() => Ok(()),
            Phase::Ending(ending) => Err(format!("closed without DISCONNECT {:?}", ending.say)),
            _ => Err("there is no reason to close".into()),
        }
    }

    pub(super) fn told_disconnected(&mut self, why: &Why) -> Result<(), String> {
        match &self.phase {
            Phase::Ending(ending) if ending.why.is(why) => {
                self.phase = Phase::Closed;
                Ok(())
            }
            _ => Err("that is not why".into()),
        }
    }
}

impl Limits {
    fn new(connack: &Connack, inflight: u16) -> Self {
        let says = &connack.properties;
        let packet_size_max = says.maximum_packet_size();
        Self {
            receive_maximum: says
                .receive_maximum()
                .map_or(u16::MAX, NonZeroU16::get)
                .min(inflight),
            packet_size_max: packet_size_max.map_or(usize::MAX, |size| usize::try_from(size.get()).unwrap()),
            maximum_qos: match says.maximum_qos() {
                None => Qos::ExactlyOnce,
                Some(true) => Qos::AtLeastOnce,
                Some(false) => Qos::AtMostOnce,
            },
            properties: says.clone(),
        }
    }

    pub(super) fn topic_alias_maximum(&self) -> u16 {
        self.properties.topic_alias_maximum().unwrap_or(0)
    }

    pub(super) fn retain(&self) -> bool {
        self.properties.retain_available().unwrap_or(true)
    }

    /// Whether a SUBSCRIBE may be sent: [MQTT-3.2.2-15] and what CONNACK said is not available.
    pub(super) fn takes_subscribe(&self, packet: &Packet) -> bool {
        let Packet::Subscribe(subscribe) = packet else {
            return true;
        };
        let has_id = subscribe.properties.subscription_identifiers().next().is_some();
        subscribe.filters.iter().all(|(filter, _)| {
            let says = &self.properties;
            (says.wildcard_subscription_available().unwrap_or(true) || !filter.has_wildcard())
                && (says.shared_subscription_available().unwrap_or(true) || filter.share_name().is_none())
        }) && (self
            .properties
            .subscription_identifier_available()
            .unwrap_or(true)
            || !has_id)
    }
}
