use crate::program::squall;

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
