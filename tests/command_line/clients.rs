//! `squall conform --client`: drivers that are shell scripts.

use crate::program::{Ended, squall};

/// Connects as it is told, with these bytes, and does nothing else.
fn driver(connect: &str) -> String {
    format!(
        "echo squall-driver 1 connect client_id clean_start keep_alive
         while read -r command; do
             exec 3<> /dev/tcp/$SQUALL_HOST/{{port}}
             printf '{connect}' >&3
             echo ok
         done"
    )
}

fn first_packet(connect: &str) -> Ended {
    squall(&[
        "conform",
        "--client",
        "--mqtt",
        "3.1.1",
        "--filter",
        "the_first_packet_is_connect",
        "--",
        "bash",
        "-c",
        &driver(connect),
    ])
}

#[test]
fn a_client_that_begins_with_connect_passes() {
    let ran = first_packet(r"\x10\x0c\0\x04MQTT\x04\x02\0\x3c\0\0");
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("1 result: 1 pass"), "{}", ran.out);
}

#[test]
fn a_client_that_begins_with_something_else_fails() {
    let ran = first_packet(r"\xc0\0");
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("PINGREQ"), "{}", ran.out);
}

#[test]
fn a_case_that_needs_more_than_the_driver_knows_is_unsupported() {
    let ran = squall(&[
        "conform",
        "--client",
        "--filter",
        "maximum_qos_1_is_kept",
        "--",
        "bash",
        "-c",
        "echo squall-driver 1; cat > /dev/null",
    ]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("1 unsupported"), "{}", ran.out);
}

#[test]
fn a_command_that_is_no_driver_is_wrong_use() {
    for command in [["true", "x"], ["echo", "hello"], ["/no/such/program", "x"]] {
        let ran = squall(&["conform", "--client", "--", command[0], command[1]]);
        assert_eq!(ran.code, Some(2), "{}{}", ran.out, ran.err);
        assert!(ran.err.contains("docs/CLIENTS.md"), "{}", ran.err);
    }
    let ran = squall(&["conform", "--client"]);
    assert_eq!(ran.code, Some(2), "{}{}", ran.out, ran.err);
}
