//! `squall conform` at brokers that listen: it comes to the same verdicts whichever way it reaches one, and finds out what one can do.
//! Here are sections without deadlines, on sockets; the whole suite is compared in virtual time by `conformance/tests/self_check`.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot start the program should stop there"
)]

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
    let list = |value: &Value, key: &str| value.get(key).unwrap().as_array().unwrap().clone();
    list(&report, "groups")
        .iter()
        .flat_map(|group| list(group, "results"))
        .map(|result| {
            let name = result.get("name").unwrap().as_str().unwrap().to_owned();
            (name, result.get("verdict").unwrap().to_string())
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

/// A run of the suite under way.
struct Conform {
    name: String,
    report: PathBuf,
    process: Child,
}

impl Conform {
    fn start(url: &str, segment: Option<&str>, report: PathBuf, certificate: &Path) -> Self {
        let mut command = squall();
        command.args(["conform", "--timeout", "20", "--target", url]);
        command.args(SECTIONS.iter().flat_map(|section| ["--filter", section]));
        if url.starts_with("mqtts") || url.starts_with("wss") {
            command.arg("--cafile").arg(certificate);
        }
        command.args(segment.map(|bytes| ["--segment", bytes]).into_iter().flatten());
        command.arg("--report").arg(format!("json={}", report.display()));
        let process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        Self {
            name: format!("{url} {segment:?}"),
            report,
            process: process.unwrap(),
        }
    }

    fn end(self) -> (String, Verdicts) {
        let ended = self.process.wait_with_output().unwrap();
        assert!(
            ended.status.success(),
            "{}: {}",
            self.name,
            String::from_utf8_lossy(&ended.stdout)
        );
        (self.name, verdicts(&self.report))
    }
}

fn assert_equal<'a>(runs: impl IntoIterator<Item = (&'a String, Verdicts)>) {
    let mut runs = runs.into_iter();
    let (first_name, first) = runs.next().unwrap();
    for (name, verdicts) in runs {
        let found = differences(&first, &verdicts);
        assert!(found.is_empty(), "{first_name} and {name}: {found:#?}");
    }
}

fn supported(verdicts: &Verdicts) -> usize {
    let supported = verdicts
        .values()
        .filter(|verdict| !verdict.contains("unsupported"));
    supported.count()
}

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
    let running: Vec<_> = (0..)
        .zip(whole.chain(segmented))
        .map(|(nth, (url, segment)): (u32, _)| {
            let report = directory.path().join(format!("{nth}.json"));
            Conform::start(url, segment, report, &certificate)
        })
        .collect();
    let ended: Vec<_> = running.into_iter().map(Conform::end).collect();

    assert_equal(
        ended
            .iter()
            .map(|(name, verdicts)| (name, without_websocket_cases(verdicts))),
    );
    let over_websocket = ended.iter().filter(|(name, _)| name.starts_with("ws"));
    assert_eq!(over_websocket.clone().count(), 3);
    assert_equal(
        over_websocket
            .clone()
            .map(|(name, verdicts)| (name, verdicts.clone())),
    );
    let (_, over_tcp) = ended.first().unwrap();
    assert!(over_tcp.len() > 50, "{}", over_tcp.len());
    for (name, verdicts) in over_websocket {
        assert!(
            supported(verdicts) > supported(over_tcp),
            "{name}: the cases of WebSocket ran"
        );
    }
}

#[test]
fn what_is_probed_can_be_named_as_a_target() {
    let directory = tempfile::tempdir().unwrap();
    let (certificate, key) = certificate(directory.path());
    let broker = broker(&certificate, &key, &["mqtt://127.0.0.1:0".to_owned()]);
    let [url] = broker.urls.as_slice() else {
        panic!("{:?}", broker.urls)
    };
    let profile = directory.path().join("found.toml");
    let probe = || {
        let mut command = squall();
        command.args(["conform", "--probe", "--target", url, "--profile"]);
        command.arg(&profile).output().unwrap()
    };
    assert!(probe().status.success());
    let text = fs::read_to_string(&profile).unwrap();
    assert!(text.contains(&format!("# listens at {url}\n")), "{text}");
    let conform = squall()
        .args(["conform", "--filter", "3.12", "--target"])
        .arg(&profile)
        .output();
    let conform = conform.unwrap();
    let said = String::from_utf8(conform.stdout).unwrap();
    assert!(conform.status.success() && said.contains(" pass"), "{said}");

    let again = probe();
    assert_eq!(again.status.code(), Some(2), "it writes over nothing");
    assert_eq!(fs::read_to_string(&profile).unwrap(), text);
}
