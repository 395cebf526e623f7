//! `squall pub` and `squall sub` as people use them, against our broker on a free port of this machine.

#[cfg(test)]
mod program {
    use std::{
        io::{BufRead as _, BufReader, Write as _},
        net::{Ipv4Addr, TcpListener},
        process::{Child, Command, Output, Stdio},
        thread,
    };

    use squall_node::{TcpAcceptor, broker::Server};
    use squall_proto::broker::Limits;

    /// A broker that lives as long as the test's process.
    pub(crate) struct Broker {
        port: String,
    }

    impl Broker {
        pub(crate) fn start() -> Self {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            let acceptor = runtime.block_on(TcpAcceptor::bind("127.0.0.1:0")).unwrap();
            let port = acceptor.local_addr().unwrap().port().to_string();
            thread::spawn(move || runtime.block_on(Server::new(Limits::default(), 1).serve(acceptor)));
            Self { port }
        }

        /// A port on which nobody listens.
        pub(crate) fn absent() -> Self {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let port = listener.local_addr().unwrap().port().to_string();
            Self { port }
        }

        /// One that takes connections and says nothing.
        pub(crate) fn silent() -> Self {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let port = listener.local_addr().unwrap().port().to_string();
            thread::spawn(move || listener.incoming().collect::<Vec<_>>());
            Self { port }
        }

        /// `squall`, told where the broker is.
        pub(crate) fn command(&self, arguments: &[&str]) -> Command {
            let mut command = Command::new(env!("CARGO_BIN_EXE_squall"));
            command
                .args(arguments)
                .args(["-h", "127.0.0.1", "-p", &self.port])
                .env_remove("CLICOLOR_FORCE")
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            command
        }

        pub(crate) fn squall(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
            ended(self.command(arguments).output().unwrap())
        }

        pub(crate) fn squall_with_input(
            &self,
            arguments: &[&str],
            input: &str,
        ) -> (Option<i32>, String, String) {
            let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
            child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
            ended(child.wait_with_output().unwrap())
        }

        /// A `squall sub -d` whose subscription the broker has granted.
        pub(crate) fn subscribed(&self, arguments: &[&str]) -> Child {
            let mut child = self
                .command(&[&["sub", "-d"], arguments].concat())
                .spawn()
                .unwrap();
            let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
            assert!(lines.any(|line| line.unwrap().starts_with("the subscription to")));
            child
        }
    }

    pub(crate) fn ended(output: Output) -> (Option<i32>, String, String) {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    pub(crate) fn interrupt(child: &Child) {
        let id = child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-INT", &id])
                .status()
                .unwrap()
                .success()
        );
    }
}

#[cfg(test)]
mod published {
    use std::thread;

    use super::program::{Broker, ended};

    #[test]
    fn a_message_reaches_a_subscriber_at_every_qos_in_both_versions() {
        let broker = Broker::start();
        for version in ["311", "5"] {
            for qos in ["0", "1", "2"] {
                let sub =
                    broker.subscribed(&["-t", "a/+", "-q", qos, "-V", version, "-C", "1", "-F", "%t %q %p"]);
                let line = ["pub", "-t", "a/b", "-m", "hello", "-q", qos, "-V", version];
                assert_eq!(broker.squall(&line), (Some(0), String::new(), String::new()));
                let expected = format!("a/b {qos} hello\n");
                assert_eq!(ended(sub.wait_with_output().unwrap()).1, expected);
            }
        }
    }

    #[test]
    fn each_line_of_standard_input_is_a_message_and_a_session_keeps_them() {
        let broker = Broker::start();
        for version in ["311", "5"] {
            let me = ["-c", "-i", "me", "-V", version];
            let subscribe = [&["sub", "-t", "lines", "-q", "1", "-E"], &me[..]].concat();
            assert_eq!(broker.squall(&subscribe), (Some(0), String::new(), String::new()));
            let publish = ["pub", "-t", "lines", "-l", "-q", "1", "-V", version];
            assert_eq!(broker.squall_with_input(&publish, "one\ntwo\nthree").0, Some(0));
            let again = [&["sub", "-t", "lines", "-q", "1", "-C", "3"], &me[..]].concat();
            assert_eq!(
                broker.squall(&again),
                (Some(0), "one\ntwo\nthree\n".to_owned(), String::new())
            );
        }
    }

    #[test]
    fn the_whole_of_standard_input_is_one_message_and_properties_go_with_it() {
        let broker = Broker::start();
        let line = [
            "pub",
            "-t",
            "r",
            "-s",
            "-r",
            "-D",
            "publish",
            "content-type",
            "text/plain",
        ];
        assert_eq!(broker.squall_with_input(&line, "one\ntwo\n").0, Some(0));
        let line = ["sub", "-t", "r", "-V", "5", "-C", "1", "-N", "-F", "%C %l %r %p"];
        assert_eq!(broker.squall(&line).1, "text/plain 8 1 one\ntwo\n");
    }

    #[test]
    fn lines_share_a_topic_alias_and_goodbye_may_say_why() {
        let broker = Broker::start();
        let sub = broker.subscribed(&["-t", "long/topic", "-C", "3", "-F", "%-12t|%03l|%.2p"]);
        let line = [
            "pub",
            "-t",
            "long/topic",
            "-l",
            "-M",
            "2",
            "-D",
            "publish",
            "topic-alias",
            "1",
        ];
        let why = ["-D", "disconnect", "reason-string", "it is late"];
        let published = broker.squall_with_input(&[&line[..], &why].concat(), "one\ntwo\nthree");
        assert_eq!(published, (Some(0), String::new(), String::new()));
        let expected = "long/topic  |003|on\nlong/topic  |003|tw\nlong/topic  |005|th\n";
        assert_eq!(ended(sub.wait_with_output().unwrap()).1, expected);
    }

    #[test]
    fn a_subscription_has_the_options_of_5_0() {
        let broker = Broker::start();
        let retained = ["pub", "-t", "r", "-m", "old", "-r"];
        assert_eq!(broker.squall(&retained).0, Some(0));
        for (options, printed) in [
            (
                &["--retain-handling", "never", "--retain-as-published"][..],
                "1 new\n",
            ),
            (&["--retain-handling", "new"], "1 old\n"),
            (&["--random-filter", "100", "--no-local"], "1 old\n"),
        ] {
            let sub = broker.subscribed(&[&["-t", "r", "-C", "1", "-F", "%r %p"], options].concat());
            let line = ["pub", "-t", "r", "-m", "new", "-r"];
            assert_eq!(broker.squall(&line).0, Some(0));
            assert_eq!(ended(sub.wait_with_output().unwrap()).1, printed, "{options:?}");
            assert_eq!(broker.squall(&retained).0, Some(0));
        }
    }

    #[test]
    fn what_one_process_could_not_finish_the_next_does() {
        let broker = Broker::start();
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("session.redb");
        let store = ["-c", "-i", "me", "-V", "5", "--store", file.to_str().unwrap()];
        let line = [&["pub", "-t", "t", "-m", "kept", "-q", "1"], &store[..]].concat();
        let sub = broker.subscribed(&["-t", "t", "-q", "1", "-C", "2"]);
        let mut child = Broker::silent().command(&line).spawn().unwrap();
        while !kept(&file) {
            thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(broker.squall(&line), (Some(0), String::new(), String::new()));
        assert_eq!(ended(sub.wait_with_output().unwrap()).1, "kept\nkept\n");
        std::fs::write(&file, "no database").unwrap();
        let (exit, _, complaint) = broker.squall(&line);
        assert_eq!(exit, Some(2));
        assert!(complaint.contains("Move it away to begin anew"), "{complaint}");
    }

    /// Whether the message of the test is in the file, whoever has it open.
    fn kept(file: &std::path::Path) -> bool {
        let bytes = std::fs::read(file).unwrap_or_default();
        bytes.windows(4).any(|bytes| bytes == b"kept")
    }

    #[test]
    fn retained_messages_are_told_apart_and_removed() {
        let broker = Broker::start();
        for topic in ["old/a", "old/b"] {
            assert_eq!(
                broker
                    .squall(&["pub", "-t", topic, "-m", topic, "-r", "-q", "1"])
                    .0,
                Some(0)
            );
        }
        let line = [
            "sub",
            "-t",
            "old/#",
            "-T",
            "old/b",
            "-C",
            "1",
            "--remove-retained",
        ];
        assert_eq!(broker.squall(&line).1, "old/a\n");
        let line = ["sub", "-t", "old/#", "-C", "1"];
        assert_eq!(
            broker.squall(&line).1,
            "old/b\n",
            "what was left out was not removed"
        );
        let sub = broker.subscribed(&["-t", "old/#", "--retained-only"]);
        assert_eq!(broker.squall(&["pub", "-t", "old/new", "-m", "new"]).0, Some(0));
        assert_eq!(ended(sub.wait_with_output().unwrap()).1, "old/b\n");
    }
}

#[cfg(test)]
mod ends {
    use super::program::{Broker, ended, interrupt};

    #[test]
    fn with_1_when_nobody_listens() {
        let broker = Broker::absent();
        for line in [&["pub", "-t", "t", "-m", "m"][..], &["sub", "-t", "t"]] {
            let (code, out, err) = broker.squall(line);
            assert_eq!((code, out), (Some(1), String::new()));
            assert!(err.starts_with("cannot connect to mqtt://127.0.0.1:"), "{err}");
        }
    }

    #[test]
    fn with_27_when_the_time_is_over() {
        let broker = Broker::start();
        assert_eq!(broker.squall(&["sub", "-t", "t", "-W", "1"]).0, Some(27));
    }

    #[test]
    fn with_2_and_the_mend_when_used_wrongly() {
        let broker = Broker::start();
        for (line, said) in [
            (&["pub", "-t", "t"][..], "--message"),
            (&["pub", "-t", "t/#", "-m", "m"], "wildcard"),
            (&["pub", "-t", "t", "-m", "m", "-q", "3"], "expected 0, 1 or 2"),
            (&["pub", "-t", "t", "-m", "m", "-l"], "cannot be used with"),
            (
                &[
                    "pub",
                    "-t",
                    "t",
                    "-m",
                    "m",
                    "-D",
                    "publish",
                    "content-type",
                    "x",
                    "-V",
                    "311",
                ],
                "add -V 5",
            ),
            (&["pub", "-t", "t", "-f", "/no/such/file"], "-f takes a file"),
            (&["sub", "-C", "1"], "--topic"),
            (&["sub", "-t", "a/#/b"], "#"),
            (&["sub", "-t", "t", "-c"], "-i"),
            (&["sub", "-t", "t", "-P", "x"], "-u"),
        ] {
            let (code, _, err) = broker.squall(line);
            assert_eq!(code, Some(2), "{line:?}: {err}");
            assert!(err.contains(said), "{line:?}: {err}");
        }
    }

    #[test]
    fn an_interrupted_subscriber_says_goodbye_so_its_will_is_not_published() {
        let broker = Broker::start();
        for version in ["311", "5"] {
            let will = ["--will-topic", "will", "--will-payload", "gone", "--will-retain"];
            let sub = broker.subscribed(&[&["-t", "t", "-V", version], &will[..]].concat());
            interrupt(&sub);
            let (code, out, _) = ended(sub.wait_with_output().unwrap());
            assert_eq!((code, out), (Some(0), String::new()));
            let (code, out, _) = broker.squall(&["sub", "-t", "will", "-W", "1"]);
            assert_eq!((code, out), (Some(27), String::new()), "no will is retained");
        }
    }
}
