use crate::clients::{
    case::{CLOSES, Case},
    reaction::{closes_after, closes_after_or_not},
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "a_topic_name_that_is_no_utf_8_closes_the_connection",
        v3: &["MQTT-1.5.3-1"],
        v5: &["MQTT-1.5.4-1", "X5-1.5.4-1"],
        levels: CLOSES,
        run: |mut t| {
            Box::pin(async move { closes_after(&mut t, "30 05 0003 61ff62", "30 06 0003 61ff62 00").await })
        },
    },
    Case {
        name: "a_topic_name_with_a_surrogate_closes_the_connection",
        v3: &["MQTT-1.5.3-1"],
        v5: &["MQTT-1.5.4-1", "X5-1.5.4-1"],
        levels: CLOSES,
        // U+D800 as if it were a character.
        run: |mut t| {
            Box::pin(async move { closes_after(&mut t, "30 05 0003 eda080", "30 06 0003 eda080 00").await })
        },
    },
    Case {
        name: "a_topic_name_with_a_null_character_closes_the_connection",
        v3: &["MQTT-1.5.3-2"],
        v5: &["MQTT-1.5.4-2", "X5-1.5.4-2"],
        levels: CLOSES,
        run: |mut t| {
            Box::pin(async move { closes_after(&mut t, "30 05 0003 610062", "30 06 0003 610062 00").await })
        },
    },
    Case {
        name: "a_user_property_that_is_no_utf_8_closes_the_connection",
        v3: &[],
        v5: &["MQTT-1.5.7-1", "X5-1.5.7-1"],
        levels: CLOSES,
        // User Property "a": 0xFF.
        run: |mut t| {
            Box::pin(async move { closes_after(&mut t, "", "30 0b 0001 74 07 26 0001 61 0001 ff").await })
        },
    },
    Case {
        name: "a_property_length_with_more_bytes_than_it_needs_closes_the_connection",
        v3: &[],
        v5: &["MQTT-1.5.5-1"],
        levels: CLOSES,
        // Property Length 0 in two bytes.
        run: |mut t| Box::pin(async move { closes_after(&mut t, "", "30 05 0001 74 8000").await }),
    },
    Case {
        name: "a_topic_name_with_a_control_character_closes_the_connection_or_not",
        v3: &[],
        v5: &["X5-1.5.4-3"],
        levels: CLOSES,
        // U+0001.
        run: |mut t| Box::pin(async move { closes_after_or_not(&mut t, "30 04 0001 01 00").await }),
    },
];
