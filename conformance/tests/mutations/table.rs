//! What each case fails under, as a document that people review: a case that can fail no more shows in its diff.
//!
//! A row is kept as long as it is true, so that whoever adds a case or a mutation changes few rows; each is proven whenever the tests run.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::PathBuf, sync::Arc};

use libtest_mimic::{Failed, Trial};
use squall_conformance::{AnyCase, Selected};
use squall_reports::{Kind, TestResult, Verdict};

/// What a row says of a case that no mutation fails.
pub(crate) const NOTHING: &str = "nothing";
/// What a row says of a case that asks for more than is there.
pub(crate) const UNSUPPORTED: &str = "unsupported";

/// A case with its version, then what is said of it; the last cell is what it fails under.
pub(crate) type Row = Vec<String>;

/// A case with one version, and what is known of it.
pub(crate) trait Tried: Send + Sync + 'static {
    type Case: AnyCase;

    fn selected(&self) -> Selected<Self::Case>;

    /// Its row, as it is written.
    fn written(&self) -> Option<&Row>;

    /// Its row, as it is: with what is written if that is so, and the first mutation that fails it if not.
    fn found(&self) -> Row;
}

/// A test of this kind for each.
pub(crate) fn trials<T: Tried>(
    kind: &'static str,
    all: &[Arc<T>],
    test: fn(&T) -> Result<(), Failed>,
) -> impl Iterator<Item = Trial> {
    all.iter()
        .cloned()
        .map(move |one| Trial::test(format!("{kind}::{}", one.selected().name()), move || test(&one)))
}

/// Where nothing is wrong the verdict holds; where it does not, the packets and `again`, which repeats it, are told.
pub(crate) fn holds(result: &TestResult, again: &str) -> Result<(), Failed> {
    if result.verdict.holds() {
        return Ok(());
    }
    let packets: Vec<_> = result
        .packets
        .iter()
        .map(|line| format!("{} -> {} {}", line.from, line.to, line.text))
        .collect();
    Err(format!("{:?}\n{}\nrepeat: {again}", result.verdict, packets.join("\n")).into())
}

/// The first mutation that `fails` the case; what is `written` is tried before all others.
pub(crate) fn first<M>(
    all: impl Iterator<Item = (&'static str, M)> + Clone,
    written: Option<&Row>,
    fails: impl Fn(M) -> bool,
) -> &'static str {
    let written = written.and_then(|row| row.last());
    let named = all
        .clone()
        .filter(|(name, _)| written.is_some_and(|written| written == name));
    let found = named
        .chain(all)
        .find_map(|(name, mutation)| fails(mutation).then_some(name));
    found.unwrap_or(NOTHING)
}

/// Whether a mutation that leads to this verdict fails the case: it blames the target, or records another choice.
pub(crate) fn fails(mutated: &Verdict, sound: &Verdict) -> bool {
    match mutated.kind() {
        Kind::Fail | Kind::Deviation => true,
        Kind::Choice => mutated != sound,
        Kind::Pass | Kind::Unsupported | Kind::Known | Kind::Inconclusive => false,
    }
}

/// The document of one suite.
pub(crate) struct Table {
    /// In `docs/`.
    pub(crate) file: &'static str,
    /// The title and what it is about.
    pub(crate) head: &'static str,
    /// The command that writes it.
    pub(crate) command: &'static str,
    /// What its columns are called.
    pub(crate) columns: &'static [&'static str],
}

impl Table {
    /// The rows as they are written, by case and version.
    pub(crate) fn rows(&self) -> BTreeMap<(String, String), Row> {
        let text = fs::read_to_string(self.path()).unwrap_or_default();
        let rows = text
            .lines()
            .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
        rows.map(|row| row.split(" | ").map(str::to_owned).collect::<Row>())
            .filter_map(|row| Some(((row.first()?.clone(), row.get(1)?.clone()), row)))
            .collect()
    }

    /// Some mutation fails the case, and the document says which.
    pub(crate) fn proves<T: Tried>(&self, one: &T) -> Result<(), Failed> {
        let found = one.found();
        let by = found.last().map_or(NOTHING, String::as_str);
        if by == NOTHING {
            return Err("no mutation makes it fail".into());
        }
        match one.written() == Some(&found) {
            true => Ok(()),
            false => Err(format!("{}: {}", found.join(" | "), self.is_old()).into()),
        }
    }

    /// The document has a row for each case and no other; that each is true is what [`Self::proves`] shows of its case.
    /// `SQUALL_UPDATE_MUTATIONS=1` writes it.
    pub(crate) fn is_up_to_date<T: Tried>(&self, all: &[Arc<T>]) -> Result<(), Failed> {
        let is_written = std::env::var_os("SQUALL_UPDATE_MUTATIONS").is_some();
        let row = |one: &Arc<T>| match one.written() {
            Some(row) if !is_written => row.clone(),
            Some(_) | None => one.found(),
        };
        let text = self.text(&all.iter().map(row).collect::<Vec<_>>());
        if is_written {
            fs::write(self.path(), &text)?;
        }
        match fs::read_to_string(self.path()).unwrap_or_default() == text {
            true => Ok(()),
            false => Err(self.is_old().into()),
        }
    }

    fn is_old(&self) -> String {
        format!("docs/{} is old: {}", self.file, self.command)
    }

    fn text(&self, rows: &[Row]) -> String {
        let count = |of: &str| {
            let said = rows.iter().filter_map(|row| row.last());
            said.filter(|said| *said == of).count()
        };
        let asked = rows.len() - count(UNSUPPORTED);
        let proven = asked - count(NOTHING);
        let mut text = format!(
            "{}\n\nWritten by a test, never by hand: `{}`.\n\n\
             Proven able to fail: **{proven} of {asked}**.\n\n",
            self.head, self.command,
        );
        let columns = self.columns;
        let _ = writeln!(text, "| {} |", columns.join(" | "));
        let _ = writeln!(text, "|{}", "---|".repeat(columns.len()));
        for row in rows {
            let _ = writeln!(text, "| {} |", row.join(" | "));
        }
        text
    }

    fn path(&self) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("../docs")
            .join(self.file)
    }
}
