//! The packets of a client that have room for properties.

use crate::place::Place;

pub(super) const CONNECT: Place = Place::new(
    "CONNECT",
    0x10,
    [
        "00 04 4d 51 54 54 05 02 00 3c # MQTT, version 5, Clean Start, Keep Alive 60",
        "00 05 73 71 62 61 64          # Client Identifier",
    ],
    &[0x11, 0x15, 0x16, 0x17, 0x19, 0x21, 0x22, 0x26, 0x27],
);

pub(super) const WILL: Place = Place::new(
    "CONNECT with a Will",
    0x10,
    [
        "00 04 4d 51 54 54 05 06 00 3c # MQTT, version 5, Will and Clean Start, Keep Alive 60
             00 00 05 73 71 62 61 64       # no properties, Client Identifier",
        "00 01 77 00 01 78             # Will Topic w, Will Payload x",
    ],
    &[0x01, 0x02, 0x03, 0x08, 0x09, 0x18, 0x26],
);

// Nothing says that the first two stand once; a Subscription Identifier is the server's alone.
pub(super) const PUBLISH: Place = Place::new(
    "PUBLISH",
    0x30,
    ["00 03 61 2f 62 # a/b", ""],
    &[0x01, 0x02, 0x03, 0x08, 0x09, 0x0b, 0x23, 0x26],
)
.often(&[0x01, 0x02, 0x0b, 0x26]);

pub(super) const SUBSCRIBE: Place = Place::new(
    "SUBSCRIBE",
    0x82,
    ["00 01          # id 1", "00 03 61 2f 62 00 # a/b at QoS 0"],
    &[0x0b, 0x26],
);

pub(super) const UNSUBSCRIBE: Place = Place::new(
    "UNSUBSCRIBE",
    0xa2,
    ["00 01       # id 1", "00 03 61 2f 62 # a/b"],
    &[0x26],
);

pub(super) const DISCONNECT: Place = Place::new(
    "DISCONNECT",
    0xe0,
    ["00 # Normal disconnection", ""],
    &[0x11, 0x1c, 0x1f, 0x26],
);

pub(super) const AUTH: Place = Place::new(
    "AUTH",
    0xf0,
    ["18 # Continue authentication", ""],
    &[0x15, 0x16, 0x1f, 0x26],
);
