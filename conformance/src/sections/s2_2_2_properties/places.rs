//! Properties and the packets that have them, in bytes: put together by hand, so that what no codec would write can be written.

use crate::hex;

/// A packet of a client with room for properties.
pub(super) struct Place {
    /// What it is.
    pub(super) name: &'static str,
    first_byte: u8,
    before: &'static str,
    after: &'static str,
    /// The identifiers of the properties it may have.
    may_have: &'static [u8],
}

/// A property with a value that it may have.
pub(super) struct Property {
    /// What it is.
    pub(super) name: &'static str,
    hex: &'static str,
}

impl Place {
    /// The packet with these properties, which are at most 127 bytes.
    pub(super) fn with(&self, properties: &[&Property]) -> Vec<u8> {
        let properties: Vec<u8> = properties.iter().flat_map(|property| property.bytes()).collect();
        let mut body = hex::bytes(self.before);
        body.push(hex::length(properties.len()));
        body.extend(properties);
        body.extend(hex::bytes(self.after));
        hex::packet(self.first_byte, &body)
    }

    /// Whether it begins a connection.
    pub(super) const fn connects(&self) -> bool {
        self.first_byte == 0x10
    }

    /// The properties of other packets.
    pub(super) fn foreign(&self) -> impl Iterator<Item = &'static Property> {
        ALL.iter()
            .filter(|property| !self.may_have.contains(&property.id()))
    }
}

impl Property {
    pub(super) fn bytes(&self) -> Vec<u8> {
        hex::bytes(self.hex)
    }

    fn id(&self) -> u8 {
        self.bytes().first().copied().unwrap_or_default()
    }
}

/// The property of this name.
pub(super) fn property(name: &str) -> &'static Property {
    ALL.iter()
        .find(|property| property.name == name)
        .expect("a case names a property of the standard")
}

pub(super) const CONNECT: Place = Place {
    name: "CONNECT",
    first_byte: 0x10,
    before: "00 04 4d 51 54 54 05 02 00 3c # MQTT, version 5, Clean Start, Keep Alive 60",
    after: "00 05 73 71 62 61 64          # Client Identifier",
    may_have: &[0x11, 0x15, 0x16, 0x17, 0x19, 0x21, 0x22, 0x26, 0x27],
};

pub(super) const WILL: Place = Place {
    name: "CONNECT with a Will",
    first_byte: 0x10,
    before: "00 04 4d 51 54 54 05 06 00 3c # MQTT, version 5, Will and Clean Start, Keep Alive 60
             00 00 05 73 71 62 61 64       # no properties, Client Identifier",
    after: "00 01 77 00 01 78             # Will Topic w, Will Payload x",
    may_have: &[0x01, 0x02, 0x03, 0x08, 0x09, 0x18, 0x26],
};

pub(super) const PUBLISH: Place = Place {
    name: "PUBLISH",
    first_byte: 0x30,
    before: "00 03 61 2f 62 # a/b",
    after: "",
    may_have: &[0x01, 0x02, 0x03, 0x08, 0x09, 0x0b, 0x23, 0x26],
};

pub(super) const PUBACK: Place = acknowledgement("PUBACK", 0x40);
pub(super) const PUBREC: Place = acknowledgement("PUBREC", 0x50);
pub(super) const PUBREL: Place = acknowledgement("PUBREL", 0x62);
pub(super) const PUBCOMP: Place = acknowledgement("PUBCOMP", 0x70);

const fn acknowledgement(name: &'static str, first_byte: u8) -> Place {
    Place {
        name,
        first_byte,
        before: "00 01 00 # id 1, Success",
        after: "",
        may_have: &[0x1f, 0x26],
    }
}

pub(super) const SUBSCRIBE: Place = Place {
    name: "SUBSCRIBE",
    first_byte: 0x82,
    before: "00 01          # id 1",
    after: "00 03 61 2f 62 00 # a/b at QoS 0",
    may_have: &[0x0b, 0x26],
};

pub(super) const UNSUBSCRIBE: Place = Place {
    name: "UNSUBSCRIBE",
    first_byte: 0xa2,
    before: "00 01       # id 1",
    after: "00 03 61 2f 62 # a/b",
    may_have: &[0x26],
};

pub(super) const DISCONNECT: Place = Place {
    name: "DISCONNECT",
    first_byte: 0xe0,
    before: "00 # Normal disconnection",
    after: "",
    may_have: &[0x11, 0x1c, 0x1f, 0x26],
};

pub(super) const AUTH: Place = Place {
    name: "AUTH",
    first_byte: 0xf0,
    before: "18 # Continue authentication",
    after: "",
    may_have: &[0x15, 0x16, 0x1f, 0x26],
};

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
    use super::*;

    #[test]
    fn there_are_27_properties_and_each_stands_where_its_packet_says() {
        assert_eq!(ALL.len(), 27);
        assert_eq!(CONNECT.foreign().count(), 18);
        assert_eq!(AUTH.foreign().count(), 23);
        assert_eq!(
            PUBACK.with(&[property("Reason String")]),
            hex::bytes("40 08 00 01 00 04 1f 00 01 72")
        );
        assert_eq!(
            SUBSCRIBE.with(&[]),
            hex::bytes("82 09 00 01 00 00 03 61 2f 62 00")
        );
    }
}
