use std::{io, path::PathBuf, sync::Arc};

use miette::{Diagnostic, NamedSource, SourceSpan};

/// Why a file is no scenario.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum ScenarioError {
    /// It cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    #[diagnostic(help("name a scenario, or a folder of them: `squall run scenarios`"))]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A folder holds no scenario.
    #[error("{}: no scenario in it", path.display())]
    #[diagnostic(help("scenarios are files that end in `.yaml`"))]
    NoScenario {
        /// The folder.
        path: PathBuf,
    },
    /// Something in it is wrong. Prints as `file:line:column: what is wrong`.
    #[error("{}:{line}:{column}: {message}", text.name())]
    Wrong {
        /// What is wrong.
        message: String,
        /// From 1.
        line: u64,
        /// In characters, from 1.
        column: u64,
        /// What would be right.
        #[help]
        mend: Option<String>,
        /// The file.
        #[source_code]
        text: Arc<NamedSource<String>>,
        /// Where in it.
        #[label("here")]
        at: SourceSpan,
    },
}
