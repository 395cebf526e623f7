use serde::{Deserialize, Deserializer, de::Error as _};
use squall_proto::{Text, broker::Told};

/// [`Told`] as TOML says it: the compiler sees to it that nothing is forgotten.
#[derive(Deserialize)]
#[serde(remote = "Told", default = "Told::default", deny_unknown_fields)]
pub(super) struct Table {
    #[serde(deserialize_with = "some_text")]
    response_information: Option<Text>,
    #[serde(deserialize_with = "some_text")]
    server_reference: Option<Text>,
    #[serde(deserialize_with = "text")]
    client_id_prefix: Text,
}

fn some_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Text>, D::Error> {
    text(deserializer).map(Some)
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
    let text = String::deserialize(deserializer)?;
    Text::new(&text).map_err(D::Error::custom)
}
