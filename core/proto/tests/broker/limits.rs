use squall_proto::{
    Delivery, Packet, Qos, ReasonCode, Version,
    broker::{Drop, Input, Limits, Note},
};

use crate::table::{Table, id, publish};

fn slow_reader(version: Version) -> Table {
    let limits = Limits {
        unsent_bytes_soft: 10,
        ..Limits::default()
    };
    let mut t = Table::with_limits(version, limits);
    t.connect("sub");
    t.subscribe("sub", "t", Qos::AtLeastOnce);
    t.connect("pub");
    t
}

#[test]
fn behind_a_slow_reader_qos_0_is_dropped_and_qos_1_waits() {
    for version in Version::ALL {
        let mut t = slow_reader(version);
        let conn = t.conn("sub");
        t.out.unsent.insert(conn, 11);
        t.send("pub", Packet::Publish(publish("t", "0", Delivery::AtMostOnce)));
        t.send(
            "pub",
            Packet::Publish(publish("t", "1", Delivery::AtLeastOnce(id(7)))),
        );
        t.expect_nothing("sub");
        assert!(t.out.notes.iter().any(|note| matches!(
            note,
            Note::Dropped {
                why: Drop::SlowReader,
                ..
            }
        )));
        t.out.unsent.insert(conn, 0);
        t.handle(Input::Flushed(conn));
        assert_eq!(t.take_payloads("sub"), ["1"]);
    }
}

#[test]
fn a_stopping_broker_tells_everybody() {
    for version in Version::ALL {
        let mut t = slow_reader(version);
        t.handle(Input::Shutdown);
        t.expect_refused("sub", ReasonCode::ServerShuttingDown);
        t.expect_refused("pub", ReasonCode::ServerShuttingDown);
    }
}
