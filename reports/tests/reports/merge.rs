use squall_reports::{Group, MergeError, Verdict, merge};

use crate::sample::{group, report, report_of, result};

fn shard(target: &str, name: &str) -> squall_reports::Report {
    report_of(
        target,
        vec![group("a scenario", vec![result(name, Verdict::Pass)])],
    )
}

#[test]
fn one_report_merges_to_itself() {
    assert_eq!(merge(vec![report()]).unwrap(), report());
}

#[test]
fn shards_of_one_target_share_their_groups() {
    let merged = merge(vec![shard("broker", "seed 0"), shard("broker", "seed 1")]).unwrap();
    assert_eq!(merged.target, "broker");
    assert_eq!(merged.producer, "squall 0.1.0");
    assert_eq!(merged.micros, 2 * report().micros);
    let results = vec![result("seed 0", Verdict::Pass), result("seed 1", Verdict::Pass)];
    assert_eq!(merged.groups, [group("a scenario", results)]);
}

#[test]
fn groups_of_several_targets_are_told_apart() {
    let merged = merge(vec![shard("one", "seed 0"), shard("two", "seed 0")]).unwrap();
    assert_eq!(merged.target, "one, two");
    let titles: Vec<_> = merged.groups.iter().map(Group::title).collect();
    assert_eq!(titles, ["one: a scenario", "two: a scenario"]);
}

#[test]
fn a_merged_report_merges_again_and_its_targets_stay_apart() {
    let pair = merge(vec![shard("one", "seed 0"), shard("two", "seed 0")]).unwrap();
    let all = merge(vec![
        pair.clone(),
        shard("one", "seed 1"),
        shard("three", "seed 0"),
    ])
    .unwrap();
    assert_eq!(all.target, "one, two, three");
    let titles: Vec<_> = all.groups.iter().map(Group::title).collect();
    assert_eq!(
        titles,
        ["one: a scenario", "two: a scenario", "three: a scenario"]
    );
    assert_eq!(all.groups[0].results.len(), 2);
    assert!(merge(vec![pair.clone(), pair]).is_err());
}

#[test]
fn the_same_result_twice_is_refused() {
    let error = merge(vec![shard("broker", "seed 0"), shard("broker", "seed 0")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "two reports of broker hold the result \"seed 0\" of \"a scenario\""
    );
    assert_eq!(merge(Vec::new()).unwrap_err(), MergeError::Nothing);
}
