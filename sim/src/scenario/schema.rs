use schemars::{Schema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{Scenario, expand::BLOCKS};

/// The JSON Schema of a scenario file. Editors that know YAML complete from it:
/// `# yaml-language-server: $schema=../sim/schema/scenario.schema.json` as a file's first line.
pub fn json_schema() -> Schema {
    let mut schema = SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<Scenario>();
    // The root's keys first: the tables say what parameters stand for, they hold none themselves.
    if let Some(root) = schema.as_object_mut() {
        root.values_mut().for_each(let_parameters_stand);
        let_stand_below(root);
        add(root, "properties", file_properties());
        add(root, "$defs", json!({ PARAMETER: parameter() }));
        if let Some(Value::Object(step)) = root.get_mut("$defs").and_then(|defs| defs.get_mut("Step")) {
            add(step, "properties", block_properties());
            let blocks = BLOCKS.map(|block| json!({ "required": [block] }));
            if let Some(Value::Array(kinds)) = step.get_mut("oneOf") {
                kinds.extend(blocks);
            }
        }
    }
    schema
}

const PARAMETER: &str = "Parameter";

fn parameter() -> Value {
    json!({
        "type": "string",
        "pattern": r"\$\{?[a-z]",
        "description": "What a parameter of `sweep`, `paths` or `for_each` stands for, alone or in a text.",
    })
}

/// What tells variants from each other.
fn file_properties() -> Value {
    let any = json!({});
    let named = json!({ "type": "object", "minProperties": 1, "additionalProperties": any });
    json!({
        "phases": {
            "description": "Groups of steps by name: each begins when the one before is over, and `at` counts from there.",
            "type": "object",
            "minProperties": 1,
            "additionalProperties": { "type": "array", "items": { "$ref": "#/$defs/Step" } },
        },
        "sweep": {
            "description": "Parameters: each combination of their values is a scenario of its own; or a list of rows. `$name` stands for the value.",
            "anyOf": [
                { "type": "object", "minProperties": 1, "additionalProperties": { "type": "array", "minItems": 1 } },
                { "type": "array", "minItems": 1, "items": named },
            ],
        },
        "paths": {
            "description": "Two or more ways for the same traffic, by name, each with its parameters: every client must get the same by each.",
            "type": "object",
            "minProperties": 2,
            "additionalProperties": { "type": ["object", "null"], "additionalProperties": any },
        },
    })
}

/// What makes a block of a step.
fn block_properties() -> Value {
    let steps = json!({ "anyOf": [
        { "type": "array", "items": { "$ref": "#/$defs/Step" } },
        { "$ref": "#/$defs/Step" },
        { "$ref": format!("#/$defs/{PARAMETER}") },
    ] });
    json!({
        "apart": {
            "description": "From the first to the second of a `race`. 10ms, unless given.",
            "type": "string",
        },
        "every": {
            "description": "From one round of `repeat` to the next; unless given, each begins when the one before is over.",
            "type": "string",
        },
        "for_each": {
            "description": "The `steps` for every combination of these parameters, all at once: `{ client: [a, b] }`.",
            "type": ["object", "array"],
        },
        "race": {
            "description": "Two steps, or lists of steps, by name: run with the first just before the second, the other way round, and at once.",
            "type": "object",
            "minProperties": 2,
            "maxProperties": 2,
            "additionalProperties": steps,
        },
        "repeat": {
            "description": "The `steps` so many times; `$n` is the number of the round.",
            "anyOf": [{ "type": "integer", "minimum": 1 }, { "$ref": format!("#/$defs/{PARAMETER}") }],
        },
        "steps": { "description": "The steps of a block; their `at` counts from where it begins.", "allOf": [steps] },
    })
}

fn add(root: &mut Map<String, Value>, key: &str, more: Value) {
    if let (Some(Value::Object(known)), Value::Object(more)) = (root.get_mut(key), more) {
        known.extend(more);
    }
}

/// Allows `$parameter` wherever a value of a key or an item of a list may stand.
fn let_parameters_stand(schema: &mut Value) {
    match schema {
        Value::Object(entries) => {
            entries.values_mut().for_each(let_parameters_stand);
            let_stand_below(entries);
        }
        Value::Array(items) => items.iter_mut().for_each(let_parameters_stand),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn let_stand_below(schema: &mut Map<String, Value>) {
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.values_mut().for_each(or_parameter);
    }
    for key in ["items", "additionalProperties"] {
        if let Some(below) = schema.get_mut(key) {
            or_parameter(below);
        }
    }
}

fn or_parameter(schema: &mut Value) {
    let Value::Object(entries) = schema else { return };
    let is_any_text = entries.get("type") == Some(&json!("string"))
        && !entries.keys().any(|key| key == "pattern" || key == "enum");
    if is_any_text {
        return;
    }
    let mut outside = Map::new();
    for key in ["description", "default"] {
        if let Some(value) = entries.remove(key) {
            outside.insert(key.to_owned(), value);
        }
    }
    let inside = std::mem::take(entries);
    outside.insert(
        "anyOf".to_owned(),
        json!([inside, { "$ref": format!("#/$defs/{PARAMETER}") }]),
    );
    *entries = outside;
}
