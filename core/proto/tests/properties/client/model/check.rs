//! How packets and events are held to what is owed.

use squall_proto::{
    Packet,
    client::{Event, Failure, Misuse},
};

use super::{Model, Phase};

impl Model {
    /// The client sends a packet of this many bytes.
    pub(crate) fn sent(&mut self, packet: &Packet, size: usize) -> Result<(), String> {
        match (&mut self.phase, packet) {
            (
                Phase::Connecting {
                    connect_sent: sent @ false,
                    ..
                },
                Packet::Connect(connect),
            ) => {
                *sent = true;
                return self.sent_connect(connect);
            }
            (_, Packet::Disconnect(disconnect)) => return self.sent_disconnect(disconnect.reason_code),
            (Phase::Connected(connection), _) => {
                connection.last_sent = self.now;
                // [MQTT-3.2.2-15]
                if size > connection.limits.packet_size_max {
                    return Err(format!("{size} bytes exceed the server's maximum packet size"));
                }
            }
            (Phase::Offline | Phase::Connecting { .. } | Phase::Ending(_) | Phase::Closed, _) => {
                return Err("nothing may be sent now".into());
            }
        }
        match packet {
            Packet::Publish(publish) => self.sent_publish(publish),
            Packet::Subscribe(subscribe) => self.sent_request(subscribe.packet_id.value(), packet),
            Packet::Unsubscribe(unsubscribe) => self.sent_request(unsubscribe.packet_id.value(), packet),
            Packet::Pingreq => self.sent_pingreq(),
            // [MQTT-4.6.0-2] [MQTT-4.6.0-3] [MQTT-4.6.0-4] Acknowledgements come in order.
            _ if self.answers.first() == Some(packet) => {
                self.answers.remove(0);
                Ok(())
            }
            _ => Err(format!("not owed; what is: {:?}", self.answers)),
        }
    }

    fn sent_pingreq(&mut self) -> Result<(), String> {
        let Phase::Connected(connection) = &mut self.phase else {
            return Err("not connected".into());
        };
        if !std::mem::take(&mut connection.ping_is_due) {
            return Err("no PINGREQ is due".into());
        }
        let deadline = self.now + self.options.ping_timeout;
        connection.pingresp_deadline.get_or_insert(deadline);
        Ok(())
    }

    /// The application is told something.
    pub(crate) fn told(&mut self, event: &Event) -> Result<(), String> {
        let event = &without_count(event);
        match event {
            Event::Message { .. } => return self.told_message(event),
            Event::Disconnected(why) if matches!(self.phase, Phase::Ending(_)) => {
                return self.told_disconnected(why);
            }
            _ => {}
        }
        if let Some(index) = self.events.iter().position(|owed| owed == event) {
            self.events.remove(index);
            return Ok(());
        }
        match event {
            Event::Published {
                ticket,
                result: Err(Failure::Misuse(_)),
            } => self.told_misuse(*ticket),
            _ => self.told_refused(event),
        }
    }

    /// After an input: nothing is owed that could have been sent or told.
    pub(crate) fn settle(&mut self) -> Result<(), String> {
        if let Some(answer) = self.answers.first() {
            return Err(format!("the server is owed {answer:?}"));
        }
        if let Some(event) = self.events.first() {
            return Err(format!("the application is owed {event:?}"));
        }
        match &self.phase {
            Phase::Connecting {
                connect_sent: false, ..
            } => return Err("CONNECT was not sent".into()),
            Phase::Ending(_) => return Err("the connection is not closed".into()),
            Phase::Connected(connection) if connection.ping_is_due => return Err("PINGREQ is due".into()),
            Phase::Offline | Phase::Connecting { .. } | Phase::Connected(_) | Phase::Closed => {}
        }
        self.settle_publishes()?;
        self.settle_requests()
    }
}

/// How many requests wait when one is refused is not for the model to say.
fn without_count(event: &Event) -> Event {
    let mut event = event.clone();
    if let Event::Subscribed { result, .. } | Event::Unsubscribed { result, .. } = &mut event
        && let Err(Failure::Misuse(Misuse::QueueFull(waiting))) = result
    {
        *waiting = 0;
    }
    event
}
