use alloc::{boxed::Box, vec::Vec};

use super::{
    Client, Event, Failure, Output, Record, Resubscribe, SessionLost, State, Subscription, Why,
    connection::Connection,
    outbound::{finished, published, queued},
    phase::Step,
    request::Request,
    session::{Release, Session, Stage},
};
use crate::{
    Ack, Connack, Instant, Packet, Property, SubscriptionId, SubscriptionOptions, TopicFilter, Version,
    Violation, exchange::Resend,
};

/// Topic Filters in one SUBSCRIBE that renews a lost session.
const FILTERS_MAX: usize = 32;

impl Client {
    /// CONNACK: the connection is refused, or made, with the session or without it. `last_sent` is when the client said the last before
    /// it.
    pub(super) fn connack(
        &mut self,
        now: Instant,
        (clean_start, last_sent): (bool, Instant),
        connack: Connack,
        out: &mut impl Output,
    ) -> Result<(), Violation> {
        if connack.reason_code.is_error() {
            self.end(Why::Refused(connack), None, out);
            return Ok(());
        }
        if !self.trusts(&connack.properties, out)? {
            return Ok(());
        }
        if connack.session_present && !self.may_have_session(clean_start) {
            return Err(Violation::SessionPresentWithoutState);
        }
        // Who brought an identifier keeps it.
        if self.session.client_id.is_empty()
            && let Some(client_id) = connack.properties.assigned_client_identifier()
        {
            self.session.client_id = client_id;
        }
        let session_present = connack.session_present;
        let number = self.session.next_order();
        let mut connection = Connection::new(number, (last_sent, now), &self.options, &connack);
        out.event(Event::Connected {
            session_present,
            connack,
        });
        self.session.connected();
        if session_present {
            resend(&mut self.session, &mut connection, now, out);
        } else {
            self.session_lost(now, out);
        }
        self.renew_subscriptions(session_present);
        self.enter(Step::Accepted, State::Connected(Box::new(connection)));
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
    fn session_lost(&mut self, now: Instant, out: &mut impl Output) {
        let client_id = &self.session.client_id;
        out.persist(Record::Session { client_id });
        self.session.received.clear();
        let ids = self.session.in_order();
        let mut again = Vec::new();
        for stage in ids.iter().filter_map(|id| self.session.publishes.remove(id)) {
            match stage {
                Stage::AtLeastOnce(pending) => again.push(pending),
                Stage::ExactlyOnce(pending) => match self.options.session_lost {
                    SessionLost::PublishAgain => again.push(pending),
                    SessionLost::Fail => finished(&pending, Err(Failure::SessionLost), out),
                },
                // PUBREC said that the server has the message: publishing it again could only double it.
                Stage::Release(Release {
                    order,
                    ticket,
                    reason_code,
                    ..
                }) => {
                    out.persist(Record::Finished { order });
                    published(ticket, Ok(reason_code), out);
                }
            }
        }
        for pending in &again {
            queued(pending, now, out);
        }
        self.queue.publish_again(again);
    }

    fn renew_subscriptions(&mut self, session_present: bool) {
        match (self.options.resubscribe, session_present) {
            (Resubscribe::Always, _) | (Resubscribe::WhenSessionLost, false) => {
                self.resubscribe(session_present)
            }
            (Resubscribe::Never, false) => self.session.subscriptions.clear(),
            (Resubscribe::WhenSessionLost | Resubscribe::Never, true) => {}
        }
    }

    fn resubscribe(&mut self, session_present: bool) {
        let may_exist = session_present && self.options.version == Version::V5;
        let mut renewals = Renewals {
            may_exist,
            requests: Vec::new(),
        };
        let mut filters = Vec::new();
        let mut group = None;
        for (filter, (options, id)) in &self.session.subscriptions {
            if group != Some(*id) || filters.len() == FILTERS_MAX {
                renewals.push(&mut filters, group);
                group = Some(*id);
            }
            filters.push((filter.clone(), *options));
        }
        renewals.push(&mut filters, group);
        self.queue
            .requests
            .retain(|request| !matches!(request, Request::Resubscribe { .. }));
        self.queue.ask_again(renewals.requests);
    }
}

/// The SUBSCRIBE packets that renew what was granted.
struct Renewals {
    may_exist: bool,
    requests: Vec<Request>,
}

impl Renewals {
    /// One for these filters, which have the same Subscription Identifier.
    fn push(
        &mut self,
        filters: &mut Vec<(TopicFilter, SubscriptionOptions)>,
        group: Option<Option<SubscriptionId>>,
    ) {
        if filters.is_empty() {
            return;
        }
        let id = group.flatten().map(Property::SubscriptionIdentifier);
        let subscription = Subscription {
            filters: core::mem::take(filters),
            properties: id.into_iter().collect(),
        };
        let may_exist = self.may_exist;
        self.requests.push(Request::Resubscribe {
            subscription,
            may_exist,
        });
    }
}

/// The server has the session: what is unfinished is sent again, PUBREL at once and PUBLISH as the send quota allows.
// [MQTT-4.4.0-1] [MQTT-4.3.3-6] [MQTT-4.9.0-3] [v3 MQTT-4.4.0-1]
fn resend(session: &mut Session, connection: &mut Connection, now: Instant, out: &mut impl Output) {
    for packet_id in session.in_order() {
        match session.publishes.get(&packet_id).and_then(Stage::resend) {
            Some(Resend::Pubrel) => connection.send(now, &Packet::Pubrel(Ack::success(packet_id)), out),
            Some(Resend::Publish) => connection.resend.push_back(packet_id),
            None => {}
        }
    }
}
