//! The cases, a file a section of the standard. Sections have the numbers of 5.0; where 3.1.1 says the same elsewhere, the case still
//! stands here, and names the statement of 3.1.1 by its own number.

use crate::{Case, section::sections};

sections! {
    s1_5_strings: "1.5" "Data representation",
    s2_1_fixed_header: "2.1" "Fixed header",
    s2_2_packet_identifier: "2.2" "Packet Identifier",
    s2_2_2_properties: "2.2.2" "Properties",
    s3_01_connect: "3.1" "CONNECT",
    s3_01_2_packet_size: "3.1.2.11.4" "Maximum Packet Size",
    s3_01_3_connect_payload: "3.1.3" "CONNECT payload",
    s3_01_will: "3.1.2.5" "Will",
    s3_01_4_connect_actions: "3.1.4" "CONNECT actions",
    s3_02_connack: "3.2" "CONNACK",
    s3_02_2_announced: "3.2.2.3" "CONNACK properties",
    s3_03_publish: "3.3" "PUBLISH",
    s3_03_retain: "3.3.1.3" "RETAIN",
    s3_03_properties: "3.3.2.3" "PUBLISH properties",
    s3_03_server_aliases: "3.3.2.3.4" "Topic Aliases of the server",
    s3_08_subscribe: "3.8" "SUBSCRIBE",
    s3_10_unsubscribe: "3.10" "UNSUBSCRIBE",
    s3_12_pingreq: "3.12" "PINGREQ",
    s3_14_disconnect: "3.14" "DISCONNECT",
    s3_15_auth: "3.15" "AUTH",
    s4_01_session_state: "4.1" "Session state",
    s4_03_quality_of_service: "4.3" "Quality of Service",
    s4_04_redelivery: "4.4" "Message delivery retry",
    s4_06_ordering: "4.6" "Message ordering",
    s4_07_topics: "4.7" "Topic Names and Topic Filters",
    s4_08_shared_subscriptions: "4.8.2" "Shared Subscriptions",
    s4_08_shared_deliveries: "4.8.2" "Shared Subscriptions: deliveries under way",
    s4_09_flow_control: "4.9" "Flow control",
    s4_12_enhanced_authentication: "4.12" "Enhanced authentication",
    s4_13_errors: "4.13" "Handling errors",
    s6_websocket: "6" "WebSocket as a network transport",
    sa_left_open: "A" "What the standard leaves open",
}

#[cfg(test)]
mod tests {
    use super::Case;
    use crate::section::assert_well_named;

    #[test]
    fn every_case_has_a_name_of_its_own_and_names_statements_of_its_version() {
        assert_well_named::<Case>(|_| true);
    }
}
