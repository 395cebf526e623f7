use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::Stdio,
};

use tempfile::TempDir;

use crate::program::{Ended, command, squall, squall_with_input};

struct Users {
    directory: TempDir,
    file: PathBuf,
}

impl Users {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("users");
        Self { directory, file }
    }

    fn passwd(&self, arguments: &[&str], password: &str) -> Ended {
        let file = self.file.to_str().unwrap();
        squall_with_input(&[&["passwd", file], arguments].concat(), password)
    }

    fn add(&self, user: &str, password: &str) {
        let added = self.passwd(&[user, "--iterations", "4096"], &format!("{password}\n"));
        assert_eq!((added.code, added.out.as_str()), (Some(0), ""), "{}", added.err);
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.file).unwrap()
    }

    /// A configuration that names them.
    fn configuration(&self, more: &str) -> String {
        let configuration = self.directory.path().join("squall.toml");
        let users = self.file.display();
        fs::write(
            &configuration,
            format!("[authentication]\nusers = \"{users}\"\n{more}\n"),
        )
        .unwrap();
        configuration.to_str().unwrap().to_owned()
    }
}

#[test]
fn users_are_added_changed_and_taken_out() {
    let users = Users::new();
    users.add("alice", "secret");
    users.add("bob", "secret");
    let before = users.text();
    assert_eq!(before.lines().count(), 2);
    assert!(
        before.starts_with("alice:SCRAM-SHA-256$4096:") && !before.contains("secret"),
        "{before}"
    );
    users.add("alice", "other");
    let after = users.text();
    assert_ne!(before.lines().next(), after.lines().next());
    assert_eq!(before.lines().last(), after.lines().last());
    assert_eq!(users.passwd(&["alice", "--delete"], "").code, Some(0));
    assert!(users.text().starts_with("bob:") && users.text().lines().count() == 1);
}

#[test]
fn nobody_else_may_read_the_file() {
    let users = Users::new();
    users.add("alice", "secret");
    let mode = || fs::metadata(&users.file).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    fs::set_permissions(&users.file, fs::Permissions::from_mode(0o640)).unwrap();
    users.add("bob", "secret");
    assert_eq!(mode(), 0o640, "unless its owner wants that");
}

#[test]
fn what_cannot_be_is_wrong_use_and_changes_nothing() {
    let users = Users::new();
    users.add("alice", "secret");
    let before = users.text();
    let cases: [(&[&str], &str, &str); 5] = [
        (&["bob", "--delete"], "", "has no user `bob`"),
        (&["a:b"], "secret\n", "a user name is neither empty"),
        (&["bob"], "\n", "the password is empty"),
        (&["bob", "--iterations", "4095"], "secret\n", "4095"),
        (
            &["bob", "--iterations", "5000", "--delete"],
            "",
            "cannot be used with",
        ),
    ];
    for (arguments, password, expected) in cases {
        let refused = users.passwd(arguments, password);
        assert_eq!(refused.code, Some(2), "{arguments:?}: {}", refused.err);
        assert!(refused.err.contains(expected), "{arguments:?}: {}", refused.err);
        assert_eq!(users.text(), before);
    }
    fs::write(&users.file, "alice:secret\n").unwrap();
    let refused = users.passwd(&["bob"], "secret\n");
    assert!(
        refused.err.contains("users:1: expected SCRAM-SHA-256$"),
        "{}",
        refused.err
    );
    assert_eq!(users.text(), "alice:secret\n");
}

#[test]
fn a_broker_that_nobody_could_use_or_whose_users_are_none_is_found_by_the_check() {
    let users = Users::new();
    let check = |configuration: &str| squall(&["broker", "--check-config", "-c", configuration]);
    let missing = check(&users.configuration(""));
    assert_eq!(missing.code, Some(2));
    assert!(
        missing.err.contains("cannot read ") && missing.err.contains("squall passwd"),
        "{}",
        missing.err
    );
    fs::write(&users.file, "# Ours.\nalice:secret\n").unwrap();
    let wrong = check(&users.configuration(""));
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.err.contains("users:2: "), "{}", wrong.err);
    let configuration = users.configuration("");
    fs::write(&configuration, "[authentication]\nanonymous = false\n").unwrap();
    let nobody = check(&configuration);
    assert_eq!(nobody.code, Some(2));
    assert!(nobody.err.contains("nobody could connect"), "{}", nobody.err);
}

#[test]
fn users_connect_with_their_password_or_by_scram_and_nobody_else() {
    let users = Users::new();
    users.add("alice", "secret");
    let configuration = users.configuration("[log]\nlevel = \"off\"");
    let mut broker = command(&["broker", "--listen", "127.0.0.1:0", "-c", &configuration])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let greeting = BufReader::new(broker.stdout.take().unwrap())
        .lines()
        .next()
        .unwrap()
        .unwrap();
    let port = greeting.rsplit(':').next().unwrap().to_owned();
    let publish = |arguments: &[&str]| {
        let to = [
            "pub",
            "-h",
            "127.0.0.1",
            "-p",
            &port,
            "-t",
            "t",
            "-m",
            "x",
            "-q",
            "1",
        ];
        squall(&[&to, arguments].concat()).code
    };
    let scram = ["--auth-method", "SCRAM-SHA-256"];
    for version in ["5", "311"] {
        assert_eq!(publish(&["-V", version, "-u", "alice", "-P", "secret"]), Some(0));
        assert_ne!(publish(&["-V", version, "-u", "alice", "-P", "Secret"]), Some(0));
        assert_ne!(publish(&["-V", version]), Some(0));
    }
    assert_eq!(
        publish(&[&scram, ["-u", "alice"].as_slice(), &["-P", "secret"]].concat()),
        Some(0)
    );
    assert_ne!(
        publish(&[&scram, ["-u", "alice"].as_slice(), &["-P", "Secret"]].concat()),
        Some(0)
    );
    assert_eq!(publish(&[&scram, ["-u", "alice"].as_slice()].concat()), Some(2));
    assert_eq!(
        publish(&[&scram, ["-u", "a", "-P", "b", "-V", "311"].as_slice()].concat()),
        Some(2)
    );
    broker.kill().unwrap();
    broker.wait().unwrap();
}
