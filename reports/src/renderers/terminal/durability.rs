use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use super::palette::Palette;
use crate::printable::line;
use crate::span::Span;
use crate::{Durability, TestResult};

/// What was lost is listed as far as this, unless all of it is asked for.
const LISTED_MAX: usize = 10;

/// What became of what was acknowledged in these results together; nothing if none says.
pub(super) fn write<'a>(
    f: &mut fmt::Formatter<'_>,
    results: impl Iterator<Item = &'a TestResult> + Clone,
    all: bool,
    palette: &Palette,
) -> fmt::Result {
    let told = || {
        results
            .clone()
            .filter_map(|result| Some((result, result.durability.as_ref()?)))
    };
    if told().next().is_none() {
        return Ok(());
    }
    let sum = |of: fn(&Durability) -> usize| -> usize { told().map(|(_, durability)| of(durability)).sum() };
    let qos1: u64 = told().map(|(_, durability)| durability.acknowledged_qos1).sum();
    let qos2: u64 = told().map(|(_, durability)| durability.acknowledged_qos2).sum();
    let crashes = sum(|durability| durability.crashes.len());
    let points: BTreeSet<(&str, &str)> = told()
        .flat_map(|(result, durability)| {
            durability
                .crashes
                .iter()
                .map(|crash| (result.name.as_str(), crash.after.as_str()))
        })
        .collect();
    let lost = sum(|durability| durability.lost.len());
    let duplicates: usize = told()
        .flat_map(|(_, durability)| &durability.duplicates)
        .map(|duplicate| duplicate.times)
        .sum();
    let style = if lost + duplicates == 0 {
        palette.good
    } else {
        palette.bad
    };
    writeln!(
        f,
        "\n{} messages acknowledged, {qos1} at QoS 1 and {qos2} at QoS 2; crashes: {crashes}, at {} different packets; \
         {style}lost: {lost}, QoS 2 duplicates: {duplicates}{style:#}",
        qos1 + qos2,
        points.len()
    )?;
    let mut rows = Vec::new();
    for (result, durability) in told() {
        rows.extend(rows_of(&result.name, durability)?);
    }
    let shown = if all { rows.len() } else { LISTED_MAX };
    for row in rows.iter().take(shown) {
        writeln!(f, "  {}", line(row))?;
    }
    if rows.len() > shown {
        writeln!(
            f,
            "  and {} more; --verbose and the JSON report list them",
            rows.len() - shown
        )?;
    }
    Ok(())
}

fn rows_of(result: &str, durability: &Durability) -> Result<Vec<String>, fmt::Error> {
    let mut rows = Vec::new();
    for lost in &durability.lost {
        let mut row = format!(
            "{result}: `{}` did not get {} of {} from `{}`, acknowledged at {}",
            lost.to,
            lost.message,
            lost.topic,
            lost.publisher,
            Span(lost.acknowledged_micros)
        );
        let crash = lost
            .crash
            .and_then(|nth| Some((nth, durability.crashes.get(nth.checked_sub(1)?)?)));
        if let Some((nth, crash)) = crash {
            write!(
                row,
                "; crash {nth} at {} was after {}",
                Span(crash.at_micros),
                crash.after
            )?;
        }
        rows.push(row);
    }
    for duplicate in &durability.duplicates {
        rows.push(format!(
            "{result}: `{}` got {} of {} {} times too often",
            duplicate.to, duplicate.message, duplicate.topic, duplicate.times
        ));
    }
    Ok(rows)
}
