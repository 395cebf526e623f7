//! `FORMAT=FILE` on a command line, and the file it leads to; `-` is standard output.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::{Format, RenderError, Report, UnknownFormat};

const STANDARD_OUTPUT: &str = "-";

/// A report that a command line asks for: `json=result.json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportSpec {
    /// How it is written.
    pub format: Format,
    /// Where; `-` is standard output. What was there is replaced at once and whole, so that nobody ever reads half a report.
    pub file: PathBuf,
}

/// Why a report was not asked for rightly, or not written.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// There is no `=`.
    #[error("{0:?} names no file; write FORMAT=FILE, for example json=result.json")]
    NoFile(String),
    /// The word before the `=` is no format.
    #[error(transparent)]
    Format(#[from] UnknownFormat),
    /// The file cannot be written.
    #[error("cannot write the report {}", .file.display())]
    Write {
        /// The file.
        file: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The report cannot be put into the format.
    #[error(transparent)]
    Render(#[from] RenderError),
}

impl FromStr for ReportSpec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        // Nobody but the workflow that runs the command reads annotations, and it reads them there.
        if text == Format::Github.name() {
            return Ok(Self {
                format: Format::Github,
                file: PathBuf::from(STANDARD_OUTPUT),
            });
        }
        let named = text.split_once('=').filter(|(_, file)| !file.is_empty());
        let (format, file) = named.ok_or_else(|| SpecError::NoFile(text.to_owned()))?;
        Ok(Self {
            format: format.parse()?,
            file: PathBuf::from(file),
        })
    }
}

impl ReportSpec {
    /// Finds out, before the work is done, whether the file could be written; what is there stays.
    ///
    /// # Errors
    ///
    /// [`SpecError::Write`].
    pub fn check(&self) -> Result<(), SpecError> {
        let try_out = || match Place::of(&self.file)? {
            Place::Standard => Ok(()),
            Place::Direct(file) => fs::OpenOptions::new().write(true).open(file).map(drop),
            Place::Beside { draft, .. } => {
                fs::File::create(&draft)?;
                fs::remove_file(&draft)
            }
        };
        try_out().map_err(|source| self.failed(source))
    }

    /// Writes the report, the whole of it or nothing.
    ///
    /// # Errors
    ///
    /// [`SpecError::Write`] and [`SpecError::Render`].
    pub fn write(&self, report: &Report) -> Result<(), SpecError> {
        let text = self.format.render(report)?;
        replace(&self.file, &text).map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> SpecError {
        SpecError::Write {
            file: self.file.clone(),
            source,
        }
    }
}

/// How a file comes to be written.
enum Place {
    /// Standard output.
    Standard,
    /// A pipe or a device: there is nothing to replace.
    Direct(PathBuf),
    /// A draft in the same directory, then a rename.
    Beside { draft: PathBuf, file: PathBuf },
}

impl Place {
    fn of(file: &Path) -> io::Result<Self> {
        if file == Path::new(STANDARD_OUTPUT) {
            return Ok(Self::Standard);
        }
        let file = match fs::canonicalize(file) {
            Ok(real) if real.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            Ok(real) if !real.is_file() => return Ok(Self::Direct(real)),
            Ok(real) => real,
            Err(error) if error.kind() == io::ErrorKind::NotFound => file.to_path_buf(),
            Err(error) => return Err(error),
        };
        let name = file.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
        let mut draft_name = std::ffi::OsString::from(".");
        draft_name.push(name);
        draft_name.push(format!(".{}.draft", std::process::id()));
        Ok(Self::Beside {
            draft: file.with_file_name(draft_name),
            file,
        })
    }
}

fn replace(file: &Path, text: &str) -> io::Result<()> {
    match Place::of(file)? {
        Place::Standard => to_standard_output(text),
        Place::Direct(file) => fs::write(file, text),
        Place::Beside { draft, file } => {
            let written = fs::write(&draft, text).and_then(|()| fs::rename(&draft, &file));
            if written.is_err() {
                // The error worth telling is the first one; the draft may not even exist.
                let _ = fs::remove_file(&draft);
            }
            written
        }
    }
}

/// A reader that has gone (`| head`) wanted no more.
fn to_standard_output(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
