use alloc::vec::Vec;

use super::{
    Client, Event, Failure, Message, Output, SessionLost, State, Subscription, Ticket, Why,
    connection::Connection,
    outbound::{Request, published},
    phase::Step,
    session::{Session, Stage},
};
use crate::{
    Ack, Connack, Instant, Packet, Properties, Property, SubscriptionId, SubscriptionOptions, TopicFilter,
    Version, Violation, exchange::Resend,
};

/// Topic Filters in one SUBSCRIBE that renews a lost session.
const FILTERS_MAX: usize = 32;

impl Client {
    /// CONNACK: the connection is refused, or made, with the session or without it.
    pub(super) fn connack(
        &mut self,
        now: Instant,
        clean_start: bool,
        connack: Connack,
        out: &mut impl Output,
    ) -> Result<(), Violation> {
        if connack.reason_code.is_error() {
            self.end(Why::Refused(connack), None, out);
            return Ok(());
        }
        if connack.session_present && !self.may_have_session(clean_start) {
            return Err(Violation::SessionPresentWithoutState);
        }
        if let Some(client_id) = connack.properties.assigned_client_identifier() {
            self.session.client_id = client_id;
        }
        let session_present = connack.session_present;
        let mut connection = Connection::new(self.session.next_order(), now, &self.options, &connack);
        out.event(Event::Connected {
            session_present,
            connack,
        });
        self.session.connected();
        if session_present {
            resend(&mut self.session, &mut connection, now, out);
        } else {
            self.session_lost(out);
        }
        self.enter(Step::Accepted, State::Connected(connection));
        Ok(())
    }

    /// Whether Session Present 1 is no surprise.
    // [MQTT-3.2.2-4] 3.1.1 leaves it to the client, unless it asked for a clean session.
    const fn may_have_session(&self, clean_start: bool) -> bool {
        let known = self.session.is_kept() || self.options.adopt_session;
        !clean_start && (known || matches!(self.options.version, Version::V3_1_1))
    }

    /// The server has no session: ours is dropped, and what is unfinished begins anew.
    // [MQTT-3.2.2-5] [MQTT-3.1.2-4] [v3 MQTT-3.1.2-6]
    fn session_lost(&mut self, out: &mut impl Output) {
        self.session.received.clear();
        let ids = self.session.in_order();
        let mut again = Vec::new();
        for sent in ids.iter().filter_map(|id| self.session.publishes.remove(id)) {
            match sent.stage {
                Stage::AtLeastOnce(message) => again.push((sent.ticket, message)),
                Stage::ExactlyOnce(message) => match self.options.session_lost {
                    SessionLost::PublishAgain => again.push((sent.ticket, message)),
                    SessionLost::Fail => published(sent.ticket, Err(Failure::SessionLost), out),
                },
                // PUBREC said that the server has the message: publishing it again could only double it.
                Stage::Release(reason_code) => published(sent.ticket, Ok(reason_code), out),
            }
        }
        self.publish_again(again);
        if self.options.resubscribe {
            self.resubscribe();
        } else {
            self.session.subscriptions.clear();
        }
    }

    fn publish_again(&mut self, messages: Vec<(Ticket, Message)>) {
        for message in messages.into_iter().rev() {
            self.queue.messages.push_front(message);
        }
    }

    fn resubscribe(&mut self) {
        let mut requests = Vec::new();
        let mut filters = Vec::new();
        let mut group = None;
        for (filter, (options, id)) in &self.session.subscriptions {
            if group != Some(*id) || filters.len() == FILTERS_MAX {
                push_group(&mut requests, &mut filters, group);
                group = Some(*id);
            }
            filters.push((filter.clone(), *options));
        }
        push_group(&mut requests, &mut filters, group);
        self.queue
            .requests
            .retain(|request| !matches!(request, Request::Resubscribe(_)));
        self.queue.ask_again(requests);
    }
}

fn push_group(
    requests: &mut Vec<Request>,
    filters: &mut Vec<(TopicFilter, SubscriptionOptions)>,
    group: Option<Option<SubscriptionId>>,
) {
    if filters.is_empty() {
        return;
    }
    let properties: Properties = group
        .flatten()
        .map(Property::SubscriptionIdentifier)
        .into_iter()
        .collect();
    requests.push(Request::Resubscribe(Subscription {
        filters: core::mem::take(filters),
        properties,
    }));
}

/// The server has the session: what is unfinished is sent again, PUBREL at once and PUBLISH as the send quota allows.
// [MQTT-4.4.0-1] [MQTT-4.3.3-6] [MQTT-4.9.0-3] [v3 MQTT-4.4.0-1]
fn resend(session: &mut Session, connection: &mut Connection, now: Instant, out: &mut impl Output) {
    for packet_id in session.in_order() {
        match session
            .publishes
            .get(&packet_id)
            .and_then(|sent| sent.stage.resend())
        {
            Some(Resend::Pubrel) => connection.send(now, &Packet::Pubrel(Ack::success(packet_id)), out),
            Some(Resend::Publish) => connection.resend.push_back(packet_id),
            None => {}
        }
    }
}
