//! Who a broker knows, for one that takes nobody else.

use bytes::BytesMut;
use serde::Deserialize;
use squall_proto::{Decoder, Packet};

/// Somebody a broker knows. Name and password are taken as they are, without SASLprep.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The User Name; at most 65,535 bytes.
    pub name: String,
    /// The Password; at most 65,535 bytes.
    pub password: String,
}

/// User Name Flag and Password Flag.
const FLAGS: u8 = 0xC0;
/// More than any case sends.
const PACKET_SIZE_MAX: u32 = 1 << 20;

impl User {
    /// With this name and this password.
    pub fn new(name: impl Into<String>, password: impl Into<String>) -> Self {
        let (name, password) = (name.into(), password.into());
        Self { name, password }
    }

    /// The bytes, with this user in the CONNECT with which they begin. `None` where that is not whole and well-formed, names somebody
    /// itself, or authenticates by a method of its own: it says what a case wants it to say.
    pub(crate) fn added_to(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        if *bytes.first()? != 0x10 {
            return None;
        }
        let mut rest = BytesMut::from(bytes);
        let Ok(Some(Packet::Connect(connect))) = Decoder::new(PACKET_SIZE_MAX).decode(&mut rest) else {
            return None;
        };
        let names_somebody = connect.user_name.is_some() || connect.password.is_some();
        if names_somebody || connect.properties.authentication_method().is_some() {
            return None;
        }
        let packet = bytes.get(..bytes.len() - rest.len())?;
        let length = packet.iter().skip(1).take_while(|byte| **byte >= 0x80).count() + 1;
        let mut body = packet.get(1 + length..)?.to_vec();
        // Behind the Protocol Name and its length, and the Protocol Version.
        let flags = 2 + usize::from(u16::from_be_bytes(*body.first_chunk()?)) + 1;
        *body.get_mut(flags)? |= FLAGS;
        for field in [&self.name, &self.password] {
            body.extend(u16::try_from(field.len()).ok()?.to_be_bytes());
            body.extend(field.as_bytes());
        }
        let mut whole = vec![0x10];
        whole.extend(variable_byte_integer(body.len()));
        whole.extend(body);
        whole.extend(rest);
        Some(whole)
    }
}

/// Section 1.5.5; 2.2.3 of 3.1.1.
fn variable_byte_integer(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let [low, ..] = value.to_le_bytes();
        let byte = low & 0x7F;
        value >>= 7;
        if value == 0 {
            bytes.push(byte);
            return bytes;
        }
        bytes.push(byte | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex::bytes;

    fn added(text: &str) -> Option<Vec<u8>> {
        User::new("ab", "cd").added_to(&bytes(text))
    }

    #[test]
    fn a_connect_that_names_nobody_names_the_user() {
        let pingreq_follows = added("10 0d 00 04 4d 51 54 54 04 02 00 3c 00 01 78 c0 00");
        let wanted = bytes("10 15 00 04 4d 51 54 54 04 c2 00 3c 00 01 78 00 02 61 62 00 02 63 64 c0 00");
        assert_eq!(pingreq_follows, Some(wanted));
    }

    #[test]
    fn a_length_of_one_byte_becomes_one_of_two() {
        let client_id = "78".repeat(113);
        let connect = format!("10 7e 00 04 4d 51 54 54 05 02 00 3c 00 00 71 {client_id}");
        let added = added(&connect).expect("it is well-formed");
        assert!(added.starts_with(&[0x10, 0x86, 0x01]), "{added:02x?}");
        assert_eq!(added.len(), 3 + 126 + 8);
    }

    #[test]
    fn what_is_malformed_or_names_somebody_or_is_no_connect_stays() {
        for text in [
            "10 0d 00 04 4d 51 54 54 04 03 00 3c 00 01 78                # a reserved flag",
            "10 10 00 04 4d 51 54 54 04 82 00 3c 00 01 78 00 01 79       # a User Name",
            "10 0d 00 04 4d 51 54 54                                     # not all of it",
            "c0 00",
            "",
        ] {
            assert_eq!(added(text), None, "{text}");
        }
    }
}
