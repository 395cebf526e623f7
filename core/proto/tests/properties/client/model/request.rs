//! SUBSCRIBE and UNSUBSCRIBE.

use squall_proto::{
    Instant, Packet, ReasonCode, RetainHandling, Suback, Subscribe, SubscriptionId, SubscriptionOptions,
    Unsuback, Version,
    client::{Event, Failure, Misuse, Resubscribe, Subscription, Ticket, Unsubscription},
    encoded_len,
};

use super::{Connection, Model, Phase};

/// What the application asked for.
pub(super) struct Request {
    ticket: Ticket,
    asks: Asks,
    /// Its Packet Identifier on this connection.
    sent: Option<u16>,
}

#[derive(Clone)]
enum Asks {
    Subscribe(Subscription),
    Unsubscribe(Unsubscription),
}

#[derive(Clone, Copy)]
pub(super) struct Granted {
    options: SubscriptionOptions,
    id: Option<SubscriptionId>,
}

/// A subscription that the client asks for again by itself.
pub(super) struct Renewal {
    granted: Granted,
    /// Its Packet Identifier on this connection.
    sent: Option<u16>,
}

impl Model {
    pub(crate) fn subscribe(&mut self, now: Instant, ticket: Ticket, subscription: &Subscription) {
        self.ask(now, ticket, Asks::Subscribe(subscription.clone()));
    }

    pub(crate) fn unsubscribe(&mut self, now: Instant, ticket: Ticket, unsubscription: &Unsubscription) {
        self.ask(now, ticket, Asks::Unsubscribe(unsubscription.clone()));
    }

    fn ask(&mut self, now: Instant, ticket: Ticket, asks: Asks) {
        self.now = now;
        let unsent = self.requests.iter().filter(|it| it.sent.is_none()).count();
        if unsent >= self.options.queued {
            return self.events.push(asks.failed(ticket, Misuse::QueueFull(0).into()));
        }
        self.requests.push(Request {
            ticket,
            asks,
            sent: None,
        });
    }

    /// Whether a request has this Packet Identifier.
    pub(super) fn is_asked(&self, packet_id: u16) -> bool {
        self.requests.iter().any(|it| it.sent == Some(packet_id))
            || self.renewals.values().any(|it| it.sent == Some(packet_id))
    }

    pub(super) fn sent_request(&mut self, packet_id: u16, packet: &Packet) -> Result<(), String> {
        let Phase::Connected(connection) = &self.phase else {
            return Err("not connected".into());
        };
        if !connection.limits.takes_subscribe(packet) {
            return Err("the server takes no such subscription".into());
        }
        // [MQTT-2.2.1-3] [v3 MQTT-2.3.1-2]
        if self.in_flight.iter().any(|it| it.packet_id == packet_id) || self.is_asked(packet_id) {
            return Err("the packet identifier is in use".into());
        }
        // Squall renews first; which of two equal packets is which could not be told otherwise.
        if self.sent_renewal(packet_id, packet).is_ok() {
            return Ok(());
        }
        let Phase::Connected(connection) = &self.phase else {
            return Err("not connected".into());
        };
        let is_next = |it: &&mut Request| it.sent.is_none() && it.asks.can_be_sent(connection);
        match self.requests.iter_mut().find(is_next) {
            Some(request) if request.asks.is(packet) => request.sent = Some(packet_id),
            Some(_) | None => return self.sent_renewal(packet_id, packet),
        }
        Ok(())
    }

    /// The client asks by itself for what it was granted.
    fn sent_renewal(&mut self, packet_id: u16, packet: &Packet) -> Result<(), String> {
        let Packet::Subscribe(subscribe) = packet else {
            return Err("nobody asked for this".into());
        };
        for (filter, options) in &subscribe.filters {
            let renewal = self.renewals.get(&**filter).filter(|it| it.sent.is_none());
            if !renewal
                .ok_or("this is not to be renewed")?
                .granted
                .is(*options, subscribe)
            {
                return Err("this was granted with other options".into());
            }
        }
        for (filter, _) in &subscribe.filters {
            if let Some(renewal) = self.renewals.get_mut(&**filter) {
                renewal.sent = Some(packet_id);
            }
        }
        Ok(())
    }

    pub(super) fn suback(&mut self, suback: &Suback) {
        let packet_id = suback.packet_id.value();
        let is_it = |it: &Request| it.sent == Some(packet_id) && matches!(it.asks, Asks::Subscribe(_));
        if let Some(index) = self.requests.iter().position(is_it) {
            let request = self.requests.remove(index);
            let Asks::Subscribe(subscription) = request.asks else {
                return;
            };
            let id = subscription.properties.subscription_identifiers().next();
            for ((filter, options), code) in subscription.filters.into_iter().zip(&suback.reason_codes) {
                if !code.is_error() {
                    self.granted.insert(filter.to_string(), Granted { options, id });
                }
            }
            let result = Ok(suback.reason_codes.clone());
            let ticket = request.ticket;
            return self.events.push(Event::Subscribed { ticket, result });
        }
        let is_it = |_: &String, it: &mut Renewal| it.sent == Some(packet_id);
        let renewed: Vec<(String, Renewal)> = self.renewals.extract_if(.., is_it).collect();
        if renewed.is_empty() {
            // Squall ends a connection whose answers belong to nothing.
            return self.violated(&[ReasonCode::ProtocolError]);
        }
        for ((filter, renewal), reason_code) in renewed.into_iter().zip(&suback.reason_codes) {
            if reason_code.is_error() {
                self.granted.remove(&filter);
                self.lost_subscription(&filter, *reason_code);
            } else {
                // Squall goes by the order of the answers.
                self.granted.insert(filter, renewal.granted);
            }
        }
    }

    fn lost_subscription(&mut self, filter: &str, reason_code: ReasonCode) {
        let text = squall_proto::Text::new(filter).unwrap();
        let filter = match self.version() {
            Version::V3_1_1 => squall_proto::TopicFilter::not_shared(text).unwrap(),
            Version::V5 => squall_proto::TopicFilter::from_text(text).unwrap(),
        };
        self.events.push(Event::SubscriptionLost { filter, reason_code });
    }

    pub(super) fn unsuback(&mut self, unsuback: &Unsuback) {
        let packet_id = unsuback.packet_id.value();
        let is_it = |it: &Request| it.sent == Some(packet_id) && matches!(it.asks, Asks::Unsubscribe(_));
        let Some(index) = self.requests.iter().position(is_it) else {
            return self.violated(&[ReasonCode::ProtocolError]);
        };
        let request = self.requests.remove(index);
        let Asks::Unsubscribe(unsubscription) = request.asks else {
            return;
        };
        for (at, filter) in unsubscription.filters.iter().enumerate() {
            if !unsuback.reason_codes.get(at).is_some_and(|code| code.is_error()) {
                self.granted.remove(&**filter);
            }
        }
        self.events.push(Event::Unsubscribed {
            ticket: request.ticket,
            result: Ok(unsuback.reason_codes.clone()),
        });
    }

    /// The connection ended: what has no answer is asked again on the next.
    pub(super) fn requests_unsent(&mut self) {
        for request in &mut self.requests {
            request.sent = None;
        }
        for renewal in self.renewals.values_mut() {
            renewal.sent = None;
        }
    }

    /// The application is told that nobody takes its request.
    pub(super) fn told_refused(&mut self, event: &Event) -> Result<(), String> {
        if let Some(last) = self.requests.last().filter(|_| !self.is_connected()) {
            // What is to be renewed takes room too, a place for one filter or for several.
            let room = self.options.queued.saturating_sub(self.renewals.len());
            let refused = last.asks.failed(last.ticket, Misuse::QueueFull(0).into());
            if self.requests.len() > room && *event == refused {
                self.requests.pop();
                return Ok(());
            }
        }
        let Phase::Connected(connection) = &self.phase else {
            return Err("not connected".into());
        };
        match event {
            Event::Subscribed {
                ticket,
                result: Err(Failure::Misuse(_)),
            } => {
                let is_it = |it: &Request| it.ticket == *ticket && !it.asks.can_be_sent(connection);
                let index = self
                    .requests
                    .iter()
                    .position(is_it)
                    .ok_or("this can be asked for")?;
                self.requests.remove(index);
            }
            Event::SubscriptionLost { filter, .. } => {
                let renewal = self.renewals.get(&**filter).filter(|it| it.sent.is_none());
                let granted = renewal.ok_or("this is not to be renewed")?.granted;
                if Asks::Subscribe(granted.subscription(filter)).can_be_sent(connection) {
                    return Err("this can be asked for".into());
                }
                self.renewals.remove(&**filter);
            }
            _ => return Err("not owed".into()),
        }
        Ok(())
    }

    pub(super) fn settle_requests(&self) -> Result<(), String> {
        if !self.is_connected() {
            return Ok(());
        }
        if let Some(request) = self.requests.iter().find(|it| it.sent.is_none()) {
            return Err(format!("{:?} was not asked", request.ticket));
        }
        match self.renewals.iter().find(|(_, it)| it.sent.is_none()) {
            Some((filter, _)) if self.options.resubscribe != Resubscribe::Never => {
                Err(format!("{filter} was not renewed"))
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl Asks {
    fn failed(&self, ticket: Ticket, failure: Failure) -> Event {
        let result = Err(failure);
        match self {
            Self::Subscribe(_) => Event::Subscribed { ticket, result },
            Self::Unsubscribe(_) => Event::Unsubscribed { ticket, result },
        }
    }

    fn is(&self, packet: &Packet) -> bool {
        match (self, packet) {
            (Self::Subscribe(asked), Packet::Subscribe(sent)) => {
                asked.filters == sent.filters && asked.properties == sent.properties
            }
            (Self::Unsubscribe(asked), Packet::Unsubscribe(sent)) => asked.filters == sent.filters,
            (Self::Subscribe(_) | Self::Unsubscribe(_), _) => false,
        }
    }

    /// Whether the server takes it.
    fn can_be_sent(&self, connection: &Connection) -> bool {
        let Self::Subscribe(asked) = self else { return true };
        let packet = Packet::Subscribe(Subscribe {
            packet_id: crate::values::id(1),
            filters: asked.filters.clone(),
            properties: asked.properties.clone(),
        });
        connection.limits.takes_subscribe(&packet)
            && encoded_len(Version::V5, (&packet).into()) <= connection.limits.packet_size_max
    }
}

impl Granted {
    pub(super) const fn renewal(self) -> Renewal {
        Renewal {
            granted: self,
            sent: None,
        }
    }

    /// Squall may ask not to be sent retained messages again, which nobody wanted twice.
    fn is(self, options: SubscriptionOptions, subscribe: &Subscribe) -> bool {
        let quietly = SubscriptionOptions {
            retain_handling: RetainHandling::SendIfNew,
            ..self.options
        };
        let may_be_quiet = self.options.retain_handling == RetainHandling::Send;
        subscribe.properties.subscription_identifiers().next() == self.id
            && (options == self.options || may_be_quiet && options == quietly)
    }

    fn subscription(self, filter: &squall_proto::TopicFilter) -> Subscription {
        let id = self.id.map(squall_proto::Property::SubscriptionIdentifier);
        Subscription {
            filters: vec![(filter.clone(), self.options)],
            properties: id.into_iter().collect(),
        }
    }
}
