use bytes::{Bytes, BytesMut};

use crate::{PacketRef, Version};

/// Appends the packet, payload and all, to `buffer`. Never fails: what the standard forbids does not construct, or is not
/// said in the peer's version (Reason Codes and properties in 3.1.1).
pub fn encode(version: Version, packet: PacketRef<'_>, buffer: &mut BytesMut) {
    let _ = (version, packet, buffer);
}

/// As [`encode`], but the payload of a PUBLISH is returned, not appended, so that large ones are written without a copy.
pub fn encode_without_payload<'a>(
    version: Version,
    packet: PacketRef<'a>,
    buffer: &mut BytesMut,
) -> Option<&'a Bytes> {
    let _ = (version, packet, buffer);
    None
}

/// How many bytes [`encode`] appends: the whole packet, fixed header included.
pub fn encoded_len(version: Version, packet: PacketRef<'_>) -> usize {
    let _ = (version, packet);
    0
}
