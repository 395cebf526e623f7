//! A disk that is full, or fails: what needs a record is refused while it lasts, the rest goes on, and nothing acknowledged is lost.

use std::time::Duration;

use squall_node::broker::DatabaseStore;
use squall_proto::{
    Ack, Connect, Delivery, Packet, PacketId, Publish, Qos, ReasonCode, TopicName, Version, encode,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{
    disk::{Disk, Trouble},
    durable::{nothing_comes, persistent, restored},
    harness::{Peered, Served, ack, payload, plain_connect, publish, publish_qos1, subscribe},
};

fn served(disk: &Disk) -> Served {
    let store = DatabaseStore::open(disk.clone(), "disk").expect("it is whole");
    Served::over(restored(store).expect("it is whole"))
}

/// A broker whose disk has this trouble from now on, a session that is subscribed to `t` at QoS 2 and away, and a publisher.
async fn troubled(trouble: Trouble) -> (Disk, Served, Peered) {
    let disk = Disk::default();
    let served = served(&disk);
    let mut away = persistent(&served, "away", false).await;
    away.send(&subscribe("t", Qos::ExactlyOnce)).await;
    assert!(matches!(away.next().await, Some(Packet::Suback(_))));
    drop(away);
    let publisher = served.client("pub", 1 << 20).await;
    while served.server.counts().connections > 1 {
        tokio::task::yield_now().await;
    }
    disk.trouble(Some(trouble));
    (disk, served, publisher)
}

/// The next process, after power was lost.
async fn after_power_loss(served: Served, disk: &Disk) -> Served {
    served.task.abort();
    let _ = served.task.await;
    self::served(&disk.after_power_loss())
}

fn reason_code(answer: Option<Packet>) -> ReasonCode {
    match answer {
        Some(Packet::Puback(ack) | Packet::Pubrec(ack)) => ack.reason_code,
        other => panic!("{other:?} in place of an answer"),
    }
}

fn id(value: u16) -> PacketId {
    PacketId::new(value).expect("not 0")
}

fn publish_qos2(topic: &str, payload: &'static str, packet_id: u16) -> Packet {
    Packet::Publish(Publish {
        dup: false,
        retain: false,
        delivery: Delivery::ExactlyOnce(id(packet_id)),
        topic: Some(TopicName::new(topic).expect("a legal name")),
        payload: payload.into(),
        properties: [].into_iter().collect(),
    })
}

/// [MQTT-4.3.2-4]
#[tokio::test(start_paused = true)]
async fn what_is_acknowledged_before_while_and_after_a_disk_fails_survives() {
    for trouble in [Trouble::Full, Trouble::SyncError] {
        let (disk, served, mut publisher) = troubled(trouble).await;
        publisher.send(&publish_qos1("t", "waits")).await;
        nothing_comes(&mut publisher).await;
        let failure = served.server.failure().expect("it says why").to_string();
        assert!(failure.contains("cannot keep records in disk"), "{failure}");
        let mut other = served.client("other", 1 << 20).await;
        other.send(&publish_qos1("t", "refused")).await;
        assert_eq!(reason_code(other.next().await), ReasonCode::QuotaExceeded);
        nothing_comes(&mut publisher).await;
        disk.trouble(None);
        assert_eq!(reason_code(publisher.next().await), ReasonCode::Success);
        assert!(served.server.failure().is_none());
        other.send(&publish_qos1("t", "after")).await;
        assert_eq!(reason_code(other.next().await), ReasonCode::Success);
        let served = after_power_loss(served, &disk).await;
        let mut away = persistent(&served, "away", true).await;
        for expected in ["waits", "after"] {
            assert_eq!(payload(away.next().await), expected, "{trouble:?}");
        }
        nothing_comes(&mut away).await;
    }
}

/// [MQTT-4.3.2-3]
#[tokio::test(start_paused = true)]
async fn what_was_over_when_a_sync_failed_is_over_after_a_power_loss() {
    let disk = Disk::default();
    let served = served(&disk);
    let mut subscriber = persistent(&served, "sub", false).await;
    subscriber.send(&subscribe("t", Qos::AtLeastOnce)).await;
    assert!(matches!(subscriber.next().await, Some(Packet::Suback(_))));
    let mut publisher = served.client("pub", 1 << 20).await;
    publisher.send(&publish_qos1("t", "over")).await;
    let over = subscriber.next().await;
    disk.trouble(Some(Trouble::SyncError));
    subscriber.send(&ack(over.as_ref())).await;
    nothing_comes(&mut subscriber).await;
    assert!(served.server.failure().is_some());
    disk.trouble(None);
    nothing_comes(&mut subscriber).await;
    assert!(served.server.failure().is_none());
    let served = after_power_loss(served, &disk).await;
    let mut subscriber = persistent(&served, "sub", true).await;
    nothing_comes(&mut subscriber).await;
}

#[tokio::test(start_paused = true)]
async fn qos_0_goes_on_all_the_time() {
    let (disk, served, mut publisher) = troubled(Trouble::Full).await;
    let mut there = served.subscriber("there", 1 << 20).await;
    publisher.send(&publish_qos1("t", "waits")).await;
    nothing_comes(&mut publisher).await;
    let mut other = served.client("other", 1 << 20).await;
    let mut new = served.subscriber("new", 1 << 20).await;
    for n in 0..10 {
        other.send(&publish("u", n.to_string())).await;
        assert_eq!(payload(new.next().await), n.to_string());
    }
    nothing_comes(&mut there).await;
    disk.trouble(None);
    assert_eq!(payload(there.next().await), "waits");
}

/// [MQTT-4.3.3-8] [MQTT-4.3.3-4] [MQTT-4.3.3-11]
#[tokio::test(start_paused = true)]
async fn qos_2_exchanges_that_are_under_way_wait_and_then_go_on() {
    let disk = Disk::default();
    let served = served(&disk);
    let mut publisher = persistent(&served, "pub", false).await;
    let mut subscriber = persistent(&served, "sub", false).await;
    subscriber.send(&subscribe("t", Qos::ExactlyOnce)).await;
    assert!(matches!(subscriber.next().await, Some(Packet::Suback(_))));
    publisher.send(&publish_qos2("t", "one", 1)).await;
    assert_eq!(reason_code(publisher.next().await), ReasonCode::Success);
    assert_eq!(payload(subscriber.next().await), "one");
    disk.trouble(Some(Trouble::Full));
    publisher.send(&Packet::Pubrel(Ack::success(id(1)))).await;
    subscriber.send(&Packet::Pubrec(Ack::success(id(1)))).await;
    nothing_comes(&mut publisher).await;
    nothing_comes(&mut subscriber).await;
    publisher.send(&publish_qos2("t", "two", 2)).await;
    nothing_comes(&mut publisher).await;
    disk.trouble(None);
    assert_eq!(publisher.next().await, Some(Packet::Pubcomp(Ack::success(id(1)))));
    assert_eq!(reason_code(publisher.next().await), ReasonCode::QuotaExceeded);
    assert_eq!(subscriber.next().await, Some(Packet::Pubrel(Ack::success(id(1)))));
    publisher.send(&publish_qos2("t", "two", 2)).await;
    assert_eq!(reason_code(publisher.next().await), ReasonCode::Success);
    let served = after_power_loss(served, &disk).await;
    let mut subscriber = persistent(&served, "sub", true).await;
    assert_eq!(subscriber.next().await, Some(Packet::Pubrel(Ack::success(id(1)))));
    assert_eq!(payload(subscriber.next().await), "two");
    let mut publisher = persistent(&served, "pub", true).await;
    publisher.send(&publish_qos2("t", "two", 2)).await;
    assert_eq!(reason_code(publisher.next().await), ReasonCode::Success);
    nothing_comes(&mut subscriber).await;
}

/// [MQTT-3.12.4-1] [v3 MQTT-3.12.4-1]
#[tokio::test(start_paused = true)]
async fn who_waits_for_an_acknowledgement_is_still_answered_its_pings() {
    let (disk, _served, mut publisher) = troubled(Trouble::Full).await;
    publisher.send(&publish_qos1("t", "waits")).await;
    for _ in 0..3 {
        publisher.send(&Packet::Pingreq).await;
        assert_eq!(publisher.next().await, Some(Packet::Pingresp));
    }
    disk.trouble(None);
    assert_eq!(reason_code(publisher.next().await), ReasonCode::Success);
}

/// [v3 MQTT-3.3.5-2]
#[tokio::test(start_paused = true)]
async fn a_client_of_3_1_1_is_closed_and_may_try_again() {
    let (disk, served, mut publisher) = troubled(Trouble::Full).await;
    publisher.send(&publish_qos1("t", "waits")).await;
    nothing_comes(&mut publisher).await;
    for (is_full, answer) in [(true, &[][..]), (false, &[0x40, 2, 0, 1])] {
        disk.trouble(is_full.then_some(Trouble::Full));
        if !is_full {
            assert_eq!(reason_code(publisher.next().await), ReasonCode::Success);
        }
        let mut old = served.stream(1 << 20).stream;
        let mut bytes = bytes::BytesMut::new();
        let connect = Connect {
            version: Version::V3_1_1,
            ..plain_connect("old")
        };
        for packet in [Packet::Connect(Box::new(connect)), publish_qos1("t", "again")] {
            encode(Version::V3_1_1, (&packet).into(), &mut bytes);
        }
        old.write_all(&bytes).await.expect("the broker reads");
        let mut connack = [0; 4];
        old.read_exact(&mut connack).await.expect("a CONNACK");
        assert_eq!(connack, [0x20, 2, 0, 0]);
        let mut came = [0; 4];
        let len = old.read(&mut came).await.expect("it is closed in order");
        assert_eq!(&came[..len], answer);
    }
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_is_stopped_meanwhile_says_what_it_could_not_keep() {
    let (_disk, served, mut publisher) = troubled(Trouble::Full).await;
    publisher.send(&publish_qos1("t", "waits")).await;
    nothing_comes(&mut publisher).await;
    served.server.shutdown();
    assert!(matches!(publisher.next().await, Some(Packet::Disconnect(_))));
    drop(publisher);
    served.task.await.expect("it returns");
    assert!(served.server.failure().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_stop_keeps_what_waits_if_the_disk_is_back_in_time() {
    let (disk, served, mut publisher) = troubled(Trouble::Full).await;
    publisher.send(&publish_qos1("t", "waits")).await;
    // By now it is tried again every five seconds, the last time a second ago.
    tokio::time::sleep(Duration::from_secs(57)).await;
    let server = served.server.clone();
    server.shutdown();
    disk.trouble(None);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(server.failure().is_none());
    served.task.await.expect("it has stopped");
    let served = self::served(&disk.after_power_loss());
    assert_eq!(served.server.counts().unfinished_messages, 1);
}
