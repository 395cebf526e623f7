use squall_proto::{Delivery, Packet, PacketId, Qos, ReasonCode};

/// A broker that takes QoS 0 for QoS 1 keeps its messages for who is absent.
pub(super) fn qos_1_for_qos_0(packet: &mut Packet) {
    if let Packet::Publish(publish) = packet
        && publish.delivery == Delivery::AtMostOnce
    {
        publish.delivery = Delivery::AtLeastOnce(PacketId::MIN);
    }
    if let Packet::Subscribe(subscribe) = packet {
        for (_, options) in &mut subscribe.filters {
            options.qos = options.qos.max(Qos::AtLeastOnce);
        }
    }
}

/// And sends them as QoS 0 after all.
pub(super) fn qos_0_for_qos_1(packet: &mut Packet) {
    if let Packet::Publish(publish) = packet {
        publish.delivery = Delivery::AtMostOnce;
        publish.dup = false;
    }
    if let Packet::Suback(suback) = packet {
        for code in &mut suback.reason_codes {
            if *code == ReasonCode::GrantedQos1 {
                *code = ReasonCode::Success;
            }
        }
    }
}
