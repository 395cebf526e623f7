//! Whoever speaks packet by packet: peers and scripted brokers, their packets and their rules.

const PEER: &str = "\
name: a peer says what it is told to
why: MQTT-4.13.1-1
clients:
  sub: { subscribe: { t: 1 } }
peers:
  raw:
    count: 2
    acknowledges: true
    pings: 10s
    script:
      - { to: PUBLISH, qos: 1, connection: 1, nth: 2, with: [PUBACK, { PUBACK: { packet_id: 7, reason: 0x10 } }], after: 10ms..1s, then: rst }
      - { to: PUBREC, reversed: 2, pieces: { bytes: 1, every: 2ms } }
steps:
  - { id: open, open: { peer: raw } }
  - { after: open, send: { from: raw, packets: [{ CONNECT: { keep_alive: 10s, properties: { receive_maximum: 5 } } }] } }
  - { at: 1s, send: { from: raw, packets: [{ PUBLISH: { topic: t, qos: 1 }, flags: 0x2 }, { SUBSCRIBE: { filters: { t: { qos: 1 } } } }], times: 3 } }
  - { at: 2s, send: { from: raw, hex: \"c0 00\" } }
  - { at: 3s, shut: { peer: raw, how: rst } }
";

const BROKER: &str = "\
name: a client keeps the rules whatever the broker does
why: MQTT-4.13.1-1
broker:
  script:
    - { to: CONNECT, nth: 1, with: [{ CONNACK: { session_present: true } }] }
clients:
  pub: { session: persistent }
steps:
  - { at: 1s, send: { from: broker, to: pub, packets: [PINGRESP] } }
  - { at: 2s, shut: { peer: broker, to: pub } }
  - { at: 3s, restart: { host: broker, state: lost } }
";

wrong! {
    a_group_of_no_peers_is_refused: PEER, "count: 2" => "count: 0";
    pings_without_a_pause_are_refused: PEER, "pings: 10s" => "pings: 0s";
    an_unknown_key_of_a_peer_names_the_nearest: PEER, "acknowledges:" => "acknowledge:";
    a_rule_for_no_packet_is_refused: PEER, "to: PUBLISH, " => "";
    a_rule_for_an_unknown_packet_names_the_nearest: PEER, "to: PUBLISH" => "to: PUBLSH";
    an_unknown_key_of_a_rule_names_the_nearest: PEER, "connection: 1" => "conection: 1";
    a_rule_for_a_packet_before_the_first_is_refused: PEER, "nth: 2" => "nth: 0";
    a_rule_for_a_connection_before_the_first_is_refused: PEER, "connection: 1" => "connection: 0";
    answers_to_none_at_once_are_refused: PEER, "reversed: 2" => "reversed: 0";
    an_answer_that_is_no_packet_names_the_nearest: PEER, "with: [PUBACK," => "with: [PUBACKS,";
    an_unknown_field_of_an_acknowledgement_names_the_nearest: PEER, "packet_id: 7" => "packetid: 7";
    an_unknown_end_of_a_rule_names_the_right_ones: PEER, "then: rst" => "then: reset";
    a_packet_identifier_of_three_bytes_is_refused: PEER, "packet_id: 7" => "packet_id: 70000";
    a_delay_without_a_unit_is_refused: PEER, "after: 10ms..1s" => "after: 10";
    pieces_of_nothing_are_refused: PEER, "bytes: 1," => "bytes: 0,";
    pieces_without_a_pause_are_refused: PEER, "every: 2ms" => "every: 0s";
    an_unknown_packet_to_send_names_the_nearest: PEER, "packets: [{ CONNECT:" => "packets: [{ CONECT:";
    an_unknown_field_of_a_packet_names_the_nearest: PEER, "keep_alive: 10s" => "keepalive: 10s";
    a_keep_alive_of_half_a_second_is_refused: PEER, "keep_alive: 10s" => "keep_alive: 500ms";
    an_unknown_property_names_the_nearest: PEER, "receive_maximum: 5" => "receive_max: 5";
    a_property_of_the_wrong_kind_is_refused: PEER, "receive_maximum: 5" => "receive_maximum: many";
    two_packets_in_one_are_refused: PEER, "qos: 1 }, flags: 0x2 }" => "qos: 1 }, PINGREQ: {} }";
    flags_of_more_than_four_bits_are_refused: PEER, "flags: 0x2" => "flags: 0x20";
    an_unknown_word_beside_a_packet_names_the_nearest: PEER, "flags: 0x2" => "flag: 0x2";
    an_unknown_option_of_a_filter_names_the_right_ones: PEER, "{ t: { qos: 1 } }" => "{ t: { qs: 1 } }";
    nothing_to_send_is_refused: PEER, "hex: \"c0 00\"" => "packets: []";
    sending_never_is_refused: PEER, "times: 3" => "times: 0";
    hex_that_is_none_is_refused: PEER, "c0 00" => "c0 0x";
    half_a_byte_is_refused: PEER, "c0 00" => "c0 0";
    an_unknown_peer_names_the_nearest: PEER, "open: { peer: raw }" => "open: { peer: rw }";
    a_client_does_not_say_what_a_step_tells_it: PEER, "send: { from: raw, hex" => "send: { from: sub, hex";
    our_broker_does_not_say_what_a_step_tells_it: PEER, "send: { from: raw, hex" => "send: { from: broker, hex";
    a_peer_speaks_to_nobody_but_the_broker: PEER, "hex: \"c0 00\"" => "to: sub, hex: \"c0 00\"";
    an_unknown_way_to_close_names_the_right_ones: PEER, "how: rst" => "how: reset";
    a_peer_that_publishes_like_a_client_is_refused: PEER, "shut: { peer: raw, how: rst }" => "publish: { from: raw, topic: t }";
    a_scripted_broker_with_limits_is_refused: BROKER, "broker:\n" => "broker:\n  receive_maximum: 5\n";
    a_scripted_broker_speaks_to_somebody_who_is_there: BROKER, "to: pub, packets" => "to: pubb, packets";
    an_unknown_field_of_a_connack_names_the_nearest: BROKER, "session_present" => "sesion_present";
    a_rule_at_no_qos_that_there_is_is_refused: BROKER, "to: CONNECT, nth: 1" => "to: CONNECT, qos: 300";
    a_scripted_broker_keeps_nothing: BROKER, "state: lost" => "state: kept";
    a_scripted_broker_kicks_nobody: BROKER, "restart: { host: broker, state: lost }" => "kick: { client: pub }";
}
