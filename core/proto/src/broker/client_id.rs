//! Client Identifiers: which are taken, and those the broker assigns.

use alloc::format;

use super::{Broker, Refusal};
use crate::{Connect, Text, Version};

/// The longest Client Identifier that every server takes, in bytes.
const PLAIN_BYTES_MAX: usize = 23;

impl Broker {
    pub(super) fn check_client_id(&self, connect: &Connect) -> Result<(), Refusal> {
        let client_id = &connect.client_id;
        if client_id.is_empty() {
            // [v3 MQTT-3.1.3-7] [v3 MQTT-3.1.3-8]
            let lasting = connect.version == Version::V3_1_1 && !connect.clean_start;
            if lasting || self.rules.empty_client_id.is_strict() {
                return Err(Refusal::ClientIdEmpty);
            }
        // [MQTT-3.1.3-5] [MQTT-3.1.3-8] [v3 MQTT-3.1.3-5] [v3 MQTT-3.1.3-9]
        } else if self.rules.plain_client_id.is_strict() && !is_plain(client_id) {
            return Err(Refusal::ClientIdNotPlain);
        }
        Ok(())
    }

    /// A Client Identifier that no session has.
    // [MQTT-3.2.2-16]
    pub(super) fn assign_client_id(&mut self) -> Text {
        loop {
            self.assigned += 1;
            let digits = format!("{:016x}", mix(self.seed.wrapping_add(self.assigned)));
            let client_id = Text::new(&format!("{}{digits}", self.told.client_id_prefix))
                .or_else(|_| Text::new(&digits))
                .expect("hexadecimal digits are a legal string");
            if !self.by_client_id.contains_key(&client_id) {
                return client_id;
            }
        }
    }
}

fn is_plain(client_id: &str) -> bool {
    client_id.len() <= PLAIN_BYTES_MAX && client_id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// SplitMix64.
const fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
