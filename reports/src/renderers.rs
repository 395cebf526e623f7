//! The forms in which a report can be written. To add one: a file `renderers/<name>.rs` with
//! `pub(crate) fn render(report: &Report, ..) -> Result<String, RenderError>`, and its line in the list below.

use std::fmt;
use std::str::FromStr;

use crate::Report;

/// Why a report could not be written in a form.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The JSON writer failed.
    #[error("cannot write the report as JSON")]
    Json(#[from] serde_json::Error),
    /// The XML writer failed.
    #[error("cannot write the report as JUnit XML")]
    Junit(#[from] quick_junit::SerializeError),
}

/// A name that is no format's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no report format {0:?}; the formats are {formats}", formats = Format::names())]
pub struct UnknownFormat(pub String);

macro_rules! renderers {
    ($($(#[$doc:meta])+ $module:ident: $variant:ident with $render:expr;)+) => {
        $(pub(crate) mod $module;)+

        /// A form in which a report can be written.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Format {
            $($(#[$doc])+ $variant,)+
        }

        impl Format {
            /// All of them, by name.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// What a command line calls it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($module),)+
                }
            }

            /// The whole file.
            ///
            /// # Errors
            ///
            /// [`RenderError`]: the writer of this format failed.
            pub fn render(self, report: &Report) -> Result<String, RenderError> {
                match self {
                    $(Self::$variant => $render(report),)+
                }
            }
        }
    };
}

renderers! {
    /// Annotations of a GitHub workflow, which reads them from standard output.
    github: Github with github::render;
    /// What a person opens in a browser: one file that asks nobody for anything.
    html: Html with html::render;
    /// The model itself, for [`Report::from_json`] and other programs.
    json: Json with json::render;
    /// What CI servers read: a test suite a group, a test case a result.
    junit: Junit with junit::render;
    /// What GitHub shows as a job's summary.
    markdown: Markdown with markdown::render;
    /// What a person reads at a terminal, without colours.
    terminal: Terminal with terminal::plain;
}

impl Format {
    fn names() -> String {
        Self::ALL
            .iter()
            .map(|format| format.name())
            .collect::<Vec<_>>()
            .join(", ")
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        Self::ALL
            .iter()
            .copied()
            .find(|format| format.name() == name)
            .ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
