//! The built program, used as people use it: what it prints, where, and what it ends with.

#[cfg(test)]
mod program {
    use std::process::{Command, Output, Stdio};

    pub(crate) struct Ended {
        pub(crate) code: Option<i32>,
        pub(crate) out: String,
        pub(crate) err: String,
    }

    pub(crate) fn squall(arguments: &[&str]) -> Ended {
        ended(command(arguments).output().unwrap())
    }

    /// With a standard output that nobody reads.
    pub(crate) fn squall_into_a_closed_pipe(arguments: &[&str]) -> Ended {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let child = command(arguments)
            .stdout(writer)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        ended(child.wait_with_output().unwrap())
    }

    fn command(arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_squall"));
        command
            .args(arguments)
            .env_remove("CLICOLOR_FORCE")
            .stdin(Stdio::null());
        command
    }

    fn ended(output: Output) -> Ended {
        Ended {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

#[cfg(test)]
mod every_command {
    use super::program::squall;

    /// The commands that `squall --help` lists.
    fn commands() -> Vec<String> {
        let help = squall(&["--help"]).out;
        let list = help
            .split_once("Commands:\n")
            .unwrap()
            .1
            .split_once("\n\n")
            .unwrap()
            .0;
        list.lines()
            .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
            .map(|line| line.split_whitespace().next().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn teaches_by_example() {
        assert!(commands().contains(&"report".to_owned()), "{:?}", commands());
        for command in commands() {
            let help = squall(&[&command, "--help"]);
            assert_eq!(help.code, Some(0));
            assert!(
                help.out.contains("Examples:\n") && help.out.contains(&format!("squall {command}")),
                "{}",
                help.out
            );
        }
    }

    #[test]
    fn ends_with_2_and_says_why_when_an_option_is_unknown() {
        for command in commands() {
            let refused = squall(&[&command, "--no-such-option"]);
            assert_eq!(refused.code, Some(2), "{command}: {}", refused.err);
            assert!(
                refused.err.contains("--no-such-option"),
                "{command}: {}",
                refused.err
            );
            assert_eq!(refused.out, "", "{command}");
        }
    }
}

#[cfg(test)]
mod the_frame {
    use super::program::{squall, squall_into_a_closed_pipe};

    #[test]
    fn without_a_command_the_help_is_shown_as_wrong_use() {
        let shown = squall(&[]);
        assert_eq!(shown.code, Some(2));
        assert!(shown.err.contains("Usage: squall <COMMAND>"), "{}", shown.err);
    }

    #[test]
    fn a_mistyped_command_is_answered_with_the_nearest() {
        let refused = squall(&["reprot"]);
        assert_eq!(refused.code, Some(2));
        assert!(refused.err.contains("'report'"), "{}", refused.err);
    }

    #[test]
    fn a_reader_that_goes_away_is_no_error() {
        let ended = squall_into_a_closed_pipe(&["completions", "bash"]);
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
    }
}

#[cfg(test)]
mod report {
    use std::fs;
    use std::path::Path;

    use super::program::squall;

    const RESULT: &str = r#"{
        "format": 1, "producer": "squall 0.1.0", "target": "mqtt://127.0.0.1:1883", "micros": 1000,
        "groups": [{"name": "3.1 CONNECT", "results": [
            {"name": "NAME", "mqtt": "5.0", "micros": 1, "verdict": VERDICT}
        ]}]
    }"#;
    const PASS: &str = r#"{"kind": "pass"}"#;
    const FAIL: &str = r#"{"kind": "fail", "expected": ["a close"], "got": "silence"}"#;

    fn written(directory: &Path, file: &str, name: &str, verdict: &str) -> String {
        let path = directory.join(file);
        fs::write(&path, RESULT.replace("NAME", name).replace("VERDICT", verdict)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    #[test]
    fn ends_as_the_results_say() {
        let directory = tempfile::tempdir().unwrap();
        let pass = written(directory.path(), "pass.json", "one", PASS);
        let fail = written(directory.path(), "fail.json", "two", FAIL);
        let shown = squall(&["report", &pass]);
        assert_eq!(shown.code, Some(0));
        assert!(
            shown.out.contains("✓ 3.1 CONNECT  1 pass") && !shown.out.contains('\u{1b}'),
            "{}",
            shown.out
        );
        let shown = squall(&["report", &pass, &fail]);
        assert_eq!(shown.code, Some(1));
        assert!(shown.out.contains("2 results: 1 pass, 1 fail"), "{}", shown.out);
    }

    #[test]
    fn converts_by_the_name_of_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let pass = written(directory.path(), "pass.json", "one", PASS);
        let xml = directory.path().join("out.xml");
        assert_eq!(
            squall(&["report", &pass, "-o", xml.to_str().unwrap()]).code,
            Some(0)
        );
        assert!(
            fs::read_to_string(xml)
                .unwrap()
                .contains("<testsuites name=\"mqtt://127.0.0.1:1883\" tests=\"1\"")
        );
    }

    #[test]
    fn refuses_what_is_no_report_with_its_name() {
        let directory = tempfile::tempdir().unwrap();
        let other = directory.path().join("other.json");
        fs::write(&other, "{}").unwrap();
        for (file, why) in [
            (&other, "this is JSON, but no report"),
            (&directory.path().join("absent"), "No such file"),
        ] {
            let refused = squall(&["report", file.to_str().unwrap()]);
            assert_eq!(refused.code, Some(2));
            assert!(
                refused.err.contains(why) && refused.err.contains("tip: "),
                "{}",
                refused.err
            );
            assert!(refused.err.contains(file.to_str().unwrap()), "{}", refused.err);
        }
    }

    #[test]
    fn refuses_the_same_results_twice() {
        let directory = tempfile::tempdir().unwrap();
        let pass = written(directory.path(), "pass.json", "one", PASS);
        let refused = squall(&["report", &pass, &pass]);
        assert_eq!(refused.code, Some(2));
        assert!(refused.err.contains("hold the result \"one\""), "{}", refused.err);
    }

    #[test]
    fn refuses_a_place_that_cannot_be_written() {
        let directory = tempfile::tempdir().unwrap();
        let pass = written(directory.path(), "pass.json", "one", PASS);
        let refused = squall(&["report", &pass, "-o", "/absent/out.xml"]);
        assert_eq!(refused.code, Some(2));
        assert!(
            refused.err.contains("cannot write the report /absent/out.xml"),
            "{}",
            refused.err
        );
    }
}
