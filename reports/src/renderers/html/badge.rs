//! A verdict as a symbol of its own and a word: its colour says nothing that these do not.

use maud::{Markup, html};

use super::book::Entry;
use crate::Kind;
use crate::printable::line;

pub(super) const fn symbol(kind: Kind) -> char {
    match kind {
        Kind::Pass => '✓',
        Kind::Fail => '✗',
        Kind::Inconclusive => '?',
        Kind::Deviation => '!',
        Kind::Known => '≈',
        Kind::Choice => '◇',
        Kind::Unsupported => '–',
    }
}

/// Symbol and word.
pub(super) fn badge(kind: Kind) -> Markup {
    html! { span class={ "verdict " (kind) } { span aria-hidden="true" { (symbol(kind)) } " " (kind) } }
}

/// Symbol and word, as a link to the result.
pub(super) fn worded(entry: &Entry<'_>) -> Markup {
    let kind = entry.kind();
    html! {
        a class={ "verdict " (kind) } href={ "#" (entry.anchor()) } data-k=(kind) title=(line(entry.label())) {
            span aria-hidden="true" { (symbol(kind)) } " " (kind)
        }
    }
}

/// The symbol alone; the word and the result's name are for those who do not see it.
pub(super) fn short(entry: &Entry<'_>) -> Markup {
    let kind = entry.kind();
    let name = line(entry.label());
    html! {
        a class={ "verdict " (kind) } href={ "#" (entry.anchor()) } data-k=(kind) title=(name)
            aria-label={ (kind) ": " (name) } { (symbol(kind)) }
    }
}

/// How many more results of this kind there are, as a link to the first of them.
pub(super) fn more(first: &Entry<'_>, count: usize) -> Markup {
    let kind = first.kind();
    html! {
        a class={ "verdict " (kind) } href={ "#" (first.anchor()) } data-k=(kind) aria-label={ (count) " " (kind) } {
            (symbol(kind)) " × " (count)
        }
    }
}
