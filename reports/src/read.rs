//! Reading a report back, and the schema of what is read.

use serde::Deserialize;

use crate::model::{FORMAT, Report};

/// Why a text is no report that this program can read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is not JSON, or ends too early.
    #[error("this is not JSON: {0}")]
    NotJson(serde_json::Error),
    /// It is JSON of something else.
    #[error("this is JSON, but no report: it has no number \"format\"")]
    NotAReport,
    /// Another version of this program wrote it.
    #[error("the report has format {found}; this program reads format {FORMAT}")]
    UnknownFormat {
        /// What it says.
        found: u64,
    },
    /// It says that it is a report of this format and is not.
    #[error("the report is damaged: {0}")]
    Damaged(serde_json::Error),
}

/// What is read first: enough to tell a report of another format from a damaged one.
#[derive(Deserialize)]
struct Header {
    format: u64,
}

impl Report {
    /// Reads what the `json` renderer wrote.
    ///
    /// # Errors
    ///
    /// [`ReadError`], with line and column where the text is at fault.
    pub fn from_json(text: &str) -> Result<Self, ReadError> {
        let header: Header = serde_json::from_str(text).map_err(|error| {
            if error.is_data() {
                ReadError::NotAReport
            } else {
                ReadError::NotJson(error)
            }
        })?;
        if header.format != u64::from(FORMAT) {
            return Err(ReadError::UnknownFormat { found: header.format });
        }
        serde_json::from_str(text).map_err(ReadError::Damaged)
    }
}

/// The JSON Schema of a report, as it is committed in `reports/schema/report.schema.json`.
#[must_use]
pub fn schema() -> String {
    format!("{:#}\n", schemars::schema_for!(Report).to_value())
}
