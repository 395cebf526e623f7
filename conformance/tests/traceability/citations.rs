//! Statements as text names them.

use squall_proto::Version;

/// An id with the version it is cited for.
pub(crate) type Cited<'a> = (Version, &'a str);

/// The ids in brackets: `[MQTT-3.3.1-5]` is 5.0, `[v3 MQTT-3.3.1-5]` is 3.1.1, `[X5-3.3.4-1]` has no number in 5.0.
pub(crate) fn bracketed(text: &str) -> impl Iterator<Item = Cited<'_>> {
    text.split('[').skip(1).filter_map(|after| {
        let (cited, _) = after.split_once(']')?;
        let (version, id) = match cited.strip_prefix("v3 ") {
            Some(id) => (Version::V3_1_1, id),
            None => (Version::V5, cited),
        };
        is_id(id).then_some((version, id))
    })
}

/// The ids that a line of code returns as strings, with their version by the function of `error/statement.rs` around them.
pub(crate) fn returned(line: &str) -> Vec<Cited<'_>> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices('"') {
        let (before, after) = line.split_at(at);
        let Some((id, _)) = after.strip_prefix('"').and_then(|after| after.split_once('"')) else {
            continue;
        };
        if !is_id(id) {
            continue;
        }
        if before.ends_with("both(") {
            found.extend([(Version::V3_1_1, id), (Version::V5, id)]);
        } else if before.ends_with("v3(") || before.ends_with("each(") {
            found.push((Version::V3_1_1, id));
        } else {
            found.push((Version::V5, id));
        }
    }
    found
}

/// The ids in the prose of a scenario: 5.0, unless they stand in brackets that begin with `3.1.1`.
pub(crate) fn prose(text: &str) -> Vec<Cited<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("(3.1.1") {
        let (inside, behind) = after.split_once(')').unwrap_or((after, ""));
        found.extend(words(before).map(|id| (Version::V5, id)));
        found.extend(words(inside).map(|id| (Version::V3_1_1, id)));
        rest = behind;
    }
    found.extend(words(rest).map(|id| (Version::V5, id)));
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

#[test]
fn a_citation_says_its_version() {
    let found: Vec<_> =
        bracketed("// [MQTT-3.3.1-5] [v3 MQTT-3.3.1-7] [`Packet`] [X5-3.3.4-1] and so on").collect();
    assert_eq!(
        found,
        [
            (Version::V5, "MQTT-3.3.1-5"),
            (Version::V3_1_1, "MQTT-3.3.1-7"),
            (Version::V5, "X5-3.3.4-1")
        ]
    );
}

#[test]
fn a_returned_id_has_the_version_of_its_function() {
    assert_eq!(
        returned("Self::A => each(\"MQTT-1-1\", \"MQTT-2-2\"),"),
        [(Version::V3_1_1, "MQTT-1-1"), (Version::V5, "MQTT-2-2")]
    );
    assert_eq!(
        returned("=> both(\"MQTT-1-1\"),"),
        [(Version::V3_1_1, "MQTT-1-1"), (Version::V5, "MQTT-1-1")]
    );
    assert_eq!(returned("=> Some(\"MQTT-1-1\"),"), [(Version::V5, "MQTT-1-1")]);
    assert_eq!(
        returned("=> v3(\"MQTT-1-1\"), // \"none\""),
        [(Version::V3_1_1, "MQTT-1-1")]
    );
}

#[test]
fn a_scenario_puts_the_other_version_in_brackets() {
    let why = "MQTT-3.1.2-22 and MQTT-4.4.0-1 (3.1.1: MQTT-3.1.2-24,\n MQTT-4.4.0-1): MQTT-1-1.";
    assert_eq!(
        prose(why),
        [
            (Version::V5, "MQTT-3.1.2-22"),
            (Version::V5, "MQTT-4.4.0-1"),
            (Version::V3_1_1, "MQTT-3.1.2-24"),
            (Version::V3_1_1, "MQTT-4.4.0-1"),
            (Version::V5, "MQTT-1-1")
        ]
    );
}
