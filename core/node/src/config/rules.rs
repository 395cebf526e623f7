use serde::Deserialize;
use squall_proto::broker::{Rule, Rules};

/// [`Rules`] as TOML says them: the compiler sees to it that none is forgotten.
#[derive(Deserialize)]
#[serde(remote = "Rules", default = "Rules::default", deny_unknown_fields)]
pub(super) struct Table {
    #[serde(with = "Word")]
    receive_maximum: Rule,
    #[serde(with = "Word")]
    unknown_packet_id: Rule,
    #[serde(with = "Word")]
    wrong_acknowledgement: Rule,
    #[serde(with = "Word")]
    dollar_topics: Rule,
    #[serde(with = "Word")]
    empty_client_id: Rule,
    #[serde(with = "Word")]
    plain_client_id: Rule,
    #[serde(with = "Word")]
    payload_format: Rule,
}

#[derive(Deserialize)]
#[serde(remote = "Rule", rename_all = "lowercase")]
enum Word {
    Strict,
    Tolerant,
}
