use std::{path::PathBuf, sync::Arc};

use miette::{GraphicalReportHandler, GraphicalTheme};
use squall_proto::Version;
use squall_sim::scenario::{Scenario, ScenarioError, find_scenarios};

use crate::output;

/// A version of the protocol, as an option says it.
pub(crate) fn version(text: &str) -> Result<Version, String> {
    let all = Version::ALL.into_iter();
    all.clone()
        .find(|version| version.to_string() == text)
        .ok_or_else(|| {
            format!(
                "write {}",
                all.map(|version| version.to_string())
                    .collect::<Vec<_>>()
                    .join(" or ")
            )
        })
}

/// Every scenario that the paths name; `None` when one is wrong, which has been said with its mend.
pub(crate) fn read(paths: &[PathBuf]) -> Option<Vec<(PathBuf, Arc<Scenario>)>> {
    let files = match find_scenarios(paths) {
        Ok(files) => files,
        Err(error) => {
            complain(&error);
            return None;
        }
    };
    let read = |file: &PathBuf| match Scenario::read_all(file) {
        Ok(variants) => Some(variants),
        Err(error) => {
            complain(&error);
            None
        }
    };
    // All of them are read, so that all that is wrong is said at once.
    let scenarios: Vec<_> = files.iter().map(read).collect();
    let mut all = Vec::new();
    for (file, variants) in files.iter().zip(scenarios) {
        all.extend(variants?.into_iter().map(|one| (file.clone(), Arc::new(one))));
    }
    Some(all)
}

fn complain(error: &ScenarioError) {
    let mut shown = String::new();
    let report = GraphicalReportHandler::new_themed(GraphicalTheme::unicode());
    match report.render_report(&mut shown, error) {
        Ok(()) => output::complain(&shown),
        Err(_) => output::complain(&format!("error: {error}\n")),
    }
}
