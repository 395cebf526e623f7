use squall_proto::{Packet, Property};

/// Of a client that takes so many messages at a time, the broker believes that it takes one more.
pub(super) fn wider_window(packet: &mut Packet) {
    let Packet::Connect(connect) = packet else {
        return;
    };
    let maximum = connect.properties.receive_maximum();
    let is_maximum = |property: &Property| matches!(property, Property::ReceiveMaximum(_));
    connect.properties.retain(|property| !is_maximum(property));
    if let Some(wider) = maximum.map(|maximum| maximum.saturating_add(1)) {
        connect.properties.push(Property::ReceiveMaximum(wider));
    }
}
