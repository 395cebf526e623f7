use core::time::Duration;

use super::{
    AtMostOnceOffline, Client, Event, Failure, Message, Misuse, Output, Overflow, Record, State,
    Subscription, Ticket, Unsubscription,
    connection::Connection,
    pending::Pending,
    queue::Queue,
    request::Request,
    session::{Session, Stage},
};
use crate::{Instant, PacketId, Qos, ReasonCode};

impl Client {
    pub(super) fn publish(&mut self, now: Instant, ticket: Ticket, message: Message, out: &mut impl Output) {
        let accepted = match message.check(self.options.version) {
            Ok(()) => self.make_room(&message, out),
            Err(misuse) => Err(misuse.into()),
        };
        if let Err(failure) = accepted {
            return published(ticket, Err(failure), out);
        }
        let pending = Pending {
            order: self.session.next_order(),
            ticket,
            message,
            since: now,
            waited: Duration::ZERO,
        };
        queued(&pending, now, out);
        self.queue.push(pending);
        self.expire(now, out);
        self.pump(now, out);
    }

    /// Whether the message may wait in the queue, perhaps in the place of an older one.
    fn make_room(&mut self, message: &Message, out: &mut impl Output) -> Result<(), Failure> {
        let connected = matches!(self.state, State::Connected(_));
        let at_most_once = message.qos == Qos::AtMostOnce;
        if at_most_once && !connected && self.options.at_most_once_offline == AtMostOnceOffline::Drop {
            return Err(Failure::Offline);
        }
        while !self.queue.has_room(&self.options) {
            match self.options.overflow {
                Overflow::Wait | Overflow::Refuse => {
                    return Err(Misuse::QueueFull(self.queue.message_count()).into());
                }
                Overflow::DropNewest => return Err(Failure::Dropped),
                Overflow::DropOldest => match self.queue.oldest() {
                    Some(oldest) => finished(&oldest, Err(Failure::Dropped), out),
                    None => return Err(Failure::Dropped),
                },
            }
        }
        Ok(())
    }

    /// Ends the messages that waited longer than their Message Expiry Interval. Those that were sent are not touched.
    // [MQTT-4.3.3-7]
    pub(super) fn expire(&mut self, now: Instant, out: &mut impl Output) {
        while let Some(expired) = self.queue.expired(now) {
            finished(&expired, Err(Failure::Expired), out);
        }
    }

    pub(super) fn subscribe(
        &mut self,
        now: Instant,
        ticket: Ticket,
        subscription: Subscription,
        out: &mut impl Output,
    ) {
        let checked = subscription.check(self.options.version);
        self.ask(now, checked, Request::Subscribe(ticket, subscription), out);
    }

    pub(super) fn unsubscribe(
        &mut self,
        now: Instant,
        ticket: Ticket,
        unsubscription: Unsubscription,
        out: &mut impl Output,
    ) {
        let checked = unsubscription.check(self.options.version);
        self.ask(now, checked, Request::Unsubscribe(ticket, unsubscription), out);
    }

    fn ask(&mut self, now: Instant, checked: Result<(), Misuse>, request: Request, out: &mut impl Output) {
        let accepted = match checked {
            Ok(()) if !self.takes_requests() => Err(Misuse::QueueFull(self.queue.requests.len())),
            Ok(()) | Err(_) => checked,
        };
        match accepted {
            Ok(()) => self.queue.requests.push_back(request),
            Err(misuse) => request.fail(misuse, out),
        }
        self.pump(now, out);
    }

    /// Sends whatever may be sent now.
    // [MQTT-3.3.4-8] [MQTT-4.9.0-3] A used-up send quota holds back QoS 1 and 2 alone.
    pub(super) fn pump(&mut self, now: Instant, out: &mut impl Output) {
        let State::Connected(connection) = &mut self.state else {
            return;
        };
        let (session, queue) = (&mut self.session, &mut self.queue);
        send_requests(session, connection, queue, now, out);
        while let Some(pending) = queue.next_at_most_once() {
            send_at_most_once(connection, now, &pending, out);
        }
        while connection.send_quota(session.publishes.len()) > 0
            && let Some(packet_id) = connection.resend.pop_front()
        {
            send_again(session, connection, now, packet_id, out);
        }
        while connection.send_quota(session.publishes.len()) > 0 && queue.has_messages() {
            let Some(packet_id) = free_packet_id(session, connection) else {
                return;
            };
            if let Some(pending) = queue.next_message() {
                send_first(session, connection, now, packet_id, pending, out);
            }
        }
    }
}

fn free_packet_id(session: &mut Session, connection: &Connection) -> Option<PacketId> {
    session.free_packet_id(|packet_id| connection.requests.contains_key(&packet_id))
}

fn send_requests(
    session: &mut Session,
    connection: &mut Connection,
    queue: &mut Queue,
    now: Instant,
    out: &mut impl Output,
) {
    while !queue.requests.is_empty()
        && let Some(packet_id) = free_packet_id(session, connection)
        && let Some(request) = queue.requests.pop_front()
    {
        let packet = request.packet(packet_id);
        match request.permitted(connection, &packet) {
            Ok(()) => {
                connection.send(now, &packet, out);
                let order = session.next_order();
                connection.requests.insert(packet_id, (order, request));
            }
            // Of what is renewed together, the rest may yet be permitted.
            Err(misuse) => match request.apart() {
                Ok(requests) => queue.ask_again(requests),
                Err(request) => request.fail(misuse, out),
            },
        }
    }
}

// [MQTT-4.3.1-1] [MQTT-3.3.1-2] [v3 MQTT-4.3.1-1] [v3 MQTT-3.3.1-2]
fn send_at_most_once(connection: &mut Connection, now: Instant, pending: &Pending, out: &mut impl Output) {
    let packet = pending.packet(now, None, false);
    let permitted = connection.permits_message(&pending.message, &packet);
    if permitted.is_ok() {
        connection.send_first(now, &packet, out);
    }
    let result = permitted.map(|()| ReasonCode::Success);
    published(pending.ticket, result.map_err(Failure::from), out);
}

// [MQTT-4.3.2-2] [MQTT-4.3.3-2] [v3 MQTT-4.3.2-1] [v3 MQTT-4.3.3-1]
fn send_first(
    session: &mut Session,
    connection: &mut Connection,
    now: Instant,
    packet_id: PacketId,
    pending: Pending,
    out: &mut impl Output,
) {
    let packet = pending.packet(now, Some(packet_id), false);
    if let Err(misuse) = connection.permits_message(&pending.message, &packet) {
        return finished(&pending, Err(misuse.into()), out);
    }
    let order = pending.order;
    out.persist(Record::Sent { order, packet_id });
    connection.send_first(now, &packet, out);
    session.publishes.insert(packet_id, Stage::of(pending));
}

/// Sends a PUBLISH of the session again, with its whole Topic Name, unless the server has become one that does not take it.
// [MQTT-3.3.1-1] [MQTT-4.4.0-1] [v3 MQTT-3.3.1-1] [v3 MQTT-2.3.1-3]
fn send_again(
    session: &mut Session,
    connection: &mut Connection,
    now: Instant,
    packet_id: PacketId,
    out: &mut impl Output,
) {
    let Some(Stage::AtLeastOnce(pending) | Stage::ExactlyOnce(pending)) = session.publishes.get(&packet_id)
    else {
        return;
    };
    let packet = pending.packet(now, Some(packet_id), true);
    match connection.permits_message(&pending.message, &packet) {
        Ok(()) => connection.send(now, &packet, out),
        Err(misuse) => {
            finished(pending, Err(misuse.into()), out);
            session.publishes.remove(&packet_id);
        }
    }
}

/// Tells the application of a message's end, and the records unless it was of QoS 0.
pub(super) fn finished(pending: &Pending, result: Result<ReasonCode, Failure>, out: &mut impl Output) {
    if pending.message.qos != Qos::AtMostOnce {
        out.persist(Record::Finished { order: pending.order });
    }
    published(pending.ticket, result, out);
}

/// A QoS 1 or 2 message waits to be sent as new.
pub(super) fn queued(pending: &Pending, now: Instant, out: &mut impl Output) {
    let Pending {
        order,
        ref message,
        since,
        waited,
        ..
    } = *pending;
    if message.qos != Qos::AtMostOnce {
        let waited = waited + now.saturating_since(since);
        out.persist(Record::Queued {
            order,
            message,
            waited,
        });
    }
}

pub(super) fn published(ticket: Ticket, result: Result<ReasonCode, Failure>, out: &mut impl Output) {
    out.event(Event::Published { ticket, result });
}
