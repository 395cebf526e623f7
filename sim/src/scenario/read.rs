//! From a file to the [`Scenario`]s that it stands for.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Known, Scenario, ScenarioError,
    expand::{self, Expanded},
    locate::locate,
    tree::{Node, Value},
    typed::typed,
    validate::validate,
    wrong::Wrong,
};

impl Scenario {
    /// Reads and checks a file that stands for one scenario.
    pub fn read(path: &Path) -> Result<Self, ScenarioError> {
        Self::parse(&path.display().to_string(), &text_of(path)?)
    }

    /// Reads and checks a file, and makes of it every scenario that it stands for: one, or one a variant, each with its name in
    /// [`variant`](Self::variant).
    pub fn read_all(path: &Path) -> Result<Vec<Self>, ScenarioError> {
        Self::parse_all(&path.display().to_string(), &text_of(path)?)
    }

    /// Reads and checks the text of a file that stands for one scenario. `file` is what errors call it.
    pub fn parse(file: &str, text: &str) -> Result<Self, ScenarioError> {
        let scenarios = Self::parse_all(file, text)?;
        let several = scenarios.len();
        match scenarios.into_iter().next() {
            Some(scenario) if several == 1 => Ok(scenario),
            Some(_) | None => {
                let message = format!("{several} scenarios where one should stand");
                Err(Wrong::new(message, "choose one of its variants").located(file, text))
            }
        }
    }

    /// Reads and checks the text of a file, and makes of it every scenario that it stands for. `file` is what errors call it.
    pub fn parse_all(file: &str, text: &str) -> Result<Vec<Self>, ScenarioError> {
        let root = Node::read(text).map_err(|error| Wrong::of_yaml(error.without_snippet(), text));
        root.and_then(variants).map_err(|wrong| wrong.located(file, text))
    }
}

/// Every scenario that a tree stands for.
pub(super) fn variants(root: Node) -> Result<Vec<Scenario>, Wrong> {
    if !expand::is_needed(&root) {
        return Ok(vec![scenario(&root)?]);
    }
    let mut references: Vec<(String, Arc<Scenario>)> = Vec::new();
    let mut scenarios = Vec::new();
    for variant in expand::expand(root)? {
        let scenario = one(variant, &mut references)?;
        scenarios.push(scenario);
    }
    Ok(scenarios)
}

/// One variant. The first of those that must deliver the same is what the others are compared with.
fn one(variant: Expanded, references: &mut Vec<(String, Arc<Scenario>)>) -> Result<Scenario, Wrong> {
    let mut scenario = scenario(&variant.root)?;
    scenario.variant = variant.name;
    let Some(group) = variant.group else {
        return Ok(scenario);
    };
    match references.iter().find(|(known, _)| *known == group) {
        None => {
            let mut reference = scenario.clone();
            [reference.known, scenario.known] = Known::shared();
            references.push((group, Arc::new(reference)));
        }
        Some((_, reference)) => {
            scenario.reference = Some(Arc::clone(reference));
        }
    }
    Ok(scenario)
}

/// What a file without variants says.
fn scenario(root: &Node) -> Result<Scenario, Wrong> {
    if let Value::Null = root.value {
        return Err(Wrong::empty());
    }
    let scenario = typed(root)?;
    match validate(&scenario) {
        Ok(()) => Ok(scenario),
        Err(problem) => Err(Wrong {
            at: Some(locate(root, &problem.path, problem.word.as_deref())),
            message: problem.message,
            mend: problem.mend,
        }),
    }
}

fn text_of(path: &Path) -> Result<String, ScenarioError> {
    fs::read_to_string(path).map_err(|source| unreadable(path, source))
}

/// The scenario files that these paths name, each a file or a folder with them and folders of them, in the order given
/// and then by name.
pub fn find_scenarios(paths: &[PathBuf]) -> Result<Vec<PathBuf>, ScenarioError> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            let files = in_folder(path)?;
            if files.is_empty() {
                return Err(ScenarioError::NoScenario { path: path.clone() });
            }
            found.extend(files);
        } else {
            found.push(path.clone());
        }
    }
    Ok(found)
}

fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, ScenarioError> {
    let entries = fs::read_dir(folder)
        .and_then(Iterator::collect::<io::Result<Vec<_>>>)
        .map_err(|source| unreadable(folder, source))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.path();
        // Not through links, which may lead back.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            files.extend(in_folder(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn unreadable(path: &Path, source: io::Error) -> ScenarioError {
    ScenarioError::Unreadable {
        path: path.to_owned(),
        source,
    }
}
