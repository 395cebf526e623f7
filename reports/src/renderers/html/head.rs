//! What was tested, how often which verdict came, and the filters.

use maud::{Markup, html};

use super::badge::{badge, symbol, worded};
use super::book::{Book, Column};
use crate::printable::line;
use crate::span::Span;
use crate::{Counts, Kind};

pub(super) fn title(book: &Book<'_>) -> Markup {
    let counts: Counts = book.report.results().collect();
    let outcome = if book.report.holds() {
        "Everything held"
    } else {
        "Something did not hold"
    };
    html! {
        h1 { "Results of " (line(&book.report.target)) }
        p .outcome { strong { (outcome) } ": " (counts.total()) (if counts.total() == 1 { " result, " } else { " results, " }) (counts) "." }
        p .producer { (line(&book.report.producer)) ", in " (Span(book.report.micros)) }
        (totals(book))
    }
}

fn totals(book: &Book<'_>) -> Markup {
    let kinds = book.kinds();
    html! {
        table .totals #totals {
            caption { "Results by target and version" }
            thead { tr {
                th scope="col" { "Target" }
                th scope="col" { "MQTT" }
                @for kind in &kinds { th scope="col" { (badge(*kind)) } }
                th scope="col" { "All" }
            } }
            tbody { @for column in book.columns() { (total(book, &kinds, *column)) } }
        }
    }
}

fn total(book: &Book<'_>, kinds: &[Kind], column: Column<'_>) -> Markup {
    let counts: Counts = book
        .entries()
        .iter()
        .filter(|entry| entry.column == column)
        .map(|entry| entry.result)
        .collect();
    html! {
        tr {
            th scope="row" { (line(column.target)) }
            td { (line(column.mqtt)) }
            @for kind in kinds { td .number { (counts.of(*kind)) } }
            td .number { (counts.total()) }
        }
    }
}

/// The script shows them; without it they would do nothing.
pub(super) fn filters(book: &Book<'_>) -> Markup {
    html! {
        form #filters role="search" aria-label="Filters" hidden {
            fieldset {
                legend { "Verdict" }
                @for kind in book.kinds() {
                    label { input type="checkbox" name="verdict" value=(kind) checked; (symbol(kind)) " " (kind) }
                }
            }
            (select("mqtt", "Version", book.versions().into_iter().map(|version| (line(version).into_owned(), version))))
            @if book.has_several_targets() {
                (select("target", "Target", book.targets().iter().enumerate().map(|(n, target)| (n.to_string(), *target))))
                label .only { input type="checkbox" name="differs" value="1"; " Only where targets differ" }
            }
            label { "Text " input type="search" name="text" placeholder="MQTT-3.3.1-5, retain, topic ..."; }
            button type="reset" { "Show all" }
            p #count role="status" aria-live="polite" {}
        }
    }
}

fn select<'a>(name: &str, legend: &str, options: impl Iterator<Item = (String, &'a str)>) -> Markup {
    html! {
        label { (legend) " " select name=(name) {
            option value="" { "all" }
            @for (value, text) in options { option value=(value) { (line(text)) } }
        } }
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// The way to what somebody opened the report for.
pub(super) fn failures(book: &Book<'_>) -> Markup {
    html! {
        @if book.failures().next().is_some() {
            section aria-labelledby="failures" {
                h2 #failures { "What did not hold" }
                ul .failures { @for entry in book.failures() {
                    li { (worded(entry)) " " (line(&entry.group.title())) " › " (line(&entry.result.name))
                        span .got { ": " (line(first_line(entry.result.verdict.got()))) } }
                } }
            }
        }
    }
}
