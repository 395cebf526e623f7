//! CONNACK: what a client is granted, or why it is refused.

use core::{
    num::{NonZeroU16, NonZeroU32},
    time::Duration,
};

use super::{
    Broker, Cause, Close, Note, Output,
    authenticate::method_and_data,
    explain::Takes,
    session_expiry::{expiry_asked, interval_of},
};
use crate::{Binary, ConnId, Connack, Connect, Packet, Properties, Property, Qos, ReasonCode, Text, Version};

/// What stands for the Client Identifier in the Response Information that is configured.
const CLIENT_ID: &str = "{client_id}";

impl Broker {
    /// The CONNACK of a client that is let in as `client_id`.
    pub(super) fn connack(
        &self,
        connect: &Connect,
        client_id: &Text,
        assigned: Option<Text>,
        data: Option<Binary>,
    ) -> Connack {
        let mut connack = Connack {
            session_present: false,
            reason_code: ReasonCode::Success,
            properties: Properties::new(),
        };
        if connect.version == Version::V3_1_1 {
            return connack;
        }
        connack.properties = self.connack_properties(connect, assigned, data);
        // [MQTT-3.1.2-28]
        if connect.properties.request_response_information() == Some(true)
            && let Some(information) = self.response_information(client_id)
        {
            let mut informed = connack.clone();
            informed
                .properties
                .push(Property::ResponseInformation(information));
            if Takes::of(connect).fits((&Packet::Connack(informed.clone())).into()) {
                return informed;
            }
        }
        connack
    }

    /// What a client is to make its Response Topics of. A Client Identifier with a wildcard cannot stand in one.
    fn response_information(&self, client_id: &Text) -> Option<Text> {
        let configured = self.told.response_information.as_ref()?;
        if !configured.contains(CLIENT_ID) {
            return Some(configured.clone());
        }
        if client_id.contains(['+', '#']) {
            return None;
        }
        Text::new(&configured.replace(CLIENT_ID, client_id)).ok()
    }

    fn connack_properties(
        &self,
        connect: &Connect,
        assigned: Option<Text>,
        data: Option<Binary>,
    ) -> Properties {
        let limits = &self.limits;
        let asked = expiry_asked(connect);
        let granted = self.granted_expiry(asked);
        let keep_alive = self.keep_alive(connect);
        // [MQTT-3.2.2-9]
        let maximum_qos = match limits.maximum_qos {
            Qos::AtMostOnce => Some(Property::MaximumQos(false)),
            Qos::AtLeastOnce => Some(Property::MaximumQos(true)),
            Qos::ExactlyOnce => None,
        };
        let unavailable = |available: bool, property| (!available).then_some(property);
        [
            (granted != asked).then(|| Property::SessionExpiryInterval(interval_of(granted))),
            NonZeroU16::new(limits.receive_maximum).map(Property::ReceiveMaximum),
            maximum_qos,
            unavailable(limits.retain_available, Property::RetainAvailable(false)),
            NonZeroU32::new(limits.packet_size).map(Property::MaximumPacketSize),
            // [MQTT-3.1.3-7]
            assigned.map(Property::AssignedClientIdentifier),
            (limits.topic_alias_maximum > 0)
                .then_some(Property::TopicAliasMaximum(limits.topic_alias_maximum)),
            unavailable(
                limits.wildcard_subscription_available,
                Property::WildcardSubscriptionAvailable(false),
            ),
            unavailable(
                limits.subscription_identifier_available,
                Property::SubscriptionIdentifierAvailable(false),
            ),
            unavailable(
                limits.shared_subscription_available,
                Property::SharedSubscriptionAvailable(false),
            ),
            (keep_alive != connect.keep_alive).then_some(Property::ServerKeepAlive(keep_alive)),
        ]
        .into_iter()
        .flatten()
        // [MQTT-4.12.0-5]
        .chain(method_and_data(connect.properties.authentication_method(), data))
        .collect()
    }

    /// Seconds; the server's own where it set one.
    // [MQTT-3.2.2-22]
    pub(super) fn keep_alive(&self, connect: &Connect) -> u16 {
        match (connect.version, self.limits.keep_alive) {
            (Version::V5, Some(max)) if connect.keep_alive == 0 || connect.keep_alive > max => max,
            (Version::V5 | Version::V3_1_1, _) => connect.keep_alive,
        }
    }

    /// What of an expiry the limits grant.
    pub(super) fn granted_expiry(&self, asked: Option<Duration>) -> Option<Duration> {
        [asked, self.limits.session_expiry].into_iter().flatten().min()
    }

    // [MQTT-3.2.2-6] [MQTT-3.2.2-7] [v3 MQTT-3.2.2-4] [v3 MQTT-3.2.2-5]
    pub(super) fn refuse_connect(&mut self, conn: ConnId, takes: Takes, cause: Cause, out: &mut impl Output) {
        let mut connack = Packet::Connack(Connack {
            session_present: false,
            reason_code: self.reason_code(cause),
            properties: Properties::new(),
        });
        self.explain(&mut connack, takes, cause);
        // [v3 MQTT-3.2.2-6] What 3.1.1 has no return code for is not told.
        let has_word = takes.version == Version::V5 || cause.reason_code().connect_return_code().is_some();
        // [MQTT-3.1.2-24]
        if has_word && takes.fits((&connack).into()) {
            out.send(conn, takes.version, (&connack).into());
        }
        self.abandon(conn, cause, out);
    }

    /// Closes a connection that has no session, without a word.
    pub(super) fn abandon(&mut self, conn: ConnId, cause: Cause, out: &mut impl Output) {
        out.note(Note::Refused { conn, cause });
        self.set_closing(conn);
        out.close(conn, Close::Refused(self.reason_code(cause)));
    }
}
