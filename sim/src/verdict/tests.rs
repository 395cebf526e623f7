use std::sync::Arc;

use squall_proto::Version::V5;
use squall_reports::Verdict;

use super::{Judging, judge_by};
use crate::{
    checks::{Delivered, Path},
    scenario::{Same, Scenario},
    trace::Trace,
};

const TWO_PATHS: &str = r#"
name: the same by both
why: a test
clients:
  pub: {}
  sub: { subscribe: { t: "$qos" } }
steps:
  - at: 1s
    publish: { from: pub, topic: t, qos: 2, count: 2 }
same: { ignoring: [qos] }
paths: { first: { qos: 1 }, second: { qos: 2 } }
"#;

fn two_paths() -> [Scenario; 2] {
    let paths = Scenario::parse_all("paths.yaml", TWO_PATHS).unwrap();
    paths.try_into().unwrap()
}

#[test]
fn the_path_that_others_are_compared_with_is_run_once() {
    let [first, second] = two_paths();
    let reference = second.reference.as_deref().unwrap();
    let same = second.same.clone().unwrap();
    assert!(reference.known.get(V5, 7, &same).is_none());
    let judged = judge_by(&first, V5, 7, Judging::ONCE, None);
    assert_eq!(judged.verdict, Verdict::Pass);
    assert!(reference.known.get(V5, 7, &same).is_some());
    assert!(
        reference.known.get(V5, 7, &Same::default()).is_none(),
        "other things were counted"
    );
    assert_eq!(
        judge_by(&second, V5, 7, Judging::ONCE, None).verdict,
        Verdict::Pass
    );
}

#[test]
fn a_path_is_compared_with_what_the_other_delivered() {
    let [_, second] = two_paths();
    let reference = second.reference.as_deref().unwrap();
    let nothing = Path {
        scenario: reference,
        version: V5,
        trace: &Trace::default(),
        is_real: false,
    };
    let nothing = Delivered::of(nothing, &second.same.clone().unwrap());
    reference.known.add(V5, 7, Arc::new(nothing));
    let differs = judge_by(&second, V5, 7, Judging::ONCE, None);
    assert!(!differs.verdict.holds(), "{:?}", differs.verdict);
    assert!(judge_by(&second, V5, 8, Judging::ONCE, None).verdict.holds());
}

#[test]
fn a_copy_that_may_be_changed_knows_no_runs() {
    let [first, second] = &two_paths();
    let changed = first.clone();
    _ = judge_by(&changed, V5, 7, Judging::ONCE, None);
    let reference = second.reference.as_deref().unwrap();
    assert!(
        reference
            .known
            .get(V5, 7, &second.same.clone().unwrap())
            .is_none()
    );
}
