use alloc::collections::btree_map::Entry;

use super::{
    Event, Output, Record,
    connection::Connection,
    outbound::published,
    request::Request,
    session::{Outbound, Release, Session, Stage},
};
use crate::{
    Ack, Instant, Packet, PacketId, PacketType, ReasonCode, Suback, Unsuback, Version, Violation,
    exchange::Answer,
};

/// PUBACK: the message is finished, whatever the Reason Code. One that belongs to nothing is passed over, as brokers send
/// them after they lost count.
// [MQTT-4.3.2-3] [MQTT-4.4.0-2]
pub(super) fn puback(
    session: &mut Session,
    connection: &mut Connection,
    ack: &Ack,
    out: &mut impl Output,
) -> Result<(), Violation> {
    let Some(stage) = session.publishes.get(&ack.packet_id) else {
        return Ok(());
    };
    stage.after(Answer::Puback, PacketType::Puback)?;
    connection.resend.retain(|packet_id| *packet_id != ack.packet_id);
    finish(session, ack.packet_id, ack.reason_code, out);
    Ok(())
}

/// PUBREC: below 0x80 the server has the message and PUBREL is the answer; otherwise the message is finished.
// [MQTT-4.3.3-4] [MQTT-4.3.3-5] [MQTT-4.3.3-6] [MQTT-4.4.0-2] [MQTT-4.6.0-4] [v3 MQTT-4.3.3-1] [v3 MQTT-4.6.0-4]
pub(super) fn pubrec(
    session: &mut Session,
    connection: &mut Connection,
    now: Instant,
    ack: &Ack,
    out: &mut impl Output,
) -> Result<(), Violation> {
    let released = session.next_order();
    let Some(stage) = session.publishes.get_mut(&ack.packet_id) else {
        pubrec_for_nothing(connection, now, ack, out);
        return Ok(());
    };
    let answer = if ack.reason_code.is_error() {
        Answer::PubrecRefused
    } else {
        Answer::Pubrec
    };
    let after = stage.after(answer, PacketType::Pubrec)?;
    connection.resend.retain(|packet_id| *packet_id != ack.packet_id);
    if after.is_complete() {
        finish(session, ack.packet_id, ack.reason_code, out);
        return Ok(());
    }
    if !matches!(stage, Stage::Release(_)) {
        let (order, ticket) = (stage.order(), stage.ticket());
        let (packet_id, reason_code) = (ack.packet_id, ack.reason_code);
        *stage = Stage::Release(Release {
            order,
            ticket,
            reason_code,
            released,
        });
        out.persist(Record::Released {
            order,
            packet_id,
            reason_code,
            released,
        });
    }
    connection.send(now, &Packet::Pubrel(Ack::success(ack.packet_id)), out);
    Ok(())
}

/// The server holds a message that this client knows nothing of: PUBREL lets it finish. One refused needs no answer.
fn pubrec_for_nothing(connection: &mut Connection, now: Instant, ack: &Ack, out: &mut impl Output) {
    if !ack.reason_code.is_error() {
        let pubrel = connection.ack(ack.packet_id, ReasonCode::PacketIdentifierNotFound);
        connection.send(now, &Packet::Pubrel(pubrel), out);
    }
}

/// PUBCOMP: the message is finished with the Reason Code of its PUBREC. One that belongs to nothing is passed over: it answers
/// the PUBREL for nothing.
pub(super) fn pubcomp(session: &mut Session, ack: &Ack, out: &mut impl Output) -> Result<(), Violation> {
    let Some(stage) = session.publishes.get(&ack.packet_id) else {
        return Ok(());
    };
    stage.after(Answer::Pubcomp, PacketType::Pubcomp)?;
    let reason_code = match stage {
        Stage::Release(release) => release.reason_code,
        Stage::AtLeastOnce(_) | Stage::ExactlyOnce(_) => ack.reason_code,
    };
    finish(session, ack.packet_id, reason_code, out);
    Ok(())
}

fn finish(session: &mut Session, packet_id: PacketId, reason_code: ReasonCode, out: &mut impl Output) {
    if let Some(stage) = session.publishes.remove(&packet_id) {
        let order = stage.order();
        out.persist(Record::Finished { order });
        published(stage.ticket(), Ok(reason_code), out);
    }
}

/// What SUBACK granted is remembered, for when the server loses it.
pub(super) fn suback(
    session: &mut Session,
    connection: &mut Connection,
    suback: Suback,
    out: &mut impl Output,
) -> Result<(), Violation> {
    let wrong = Violation::WrongAcknowledgement(PacketType::Suback);
    let Entry::Occupied(sent) = connection.requests.entry(suback.packet_id) else {
        return Err(wrong);
    };
    // A request that is answered wrongly stays: it is asked again on the next connection.
    let (Request::Subscribe(_, asked)
    | Request::Resubscribe {
        subscription: asked, ..
    }) = &sent.get().1
    else {
        return Err(wrong);
    };
    if suback.reason_codes.len() != asked.filters.len() {
        return Err(Violation::WrongReasonCodeCount(PacketType::Suback));
    }
    let (ticket, subscription) = match sent.remove().1 {
        Request::Subscribe(ticket, subscription) => (Some(ticket), subscription),
        Request::Resubscribe { subscription, .. } => (None, subscription),
        Request::Unsubscribe(..) => return Err(wrong),
    };
    let id = subscription.properties.subscription_identifiers().next();
    for ((filter, options), &reason_code) in subscription.filters.into_iter().zip(&suback.reason_codes) {
        if !reason_code.is_error() {
            session.subscriptions.insert(filter, (options, id));
        } else if ticket.is_none() {
            session.subscriptions.remove(&filter);
            out.event(Event::SubscriptionLost { filter, reason_code });
        }
    }
    if let Some(ticket) = ticket {
        let result = Ok(suback.reason_codes);
        out.event(Event::Subscribed { ticket, result });
    }
    Ok(())
}

/// What UNSUBACK ended is forgotten.
pub(super) fn unsuback(
    session: &mut Session,
    connection: &mut Connection,
    unsuback: Unsuback,
    out: &mut impl Output,
) -> Result<(), Violation> {
    let wrong = Violation::WrongAcknowledgement(PacketType::Unsuback);
    let version = connection.version();
    let Entry::Occupied(sent) = connection.requests.entry(unsuback.packet_id) else {
        return Err(wrong);
    };
    let Request::Unsubscribe(_, asked) = &sent.get().1 else {
        return Err(wrong);
    };
    let count = match version {
        Version::V3_1_1 => 0,
        Version::V5 => asked.filters.len(),
    };
    if unsuback.reason_codes.len() != count {
        return Err(Violation::WrongReasonCodeCount(PacketType::Unsuback));
    }
    let Request::Unsubscribe(ticket, unsubscription) = sent.remove().1 else {
        return Err(wrong);
    };
    for (at, filter) in unsubscription.filters.iter().enumerate() {
        if !unsuback.reason_codes.get(at).is_some_and(|code| code.is_error()) {
            session.subscriptions.remove(filter);
        }
    }
    let result = Ok(unsuback.reason_codes);
    out.event(Event::Unsubscribed { ticket, result });
    Ok(())
}

impl Stage {
    fn after(&self, answer: Answer, packet: PacketType) -> Result<Outbound, Violation> {
        let after = match self.state() {
            Outbound::Qos1(state) => state.next(answer).map(Outbound::Qos1),
            Outbound::Qos2(state) => state.next(answer).map(Outbound::Qos2),
        };
        after.ok_or(Violation::WrongAcknowledgement(packet))
    }
}
