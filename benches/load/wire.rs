//! As much of MQTT 3.1.1 as the load needs, written and counted as cheaply as can be: the generator shares the machine.

/// A packet's first byte and what follows its fixed header.
pub(crate) struct Packet<'a> {
    pub(crate) first: u8,
    pub(crate) body: &'a [u8],
}

pub(crate) const PUBLISH: u8 = 3;
pub(crate) const PUBACK: u8 = 4;
pub(crate) const ACK_LEN: usize = 4;

/// Takes the packet at the front.
pub(crate) fn take<'a>(bytes: &mut &'a [u8]) -> Option<Packet<'a>> {
    let (&first, mut rest) = bytes.split_first()?;
    let mut len = 0;
    for shift in [0, 7, 14, 21] {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        len |= usize::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    let (body, rest) = rest.split_at_checked(len)?;
    *bytes = rest;
    Some(Packet { first, body })
}

impl Packet<'_> {
    pub(crate) const fn packet_type(&self) -> u8 {
        self.first >> 4
    }

    /// The Packet Identifier of a PUBLISH at QoS 1.
    pub(crate) fn publish_id(&self) -> Option<[u8; 2]> {
        let topic_len = u16::from_be_bytes(self.body.first_chunk().copied()?);
        self.body
            .get(2 + usize::from(topic_len)..)?
            .first_chunk()
            .copied()
    }
}

pub(crate) fn connect(client_id: &str) -> Vec<u8> {
    let mut body = vec![0, 4];
    // Clean Session; no Keep Alive.
    body.extend_from_slice(b"MQTT\x04\x02\x00\x00");
    push_text(&mut body, client_id);
    packet(0x10, &body)
}

pub(crate) fn subscribe(filter: &str, qos: u8) -> Vec<u8> {
    let mut body = vec![0, 1];
    push_text(&mut body, filter);
    body.push(qos);
    packet(0x82, &body)
}

pub(crate) fn publish(topic: &str, qos: u8, packet_id: u16, payload: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    push_text(&mut body, topic);
    if qos > 0 {
        body.extend_from_slice(&packet_id.to_be_bytes());
    }
    body.extend_from_slice(payload);
    packet(0x30 | qos << 1, &body)
}

fn push_text(body: &mut Vec<u8>, text: &str) {
    let len = u16::try_from(text.len()).expect("short names");
    body.extend_from_slice(&len.to_be_bytes());
    body.extend_from_slice(text.as_bytes());
}

fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let len = u8::try_from(body.len()).ok().filter(|len| *len < 0x80);
    let mut packet = vec![first, len.expect("short packets")];
    packet.extend_from_slice(body);
    packet
}
