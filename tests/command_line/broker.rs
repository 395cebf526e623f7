use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use crate::program::{command, squall};

#[test]
fn the_documented_configuration_is_right() {
    let checked = squall(&["broker", "-c", "docs/squall.toml", "--check-config"]);
    assert_eq!(
        (checked.code, checked.out.as_str()),
        (Some(0), "the configuration is right\n"),
        "{}",
        checked.err
    );
}

#[test]
fn an_unknown_key_is_shown_where_it_stands() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("squall.toml");
    fs::write(&file, "[limits]\nconections = 3\n").unwrap();
    let refused = squall(&["broker", "-c", file.to_str().unwrap()]);
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.err.contains("squall.toml:2:1: unknown key `conections`"),
        "{}",
        refused.err
    );
    assert!(refused.err.contains("tip: "), "{}", refused.err);
}

#[test]
fn an_address_that_is_none_is_wrong_use() {
    let refused = squall(&["broker", "--listen", "nonsense"]);
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.err.contains("cannot listen on nonsense") && refused.err.contains("tip: "),
        "{}",
        refused.err
    );
}

#[test]
fn tls_without_a_certificate_is_wrong_use() {
    let refused = squall(&["broker", "--listen", "mqtts://127.0.0.1:0"]);
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.err.contains("needs a certificate") && refused.err.contains("--certificate FILE"),
        "{}",
        refused.err
    );
}

/// `--check-config` reads the files too.
#[test]
fn a_certificate_that_is_none_is_found_by_the_check() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("squall.toml");
    let listener =
        "tls = { address = \"127.0.0.1:0\", certificate = \"docs/squall.toml\", key = \"Cargo.toml\" }";
    fs::write(&file, format!("[[listeners]]\n{listener}\n")).unwrap();
    let refused = squall(&["broker", "--check-config", "-c", file.to_str().unwrap()]);
    assert_eq!(refused.code, Some(2));
    assert!(
        refused
            .err
            .contains("docs/squall.toml: there is no certificate in it")
            && refused.err.contains("tip: "),
        "{}",
        refused.err
    );
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_it_cleanly() {
    let mut broker = command(&["broker", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(broker.stdout.take().unwrap()).lines();
    let address = said.next().unwrap().unwrap();
    assert!(address.starts_with("listening on mqtt://127.0.0.1:"), "{address}");
    assert!(
        Command::new("kill")
            .args(["-INT", &broker.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(broker.wait().unwrap().code(), Some(0));
}
