use serde::Deserialize;

use super::typed;
use crate::scenario::{tree::Node, wrong::Wrong};

fn read<T: for<'de> Deserialize<'de>>(yaml: &str) -> Result<T, Wrong> {
    typed(&Node::read(yaml).unwrap())
}

#[test]
fn a_number_is_written_in_every_way_that_yaml_knows() {
    for (yaml, number) in [
        ("7", 7),
        ("+7", 7),
        ("0x1f", 31),
        ("0o17", 15),
        ("1_000", 1000),
        ("\"7\"", 7),
    ] {
        assert_eq!(read::<u32>(yaml).unwrap(), number, "{yaml}");
    }
    assert_eq!(read::<i64>("-9223372036854775808").unwrap(), i64::MIN);
    assert_eq!(
        read::<Vec<f64>>("[1.5, -2, 1e3, .5]").unwrap(),
        [1.5, -2.0, 1000.0, 0.5]
    );
}

#[test]
fn what_is_no_number_is_refused_where_it_stands() {
    for (yaml, message) in [
        ("[1, 1.5]", "floating point `1.5` where u16 should stand"),
        ("[1, 65536]", "integer `65536` where u16 should stand"),
        ("[1, nan]", "string \"nan\" where u16 should stand"),
        ("[1, ~]", "nothing where u16 should stand"),
        ("[1, []]", "sequence where u16 should stand"),
    ] {
        let wrong = read::<Vec<u16>>(yaml).unwrap_err();
        assert_eq!(wrong.message, message, "{yaml}");
        assert_eq!(wrong.at.unwrap().column(), 5, "{yaml}");
    }
}

#[test]
fn a_text_needs_no_quotes_where_nothing_else_can_stand() {
    let texts = ["5.10", "no", "1_000", "2m"];
    assert_eq!(read::<Vec<String>>("[5.10, no, 1_000, 2m]").unwrap(), texts);
    assert_eq!(
        read::<Vec<bool>>("[yes, Off, true]").unwrap(),
        [true, false, true]
    );
}

#[test]
fn a_word_stands_alone_or_with_its_value() {
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Said {
        Nothing,
        Much(u8),
    }
    let said = read::<Vec<Said>>("[nothing, nothing: ~, much: 3]").unwrap();
    assert_eq!(said, [Said::Nothing, Said::Nothing, Said::Much(3)]);
    for (yaml, message) in [
        ("[nothing: 1]", "`nothing` has no value"),
        ("[much]", "`much` says nothing"),
        ("[{ much: 1, nothing: ~ }]", "`nothing` beside `much`"),
        ("[moch]", "unknown word `moch`"),
    ] {
        assert_eq!(read::<Vec<Said>>(yaml).unwrap_err().message, message, "{yaml}");
    }
}
