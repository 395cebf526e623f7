//! One self-contained HTML file: totals, a matrix of statements and scenarios, what targets choose, and each result with its
//! packets as a picture.
//!
//! Without JavaScript it is a plain document; `script.js` adds filters. It asks nobody for anything: its policy forbids it.
//! * [`book`] orders the results by what the tables have as columns, [`badge`] shows a verdict,
//! * [`head`] has the totals and the filters, [`matrix`] and [`choices`] are the tables, [`case`] is one result,
//! * [`sequence`] places packets, events and faults; its picture is drawn from that.

mod badge;
mod book;
mod case;
mod choices;
mod head;
mod matrix;
mod sequence;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use self::book::Book;
use crate::printable::line;
use crate::{RenderError, Report};

const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/script.js");
/// Nothing but what stands in the file: no request can leave it, whatever a peer's bytes would make of it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

pub(crate) fn render(report: &Report) -> Result<String, RenderError> {
    let book = Book::of(report);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { "Results of " (line(&report.target)) }
                style { (PreEscaped(STYLE)) }
            }
            body { (body(&book)) }
        }
    };
    let mut text = page.into_string();
    text.push('\n');
    Ok(text)
}

fn body(book: &Book<'_>) -> Markup {
    html! {
        a .skip href="#results" { "Skip to the results" }
        header { (head::title(book)) }
        nav aria-label="Parts of the report" { (contents(book)) }
        (head::filters(book))
        main #results tabindex="-1" {
            (head::failures(book))
            (matrix::sections(book))
            (choices::section(book))
            section aria-labelledby="cases" {
                h2 #cases { "Every result" }
                @for (group, entries) in book.by_group() {
                    section .group {
                        h3 { (line(&group.title())) }
                        @for entry in entries { (case::article(book, entry)) }
                    }
                }
            }
        }
        svg .definitions aria-hidden="true" width="0" height="0" { (sequence::definitions()) }
        script { (PreEscaped(SCRIPT)) }
    }
}

fn contents(book: &Book<'_>) -> Markup {
    html! {
        ul {
            li { a href="#totals" { "Totals" } }
            @if book.failures().next().is_some() { li { a href="#failures" { "What did not hold" } } }
            @if book.has_statements() { li { a href="#statements" { "Statements" } } }
            @if book.has_scenarios() { li { a href="#scenarios" { "Scenarios" } } }
            @if book.has_choices() { li { a href="#choices" { "Choices" } } }
            li { a href="#cases" { "Every result" } }
        }
    }
}
