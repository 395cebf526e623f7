//! Why, in words: Reason Strings, where the client takes them.

use alloc::format;
use core::fmt::Display;

use super::{Broker, Cause, Refusal, session::Online};
use crate::{Connect, Packet, PacketRef, Property, ReasonCode, Text, Version, encoded_len};

/// What a client takes of what the broker could say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Takes {
    pub(super) version: Version,
    /// Its Maximum Packet Size.
    pub(super) packet_size_max: Option<usize>,
    /// Its Request Problem Information.
    pub(super) problem_information: bool,
}

impl Takes {
    /// What a CONNECT says of its sender.
    pub(super) fn of(connect: &Connect) -> Self {
        let properties = &connect.properties;
        Self {
            version: connect.version,
            packet_size_max: properties
                .maximum_packet_size()
                .and_then(|size| usize::try_from(size.get()).ok()),
            problem_information: properties.request_problem_information().unwrap_or(true),
        }
    }

    // [MQTT-3.1.2-24]
    pub(super) fn fits(self, packet: PacketRef<'_>) -> bool {
        self.packet_size_max
            .is_none_or(|max| encoded_len(self.version, packet) <= max)
    }

    /// Adds a Reason String, where this client takes one in this packet and the packet then still fits.
    // [MQTT-3.1.2-29] [MQTT-3.2.2-19] [MQTT-3.4.2-2] [MQTT-3.5.2-2] [MQTT-3.6.2-2] [MQTT-3.7.2-2] [MQTT-3.9.2-1] [MQTT-3.14.2-3]
    pub(super) fn explain(self, packet: &mut Packet, why: impl Display) {
        let always = matches!(packet, Packet::Connack(_) | Packet::Disconnect(_));
        if self.version == Version::V5
            && (always || self.problem_information)
            && let Ok(why) = Text::new(&format!("{why}"))
        {
            self.add(packet, Property::ReasonString(why));
        }
    }

    /// Adds a property that may stand once, unless the packet would then no longer fit.
    pub(super) fn add(self, packet: &mut Packet, property: Property) {
        let Some(properties) = packet.properties_mut() else {
            return;
        };
        let id = property.id();
        properties.push(property);
        if !self.fits((&*packet).into())
            && let Some(properties) = packet.properties_mut()
        {
            properties.retain(|property| property.id() != id);
        }
    }
}

impl Broker {
    /// What a client is told of a cause: another server, where one is known that would help.
    pub(super) const fn reason_code(&self, cause: Cause) -> ReasonCode {
        if self.is_sent_elsewhere(cause) {
            ReasonCode::UseAnotherServer
        } else {
            cause.reason_code()
        }
    }

    /// Adds what there is to be said of a refusal to the CONNACK or DISCONNECT that tells it, as far as that still fits: first
    /// where to go.
    pub(super) fn explain(&self, packet: &mut Packet, takes: Takes, cause: Cause) {
        if let Some(reference) = &self.told.server_reference
            && takes.version == Version::V5
            && self.is_sent_elsewhere(cause)
        {
            takes.add(packet, Property::ServerReference(reference.clone()));
        }
        takes.explain(packet, cause);
    }

    const fn is_sent_elsewhere(&self, cause: Cause) -> bool {
        self.told.server_reference.is_some()
            && matches!(
                cause,
                Cause::Shutdown | Cause::Refused(Refusal::TooManyConnections)
            )
    }
}

impl Online {
    pub(super) const fn takes(&self) -> Takes {
        Takes {
            version: self.version,
            packet_size_max: self.packet_size_max,
            problem_information: self.problem_information,
        }
    }
}
