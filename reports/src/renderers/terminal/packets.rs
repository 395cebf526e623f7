//! What went over the wires, a line a packet: when, between whom, which way, what.
//!
//! The broker stands on the right, so that the arrow shows the direction at a glance.

use std::fmt;

use super::palette::Palette;
use crate::PacketLine;
use crate::printable::line;

/// How many packets are shown, the newest, unless all are asked for.
const SHOWN_MAX: usize = 40;
/// The name that the model gives the broker.
const BROKER: &str = "broker";

pub(super) fn write(
    f: &mut fmt::Formatter<'_>,
    packets: &[PacketLine],
    all: bool,
    palette: &Palette,
) -> fmt::Result {
    if packets.is_empty() {
        return Ok(());
    }
    let hidden = if all {
        0
    } else {
        packets.len().saturating_sub(SHOWN_MAX)
    };
    let dim = palette.dim;
    writeln!(f, "  {dim}packets{dim:#}")?;
    if hidden > 0 {
        writeln!(f, "    {dim}.. {hidden} earlier; --verbose shows all{dim:#}")?;
    }
    let shown: Vec<_> = packets.iter().skip(hidden).map(Row::of).collect();
    let (left, right) = (width(&shown, |row| row.left), width(&shown, |row| row.right));
    for row in &shown {
        row.write(f, left, right, palette)?;
    }
    Ok(())
}

struct Row<'a> {
    packet: &'a PacketLine,
    left: &'a str,
    arrow: char,
    right: &'a str,
}

impl<'a> Row<'a> {
    fn of(packet: &'a PacketLine) -> Self {
        let (from, to) = (packet.from.as_str(), packet.to.as_str());
        if to.is_empty() {
            return Self {
                packet,
                left: from,
                arrow: '*',
                right: "",
            };
        }
        if from == BROKER {
            return Self {
                packet,
                left: to,
                arrow: '←',
                right: from,
            };
        }
        Self {
            packet,
            left: from,
            arrow: '→',
            right: to,
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, left: usize, right: usize, palette: &Palette) -> fmt::Result {
        let Palette { dim, odd, .. } = *palette;
        let (seconds, micros) = (
            self.packet.at_micros / 1_000_000,
            self.packet.at_micros % 1_000_000,
        );
        let style = if self.packet.to.is_empty() {
            odd
        } else {
            Default::default()
        };
        writeln!(
            f,
            "    {dim}{seconds:>4}.{micros:06}{dim:#}  {:<left$} {} {:<right$}  {style}{}{style:#}",
            line(self.left),
            self.arrow,
            line(self.right),
            line(&self.packet.text)
        )
    }
}

fn width<'a>(rows: &[Row<'a>], name: impl Fn(&Row<'a>) -> &'a str) -> usize {
    rows.iter()
        .map(|row| line(name(row)).chars().count())
        .max()
        .unwrap_or(0)
}
