use alloc::{collections::VecDeque, vec::Vec};

use super::{
    Client, Event, Failure, Message, Misuse, Output, State, Subscription, Ticket, Unsubscription,
    connection::Connection,
    session::{Sent, Session, Stage},
};
use crate::{Delivery, Instant, Packet, PacketId, Qos, ReasonCode};

/// What the application asked for and was not sent yet.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) requests: VecDeque<Request>,
    /// QoS 1 and 2.
    pub(super) messages: VecDeque<(Ticket, Message)>,
    /// QoS 0, which wait for a connection but not for the send quota.
    at_most_once: VecDeque<(Ticket, Message)>,
}

/// Something the server answers with SUBACK or UNSUBACK.
#[derive(Debug)]
pub(super) enum Request {
    Subscribe(Ticket, Subscription),
    Unsubscribe(Ticket, Unsubscription),
    /// The client's own, to renew what a lost session had.
    Resubscribe(Subscription),
}

impl Queue {
    pub(super) fn message_count(&self) -> usize {
        self.messages.len() + self.at_most_once.len()
    }

    pub(super) fn ask_again(&mut self, requests: Vec<Request>) {
        for request in requests.into_iter().rev() {
            self.requests.push_front(request);
        }
    }
}

impl Client {
    pub(super) fn publish(&mut self, now: Instant, ticket: Ticket, message: Message, out: &mut impl Output) {
        if let Err(misuse) = self.accepts(message.check(self.options.version), self.queue.message_count()) {
            return published(ticket, Err(misuse.into()), out);
        }
        match message.qos {
            Qos::AtMostOnce => self.queue.at_most_once.push_back((ticket, message)),
            Qos::AtLeastOnce | Qos::ExactlyOnce => self.queue.messages.push_back((ticket, message)),
        }
        self.pump(now, out);
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
        match self.accepts(checked, self.queue.requests.len()) {
            Ok(()) => self.queue.requests.push_back(request),
            Err(misuse) => request.fail(misuse, out),
        }
        self.pump(now, out);
    }

    fn accepts(&self, checked: Result<(), Misuse>, waiting: usize) -> Result<(), Misuse> {
        checked?;
        if waiting >= self.options.queued {
            return Err(Misuse::QueueFull(waiting));
        }
        Ok(())
    }

    /// Sends whatever may be sent now.
    // [MQTT-3.3.4-8] [MQTT-4.9.0-3] A used-up send quota holds back QoS 1 and 2 alone.
    pub(super) fn pump(&mut self, now: Instant, out: &mut impl Output) {
        let State::Connected(connection) = &mut self.state else {
            return;
        };
        let (session, queue) = (&mut self.session, &mut self.queue);
        send_requests(session, connection, queue, now, out);
        while let Some((ticket, message)) = queue.at_most_once.pop_front() {
            send_at_most_once(connection, now, ticket, &message, out);
        }
        while connection.send_quota(session.publishes.len()) > 0
            && let Some(packet_id) = connection.resend.pop_front()
        {
            send_again(session, connection, now, packet_id, out);
        }
        while connection.send_quota(session.publishes.len()) > 0 && !queue.messages.is_empty() {
            let Some(packet_id) = free_packet_id(session, connection) else {
                return;
            };
            if let Some((ticket, message)) = queue.messages.pop_front() {
                send_first(session, connection, now, packet_id, (ticket, message), out);
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
                connection
                    .requests
                    .insert(packet_id, (session.next_order(), request));
            }
            Err(misuse) => request.fail(misuse, out),
        }
    }
}

// [MQTT-4.3.1-1] [MQTT-3.3.1-2] [MQTT-2.2.1-2] [v3 MQTT-4.3.1-1] [v3 MQTT-3.3.1-2] [v3 MQTT-2.3.1-5]
fn send_at_most_once(
    connection: &mut Connection,
    now: Instant,
    ticket: Ticket,
    message: &Message,
    out: &mut impl Output,
) {
    let packet = message.packet(Delivery::AtMostOnce, false);
    let permitted = connection.permits_message(message, &packet);
    if permitted.is_ok() {
        connection.send(now, &packet, out);
    }
    published(
        ticket,
        permitted.map(|()| ReasonCode::Success).map_err(Failure::from),
        out,
    );
}

// [MQTT-4.3.2-2] [MQTT-4.3.3-2] [v3 MQTT-4.3.2-1] [v3 MQTT-4.3.3-1]
fn send_first(
    session: &mut Session,
    connection: &mut Connection,
    now: Instant,
    packet_id: PacketId,
    (ticket, message): (Ticket, Message),
    out: &mut impl Output,
) {
    let packet = message.packet(delivery(&message, packet_id), false);
    if let Err(misuse) = connection.permits_message(&message, &packet) {
        return published(ticket, Err(misuse.into()), out);
    }
    connection.send(now, &packet, out);
    let stage = match message.qos {
        Qos::AtMostOnce | Qos::AtLeastOnce => Stage::AtLeastOnce(message),
        Qos::ExactlyOnce => Stage::ExactlyOnce(message),
    };
    let order = session.next_order();
    session.publishes.insert(packet_id, Sent { order, ticket, stage });
}

/// Sends a PUBLISH of the session again, unless the server has become one that does not take it.
// [MQTT-3.3.1-1] [MQTT-4.4.0-1] [v3 MQTT-3.3.1-1] [v3 MQTT-2.3.1-3]
fn send_again(
    session: &mut Session,
    connection: &mut Connection,
    now: Instant,
    packet_id: PacketId,
    out: &mut impl Output,
) {
    let Some(sent) = session.publishes.get(&packet_id) else {
        return;
    };
    let (Stage::AtLeastOnce(message) | Stage::ExactlyOnce(message)) = &sent.stage else {
        return;
    };
    let packet = message.packet(delivery(message, packet_id), true);
    match connection.permits_message(message, &packet) {
        Ok(()) => connection.send(now, &packet, out),
        Err(misuse) => {
            published(sent.ticket, Err(misuse.into()), out);
            session.publishes.remove(&packet_id);
        }
    }
}

const fn delivery(message: &Message, packet_id: PacketId) -> Delivery {
    match message.qos {
        Qos::AtMostOnce => Delivery::AtMostOnce,
        Qos::AtLeastOnce => Delivery::AtLeastOnce(packet_id),
        Qos::ExactlyOnce => Delivery::ExactlyOnce(packet_id),
    }
}

pub(super) fn published(ticket: Ticket, result: Result<ReasonCode, Failure>, out: &mut impl Output) {
    out.event(Event::Published { ticket, result });
}

impl Request {
    fn packet(&self, packet_id: PacketId) -> Packet {
        match self {
            Self::Subscribe(_, subscription) | Self::Resubscribe(subscription) => {
                subscription.packet(packet_id)
            }
            Self::Unsubscribe(_, unsubscription) => unsubscription.packet(packet_id),
        }
    }

    fn permitted(&self, connection: &Connection, packet: &Packet) -> Result<(), Misuse> {
        match self {
            Self::Subscribe(_, subscription) | Self::Resubscribe(subscription) => {
                connection.permits_subscription(subscription, packet)
            }
            Self::Unsubscribe(..) => connection.permits_size(packet),
        }
    }

    fn fail(self, misuse: Misuse, out: &mut impl Output) {
        let result = Err(Failure::Misuse(misuse));
        match self {
            Self::Subscribe(ticket, _) => out.event(Event::Subscribed { ticket, result }),
            Self::Unsubscribe(ticket, _) => out.event(Event::Unsubscribed { ticket, result }),
            Self::Resubscribe(subscription) => {
                for (filter, _) in subscription.filters {
                    let reason_code = misuse.reason_code();
                    out.event(Event::SubscriptionLost { filter, reason_code });
                }
            }
        }
    }
}
