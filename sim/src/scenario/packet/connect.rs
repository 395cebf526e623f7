use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use squall_proto::Version;

use super::{RawProperties, Speaker, property::RawValue, text::RawText, write::Writer};
use crate::span::Span;

/// CONNECT, with everything in it free.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawConnect {
    /// Protocol Name. `MQTT`, unless given.
    pub protocol_name: RawText,
    /// Protocol Level. That of the version, unless given.
    pub protocol_level: Option<u8>,
    /// All Connect Flags at once, whatever the fields say.
    pub connect_flags: Option<u8>,
    /// Client Identifier. The peer's name, unless given.
    pub client_id: RawText,
    /// Keep Alive, whole seconds; 0 switches it off.
    pub keep_alive: Span,
    /// Clean Start; Clean Session in 3.1.1. Set, unless given.
    pub clean_start: bool,
    /// Session Expiry Interval, whole seconds; sent in 5.0 alone.
    pub session_expiry: Option<Span>,
    /// Will Message.
    pub will: Option<RawWill>,
    /// User Name.
    pub user_name: Option<RawText>,
    /// Password.
    pub password: Option<RawText>,
    /// Properties, 5.0 alone.
    pub properties: RawProperties,
}

/// The Will Message of a peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawWill {
    /// Where it is published.
    pub topic: RawText,
    /// What is published. The peer's name and `/will`, unless given.
    #[serde(default = "will_payload")]
    pub payload: RawText,
    /// Will QoS; 3 is wrong. 0, unless given.
    #[serde(default)]
    #[schemars(range(min = 0, max = 3))]
    pub qos: u8,
    /// Will Retain.
    #[serde(default)]
    pub retain: bool,
    /// Will Delay Interval, whole seconds, 5.0 alone.
    #[serde(default)]
    pub delay: Option<Span>,
    /// Properties, 5.0 alone.
    #[serde(default)]
    pub properties: RawProperties,
}

/// CONNACK, with everything in it free.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawConnack {
    /// Session Present. What is true, unless given; a peer's is 0.
    pub session_present: Option<bool>,
    /// All Connect Acknowledge Flags at once.
    pub acknowledge_flags: Option<u8>,
    /// Reason Code; return code in 3.1.1. 0, unless given.
    pub reason: u8,
    /// Properties, 5.0 alone.
    pub properties: RawProperties,
}

/// DISCONNECT, with everything in it free.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawDisconnect {
    /// Reason Code, 5.0 alone. 0, unless given.
    pub reason: Option<u8>,
    /// Properties, 5.0 alone.
    pub properties: RawProperties,
}

/// AUTH, with everything in it free.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawAuth {
    /// Reason Code. 0, unless given.
    pub reason: Option<u8>,
    /// Properties.
    pub properties: RawProperties,
}

impl Default for RawConnect {
    fn default() -> Self {
        Self {
            protocol_name: "MQTT".into(),
            protocol_level: None,
            connect_flags: None,
            client_id: "{client}".into(),
            keep_alive: Span::ZERO,
            clean_start: true,
            session_expiry: None,
            will: None,
            user_name: None,
            password: None,
            properties: RawProperties::default(),
        }
    }
}

impl RawConnect {
    fn flags(&self) -> u8 {
        let will = self.will.as_ref().map_or(0, |will| {
            0b100 | (will.qos & 0b11) << 3 | u8::from(will.retain) << 5
        });
        u8::from(self.clean_start) << 1
            | will
            | u8::from(self.password.is_some()) << 6
            | u8::from(self.user_name.is_some()) << 7
    }

    pub(super) fn fields(&self, speaker: &Speaker<'_>) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.binary(self.protocol_name.said_by(speaker).as_bytes());
        let level = match speaker.version {
            Version::V3_1_1 => 4,
            Version::V5 => 5,
        };
        writer.u8(self.protocol_level.unwrap_or(level));
        writer.u8(self.connect_flags.unwrap_or_else(|| self.flags()));
        writer.u16(u16::try_from(seconds(self.keep_alive)).unwrap_or(u16::MAX));
        if speaker.version == Version::V5 {
            let expiry = self.session_expiry.map(seconds).map(RawValue::Four);
            let expiry = expiry.map(|expiry| ("session_expiry_interval", expiry));
            self.properties.write(expiry, speaker, &mut writer);
        }
        writer.binary(self.client_id.said_by(speaker).as_bytes());
        if let Some(will) = &self.will {
            will.write(speaker, &mut writer);
        }
        for text in [&self.user_name, &self.password].into_iter().flatten() {
            writer.binary(text.said_by(speaker).as_bytes());
        }
        writer.done()
    }
}

impl RawWill {
    fn write(&self, speaker: &Speaker<'_>, writer: &mut Writer) {
        if speaker.version == Version::V5 {
            let delay = self.delay.map(seconds).map(RawValue::Four);
            let delay = delay.map(|delay| ("will_delay_interval", delay));
            self.properties.write(delay, speaker, writer);
        }
        writer.binary(self.topic.said_by(speaker).as_bytes());
        writer.binary(self.payload.said_by(speaker).as_bytes());
    }
}

impl RawConnack {
    pub(super) fn fields(&self, speaker: &Speaker<'_>) -> Vec<u8> {
        let mut writer = Writer::default();
        let session_present = u8::from(self.session_present.unwrap_or(speaker.session_present));
        writer.u8(self.acknowledge_flags.unwrap_or(session_present));
        writer.u8(self.reason);
        if speaker.version == Version::V5 {
            self.properties.write(None, speaker, &mut writer);
        }
        writer.done()
    }
}

impl RawDisconnect {
    pub(super) fn fields(&self, speaker: &Speaker<'_>) -> Vec<u8> {
        code_and_properties(self.reason, &self.properties, speaker)
    }
}

impl RawAuth {
    pub(super) fn fields(&self, speaker: &Speaker<'_>) -> Vec<u8> {
        code_and_properties(self.reason, &self.properties, speaker)
    }
}

/// Nothing at all where nothing is said.
fn code_and_properties(reason: Option<u8>, properties: &RawProperties, speaker: &Speaker<'_>) -> Vec<u8> {
    let mut writer = Writer::default();
    if speaker.version == Version::V5 && (reason.is_some() || !properties.0.is_empty()) {
        writer.u8(reason.unwrap_or(0));
        properties.write(None, speaker, &mut writer);
    }
    writer.done()
}

fn seconds(span: Span) -> u32 {
    u32::try_from(span.duration().as_secs()).unwrap_or(u32::MAX)
}

fn will_payload() -> RawText {
    "{client}/will".into()
}
