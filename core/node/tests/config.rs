//! The configuration: every key documented, nothing ignored, errors that say where and what would be right.

use std::{path::Path, time::Duration};

use squall_node::config::{Config, Listener, LogLevel};
use squall_proto::{
    Qos,
    broker::{Rule, Rules, SharedDistribution},
};

const FILES: &str = "address = \"a:1\", certificate = \"c\", key = \"k\"";
const DOCUMENTED: &str = include_str!("../../../docs/squall.toml");

#[test]
fn the_documented_configuration_is_the_default() {
    assert_eq!(Config::parse("squall.toml", DOCUMENTED), Ok(Config::default()));
}

#[test]
fn an_empty_configuration_is_the_default() {
    assert_eq!(Config::parse("squall.toml", ""), Ok(Config::default()));
}

/// Every kind of listener but the default stands there in a comment.
#[test]
fn every_listener_is_documented_with_all_its_keys() {
    let commented = DOCUMENTED
        .lines()
        .filter_map(|line| line.strip_prefix("# ").filter(|line| line.contains(" = { ")));
    let text: String = commented.map(|line| format!("[[listeners]]\n{line}\n")).collect();
    let config = Config::parse("squall.toml", &text).expect("a right configuration");
    let [
        Listener::Tls(tls),
        Listener::Ws(ws),
        Listener::Wss(wss),
        Listener::Unix(unix),
    ] = config.listeners.as_slice()
    else {
        panic!("{:?}", config.listeners)
    };
    assert!(tls.client_ca.is_some() && tls.client_certificates.is_some());
    assert_eq!(
        (ws.path.as_deref(), wss.path.as_deref()),
        (Some("/mqtt"), Some("/mqtt"))
    );
    assert_eq!(unix.mode, Some(0o660));
}

/// [`DOCUMENTED`] holds only keys there are; here every key there is must be in it.
#[test]
fn every_key_is_documented() {
    for (table, at_least) in [("limits", 15), ("rules", 7), ("told", 3)] {
        let text = format!("[{table}]\nno_such_key_at_all_in_here = 1");
        let error = Config::parse("squall.toml", &text).expect_err("there is no such key");
        let known = error
            .mend()
            .expect("a list")
            .trim_start_matches("there is ")
            .to_owned();
        assert!(known.split(", ").count() >= at_least, "{known}");
        for key in known.split(", ") {
            assert!(
                DOCUMENTED.contains(&format!("{key} = ")),
                "{key} is not documented"
            );
        }
    }
}

#[test]
fn rules_and_what_clients_are_told_are_taken() {
    let text = r#"
        [rules]
        dollar_topics = "strict"
        receive_maximum = "tolerant"
        [told]
        response_information = "r/{client_id}"
        server_reference = "other:1883"
        client_id_prefix = ""
    "#;
    let settings = Config::parse("squall.toml", text)
        .expect("a right configuration")
        .settings();
    let rules = Rules {
        dollar_topics: Rule::Strict,
        receive_maximum: Rule::Tolerant,
        ..Rules::default()
    };
    assert_eq!(settings.rules, rules);
    let told = settings.told;
    assert_eq!(told.response_information.as_deref(), Some("r/{client_id}"));
    assert_eq!(told.server_reference.as_deref(), Some("other:1883"));
    assert_eq!(&*told.client_id_prefix, "");
    for wrong in [
        "[rules]\ndollar_topics = \"lax\"",
        "[told]\nserver_reference = \"\\u0000\"",
    ] {
        Config::parse("squall.toml", wrong).expect_err(wrong);
    }
}

#[test]
fn what_is_said_is_taken() {
    let text = r#"
        [[listeners]]
        tcp = { address = "[::1]:0" }
        [[listeners]]
        tcp.address = "localhost:1884"
        [authentication]
        users = "users"
        anonymous = true
        [log]
        level = "debug"
        [limits]
        connect_timeout = "1m 500ms"
        packet_size = "2 MiB"
        queued_bytes = 512
        session_expiry = "7days"
        keep_alive = "5m"
        maximum_qos = 1
        retained_bytes = "2GiB"
        shared_distribution = "hash_topic"
    "#;
    let config = Config::parse("squall.toml", text).expect("a right configuration");
    let listeners = ["[::1]:0", "localhost:1884"].map(Listener::tcp);
    assert_eq!(config.listeners, listeners);
    assert_eq!(config.authentication.users.as_deref(), Some(Path::new("users")));
    assert_eq!(config.authentication.anonymous, Some(true));
    assert_eq!(config.log.level, LogLevel::Debug);
    assert_eq!(config.limits.connect_timeout, Duration::from_millis(60_500));
    assert_eq!(config.limits.packet_size, 2 << 20);
    assert_eq!(config.limits.queued_bytes, 512);
    assert_eq!(config.limits.session_expiry, Some(Duration::from_secs(604_800)));
    assert_eq!(config.limits.keep_alive, Some(300));
    assert_eq!(config.limits.maximum_qos, Qos::AtLeastOnce);
    assert_eq!(config.limits.retained_bytes, 2 << 30);
    assert_eq!(config.limits.shared_distribution, SharedDistribution::HashTopic);
}

#[test]
fn an_error_says_where_and_shows_the_line() {
    let error =
        Config::parse("squall.toml", "# Ours.\n[limits]\n  packet_sise = \"1MiB\"\n").expect_err("a typo");
    let expected = "\
squall.toml:3:3: unknown key `packet_sise`
   |
 3 |   packet_sise = \"1MiB\"
   |   ^^^^^^^^^^^";
    assert_eq!(error.to_string(), expected);
    assert_eq!(error.mend(), Some("did you mean `packet_size`?"));
}

#[test]
fn columns_are_counted_in_characters() {
    let error = Config::parse("ü.toml", "[log]\nlevel = \"é\" # ü").expect_err("no level");
    assert!(
        error.to_string().starts_with("ü.toml:2:9: unknown word `é`"),
        "{error}"
    );
}

#[test]
fn every_wrong_value_is_refused_with_its_place_and_what_is_expected() {
    let cases = [
        ("[limits]\nreceive_maximum = 0", ":2:19: ", "at least 1"),
        ("[limits]\nreceive_maximum = 65536", ":2:19: ", "u16"),
        ("[limits]\npacket_size = 0", ":2:15: ", "packet"),
        ("[limits]\npacket_size = \"1Mib\"", ":2:15: ", "1MB"),
        ("[limits]\nqueued_bytes = -1", ":2:16: ", "negative"),
        ("[limits]\nconnect_timeout = 10", ":2:19: ", "such as \"10s\""),
        ("[limits]\nconnect_timeout = \"10\"", ":2:19: ", "such as"),
        ("[limits]\nkeep_alive = \"19h\"", ":2:14: ", "65535 seconds"),
        ("[limits]\nkeep_alive = \"1500ms\"", ":2:14: ", "whole seconds"),
        ("[limits]\ntopic_bytes = 0", ":2:15: ", "at least 1"),
        (
            "[limits]\nshared_distribution = \"fair\"",
            ":2:23: ",
            "unknown word `fair`",
        ),
        ("[limits]\nmaximum_qos = 3", ":2:15: ", "QoS 0, 1 or 2"),
        ("[[listeners]]\ntcp = {}", ":2:7: ", "missing key `address`"),
        ("[[listeners]]\nquic = {}", ":2:1: ", "unknown word `quic`"),
        (
            "[[listeners]]\ntls = { address = \"a:1\" }",
            ":2:7: ",
            "missing key `certificate`",
        ),
        (
            &format!("[[listeners]]\ntls = {{ path = \"/a\", {FILES} }}"),
            ":1:1: ",
            "a path is for wss",
        ),
        (
            &format!("[[listeners]]\nwss = {{ client_certificates = \"optional\", {FILES} }}"),
            ":1:1: ",
            "need a client_ca",
        ),
        (
            &format!("[[listeners]]\ntls = {{ minimum_version = \"1.1\", {FILES} }}"),
            ":2:27: ",
            "unknown word `1.1`",
        ),
        (
            "[[listeners]]\nws = { address = \"a:1\", path = \"mqtt\" }",
            ":2:32: ",
            "begins with a slash",
        ),
        ("[log]\nlevel = \"loud\"", ":2:9: ", "unknown word `loud`"),
        ("listeners = [", ":1:14: ", "unclosed array"),
    ];
    for (text, place, expected) in cases {
        let error = Config::parse("squall.toml", text).expect_err(text).to_string();
        assert!(
            error.contains(place) && error.contains(expected),
            "{text}\n{error}"
        );
    }
}
