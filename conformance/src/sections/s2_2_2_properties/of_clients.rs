//! The packets of a client that have room for properties.

use crate::place::Place;

pub(super) const CONNECT: Place = Place {
    name: "CONNECT",
    first_byte: 0x10,
    before: "00 04 4d 51 54 54 05 02 00 3c # MQTT, version 5, Clean Start, Keep Alive 60",
    after: "00 05 73 71 62 61 64          # Client Identifier",
    may_have: &[0x11, 0x15, 0x16, 0x17, 0x19, 0x21, 0x22, 0x26, 0x27],
    often: &[0x26],
};

pub(super) const WILL: Place = Place {
    name: "CONNECT with a Will",
    first_byte: 0x10,
    before: "00 04 4d 51 54 54 05 06 00 3c # MQTT, version 5, Will and Clean Start, Keep Alive 60
             00 00 05 73 71 62 61 64       # no properties, Client Identifier",
    after: "00 01 77 00 01 78             # Will Topic w, Will Payload x",
    may_have: &[0x01, 0x02, 0x03, 0x08, 0x09, 0x18, 0x26],
    often: &[0x26],
};

pub(super) const PUBLISH: Place = Place {
    name: "PUBLISH",
    first_byte: 0x30,
    before: "00 03 61 2f 62 # a/b",
    after: "",
    may_have: &[0x01, 0x02, 0x03, 0x08, 0x09, 0x0b, 0x23, 0x26],
    // Nothing says that the first two stand once; a Subscription Identifier is the server's alone.
    often: &[0x01, 0x02, 0x0b, 0x26],
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
        // Nothing says that the first two stand once; a Subscription Identifier is the server's alone.
        often: &[0x01, 0x02, 0x0b, 0x26],
    }
}

pub(super) const SUBSCRIBE: Place = Place {
    name: "SUBSCRIBE",
    first_byte: 0x82,
    before: "00 01          # id 1",
    after: "00 03 61 2f 62 00 # a/b at QoS 0",
    may_have: &[0x0b, 0x26],
    often: &[0x26],
};

pub(super) const UNSUBSCRIBE: Place = Place {
    name: "UNSUBSCRIBE",
    first_byte: 0xa2,
    before: "00 01       # id 1",
    after: "00 03 61 2f 62 # a/b",
    may_have: &[0x26],
    often: &[0x26],
};

pub(super) const DISCONNECT: Place = Place {
    name: "DISCONNECT",
    first_byte: 0xe0,
    before: "00 # Normal disconnection",
    after: "",
    may_have: &[0x11, 0x1c, 0x1f, 0x26],
    often: &[0x26],
};

pub(super) const AUTH: Place = Place {
    name: "AUTH",
    first_byte: 0xf0,
    before: "18 # Continue authentication",
    after: "",
    may_have: &[0x15, 0x16, 0x1f, 0x26],
    often: &[0x26],
};
