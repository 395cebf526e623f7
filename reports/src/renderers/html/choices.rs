//! What the standard leaves open, and what each target does there.

use indexmap::IndexMap;
use maud::{Markup, html};

use super::badge::{badge, symbol};
use super::book::{Book, Column, Entry};
use super::matrix::{differs, heads};
use crate::printable::line;
use crate::{Kind, Verdict};

pub(super) fn section(book: &Book<'_>) -> Markup {
    let rows = rows(book);
    html! {
        @if !rows.is_empty() {
            section aria-labelledby="choices" {
                h2 #choices { "Choices" }
                p { "The standard permits more than one behaviour here; none of them is a fault." }
                div .wide tabindex="0" role="region" aria-labelledby="choices" {
                    table .matrix {
                        caption { "What each target does" }
                        thead { tr { th scope="col" { "Case" } (heads(book)) } }
                        tbody { @for (label, entries) in &rows { (row(book, label, entries)) } }
                    }
                }
            }
        }
    }
}

/// The cases in which some target chooses, with the results of all.
fn rows<'a>(book: &'a Book<'a>) -> Vec<(&'a str, Vec<&'a Entry<'a>>)> {
    let mut rows: IndexMap<_, Vec<_>> = IndexMap::new();
    for entry in book.entries() {
        let key = (entry.group.name.as_str(), entry.label());
        rows.entry(key).or_default().push(entry);
    }
    rows.into_iter()
        .filter(|(_, entries)| entries.iter().any(|entry| entry.kind() == Kind::Choice))
        .map(|((_, label), entries)| (label, entries))
        .collect()
}

fn row(book: &Book<'_>, label: &str, entries: &[&Entry<'_>]) -> Markup {
    let gist = entries
        .iter()
        .flat_map(|entry| entry.normative())
        .map(|statement| statement.gist.as_str())
        .find(|gist| !gist.is_empty());
    html! {
        tr data-differs=[differs(book, |one, other| verdicts(one, entries) != verdicts(other, entries))] {
            th scope="row" {
                span .id { (line(label)) }
                @if let Some(gist) = gist { span .gist { (line(gist)) } }
            }
            @for (place, column) in book.columns().iter().enumerate() {
                td .choice data-column=(place) { (cell(*column, entries)) }
            }
        }
    }
}

fn cell(column: Column<'_>, entries: &[&Entry<'_>]) -> Markup {
    let those: Vec<_> = entries.iter().filter(|entry| entry.column == column).collect();
    html! {
        @if those.is_empty() { span .none { "not tested" } }
        @for entry in those {
            a .outcome href={ "#" (entry.anchor()) } data-k=(entry.kind()) {
                @if entry.kind() == Kind::Choice {
                    span aria-hidden="true" { (symbol(Kind::Choice)) " " } (line(entry.result.verdict.got()))
                } @else {
                    (badge(entry.kind()))
                    @if !entry.result.verdict.got().is_empty() { ": " (line(entry.result.verdict.got())) }
                }
            }
        }
    }
}

fn verdicts<'a>(column: Column<'_>, entries: &[&Entry<'a>]) -> Vec<&'a Verdict> {
    let those = entries.iter().filter(|entry| entry.column == column);
    those.map(|entry| &entry.result.verdict).collect()
}
