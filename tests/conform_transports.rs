//! `squall conform` comes to the same verdicts whichever way it reaches the broker. Here are sections without deadlines, on sockets; the
//! whole suite is compared in virtual time by `conformance/tests/self_check`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rcgen::generate_simple_self_signed;
use serde_json::Value;

/// A broker that listens everywhere. It ends with the test.
struct Broker {
    process: Child,
    urls: Vec<String>,
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A verdict as text, by case.
type Verdicts = BTreeMap<String, String>;

fn squall() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_squall"));
    command.stdin(Stdio::null());
    command
}

/// PEM files of a certificate for localhost that is its own authority, and of its key.
fn certificate(directory: &Path) -> (PathBuf, PathBuf) {
    let made = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let [certificate, key] = ["certificate.pem", "key.pem"].map(|name| directory.join(name));
    fs::write(&certificate, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    (certificate, key)
}

fn broker(certificate: &Path, key: &Path, places: &[String]) -> Broker {
    let mut command = squall();
    command.args(["broker", "--log", "warn"]);
    command
        .arg("--certificate")
        .arg(certificate)
        .arg("--key")
        .arg(key);
    for place in places {
        command.args(["--listen", place]);
    }
    let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
    let said = BufReader::new(process.stdout.take().unwrap()).lines();
    let urls = said
        .map_while(|line| line.unwrap().strip_prefix("listening on ").map(str::to_owned))
        .map(|url| url.replace("127.0.0.1", "localhost"))
        .collect();
    Broker { process, urls }
}

/// The verdicts of a report.
fn verdicts(report: &Path) -> Verdicts {
    let report: Value = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
    let results = report["groups"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|group| group["results"].as_array().unwrap());
    results
        .map(|result| {
            let name = result["name"].as_str().unwrap().to_owned();
            (name, result["verdict"].to_string())
        })
        .collect()
}

fn differences(one: &Verdicts, other: &Verdicts) -> Vec<String> {
    let names = one.keys().chain(other.keys());
    let mut found: Vec<_> = names
        .filter(|name| one.get(*name) != other.get(*name))
        .map(|name| format!("{name}: {:?} and {:?}", one.get(name), other.get(name)))
        .collect();
    found.dedup();
    found
}

/// Over a WebSocket there are cases that are unsupported elsewhere.
fn without_websocket_cases(verdicts: &Verdicts) -> Verdicts {
    let mut verdicts = verdicts.clone();
    verdicts.retain(|name, _| {
        !name.contains("websocket") && !WEBSOCKET_CASES.iter().any(|case| name.starts_with(case))
    });
    verdicts
}

const SECTIONS: [&str; 5] = ["1.5", "2.1", "3.8", "4.3", "6"];
const WEBSOCKET_CASES: [&str; 3] = [
    "a_text_frame_closes_the_connection",
    "a_connect_in_a_text_frame_is_not_accepted",
    "the_subprotocol_mqtt_is_selected",
];

#[test]
fn every_transport_and_one_byte_at_a_time_come_to_the_same_verdicts() {
    let directory = tempfile::tempdir().unwrap();
    let (certificate, key) = certificate(directory.path());
    let socket = format!("unix:{}", directory.path().join("squall.sock").display());
    let places = [
        "mqtt://127.0.0.1:0",
        "mqtts://127.0.0.1:0",
        "ws://127.0.0.1:0",
        "wss://127.0.0.1:0",
        &socket,
    ];
    let broker = broker(&certificate, &key, &places.map(str::to_owned));
    let [tcp, _, _, wss, _] = broker.urls.as_slice() else {
        panic!("{:?}", broker.urls)
    };
    let whole = broker.urls.iter().map(|url| (url, None));
    let segmented = [tcp, wss].map(|url| (url, Some("1")));

    let running: Vec<_> = whole
        .chain(segmented)
        .enumerate()
        .map(|(nth, (url, segment))| {
            let report = directory.path().join(format!("{nth}.json"));
            let mut command = squall();
            command.args(["conform", "--timeout", "20", "--target", url]);
            command.args(SECTIONS.iter().flat_map(|section| ["--filter", section]));
            if url.starts_with("mqtts") || url.starts_with("wss") {
                command.arg("--cafile").arg(&certificate);
            }
            command.args(segment.map(|bytes| ["--segment", bytes]).into_iter().flatten());
            command.arg("--report").arg(format!("json={}", report.display()));
            let process = command
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            (format!("{url} {segment:?}"), report, process)
        })
        .collect();
    let ended: Vec<_> = running
        .into_iter()
        .map(|(name, report, process)| {
            let ended = process.wait_with_output().unwrap();
            assert!(
                ended.status.success(),
                "{name}: {}",
                String::from_utf8_lossy(&ended.stdout)
            );
            (name, verdicts(&report))
        })
        .collect();

    let (_, first) = ended.first().unwrap();
    assert!(first.len() > 50, "{}", first.len());
    for (name, verdicts) in &ended {
        let found = differences(
            &without_websocket_cases(first),
            &without_websocket_cases(verdicts),
        );
        assert!(found.is_empty(), "{name}: {found:#?}");
    }
    let over_websocket: Vec<_> = ended.iter().filter(|(name, _)| name.starts_with("ws")).collect();
    assert_eq!(over_websocket.len(), 3);
    for (name, verdicts) in &over_websocket {
        let found = differences(&over_websocket.first().unwrap().1, verdicts);
        assert!(found.is_empty(), "{name}: {found:#?}");
    }
    let supported = |verdicts: &Verdicts| {
        verdicts
            .values()
            .filter(|verdict| !verdict.contains("unsupported"))
            .count()
    };
    assert!(
        supported(&over_websocket.first().unwrap().1) > supported(first),
        "the cases of WebSocket ran"
    );
}
