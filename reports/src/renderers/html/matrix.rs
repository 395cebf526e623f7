//! The matrix: a row a statement, or a scenario; a column a target and a version; in each cell the results that decide it.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use maud::{Markup, html};

use super::badge::{more, short, worded};
use super::book::{Book, Column, Entry};
use crate::Kind;
use crate::printable::line;

/// How many results of one kind a cell names; a sweep has thousands.
const NAMED_MAX: usize = 8;
/// What a reader looks for comes first.
const ORDER: [Kind; 7] = [
    Kind::Fail,
    Kind::Inconclusive,
    Kind::Deviation,
    Kind::Known,
    Kind::Choice,
    Kind::Pass,
    Kind::Unsupported,
];

/// What a row is about, and the results that decide it.
struct Row<'a> {
    name: &'a str,
    gist: &'a str,
    entries: Vec<&'a Entry<'a>>,
}

pub(super) fn sections(book: &Book<'_>) -> Markup {
    let (sections, scenarios): (Vec<_>, Vec<_>) = book
        .by_name()
        .into_iter()
        .partition(|(_, entries)| entries.iter().any(|entry| entry.is_about_statements()));
    html! {
        @if !sections.is_empty() {
            section aria-labelledby="statements" {
                h2 #statements { "Statements" }
                @for (name, entries) in sections { (table(book, name, "Statement", &statements(entries))) }
            }
        }
        @if !scenarios.is_empty() {
            section aria-labelledby="scenarios" {
                h2 #scenarios { "Scenarios" }
                (table(book, "Runs by target and version", "Scenario", &groups(scenarios)))
            }
        }
    }
}

/// A row a statement. An id of two versions is two statements where they say different things.
fn statements<'a>(entries: Vec<&'a Entry<'a>>) -> Vec<Row<'a>> {
    let mut rows: IndexMap<_, Vec<_>> = IndexMap::new();
    for entry in entries {
        for statement in entry.normative() {
            let key = (statement.id.as_str(), statement.gist.as_str());
            rows.entry(key).or_default().push(entry);
        }
        if !entry.is_about_statements() {
            rows.entry((entry.label(), "")).or_default().push(entry);
        }
    }
    rows.into_iter()
        .map(|((name, gist), entries)| Row { name, gist, entries })
        .collect()
}

fn groups<'a>(groups: Vec<(&'a str, Vec<&'a Entry<'a>>)>) -> Vec<Row<'a>> {
    let row = |(name, entries)| Row {
        name,
        gist: "",
        entries,
    };
    groups.into_iter().map(row).collect()
}

fn table(book: &Book<'_>, caption: &str, of: &str, rows: &[Row<'_>]) -> Markup {
    html! {
        div .wide tabindex="0" role="region" aria-label=(line(caption)) {
            table .matrix {
                caption { (line(caption)) }
                thead { tr { th scope="col" { (of) } (heads(book)) } }
                tbody { @for row in rows { (row.markup(book)) } }
            }
        }
    }
}

/// The heads of the columns, the same in every table.
pub(super) fn heads(book: &Book<'_>) -> Markup {
    html! {
        @for (place, column) in book.columns().iter().enumerate() {
            th scope="col" data-column=(place) data-v=(line(column.mqtt)) data-t=[book.target_number(column.target)] {
                @if book.has_several_targets() { span .target { (line(column.target)) } " " }
                "MQTT " (line(column.mqtt))
            }
        }
    }
}

impl Row<'_> {
    fn markup(&self, book: &Book<'_>) -> Markup {
        html! {
            tr data-differs=[differs(book, |one, other| self.verdicts(one) != self.verdicts(other))] {
                th scope="row" {
                    span .id { (line(self.name)) }
                    @if !self.gist.is_empty() { span .gist { (line(self.gist)) } }
                }
                @for (place, column) in book.columns().iter().enumerate() {
                    td data-column=(place) { (self.cell(*column)) }
                }
            }
        }
    }

    fn cell(&self, column: Column<'_>) -> Markup {
        let entries: Vec<_> = self
            .entries
            .iter()
            .filter(|entry| entry.column == column)
            .collect();
        if entries.is_empty() {
            return html! { span .none { "not tested" } };
        }
        if let [entry] = entries[..] {
            return worded(entry);
        }
        html! {
            @for kind in ORDER {
                @let those: Vec<_> = entries.iter().filter(|entry| entry.kind() == kind).collect();
                @for entry in those.iter().take(NAMED_MAX) { (short(entry)) }
                @if let Some(first) = those.get(NAMED_MAX) { (more(first, those.len() - NAMED_MAX)) }
            }
        }
    }

    fn verdicts(&self, column: Column<'_>) -> BTreeSet<Kind> {
        let those = self.entries.iter().filter(|entry| entry.column == column);
        those.map(|entry| entry.kind()).collect()
    }
}

/// The versions in which two targets do not do the same, for the filter; none where they do in all.
pub(super) fn differs(book: &Book<'_>, do_differ: impl Fn(Column<'_>, Column<'_>) -> bool) -> Option<String> {
    let columns = book.columns();
    let in_version = |version: &&str| {
        let those: Vec<_> = columns.iter().filter(|column| column.mqtt == *version).collect();
        those
            .windows(2)
            .any(|pair| matches!(pair, [one, other] if do_differ(**one, **other)))
    };
    let versions: Vec<_> = book.versions().into_iter().filter(in_version).collect();
    (!versions.is_empty()).then(|| line(&versions.join(" ")).into_owned())
}
