//! The JSON Schema of scenario files: the committed one is that of the types, and every scenario follows it.

use std::{collections::BTreeSet, fs, path::PathBuf};

use squall_sim::scenario::{find_scenarios, json_schema};

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/scenario.schema.json");
const REFERENCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/SCENARIOS.md");
const SCENARIOS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios");

fn schema() -> serde_json::Value {
    serde_json::to_value(json_schema()).expect("a schema is JSON")
}

fn as_json(yaml: &str) -> serde_json::Value {
    serde_saphyr::from_str(yaml).expect("well-formed YAML")
}

/// `SQUALL_UPDATE_SCHEMA=1 cargo test -p squall-sim --test scenario_schema` writes it anew.
#[test]
fn the_committed_schema_is_that_of_the_types() {
    let generated = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    if std::env::var_os("SQUALL_UPDATE_SCHEMA").is_some() {
        fs::write(SCHEMA, &generated).unwrap();
    }
    assert!(
        fs::read_to_string(SCHEMA).unwrap() == generated,
        "{SCHEMA} is not that of the types"
    );
}

#[test]
fn the_reference_has_every_key() {
    let reference = fs::read_to_string(REFERENCE).unwrap();
    let is_in_a_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let words: BTreeSet<&str> = reference.split(|character| !is_in_a_name(character)).collect();
    let mut missing = BTreeSet::new();
    keys(&schema(), &mut missing);
    missing.retain(|key| !words.contains(key.as_str()));
    assert!(missing.is_empty(), "{REFERENCE} says nothing of {missing:?}");
}

/// The keys of every map that the schema describes.
fn keys(schema: &serde_json::Value, found: &mut BTreeSet<String>) {
    for (key, value) in schema.as_object().into_iter().flatten() {
        match value.as_object() {
            Some(properties) if key == "properties" => {
                found.extend(properties.keys().cloned());
                properties.values().for_each(|property| keys(property, found));
            }
            Some(_) | None => keys(value, found),
        }
    }
    for value in schema.as_array().into_iter().flatten() {
        keys(value, found);
    }
}

#[test]
fn every_scenario_follows_the_schema_and_names_it() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    for path in find_scenarios(&[PathBuf::from(SCENARIOS)]).unwrap() {
        let text = fs::read_to_string(&path).unwrap();
        let first = text.lines().next().unwrap();
        let is_at_top = path.parent().is_some_and(|folder| folder.ends_with("scenarios"));
        let up = if is_at_top { ".." } else { "../.." };
        let names = format!("# yaml-language-server: $schema={up}/sim/schema/scenario.schema.json");
        assert_eq!(first, names, "{path:?}");
        let errors: Vec<String> = validator
            .iter_errors(&as_json(&text))
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{path:?}: {errors:?}");
    }
}

#[test]
fn the_schema_refuses_what_the_reader_refuses() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let right = "{ name: all, why: so, clients: { a: {} }, steps: [ { publish: { from: a, topic: t } } ] }";
    assert!(validator.is_valid(&as_json(right)));
    let swept = right.replacen("topic: t", "topic: t, qos: $qos", 1);
    assert!(validator.is_valid(&as_json(&swept)));
    let blocks = "{ name: all, why: so, clients: { a: {} }, steps: [ { repeat: 2, steps: [ { note: x } ] }, { race: { a: { note: a }, b: [ { note: b } ] } } ], phases: { calm: [ { after: [x], note: z } ] } }";
    assert!(validator.is_valid(&as_json(blocks)));
    for (wrong, by) in [
        ("why: so", "whi: so"),
        ("a: {}", "a: { keep_alive: 10 }"),
        ("topic: t", "topic: t, qos: 3"),
        ("publish:", "publsh:"),
        ("steps: [ {", "steps: [ { cut: {},"),
    ] {
        assert!(right.contains(wrong));
        assert!(
            !validator.is_valid(&as_json(&right.replacen(wrong, by, 1))),
            "{by}"
        );
    }
}
