use super::Options;
use crate::{Packet, Properties, Property, Violation};

impl Options {
    /// What is wrong with a packet of a server that was asked for no problem information.
    // [X5-3.1.2.11.7-2] PUBLISH, CONNACK and DISCONNECT may have it all the same.
    pub(super) fn unwanted(&self, packet: &Packet) -> Option<Violation> {
        if self.properties.request_problem_information() != Some(false) {
            return None;
        }
        let properties = match packet {
            Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack) => {
                &ack.properties
            }
            Packet::Suback(suback) => &suback.properties,
            Packet::Unsuback(unsuback) => &unsuback.properties,
            Packet::Auth(auth) => &auth.properties,
            Packet::Connect(_)
            | Packet::Connack(_)
            | Packet::Publish(_)
            | Packet::Subscribe(_)
            | Packet::Unsubscribe(_)
            | Packet::Pingreq
            | Packet::Pingresp
            | Packet::Disconnect(_) => return None,
        };
        has_problem_information(properties)
            .then_some(Violation::UnwantedProblemInformation(packet.packet_type()))
    }
}

fn has_problem_information(properties: &Properties) -> bool {
    let is_one =
        |property: &Property| matches!(property, Property::ReasonString(_) | Property::UserProperty(..));
    properties.iter().any(is_one)
}
