//! The packets of a result as a sequence diagram, and as a table for whoever does not see that.
//!
//! [`layout`] says what stands where, [`picture`] draws it as SVG.

mod layout;
mod picture;

use maud::{Markup, html};

use self::layout::Layout;
pub(super) use self::picture::definitions;
use super::book::Entry;
use crate::PacketLine;
use crate::printable::line;

/// How many lines the picture shows, the newest; the table has all.
const DRAWN_MAX: usize = 150;

pub(super) fn figure(entry: &Entry<'_>) -> Markup {
    let packets = &entry.result.packets;
    let left_out = packets.len().saturating_sub(DRAWN_MAX);
    let layout = Layout::of(packets.get(left_out..).unwrap_or_default());
    let described = format!("{}-table", entry.anchor());
    html! {
        figure .sequence {
            figcaption {
                "Packets"
                @if left_out > 0 { ", the newest " (DRAWN_MAX) " of " (packets.len()) "; the table has all" }
            }
            div .wide tabindex="0" role="region" aria-label={ "Picture of the packets of " (line(entry.label())) } {
                (picture::svg(&layout, &described))
            }
            details {
                summary { "As a table" }
                (table(packets, &described))
            }
        }
    }
}

fn table(packets: &[PacketLine], id: &str) -> Markup {
    html! {
        table .packets id=(id) {
            thead { tr {
                @for head in ["Seconds", "From", "To", "What"] { th scope="col" { (head) } }
            } }
            tbody { @for packet in packets {
                tr {
                    td .number { (seconds(packet.at_micros)) }
                    td { (line(&packet.from)) }
                    td { (line(&packet.to)) }
                    td { code { (line(&packet.text)) } }
                }
            } }
        }
    }
}

/// `12.034567`, as traces have it.
fn seconds(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}
