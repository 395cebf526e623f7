//! A layout as SVG. Colours are the style sheet's, so that the picture is light or dark as the page is.

use maud::{Markup, html};

use super::layout::{Fault, Layout, Row, Shape};
use super::seconds;
use crate::POINTER;
use crate::printable::line;

/// All lengths are pixels. Letters of a picture are this wide and lines of text this high.
const LETTER: usize = 7;
const LINE: usize = 15;
/// The column of times.
const TIMES: usize = 90;
/// What stands above the first row.
const HEAD: usize = 34;
/// Between two lifelines at the least and at the most.
const GAP: std::ops::RangeInclusive<usize> = 200..=480;
/// How wide a picture may be for the sake of long texts, so that a page shows all of it.
const WIDTH_MAX: usize = 1_200;
/// Between the times and the first lifeline: half of its name.
const FIRST: usize = 70;
/// Between text and what it stands beside.
const MARGIN: usize = 10;
/// A text of more lines is cut; the table has all of it.
const LINES_MAX: usize = 3;

/// What every picture of a page refers to.
pub(in super::super) fn definitions() -> Markup {
    html! {
        defs {
            marker #arrow viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto" {
                path .point d="M1 1 9 5 1 9" {}
            }
        }
    }
}

/// `described` is the id of what says the same in words.
pub(super) fn svg(layout: &Layout<'_>, described: &str) -> Markup {
    let canvas = Canvas::of(layout);
    let (width, height) = (canvas.width(), canvas.height());
    html! {
        svg role="img" aria-label="Sequence diagram; the table below says the same" aria-describedby=(described)
            width=(width) height=(height) viewBox={ "0 0 " (width) " " (height) } {
            @for fault in &layout.faults { (canvas.fault(*fault)) }
            @for (place, name) in layout.lifelines.iter().enumerate() { (canvas.lifeline(place, name)) }
            @for (nth, row) in layout.rows.iter().enumerate() { (canvas.row(nth, row)) }
        }
    }
}

struct Canvas<'a> {
    layout: &'a Layout<'a>,
    gap: usize,
    /// Where each row's arrow is, and after the last one where the picture ends.
    rows: Vec<usize>,
}

impl<'a> Canvas<'a> {
    fn of(layout: &'a Layout<'a>) -> Self {
        let longest = layout
            .rows
            .iter()
            .filter(|row| !matches!(row.shape, Shape::Arrival { .. } | Shape::Band { .. }))
            .map(|row| line(&row.packet.text).chars().count())
            .max();
        let wanted = longest.unwrap_or(0) * LETTER + 3 * MARGIN;
        let mut canvas = Self {
            layout,
            gap: wanted
                .min((WIDTH_MAX - TIMES - FIRST) / layout.lifelines.len().max(1))
                .clamp(*GAP.start(), *GAP.end()),
            rows: Vec::new(),
        };
        let mut bottom = HEAD;
        for row in &layout.rows {
            bottom += canvas.text(row).len().max(1) * LINE + MARGIN;
            canvas.rows.push(bottom);
        }
        canvas.rows.push(bottom + 2 * MARGIN);
        canvas
    }

    fn width(&self) -> usize {
        // The last lifeline has room for its notes.
        TIMES + FIRST + self.layout.lifelines.len().max(1) * self.gap
    }

    fn height(&self) -> usize {
        self.rows.last().copied().unwrap_or(HEAD)
    }

    /// Where a lifeline is.
    fn x(&self, place: usize) -> usize {
        TIMES + FIRST + place * self.gap
    }

    fn y(&self, row: usize) -> usize {
        self.rows.get(row).copied().unwrap_or(HEAD)
    }

    /// What a row says, in lines that fit.
    fn text(&self, row: &Row<'_>) -> Vec<String> {
        let spans = match row.shape {
            Shape::Arrow { from, to, .. } => from.abs_diff(to),
            Shape::Note { .. } => 1,
            Shape::Band { .. } => self.layout.lifelines.len().max(1),
            Shape::Arrival { .. } => {
                let pointed = row.packet.text.ends_with(POINTER);
                return pointed.then(|| POINTER.trim().to_owned()).into_iter().collect();
            }
        };
        let text = line(&row.packet.text);
        wrap(&text, (spans * self.gap).saturating_sub(2 * MARGIN) / LETTER)
    }

    fn lifeline(&self, place: usize, name: &str) -> Markup {
        let x = self.x(place);
        html! {
            line .life x1=(x) x2=(x) y1=(HEAD) y2=(self.height()) {}
            text .who x=(x) y=(HEAD - MARGIN) text-anchor="middle" { (line(name)) }
        }
    }

    fn fault(&self, fault: Fault) -> Markup {
        let (top, bottom) = (
            self.y(fault.first).saturating_sub(LINE),
            self.y(fault.last) + MARGIN / 2,
        );
        html! {
            rect .fault x=(TIMES) y=(top) width=(self.width() - TIMES) height=(bottom.saturating_sub(top)) {}
        }
    }

    fn row(&self, nth: usize, row: &Row<'_>) -> Markup {
        let y = self.y(nth);
        let pointed = row.packet.text.ends_with(POINTER);
        html! {
            g .pointed[pointed] {
                text .time x=(TIMES - MARGIN) y=(y) text-anchor="end" { (seconds(row.packet.at_micros)) }
                @match row.shape {
                    Shape::Arrow { from, to, arrives } => {
                        (self.label(row, y, "", (self.x(from) + self.x(to)) / 2, "middle"))
                        line .sent x1=(self.x(from)) y1=(y) x2=(self.x(to)) y2=(self.y(arrives)) marker-end="url(#arrow)" {}
                    }
                    Shape::Arrival { at } => (self.label(row, y, "", self.x(at) + MARGIN, "start")),
                    Shape::Note { at } => {
                        circle .event cx=(self.x(at)) cy=(y - 4) r="3" {}
                        (self.label(row, y + 4, "note", self.x(at) + MARGIN, "start"))
                    }
                    Shape::Band { fault } => {
                        (self.label(row, y + 4, if fault { "wrong" } else { "note" }, TIMES + MARGIN, "start"))
                    }
                }
            }
        }
    }

    /// A row's lines of text, the last of them right above `y`.
    fn label(&self, row: &Row<'_>, y: usize, class: &str, x: usize, anchor: &str) -> Markup {
        let lines = self.text(row);
        let above = lines.len() * LINE;
        html! {
            @for (nth, text) in lines.iter().enumerate() {
                text class={ "label " (class) } x=(x) y=((y + (nth + 1) * LINE).saturating_sub(above + 5)) text-anchor=(anchor) { (text) }
            }
        }
    }
}

/// Lines of at most so many characters, broken at spaces where there are some.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_inclusive(' ').flat_map(|word| pieces(word, width)) {
        match lines.last_mut() {
            Some(last) if last.chars().count() + word.trim_end().chars().count() <= width => {
                last.push_str(&word)
            }
            Some(_) | None => lines.push(word),
        }
    }
    if lines.len() > LINES_MAX {
        lines.truncate(LINES_MAX);
        lines
            .iter_mut()
            .skip(LINES_MAX - 1)
            .for_each(|last| last.push('…'));
    }
    lines.retain(|line| !line.is_empty());
    lines
}

/// A word that is longer than a line, in pieces that fit.
fn pieces(word: &str, width: usize) -> Vec<String> {
    let letters: Vec<_> = word.chars().collect();
    letters
        .chunks(width.max(1))
        .map(|piece| piece.iter().collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_breaks_at_spaces_within_words_only_where_it_must_and_is_cut_after_three_lines() {
        assert_eq!(wrap("PUBLISH q1 id 7", 10), ["PUBLISH q1 ", "id 7"]);
        assert_eq!(wrap("a bbbbbbbb", 5), ["a ", "bbbbb", "bbb"]);
        assert_eq!(wrap("a b c d e", 1), ["a ", "b ", "c …"]);
        assert!(wrap("", 5).is_empty());
    }
}
