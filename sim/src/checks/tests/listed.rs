use crate::checks::CHECKS;

#[test]
fn the_list_for_people_names_every_check_and_no_other() {
    let list = include_str!("../../../../docs/CHECKS.md");
    let rows = list
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let mut listed: Vec<&str> = rows.map(|(name, _)| name).collect();
    listed.sort_unstable();
    // It compares two runs, and so watches none.
    let mut checks = [CHECKS, &["two_paths"]].concat();
    checks.sort_unstable();
    assert_eq!(listed, checks);
}
