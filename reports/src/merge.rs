//! One report of several: the shards of one sweep, or the same suite on several targets.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use crate::model::{FORMAT, Group, Report, TestResult};

/// Why reports do not merge.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// There is nothing to merge.
    #[error("there is no report to merge")]
    Nothing,
    /// Two reports of one target hold the same result: the same file twice, or shards that overlap.
    #[error("two reports of {target} hold the result {name:?} of {group:?}")]
    Twice {
        /// The target both name.
        target: String,
        /// The group.
        group: String,
        /// The result.
        name: String,
    },
}

/// Makes one report of several. Groups and results keep the order in which they are first met; groups of the same name and
/// target become one. Where the reports are of several targets, each group says which is its own.
///
/// # Errors
///
/// [`MergeError`].
pub fn merge(reports: Vec<Report>) -> Result<Report, MergeError> {
    let targets = distinct(reports.iter().flat_map(targets_of));
    let producers = distinct(reports.iter().map(|report| &report.producer));
    let micros = reports.iter().map(|report| report.micros).sum();
    let mut groups: IndexMap<(String, String), Vec<TestResult>> = IndexMap::new();
    for report in reports {
        for group in report.groups {
            groups
                .entry((group.target.unwrap_or_else(|| report.target.clone()), group.name))
                .or_default()
                .extend(group.results);
        }
    }
    if targets.is_empty() {
        return Err(MergeError::Nothing);
    }
    refuse_twice(&groups)?;
    let groups = groups
        .into_iter()
        .map(|((target, name), results)| Group {
            name,
            target: (targets.len() > 1).then_some(target),
            results,
        })
        .collect();
    Ok(Report {
        format: FORMAT,
        producer: producers.join(", "),
        target: targets.join(", "),
        micros,
        groups,
    })
}

/// Those its groups name, of a report that is itself one of several; else the one it names.
fn targets_of(report: &Report) -> Vec<&String> {
    let named: Vec<_> = report
        .groups
        .iter()
        .filter_map(|group| group.target.as_ref())
        .collect();
    if named.is_empty() {
        vec![&report.target]
    } else {
        named
    }
}

fn refuse_twice(groups: &IndexMap<(String, String), Vec<TestResult>>) -> Result<(), MergeError> {
    for ((target, group), results) in groups {
        let mut names = BTreeSet::new();
        if let Some(result) = results.iter().find(|result| !names.insert(&result.name)) {
            return Err(MergeError::Twice {
                target: target.clone(),
                group: group.clone(),
                name: result.name.clone(),
            });
        }
    }
    Ok(())
}

fn distinct<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut seen = Vec::new();
    for name in names {
        if !seen.contains(name) {
            seen.push(name.clone());
        }
    }
    seen
}
