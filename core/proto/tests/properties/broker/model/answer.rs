//! Answers that are owed, and the answers of clients.

use squall_proto::{Ack, ConnId, Packet, PacketId, Properties, ReasonCode, Version};

use super::{Model, Phase, message::Awaits};

impl Model {
    /// Owes a connection any of these packets.
    pub(super) fn owe(&mut self, conn: ConnId, any_of: Vec<Packet>) {
        self.connection(conn).answers.push_back(any_of);
    }

    pub(super) fn owe_ack(
        &mut self,
        conn: ConnId,
        kind: fn(Ack) -> Packet,
        packet_id: PacketId,
        codes: &[ReasonCode],
    ) {
        let any_of = match self.connections[&conn].version {
            Version::V5 => codes.iter().map(|code| kind(Ack::of(packet_id, *code))).collect(),
            Version::V3_1_1 => vec![kind(Ack::success(packet_id))],
        };
        self.owe(conn, any_of);
    }

    /// PUBACK, PUBREC or PUBCOMP from a client.
    pub(super) fn answered(&mut self, conn: ConnId, packet: &Packet, ack: &Ack) {
        let in_flight = &mut self.session(conn).in_flight;
        let Some(index) = in_flight
            .iter()
            .position(|it| it.packet_id == ack.packet_id.value())
        else {
            // PUBREC asks for an answer, which says that nothing is known; the others end what was forgotten.
            if matches!(packet, Packet::Pubrec(ack) if !ack.reason_code.is_error()) {
                self.owe_ack(
                    conn,
                    Packet::Pubrel,
                    ack.packet_id,
                    &[ReasonCode::PacketIdentifierNotFound],
                );
            }
            return;
        };
        match (in_flight[index].awaits, packet) {
            // [MQTT-4.3.2-3] [v3 MQTT-4.3.2-1] [MQTT-4.3.3-3] [v3 MQTT-4.3.3-1]
            (Awaits::Puback, Packet::Puback(_)) | (Awaits::Pubcomp, Packet::Pubcomp(_)) => {
                self.finish(conn, index)
            }
            (Awaits::Pubrec, Packet::Pubrec(ack)) if ack.reason_code.is_error() => self.finish(conn, index),
            // [MQTT-4.3.3-4]
            (Awaits::Pubrec | Awaits::Pubcomp, Packet::Pubrec(ack)) if !ack.reason_code.is_error() => {
                in_flight[index].awaits = Awaits::Pubcomp;
                in_flight[index].sent_here = true;
                self.owe_ack(conn, Packet::Pubrel, ack.packet_id, &[ReasonCode::Success]);
            }
            // Squall ends a connection that mixes the two up.
            (_, _) => self.end(conn, &[ReasonCode::ProtocolError], true),
        }
    }

    // [MQTT-4.9.0-2] Section 4.9: never above where it began.
    fn finish(&mut self, conn: ConnId, index: usize) {
        self.session(conn).in_flight.remove(index);
        let connection = self.connection(conn);
        connection.quota = (connection.quota + 1).min(connection.quota_max);
    }

    /// The broker sends a packet of this many bytes.
    pub(crate) fn sent(&mut self, conn: ConnId, packet: &Packet, size: usize) -> Result<(), String> {
        let connection = self.connection(conn);
        // [MQTT-3.1.2-24]
        if size > connection.packet_size_max {
            return Err(format!("{size} bytes exceed the client's maximum packet size"));
        }
        if matches!(connection.phase, Phase::Closed) {
            return Err("sent after the close".into());
        }
        let plain = plain(packet);
        if connection
            .answers
            .front()
            .is_some_and(|any_of| any_of.contains(&plain))
        {
            connection.answers.pop_front();
            return match packet {
                Packet::Connack(connack) => self.check_connack(conn, connack),
                // [MQTT-4.3.3-9] The Packet Identifier of a refused message is free.
                Packet::Pubrec(ack) if ack.reason_code.is_error() => {
                    self.release(conn, ack.packet_id);
                    Ok(())
                }
                _ => Ok(()),
            };
        }
        // [MQTT-3.2.0-1] [v3 MQTT-3.2.0-1]
        if let Some([Packet::Connack(_), ..]) = connection.answers.front().map(Vec::as_slice) {
            return Err(format!("CONNACK comes first: {:?}", connection.answers[0]));
        }
        match packet {
            Packet::Publish(publish) => self.sent_publish(conn, publish),
            Packet::Pubrel(ack) => self.sent_pubrel_again(conn, ack),
            Packet::Disconnect(disconnect) => self.sent_disconnect(conn, disconnect.reason_code),
            _ => Err(format!(
                "not owed; what is: {:?}",
                self.connections[&conn].answers
            )),
        }
    }
}

/// Without what people are told beside the Reason Code, and without what CONNACK grants.
fn plain(packet: &Packet) -> Packet {
    let mut plain = packet.clone();
    match &mut plain {
        Packet::Connack(connack) => connack.properties = Properties::new(),
        Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack) => {
            ack.properties = Properties::new();
        }
        Packet::Suback(suback) => suback.properties = Properties::new(),
        Packet::Unsuback(unsuback) => unsuback.properties = Properties::new(),
        _ => {}
    }
    plain
}
