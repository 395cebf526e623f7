//! The broker as a process that is killed.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Stdio},
    time::Duration,
};

use crate::program::{command, squall};

/// CONNECT of `s`, whose session is kept, and of `p`, whose is not; SUBSCRIBE to `t` at QoS 1.
const KEPT: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x00\x00\x00\x00\x01s";
const CLEAN: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01p";
const SUBSCRIBE: &[u8] = b"\x82\x06\x00\x01\x00\x01t\x01";

/// A broker in a process of its own, which is killed when this is dropped.
struct Broker {
    process: Child,
    address: String,
}

impl Broker {
    fn start(directory: &Path, durability: &str) -> Self {
        let directory = directory.to_str().unwrap();
        let arguments = [
            "broker",
            "--listen",
            "127.0.0.1:0",
            "--data",
            directory,
            "--durability",
            durability,
        ];
        let mut process = command(&arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
        let listening = said.next().unwrap().unwrap();
        assert_eq!(said.next().unwrap().unwrap(), format!("durability: {durability}"));
        let address = listening.strip_prefix("listening on mqtt://").unwrap().to_owned();
        Self { process, address }
    }

    /// A client that is connected; Session Present.
    fn connect(&self, connect: &[u8]) -> (TcpStream, bool) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(connect).unwrap();
        let [0x20, 2, present, 0] = read(&mut stream) else {
            panic!("no CONNACK")
        };
        (stream, present == 1)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // SIGKILL.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn read<const N: usize>(stream: &mut TcpStream) -> [u8; N] {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

/// [MQTT-4.3.2-4] [MQTT-4.4.0-1] [v3 MQTT-4.3.2-2] [v3 MQTT-4.4.0-1]
#[test]
fn what_was_acknowledged_survives_a_kill() {
    for durability in ["disk", "os"] {
        let directory = tempfile::tempdir().unwrap();
        let broker = Broker::start(directory.path(), durability);
        let (mut subscriber, _) = broker.connect(KEPT);
        subscriber.write_all(SUBSCRIBE).unwrap();
        assert_eq!(read(&mut subscriber), [0x90, 3, 0, 1, 1]);
        drop(broker);
        for round in 0..3_u8 {
            let broker = Broker::start(directory.path(), durability);
            let (mut publisher, _) = broker.connect(CLEAN);
            for n in 0..20 {
                publisher
                    .write_all(&[0x32, 7, 0, 1, b't', 0, 1, round, n])
                    .unwrap();
                assert_eq!(read(&mut publisher), [0x40, 2, 0, 1]);
            }
        }
        let broker = Broker::start(directory.path(), durability);
        let (mut subscriber, present) = broker.connect(KEPT);
        assert!(present);
        for count in 0..60_u8 {
            let [0x32, 7, 0, 1, b't', high, low, round, n] = read(&mut subscriber) else {
                panic!("message {count} is missing")
            };
            assert_eq!((round, n), (count / 20, count % 20));
            subscriber.write_all(&[0x40, 2, high, low]).unwrap();
        }
    }
}

#[test]
fn a_second_broker_with_the_same_data_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    for durability in ["disk", "os"] {
        let _broker = Broker::start(directory.path(), durability);
        let data = directory.path().to_str().unwrap();
        let refused = squall(&["broker", "--listen", "127.0.0.1:0", "--data", data]);
        assert_eq!(refused.code, Some(2), "{}", refused.err);
        assert!(
            refused.err.contains("broker.redb is used by another broker") && refused.err.contains("tip: "),
            "{}",
            refused.err
        );
    }
}

/// Unless `sys_interval` is 0.
#[test]
fn a_broker_tells_those_who_ask_how_safe_what_it_acknowledges_is() {
    let directory = tempfile::tempdir().unwrap();
    let broker = Broker::start(directory.path(), "os");
    let (mut client, _) = broker.connect(CLEAN);
    client
        .write_all(b"\x82\x1b\x00\x01\x00\x16$SYS/broker/durability\x00")
        .unwrap();
    assert_eq!(read(&mut client), [0x90, 3, 0, 1, 0]);
    assert_eq!(&read(&mut client), b"\x31\x1a\x00\x16$SYS/broker/durabilityos");
}

#[test]
fn durability_without_a_place_is_wrong_use() {
    let refused = squall(&["broker", "--durability", "disk"]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.err.contains("--data DIR"), "{}", refused.err);
}

#[test]
fn a_damaged_store_is_named_and_never_begun_anew() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("broker.redb");
    fs::write(&path, b"no database").unwrap();
    let data = directory.path().to_str().unwrap();
    let refused = squall(&["broker", "--listen", "127.0.0.1:0", "--data", data]);
    assert_eq!(refused.code, Some(2), "{}", refused.err);
    assert!(
        refused.err.contains("broker.redb is damaged") && refused.err.contains("move it away"),
        "{}",
        refused.err
    );
    assert_eq!(fs::read(&path).unwrap(), b"no database");
}
