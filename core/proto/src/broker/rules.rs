/// How strictly clients are judged, rule by rule, where the standard leaves it to the server or clients in the field are known
/// to break it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// More unfinished QoS 2 messages than the broker's Receive Maximum. Strict: 0x93, the connection ends. Tolerant: they are
    /// taken.
    pub receive_maximum: Rule,
    /// PUBACK, PUBREC, PUBREL or PUBCOMP with a Packet Identifier that is not in use. Strict: Protocol Error, the connection ends.
    /// Tolerant: PUBREC and PUBREL are answered with 0x92 (3.1.1: without a code), the others ignored.
    pub unknown_packet_id: Rule,
    /// An acknowledgement that does not belong to the exchange its Packet Identifier names. Strict: Protocol Error, the
    /// connection ends. Tolerant: it is ignored.
    pub wrong_acknowledgement: Rule,
    /// PUBLISH, or a Will, to a topic that begins with `$`. Strict: refused with 0x90; 3.1.1, which has no code for it, is
    /// acknowledged, and the message dropped. Tolerant: an ordinary topic.
    pub dollar_topics: Rule,
    /// An empty Client Identifier. Strict: 0x85 (3.1.1: 2). Tolerant: the broker assigns one.
    pub empty_client_id: Rule,
    /// A Client Identifier that is longer than 23 bytes or has other characters than letters and digits. Strict: 0x85
    /// (3.1.1: 2). Tolerant: taken.
    pub plain_client_id: Rule,
    /// A payload that its Payload Format Indicator calls UTF-8, and that is not. Strict: refused with 0x99. Tolerant: it goes
    /// through.
    pub payload_format: Rule,
}

/// Whether a rule is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Who breaks it is told, or closed.
    Strict,
    /// It is let pass.
    Tolerant,
}

impl Rule {
    /// Whether it is [`Rule::Strict`].
    pub const fn is_strict(self) -> bool {
        matches!(self, Self::Strict)
    }
}

impl Default for Rules {
    /// Strict where a client does what the standard forbids, tolerant where it leaves the choice to the server.
    fn default() -> Self {
        Self {
            receive_maximum: Rule::Strict,
            unknown_packet_id: Rule::Tolerant,
            wrong_acknowledgement: Rule::Strict,
            dollar_topics: Rule::Tolerant,
            empty_client_id: Rule::Tolerant,
            plain_client_id: Rule::Tolerant,
            payload_format: Rule::Tolerant,
        }
    }
}
