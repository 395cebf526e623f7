//! What goes out to a session: what is sent, and what is missing.

use squall_proto::{Ack, ConnId, Instant, Publish, Qos, TopicName};

use super::{
    Connection, Model, Phase, Session, Unsent,
    message::{Awaits, InFlight, Owed},
};

impl Model {
    pub(super) fn sent_publish(&mut self, conn: ConnId, publish: &Publish) -> Result<(), String> {
        let now = self.now;
        let connection = self.connections.get_mut(&conn).expect("the connection is open");
        let topic = connection.topic_of(publish)?;
        let Some(session) = self.sessions.get_mut(&connection.client_id) else {
            return Err("the client has no session".into());
        };
        if !matches!(connection.phase, Phase::Connected) || session.connection != Some(conn) {
            return Err("sent to a connection that is to end".into());
        }
        if publish.dup {
            session.sent_again(connection, &topic, publish, now)?;
        } else {
            session.sent_first(connection, &topic, publish, now)?;
        }
        if publish.delivery.packet_id().is_some() {
            // [MQTT-3.3.4-9] [MQTT-4.9.0-2]
            connection.quota = connection.quota.checked_sub(1).ok_or("the send quota is zero")?;
        }
        Ok(())
    }

    // [MQTT-4.3.3-5] [MQTT-4.4.0-1] [v3 MQTT-4.4.0-1]
    pub(super) fn sent_pubrel_again(&mut self, conn: ConnId, ack: &Ack) -> Result<(), String> {
        let is_it = |it: &&mut InFlight| {
            it.packet_id == ack.packet_id.value() && it.awaits == Awaits::Pubcomp && !it.sent_here
        };
        match self.session(conn).in_flight.iter_mut().find(is_it) {
            Some(in_flight) => in_flight.sent_here = true,
            None => return Err("there is nothing to release".into()),
        }
        Ok(())
    }

    /// After an input: whatever could be sent has been.
    pub(crate) fn settle(&mut self) -> Result<(), String> {
        if let Some(conn) = self.stopping.first() {
            return Err(format!("{conn} is not closed"));
        }
        for (conn, connection) in &self.connections {
            if let Some(answer) = connection.answers.front() {
                return Err(format!("{conn} is owed an answer: {answer:?}"));
            }
            if matches!(connection.phase, Phase::Ending(_)) {
                return Err(format!("{conn} is not closed"));
            }
        }
        let now = self.now;
        for (client_id, session) in &mut self.sessions {
            if let Some(conn) = session.connection {
                session
                    .settle(&self.connections[&conn], now)
                    .map_err(|why| format!("{client_id} is owed {why}"))?;
            }
        }
        self.settle_shares()
    }
}

impl Connection {
    /// The topic of a PUBLISH to the client. [MQTT-3.3.2-7] [MQTT-3.1.2-26] [MQTT-3.1.2-27]
    fn topic_of(&mut self, publish: &Publish) -> Result<TopicName, String> {
        let alias = publish.properties.topic_alias().map(|alias| alias.value());
        if alias.is_some_and(|alias| alias > self.topic_alias_maximum) {
            return Err("the topic alias exceeds the client's maximum".into());
        }
        if let (Some(alias), Some(topic)) = (alias, &publish.topic) {
            self.aliases_of_broker.insert(alias, topic.clone());
        }
        let aliased = || self.aliases_of_broker.get(&alias?).cloned();
        publish
            .topic
            .clone()
            .or_else(aliased)
            .ok_or_else(|| "the topic alias is not known".into())
    }

    /// Whether the client can be sent this; `None` if that depends on the use of Topic Aliases.
    fn takes(&self, owed: &Owed, now: Instant) -> Option<bool> {
        if owed.size(now) <= self.packet_size_max {
            Some(true)
        } else if self.topic_alias_maximum > 0 {
            None
        } else {
            Some(false)
        }
    }
}

impl Session {
    /// A message that was not sent before.
    fn sent_first(
        &mut self,
        connection: &Connection,
        topic: &TopicName,
        publish: &Publish,
        now: Instant,
    ) -> Result<(), String> {
        let is_it = |owed: &Owed| {
            owed.is(topic, publish, connection.version, now)
                && !owed.message.is_expired(now)
                && !owed.is_taken()
        };
        let index = self
            .owed
            .iter()
            .position(is_it)
            .ok_or("no such message is owed")?;
        let owed = self.owed[index].clone();
        // [MQTT-4.6.0-5] [v3 MQTT-4.6.0-6]
        let is_before = |earlier: &&Owed| earlier.precedes(&owed) && earlier.is_due(connection, now);
        if let Some(earlier) = self.owed[..index].iter().find(is_before) {
            return Err(format!("{:?} comes first", earlier.message.payload));
        }
        // What could be left out and was overtaken has been left out.
        self.owed.remove(index);
        let mut later = self.owed.split_off(index);
        self.leave_out(|earlier| earlier.precedes(&owed));
        self.owed.append(&mut later);
        if let Some(share) = &owed.share {
            share.is_taken.set(true);
        }
        let Some(packet_id) = publish.delivery.packet_id() else {
            return Ok(());
        };
        // [MQTT-2.2.1-4] [v3 MQTT-2.3.1-4]
        if self.in_flight.iter().any(|it| it.packet_id == packet_id.value()) {
            return Err("the packet identifier is in use".into());
        }
        let older = |it: &InFlight| {
            !it.sent_here
                && it.awaits != Awaits::Pubcomp
                && it.owed.precedes(&owed)
                && it.owed.is_due(connection, now)
        };
        if self.in_flight.iter().any(older) {
            return Err("an older message is still to be sent again".into());
        }
        self.in_flight.push(InFlight {
            packet_id: packet_id.value(),
            awaits: if owed.qos == Qos::ExactlyOnce {
                Awaits::Pubrec
            } else {
                Awaits::Puback
            },
            owed,
            sent_here: true,
        });
        Ok(())
    }

    /// A message of an earlier connection. [MQTT-3.3.1-1] [MQTT-4.4.0-1] [v3 MQTT-3.3.1-1] [v3 MQTT-4.4.0-1]
    fn sent_again(
        &mut self,
        connection: &Connection,
        topic: &TopicName,
        publish: &Publish,
        now: Instant,
    ) -> Result<(), String> {
        let packet_id = publish.delivery.packet_id().ok_or("dup at qos 0")?.value();
        let is_again = |it: &InFlight| !it.sent_here && it.awaits != Awaits::Pubcomp;
        let index = self
            .in_flight
            .iter()
            .position(|it| it.packet_id == packet_id && is_again(it))
            .ok_or("nothing with this packet identifier is to be sent again")?;
        if !self.in_flight[index]
            .owed
            .is(topic, publish, connection.version, now)
        {
            return Err("another message than the first time".into());
        }
        // [MQTT-4.6.0-1] [v3 MQTT-4.6.0-1]
        let older = self.in_flight[..index]
            .iter()
            .find(|it| is_again(it) && it.owed.fits(connection, now));
        if let Some(older) = older {
            return Err(format!("id {} is older", older.packet_id));
        }
        self.in_flight[index].sent_here = true;
        let mut position = 0;
        self.in_flight.retain(|it| {
            position += 1;
            position > index || !is_again(it)
        });
        Ok(())
    }

    fn settle(&mut self, connection: &Connection, now: Instant) -> Result<(), String> {
        // [MQTT-4.3.3-5] PUBREL waits for nothing.
        let is_unreleased = |it: &&InFlight| it.awaits == Awaits::Pubcomp && !it.sent_here;
        if let Some(in_flight) = self.in_flight.iter().find(is_unreleased) {
            return Err(format!("PUBREL id {}", in_flight.packet_id));
        }
        if connection.quota == 0 || connection.unsent > Unsent::Nothing {
            return Ok(());
        }
        let is_again = |it: &&InFlight| !it.sent_here && it.owed.fits(connection, now);
        if let Some(in_flight) = self.in_flight.iter().find(is_again) {
            return Err(format!("id {} again", in_flight.packet_id));
        }
        if let Some(owed) = self.owed.iter().find(|owed| owed.is_due(connection, now)) {
            return Err(format!(
                "{} {:?} at {:?}",
                &*owed.message.topic, owed.message.payload, owed.qos
            ));
        }
        // What did not have to be sent, and was not, never will be.
        self.in_flight.retain(|it| it.sent_here);
        self.leave_out(|owed| !owed.may_be_sent(connection, now));
        self.owed.clear();
        Ok(())
    }
}

impl Owed {
    /// Whether it has to be sent, once its turn comes.
    fn is_due(&self, connection: &Connection, now: Instant) -> bool {
        !self.optional && self.share.is_none() && self.may_be_sent(connection, now)
    }

    // [MQTT-3.3.2-5]
    fn may_be_sent(&self, connection: &Connection, now: Instant) -> bool {
        let expired = self.message.is_expired(now) || self.message.expires_now(now);
        !expired && self.fits(connection, now)
    }

    // [MQTT-3.1.2-25] What is too large counts as sent.
    fn fits(&self, connection: &Connection, now: Instant) -> bool {
        connection.takes(self, now) == Some(true)
    }
}
