use schemars::{Schema, generate::SchemaSettings};

use super::Scenario;

/// The JSON Schema of a scenario file. Editors that know YAML complete from it:
/// `# yaml-language-server: $schema=../sim/schema/scenario.schema.json` as a file's first line.
pub fn json_schema() -> Schema {
    SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<Scenario>()
}
