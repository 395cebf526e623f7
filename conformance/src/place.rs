//! Properties and the packets that have them, in bytes: put together by hand, so that what no codec would write can be written.

use squall_proto::PacketId;

use crate::hex;

/// A packet with room for properties.
pub(crate) struct Place {
    /// What it is.
    pub(crate) name: &'static str,
    first_byte: u8,
    before: &'static str,
    after: &'static str,
    may_have: &'static [u8],
    often: &'static [u8],
}

pub(crate) const PUBACK: Place = Place::acknowledgement("PUBACK", 0x40);
pub(crate) const PUBREC: Place = Place::acknowledgement("PUBREC", 0x50);
pub(crate) const PUBREL: Place = Place::acknowledgement("PUBREL", 0x62);
pub(crate) const PUBCOMP: Place = Place::acknowledgement("PUBCOMP", 0x70);

/// A property with a value that it may have.
pub(crate) struct Property {
    /// What it is.
    pub(crate) name: &'static str,
    hex: &'static str,
}

impl Place {
    /// A packet of this type and flags, whose body has this before its Property Length and this behind its properties, in hex: where there is
    /// a Packet Identifier, it comes first. Of the properties that it may have, by their identifiers, only those of the user stand more than once.
    pub(crate) const fn new(
        name: &'static str,
        first_byte: u8,
        [before, after]: [&'static str; 2],
        may_have: &'static [u8],
    ) -> Self {
        Self {
            name,
            first_byte,
            before,
            after,
            may_have,
            often: &[0x26],
        }
    }

    /// Nothing says of these properties that they stand once.
    pub(crate) const fn often(self, often: &'static [u8]) -> Self {
        Self { often, ..self }
    }

    const fn acknowledgement(name: &'static str, first_byte: u8) -> Self {
        let body = ["00 01 00 # id 1, Success", ""];
        Self::new(name, first_byte, body, &[0x1f, 0x26])
    }

    /// The packet with these properties, which are at most 127 bytes.
    pub(crate) fn with(&self, properties: &[&Property]) -> Vec<u8> {
        let properties = bytes(properties);
        self.with_bytes(hex::length(properties.len()), &properties)
    }

    /// The packet with this Property Length and these bytes for its properties.
    pub(crate) fn with_bytes(&self, length: u8, properties: &[u8]) -> Vec<u8> {
        let mut body = hex::bytes(self.before);
        body.push(length);
        body.extend(properties);
        body.extend(hex::bytes(self.after));
        hex::packet(self.first_byte, &body)
    }

    /// The packet with these properties, whose Property Length leaves out the last byte.
    pub(crate) fn cut_short(&self, properties: &[&Property]) -> Vec<u8> {
        let properties = bytes(properties);
        self.with_bytes(hex::length(properties.len().saturating_sub(1)), &properties)
    }

    /// Whether it begins a connection.
    pub(crate) const fn connects(&self) -> bool {
        self.first_byte == 0x10
    }

    /// The properties it may have.
    pub(crate) fn own(&self) -> impl Iterator<Item = &'static Property> {
        ALL.iter()
            .filter(|property| self.may_have.contains(&property.id()))
    }

    /// The properties that it may have once.
    pub(crate) fn once(&self) -> impl Iterator<Item = &'static Property> {
        self.own().filter(|property| !self.often.contains(&property.id()))
    }

    /// The properties of other packets.
    pub(crate) fn foreign(&self) -> impl Iterator<Item = &'static Property> {
        ALL.iter()
            .filter(|property| !self.may_have.contains(&property.id()))
    }

    /// What must stand beside this property so that nothing but the property can be wrong: the Authentication Method.
    pub(crate) fn beside(&self, property: &Property) -> Option<&'static Property> {
        const METHOD: &str = "Authentication Method";
        let is_auth = self.first_byte == 0xf0;
        let needs_it = property.name == "Authentication Data" || is_auth;
        (needs_it && property.name != METHOD).then(|| self::property(METHOD))
    }
}

/// The packet about this Packet Identifier instead of its own, which follows its two bytes of fixed header.
pub(crate) fn about(mut packet: Vec<u8>, id: PacketId) -> Vec<u8> {
    for (byte, value) in packet.iter_mut().skip(2).zip(id.value().to_be_bytes()) {
        *byte = value;
    }
    packet
}

/// What properties are called.
pub(crate) fn names(properties: &[&Property]) -> String {
    let names: Vec<_> = properties.iter().map(|property| property.name).collect();
    names.join(" and ")
}

impl Property {
    fn bytes(&self) -> Vec<u8> {
        hex::bytes(self.hex)
    }

    fn id(&self) -> u8 {
        self.bytes().first().copied().unwrap_or_default()
    }

    /// With a byte at the end of its string that no UTF-8 has; `None` if it is no string.
    pub(crate) fn ill_formed(&self) -> Option<Vec<u8>> {
        let is_string = [0x03, 0x08, 0x12, 0x15, 0x1a, 0x1c, 0x1f, 0x26].contains(&self.id());
        let mut bytes = self.bytes();
        *bytes.last_mut().filter(|_| is_string)? = 0xff;
        Some(bytes)
    }
}

/// Properties one behind the other.
pub(crate) fn bytes(properties: &[&Property]) -> Vec<u8> {
    properties.iter().flat_map(|property| property.bytes()).collect()
}

/// The property of this name.
pub(crate) fn property(name: &str) -> &'static Property {
    ALL.iter()
        .find(|property| property.name == name)
        .expect("a case names a property of the standard")
}

const fn of(name: &'static str, hex: &'static str) -> Property {
    Property { name, hex }
}

/// Every property of the standard.
const ALL: &[Property] = &[
    of("Payload Format Indicator", "01 00"),
    of("Message Expiry Interval", "02 00 00 00 3c"),
    of("Content Type", "03 00 01 74"),
    of("Response Topic", "08 00 01 72"),
    of("Correlation Data", "09 00 01 63"),
    of("Subscription Identifier", "0b 01"),
    of("Session Expiry Interval", "11 00 00 00 3c"),
    of("Assigned Client Identifier", "12 00 01 61"),
    of("Server Keep Alive", "13 00 3c"),
    of("Authentication Method", "15 00 01 6d"),
    of("Authentication Data", "16 00 01 64"),
    of("Request Problem Information", "17 01"),
    of("Will Delay Interval", "18 00 00 00 01"),
    of("Request Response Information", "19 00"),
    of("Response Information", "1a 00 01 69"),
    of("Server Reference", "1c 00 01 73"),
    of("Reason String", "1f 00 01 72"),
    of("Receive Maximum", "21 00 0a"),
    of("Topic Alias Maximum", "22 00 0a"),
    of("Topic Alias", "23 00 01"),
    of("Maximum QoS", "24 01"),
    of("Retain Available", "25 01"),
    of("User Property", "26 00 01 6e 00 01 76"),
    of("Maximum Packet Size", "27 00 00 10 00"),
    of("Wildcard Subscription Available", "28 01"),
    of("Subscription Identifier Available", "29 01"),
    of("Shared Subscription Available", "2a 01"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn there_are_27_properties_each_with_a_name_and_an_identifier_of_its_own() {
        let ids: BTreeSet<_> = ALL.iter().map(Property::id).collect();
        let names: BTreeSet<_> = ALL.iter().map(|property| property.name).collect();
        assert_eq!((ids.len(), names.len()), (27, 27));
    }

    #[test]
    fn a_packet_has_its_properties_behind_their_length_and_can_be_about_any_packet_identifier() {
        let packet = PUBACK.with(&[property("Reason String")]);
        assert_eq!(packet, hex::bytes("40 08 00 01 00 04 1f 00 01 72"));
        let other = about(packet, PacketId::new(515).expect("not zero"));
        assert_eq!(other, hex::bytes("40 08 02 03 00 04 1f 00 01 72"));
        assert_eq!(PUBACK.foreign().count(), 25);
        assert!(PUBACK.once().map(|property| property.name).eq(["Reason String"]));
    }
}
