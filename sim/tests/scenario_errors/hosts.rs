//! Hosts: their stores, their disks, and what may happen to them.

const GOOD: &str = "\
name: who has a disk keeps what was promised
why: MQTT-4.4.0-1
clients:
  pub: { session: persistent, store: disk }
  sub: { subscribe: { t: 2 } }
peers:
  raw: {}
steps:
  - { at: 1s, id: talk, publish: { from: pub, topic: t, qos: 2 } }
  - { at: 1s, disk: { host: pub, kind: slow_sync, takes: 10ms, for: 5s } }
  - { at: 2s, restart: { host: pub, state: kept } }
  - { at: 3s, pause: { host: sub } }
  - { at: 4s, resume: { host: sub } }
  - { at: 5s, kick: { client: sub } }
  - { at: 6s, loss: { between: [sub, broker], percent: 10, for: 1s } }
";

wrong! {
    a_store_of_a_session_that_is_not_kept_is_refused: GOOD, "session: persistent, " => "";
    an_unknown_store_names_the_right_ones: GOOD, "store: disk" => "store: disc";
    an_unknown_session_names_the_right_ones: GOOD, "session: persistent" => "session: permanent";
    a_disk_of_nobody_names_the_nearest: GOOD, "disk: { host: pub" => "disk: { host: pubb";
    a_disk_of_a_peer_is_refused: GOOD, "disk: { host: pub" => "disk: { host: raw";
    a_disk_of_who_has_none_is_refused: GOOD, "disk: { host: pub" => "disk: { host: sub";
    an_unknown_trouble_of_a_disk_names_the_nearest: GOOD, "slow_sync" => "slow_synch";
    a_slow_sync_that_takes_no_time_is_refused: GOOD, "takes: 10ms, " => "";
    a_time_that_only_a_slow_sync_takes_is_refused: GOOD, "kind: slow_sync" => "kind: sync_error";
    room_on_a_disk_that_is_not_full_is_refused: GOOD, "takes: 10ms" => "takes: 10ms, room: 5";
    a_disk_in_trouble_without_an_end_is_refused: GOOD, ", for: 5s }" => " }";
    a_disk_in_trouble_with_two_ends_is_refused: GOOD, "for: 5s" => "for: 5s, next: 3";
    an_unknown_key_of_a_disk_names_the_nearest: GOOD, "takes:" => "take:";
    a_restart_that_keeps_what_is_on_no_disk_is_refused: GOOD, "restart: { host: pub" => "restart: { host: sub";
    a_restart_of_a_peer_that_keeps_is_refused: GOOD, "restart: { host: pub" => "restart: { host: raw";
    a_restart_of_the_broker_with_a_torn_disk_is_refused: GOOD, "restart: { host: pub, state: kept" => "restart: { host: broker, state: torn";
    an_unknown_state_names_the_nearest: GOOD, "state: kept" => "state: keep";
    a_pause_without_an_end_is_refused: GOOD, "  - { at: 4s, resume: { host: sub } }\n" => "";
    a_pause_that_another_wakes_up_from_is_refused: GOOD, "resume: { host: sub" => "resume: { host: pub";
    a_kick_of_a_peer_is_refused: GOOD, "kick: { client: sub" => "kick: { client: raw";
    a_kick_of_the_broker_is_refused: GOOD, "kick: { client: sub" => "kick: { client: broker";
    a_link_between_two_that_have_none_is_refused: GOOD, "between: [sub, broker]" => "between: [sub, pub]";
    a_link_of_nobody_names_the_nearest: GOOD, "between: [sub, broker]" => "between: [sub, brokr]";
    a_link_of_one_is_refused: GOOD, "between: [sub, broker]" => "between: [sub]";
    a_group_of_no_clients_is_refused: GOOD, "sub: {" => "sub: { count: 0,";
    a_broker_that_sends_nothing_is_refused: GOOD, "clients:" => "broker: { inflight: 0 }\nclients:";
    a_client_that_reads_nothing_is_refused: GOOD, "sub: {" => "sub: { reads: { bytes: 0, every: 1s },";
    a_subscription_to_nothing_is_refused: GOOD, "kick: { client: sub }" => "subscribe: { client: sub, filters: {} }";
    a_loss_of_more_than_all_is_refused: GOOD, "percent: 10" => "percent: 110";
    an_unknown_fault_names_the_nearest: GOOD, "loss:" => "lost:";
    a_client_called_broker_is_refused: GOOD, "  sub: {" => "  broker: {";
    a_step_after_a_step_that_there_is_not_is_refused: GOOD, "at: 2s, restart" => "after: tlak, restart";
}
