//! One result: what it decides, what was right, what came, the packets, and the command that repeats it.

use maud::{Markup, html};

use super::badge::badge;
use super::book::{Book, Entry};
use super::sequence;
use crate::printable::{line, lines};
use crate::renderers::terminal;
use crate::span::Span;
use crate::{Kind, Statement};

pub(super) fn article(book: &Book<'_>, entry: &Entry<'_>) -> Markup {
    let result = entry.result;
    html! {
        article id=(entry.anchor()) class=(entry.kind()) data-k=(entry.kind()) data-v=(line(&result.mqtt))
            data-t=[book.target_number(entry.column.target)] {
            h4 {
                (badge(entry.kind())) " " span .name { (line(entry.label())) }
                a .self href={ "#" (entry.anchor()) } aria-label={ "Link to " (line(&result.name)) } {
                    "MQTT " (line(&result.mqtt))
                    @if book.has_several_targets() { ", " (line(entry.column.target)) }
                }
            }
            (facts(entry))
            @if !result.packets.is_empty() { (sequence::figure(entry)) }
        }
    }
}

fn facts(entry: &Entry<'_>) -> Markup {
    let result = entry.result;
    let expected = result.verdict.expected();
    html! {
        dl {
            @for statement in &result.statements { (decided(statement)) }
            @for (nth, answer) in expected.iter().enumerate() {
                dt { @if nth == 0 { "Expected" } @else { "or" } }
                dd .told { (lines(answer)) }
            }
            @if !result.verdict.got().is_empty() {
                dt { (heading_of_got(entry.kind())) }
                dd .told { (lines(result.verdict.got())) }
            }
            @if result.durability.is_some() {
                dt { "Durability" }
                dd .told { (lines(terminal::durability(entry.result).trim())) }
            }
            dt { "Took" }
            dd {
                (Span(result.micros))
                @if let Some(simulated) = result.simulated_micros { ", simulated " (Span(simulated)) }
            }
            @if let Some(repeat) = &result.repeat {
                dt { "Repeat" }
                dd .repeat { code { (line(repeat)) } }
            }
        }
    }
}

fn decided(statement: &Statement) -> Markup {
    html! {
        dt { @if statement.is_normative() { "Statement" } @else { "Check" } }
        dd { code { (line(&statement.id)) } " " (line(&statement.gist)) }
    }
}

const fn heading_of_got(kind: Kind) -> &'static str {
    match kind {
        Kind::Pass | Kind::Fail | Kind::Deviation => "Got",
        Kind::Choice => "Outcome",
        Kind::Inconclusive | Kind::Known | Kind::Unsupported => "Because",
    }
}
