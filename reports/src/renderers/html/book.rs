//! The results in the order of the report, each with its number and its column.

use indexmap::{IndexMap, IndexSet};

use crate::{Group, Kind, Report, Statement, TestResult};

/// A target and a version of the protocol: what stands side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Column<'a> {
    pub(super) target: &'a str,
    pub(super) mqtt: &'a str,
}

/// One result.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    number: usize,
    pub(super) group: &'a Group,
    pub(super) result: &'a TestResult,
    pub(super) column: Column<'a>,
}

pub(super) struct Book<'a> {
    pub(super) report: &'a Report,
    entries: Vec<Entry<'a>>,
    targets: Vec<&'a str>,
    columns: Vec<Column<'a>>,
}

impl<'a> Book<'a> {
    pub(super) fn of(report: &'a Report) -> Self {
        let results = report
            .groups
            .iter()
            .flat_map(|group| group.results.iter().map(move |result| (group, result)));
        let entries: Vec<_> = results
            .enumerate()
            .map(|(number, (group, result))| Entry {
                number,
                group,
                result,
                column: Column {
                    target: group.target.as_deref().unwrap_or(&report.target),
                    mqtt: &result.mqtt,
                },
            })
            .collect();
        let targets: IndexSet<_> = entries.iter().map(|entry| entry.column.target).collect();
        let mut columns: IndexSet<_> = entries.iter().map(|entry| entry.column).collect();
        columns.sort_by_key(|column| (targets.get_index_of(column.target), column.mqtt));
        Self {
            report,
            entries,
            targets: targets.into_iter().collect(),
            columns: columns.into_iter().collect(),
        }
    }

    pub(super) fn entries(&self) -> &[Entry<'a>] {
        &self.entries
    }

    /// In the order they are first met.
    pub(super) fn targets(&self) -> &[&'a str] {
        &self.targets
    }

    pub(super) fn has_several_targets(&self) -> bool {
        self.targets.len() > 1
    }

    /// By target, and then by version.
    pub(super) fn columns(&self) -> &[Column<'a>] {
        &self.columns
    }

    /// In their order.
    pub(super) fn versions(&self) -> Vec<&'a str> {
        let mut versions: Vec<_> = self.columns.iter().map(|column| column.mqtt).collect();
        versions.sort_unstable();
        versions.dedup();
        versions
    }

    /// The verdicts that occur, in [`Kind`]'s order.
    pub(super) fn kinds(&self) -> Vec<Kind> {
        let occurs = |kind: &Kind| self.entries.iter().any(|entry| entry.kind() == *kind);
        Kind::ALL.into_iter().filter(occurs).collect()
    }

    pub(super) fn failures(&self) -> impl Iterator<Item = &Entry<'a>> {
        self.entries.iter().filter(|entry| !entry.kind().holds())
    }

    /// The groups of the report with their results.
    pub(super) fn by_group(&self) -> impl Iterator<Item = (&'a Group, &[Entry<'a>])> {
        self.entries
            .chunk_by(|one, next| std::ptr::eq(one.group, next.group))
            .filter_map(|entries| Some((entries.first()?.group, entries)))
    }

    /// The results of each name of a group, those of all targets together.
    pub(super) fn by_name(&self) -> IndexMap<&'a str, Vec<&Entry<'a>>> {
        let mut names: IndexMap<_, Vec<_>> = IndexMap::new();
        for entry in &self.entries {
            names.entry(entry.group.name.as_str()).or_default().push(entry);
        }
        names
    }

    pub(super) fn has_statements(&self) -> bool {
        self.entries.iter().any(Entry::is_about_statements)
    }

    pub(super) fn has_scenarios(&self) -> bool {
        self.by_name()
            .values()
            .any(|entries| !entries.iter().any(|entry| entry.is_about_statements()))
    }

    pub(super) fn has_choices(&self) -> bool {
        self.entries.iter().any(|entry| entry.kind() == Kind::Choice)
    }

    /// A target's number, as the filters know it.
    pub(super) fn target_number(&self, target: &str) -> Option<usize> {
        self.targets.iter().position(|one| *one == target)
    }
}

impl<'a> Entry<'a> {
    pub(super) fn kind(&self) -> Kind {
        self.result.verdict.kind()
    }

    /// The `id` of its article.
    pub(super) fn anchor(&self) -> String {
        format!("r{}", self.number + 1)
    }

    /// Its name without the version, which stands beside it.
    pub(super) fn label(&self) -> &'a str {
        let TestResult { name, mqtt, .. } = self.result;
        let without = name
            .strip_suffix(mqtt.as_str())
            .or_else(|| name.strip_prefix(mqtt.as_str()))
            .map_or("", str::trim);
        if mqtt.is_empty() || without.is_empty() {
            name
        } else {
            without
        }
    }

    /// The sentences of the standard that it decides: its statements but for checks.
    pub(super) fn normative(&self) -> impl Iterator<Item = &'a Statement> + use<'a> {
        self.result
            .statements
            .iter()
            .filter(|statement| statement.is_normative())
    }

    pub(super) fn is_about_statements(&self) -> bool {
        self.normative().next().is_some()
    }
}
