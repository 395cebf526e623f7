//! Statements as text names them.

use squall_proto::Version;

/// An id with the version it is cited for.
pub(crate) type Cited = (Version, String);

/// The ids in brackets: `[MQTT-3.3.1-5]` is 5.0, `[v3 MQTT-3.3.1-5]` is 3.1.1, `[X5-3.3.4-1]` has no number in 5.0, and
/// `[X5-3.3.2.3-1..4]` is four of them.
pub(crate) fn bracketed(text: &str) -> impl Iterator<Item = Cited> {
    text.split('[').skip(1).flat_map(|after| {
        let cited = after.split_once(']').map_or("", |(cited, _)| cited);
        let (version, ids) = match cited.strip_prefix("v3 ") {
            Some(ids) => (Version::V3_1_1, ids),
            None => (Version::V5, cited),
        };
        range(ids).into_iter().map(move |id| (version, id))
    })
}

/// `X5-3.3.2.3-1..4` is four ids, what is an id is one, anything else none.
fn range(ids: &str) -> Vec<String> {
    if !is_id(ids) {
        return Vec::new();
    }
    let parts = ids.split_once("..").and_then(|(first, last)| {
        let (section, first) = first.rsplit_once('-')?;
        Some((section, first.parse().ok()?..=last.parse::<u32>().ok()?))
    });
    match parts {
        Some((section, numbers)) => numbers.map(|number| format!("{section}-{number}")).collect(),
        None => vec![ids.to_owned()],
    }
}

/// The ids that a line of code returns as strings, with their version by the function of `error/statement.rs` around them.
pub(crate) fn returned(line: &str) -> Vec<Cited> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices('"') {
        let (before, after) = line.split_at(at);
        let Some((id, _)) = after.strip_prefix('"').and_then(|after| after.split_once('"')) else {
            continue;
        };
        if !is_id(id) {
            continue;
        }
        let id = id.to_owned();
        if before.ends_with("both(") {
            found.extend([(Version::V3_1_1, id.clone()), (Version::V5, id)]);
        } else if before.ends_with("v3(") || before.ends_with("each(") {
            found.push((Version::V3_1_1, id));
        } else {
            found.push((Version::V5, id));
        }
    }
    found
}

/// The ids in the prose of a scenario: 5.0, unless they stand in brackets that begin with `3.1.1`.
pub(crate) fn prose(text: &str) -> Vec<Cited> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("(3.1.1") {
        let (inside, behind) = after.split_once(')').unwrap_or((after, ""));
        found.extend(words(before).map(|id| (Version::V5, id.to_owned())));
        found.extend(words(inside).map(|id| (Version::V3_1_1, id.to_owned())));
        rest = behind;
    }
    found.extend(words(rest).map(|id| (Version::V5, id.to_owned())));
    found
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '.')
        .map(|word| word.trim_end_matches('.'))
        .filter(|word| is_id(word))
}

fn is_id(word: &str) -> bool {
    let number = word.strip_prefix("MQTT-").or_else(|| word.strip_prefix("X5-"));
    number.is_some_and(|number| number.starts_with(|c: char| c.is_ascii_digit()))
}

/// Pairs to compare.
#[cfg(test)]
fn plain(found: &[Cited]) -> Vec<(Version, &str)> {
    found
        .iter()
        .map(|(version, id)| (*version, id.as_str()))
        .collect()
}

#[test]
fn a_citation_says_its_version() {
    let found: Vec<_> =
        bracketed("// [MQTT-3.3.1-5] [v3 MQTT-3.3.1-7] [`Packet`] [X5-3.3.4-1..2] and so on").collect();
    assert_eq!(
        plain(&found),
        [
            (Version::V5, "MQTT-3.3.1-5"),
            (Version::V3_1_1, "MQTT-3.3.1-7"),
            (Version::V5, "X5-3.3.4-1"),
            (Version::V5, "X5-3.3.4-2")
        ]
    );
}

#[test]
fn a_returned_id_has_the_version_of_its_function() {
    for (line, wanted) in [
        (
            "Self::A => each(\"MQTT-1-1\", \"MQTT-2-2\"),",
            vec![(Version::V3_1_1, "MQTT-1-1"), (Version::V5, "MQTT-2-2")],
        ),
        (
            "=> both(\"MQTT-1-1\"),",
            vec![(Version::V3_1_1, "MQTT-1-1"), (Version::V5, "MQTT-1-1")],
        ),
        ("=> Some(\"MQTT-1-1\"),", vec![(Version::V5, "MQTT-1-1")]),
        (
            "=> v3(\"MQTT-1-1\"), // \"none\"",
            vec![(Version::V3_1_1, "MQTT-1-1")],
        ),
    ] {
        assert_eq!(plain(&returned(line)), wanted);
    }
}

#[test]
fn a_scenario_puts_the_other_version_in_brackets() {
    let why = "MQTT-3.1.2-22 and MQTT-4.4.0-1 (3.1.1: MQTT-3.1.2-24,\n MQTT-4.4.0-1): MQTT-1-1.";
    assert_eq!(
        plain(&prose(why)),
        [
            (Version::V5, "MQTT-3.1.2-22"),
            (Version::V5, "MQTT-4.4.0-1"),
            (Version::V3_1_1, "MQTT-3.1.2-24"),
            (Version::V3_1_1, "MQTT-4.4.0-1"),
            (Version::V5, "MQTT-1-1")
        ]
    );
}
