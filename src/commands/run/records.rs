use std::{
    fs::File,
    io::{self, BufWriter, Write as _},
    path::Path,
};

use anyhow::Context as _;
use squall_sim::trace::{Capture, Trace, write_json_lines};

use crate::{exit::Misuse, work::Job};

/// The files that the histories of runs are written to, if any.
pub(super) struct Records {
    trace: Option<BufWriter<File>>,
    pcap: Option<Capture<BufWriter<File>>>,
}

impl Records {
    /// Makes the files.
    pub(super) fn create(trace: Option<&Path>, pcap: Option<&Path>) -> Result<Self, anyhow::Error> {
        let pcap = pcap.map(create).transpose()?;
        Ok(Self {
            trace: trace.map(create).transpose()?,
            pcap: pcap.map(Capture::new).transpose().context(PCAP)?,
        })
    }

    /// Whether any is wanted.
    pub(super) const fn are_wanted(&self) -> bool {
        self.trace.is_some() || self.pcap.is_some()
    }

    /// Writes the history of a job's run.
    pub(super) fn add(&mut self, job: &Job, trace: &Trace) -> Result<(), anyhow::Error> {
        let scenario = job.name();
        if let Some(file) = &mut self.trace {
            write_json_lines(file, &scenario, job.version, job.seed, trace).context(TRACE)?;
        }
        if let Some(file) = &mut self.pcap {
            file.add(&scenario, job.version, job.seed, trace).context(PCAP)?;
        }
        Ok(())
    }

    /// Ends the files.
    pub(super) fn finish(self) -> Result<(), anyhow::Error> {
        if let Some(mut file) = self.trace {
            file.flush().context(TRACE)?;
        }
        if let Some(file) = self.pcap {
            file.finish().context(PCAP)?;
        }
        Ok(())
    }
}

const TRACE: &str = "cannot write the trace";
const PCAP: &str = "cannot write the capture";

/// Makes a file anew, in front of the work that is to fill it.
pub(in crate::commands) fn create(path: &Path) -> Result<BufWriter<File>, Misuse> {
    let cannot = |error: io::Error| {
        Misuse::new(
            format!("cannot write {}: {error}", path.display()),
            "name a file in a directory that exists and may be written",
        )
    };
    File::create(path).map(BufWriter::new).map_err(cannot)
}
