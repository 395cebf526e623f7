//! The cases about clients, a file a section of the standard. Sections have the numbers of 5.0, as those about brokers do.

use super::Case;
use crate::section::sections;

sections! {
    s1_5_strings: "1.5" "Data representation",
    s2_1_fixed_header: "2.1" "Fixed header",
    s2_2_2_properties: "2.2.2" "Properties",
    s3_01_connect: "3.1" "CONNECT",
    s3_01_2_keep_alive: "3.1.2.10" "Keep Alive",
    s3_01_2_properties: "3.1.2.11" "CONNECT properties",
    s3_02_connack: "3.2" "CONNACK",
    s3_02_2_limits: "3.2.2.3" "CONNACK properties",
    s3_03_publish: "3.3" "PUBLISH",
    s3_03_2_properties: "3.3.2.3" "PUBLISH properties",
    s3_03_2_aliases: "3.3.2.3.4" "Topic Alias",
    s3_03_4_receiving: "3.3.4" "PUBLISH actions",
    s3_04_acknowledgements: "3.4" "PUBACK, PUBREC, PUBREL and PUBCOMP",
    s3_08_subscribe: "3.8" "SUBSCRIBE and UNSUBSCRIBE",
    s3_14_disconnect: "3.14" "DISCONNECT",
    s4_01_session_state: "4.1" "Session state",
    s4_04_redelivery: "4.4" "Message delivery retry",
    s4_09_flow_control: "4.9" "Flow control",
    s4_12_enhanced_authentication: "4.12" "Enhanced authentication",
    s6_websocket: "6" "WebSocket as a network transport",
}

#[cfg(test)]
mod tests {
    use super::Case;
    use crate::{Visible, section::assert_well_named};

    #[test]
    fn every_case_has_a_name_of_its_own_and_names_statements_that_show_at_a_client() {
        assert_well_named::<Case>(|statement| statement.client != Visible::No);
    }
}
