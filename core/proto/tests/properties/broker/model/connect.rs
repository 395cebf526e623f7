//! From CONNECT to CONNACK.

use std::{
    collections::{BTreeMap, VecDeque},
    num::NonZeroU16,
    time::Duration,
};

use squall_proto::{
    ConnId, Connack, Connect, Instant, Packet, Properties, Qos, ReasonCode, Version, Will as WillOfConnect,
};

use super::{Connection, Model, Phase, Session, Unsent, message::Will, publish::has_more_levels};

impl Connection {
    pub(super) const fn new(now: Instant) -> Self {
        Self {
            phase: Phase::AwaitingConnect,
            version: Version::V5,
            client_id: String::new(),
            answers: VecDeque::new(),
            last_packet_at: now,
            silence_max: None,
            packet_size_max: usize::MAX,
            quota: 0,
            quota_max: 0,
            unreleased: 0,
            aliases_of_client: BTreeMap::new(),
            aliases_of_broker: BTreeMap::new(),
            topic_alias_maximum: 0,
            unsent: Unsent::Nothing,
        }
    }
}

impl Model {
    pub(super) fn connect(&mut self, conn: ConnId, connect: &Connect) {
        self.connection(conn).version = connect.version;
        self.connection(conn).packet_size_max = packet_size_max(connect);
        // [MQTT-3.1.2-24] A client that no CONNACK fits (it has five bytes at least) is closed without.
        if packet_size_max(connect) < 5 {
            return self.end(conn, &[], false);
        }
        let refusals = self.refusals(connect);
        if !refusals.is_empty() {
            // [MQTT-3.2.2-6] [MQTT-3.2.2-7] [v3 MQTT-3.2.2-4] [v3 MQTT-3.2.2-5]
            let connacks = refusals.iter().filter(|code| can_say(connect.version, **code));
            let answers: Vec<Packet> = connacks
                .map(|code| connack(connect.version, false, *code))
                .collect();
            // [v3 MQTT-3.2.2-6] 3.1.1 has no word for some; the refusal is then a close.
            if !answers.is_empty() {
                self.connection(conn).answers.push_back(answers);
            }
            return self.end(conn, &refusals, false);
        }
        let client_id = self.client_id(connect);
        // [MQTT-3.1.4-3] [v3 MQTT-3.1.4-2]
        let taken_over = self
            .sessions
            .get(&client_id)
            .and_then(|session| session.connection);
        if let Some(old) = taken_over {
            self.end(old, &[ReasonCode::SessionTakenOver], true);
        }
        // [MQTT-3.1.2-4] [v3 MQTT-3.1.2-6] The session ends, and with it the delay of its Will.
        if connect.clean_start {
            self.publish_will(&client_id);
            self.forget(&client_id);
        }
        // [MQTT-3.1.2-5] [MQTT-3.1.2-6] [MQTT-3.2.2-2] [MQTT-3.2.2-3] [v3 MQTT-3.2.2-1] [v3 MQTT-3.2.2-2]
        let present = self.sessions.contains_key(&client_id);
        let answer = connack(connect.version, present, ReasonCode::Success);
        self.connection(conn).answers.push_back(vec![answer]);
        self.bring_online(conn, connect, client_id);
    }

    pub(super) fn refuse_version(&mut self, conn: ConnId) {
        let code = ReasonCode::UnsupportedProtocolVersion;
        let answers = Version::ALL.map(|version| connack(version, false, code)).to_vec();
        self.connection(conn).answers.push_back(answers);
        self.end(conn, &[code], false);
    }

    fn bring_online(&mut self, conn: ConnId, connect: &Connect, client_id: String) {
        let (now, quota) = (self.now, self.quota(connect));
        let silence_max = Some(self.keep_alive(connect)).filter(|seconds| *seconds > 0);
        let connection = self.connection(conn);
        connection.phase = Phase::Connected;
        connection.client_id.clone_from(&client_id);
        connection.last_packet_at = now;
        // [MQTT-3.1.2-22] [v3 MQTT-3.1.2-24]
        connection.silence_max = silence_max.map(|seconds| Duration::from_millis(1500 * u64::from(seconds)));
        // [MQTT-4.9.0-1] Section 4.9: not preserved across connections.
        (connection.quota, connection.quota_max) = (quota, quota);
        connection.topic_alias_maximum = connect.properties.topic_alias_maximum().unwrap_or(0);
        let expiry = self.session_expiry(connect);
        let session: &mut Session = self.sessions.entry(client_id).or_default();
        session.connection = Some(conn);
        session.expiry = expiry;
        session.expires_at = None;
        // [MQTT-3.1.3-9] A Will that still waits is not published.
        session.will = connect.will.as_ref().map(Will::new);
        session.will_at = None;
        // [MQTT-4.4.0-1] [v3 MQTT-4.4.0-1] All that is under way is owed again.
        for in_flight in &mut session.in_flight {
            in_flight.sent_here = false;
        }
    }

    /// The codes with which this CONNECT may be refused; none if it may not. In 3.1.1, where some are said and others are not, the
    /// first.
    fn refusals(&self, connect: &Connect) -> Vec<ReasonCode> {
        let limits = &self.limits;
        let will = |is_wrong: &dyn Fn(&WillOfConnect) -> bool| connect.will.as_ref().is_some_and(is_wrong);
        let v3 = connect.version == Version::V3_1_1;
        [
            (
                self.connections.len() > limits.connections,
                ReasonCode::QuotaExceeded,
            ),
            // [v3 MQTT-3.1.3-8]
            (
                v3 && connect.client_id.is_empty() && !connect.clean_start,
                ReasonCode::ClientIdentifierNotValid,
            ),
            // [MQTT-3.2.2-12]
            (
                will(&|will| will.qos > limits.maximum_qos),
                ReasonCode::QosNotSupported,
            ),
            // [MQTT-3.2.2-13]
            (
                will(&|will| will.retain && !limits.retain_available),
                ReasonCode::RetainNotSupported,
            ),
            (
                will(&|will| has_more_levels(&will.topic, limits.topic_levels)),
                ReasonCode::TopicNameInvalid,
            ),
        ]
        .into_iter()
        .filter_map(|(is_wrong, code)| is_wrong.then_some(code))
        .take(if v3 { 1 } else { usize::MAX })
        .collect()
    }

    /// The broker chooses a Client Identifier where there is none; which one is seen in CONNACK, or never.
    fn client_id(&mut self, connect: &Connect) -> String {
        if !connect.client_id.is_empty() {
            return connect.client_id.to_string();
        }
        self.anonymous += 1;
        format!("without identifier {}", self.anonymous)
    }

    fn quota(&self, connect: &Connect) -> u16 {
        let receive_maximum = connect
            .properties
            .receive_maximum()
            .map_or(u16::MAX, NonZeroU16::get);
        receive_maximum.min(self.limits.inflight)
    }

    /// [MQTT-3.2.2-22]
    fn keep_alive(&self, connect: &Connect) -> u16 {
        match (connect.version, self.limits.keep_alive) {
            (Version::V5, Some(max)) if connect.keep_alive == 0 => max,
            (Version::V5, Some(max)) => connect.keep_alive.min(max),
            (Version::V5 | Version::V3_1_1, _) => connect.keep_alive,
        }
    }

    fn session_expiry(&self, connect: &Connect) -> Option<Duration> {
        let asked = match connect.version {
            Version::V3_1_1 if connect.clean_start => Some(Duration::ZERO),
            Version::V3_1_1 => None,
            Version::V5 => interval(connect.properties.session_expiry_interval().unwrap_or(0)),
        };
        [asked, self.limits.session_expiry].into_iter().flatten().min()
    }

    /// Whether the properties of a CONNACK say what this broker grants, and nothing else.
    pub(super) fn check_connack(&mut self, conn: ConnId, connack: &Connack) -> Result<(), String> {
        let (version, client_id) = (
            self.connections[&conn].version,
            &self.connections[&conn].client_id,
        );
        if version == Version::V3_1_1 || connack.reason_code != ReasonCode::Success {
            return Ok(());
        }
        let limits = &self.limits;
        let says = &connack.properties;
        let maximum_qos = match says.maximum_qos() {
            None => Qos::ExactlyOnce,
            Some(true) => Qos::AtLeastOnce,
            Some(false) => Qos::AtMostOnce,
        };
        let is_right = says.receive_maximum().map_or(u16::MAX, NonZeroU16::get) == limits.receive_maximum
            && says
                .maximum_packet_size()
                .is_some_and(|size| size.get() == limits.packet_size)
            && says.topic_alias_maximum().unwrap_or(0) == limits.topic_alias_maximum
            && maximum_qos == limits.maximum_qos
            && says.retain_available().unwrap_or(true) == limits.retain_available
            && says.wildcard_subscription_available().unwrap_or(true)
                == limits.wildcard_subscription_available;
        if !is_right {
            return Err("CONNACK does not say what the broker grants".into());
        }
        // [MQTT-3.1.3-7] [MQTT-3.2.2-16]
        let is_unnamed = client_id.starts_with("without identifier");
        match says.assigned_client_identifier() {
            Some(assigned) if is_unnamed && self.assigned.insert(assigned.to_string()) => Ok(()),
            None if !is_unnamed => Ok(()),
            other => Err(format!("the assigned client identifier is {other:?}")),
        }
    }
}

fn connack(version: Version, session_present: bool, code: ReasonCode) -> Packet {
    let reason_code = match version {
        Version::V5 => code,
        Version::V3_1_1 => {
            let return_code = code.connect_return_code();
            return_code
                .and_then(ReasonCode::from_connect_return_code)
                .expect("3.1.1 can say it")
        }
    };
    Packet::Connack(Connack {
        session_present,
        reason_code,
        properties: Properties::new(),
    })
}

fn can_say(version: Version, code: ReasonCode) -> bool {
    version == Version::V5 || code.connect_return_code().is_some()
}

fn packet_size_max(connect: &Connect) -> usize {
    let size = connect.properties.maximum_packet_size();
    size.map_or(usize::MAX, |size| usize::try_from(size.get()).unwrap())
}

/// `None` is for ever.
pub(super) fn interval(seconds: u32) -> Option<Duration> {
    (seconds != u32::MAX).then(|| Duration::from_secs(seconds.into()))
}
