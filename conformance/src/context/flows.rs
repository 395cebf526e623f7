//! Whole exchanges that prepare what a case is about. What goes wrong in them makes the case inconclusive.

use squall_proto::{
    Ack, Delivery, Disconnect, Packet, Properties, Property, Publish, Qos, ReasonCode, Suback, Subscribe,
    SubscriptionOptions,
};

use super::{Client, Context, expect::published};
use crate::{
    Outcome, Stop,
    packets::{self, at},
    stop::{SetUp as _, check},
};

impl Client {
    /// A Packet Identifier of 100 or above that this client has not used.
    pub(crate) const fn fresh_id(&mut self) -> u16 {
        self.last_id += 1;
        self.last_id
    }

    /// Subscribes, and is granted this QoS.
    pub(crate) async fn subscribe(&mut self, filter: &str, qos: Qos) -> Outcome {
        self.subscribe_with(filter, at(qos), None).await
    }

    /// Subscribes with these options and perhaps a property, and is granted the QoS asked for.
    pub(crate) async fn subscribe_with(
        &mut self,
        filter: &str,
        options: SubscriptionOptions,
        property: Option<Property>,
    ) -> Outcome {
        let id = self.fresh_id();
        let mut subscribe = packets::subscribe(id, &[(filter, options)]);
        if let Some(property) = property {
            subscribe.properties.push(property);
        }
        self.send(Packet::Subscribe(subscribe)).await;
        let suback = self.expect_suback(id).await.set_up()?;
        let granted = suback.reason_codes.first().map(|code| code.value());
        match granted {
            Some(code) if code == options.qos.value() => Ok(()),
            // [MQTT-3.8.4-7] Less than was asked for is legal.
            Some(code @ 0..=2) => Err(Stop::Unsupported(format!(
                "SUBACK granted QoS {code} where QoS {} was asked for",
                options.qos.value()
            ))),
            Some(_) | None => Err(Stop::Inconclusive(format!(
                "set-up: SUBACK says {granted:02x?} for {filter:?}"
            ))),
        }
    }

    /// Publishes and sees its acknowledgements through.
    pub(crate) async fn publish(&mut self, publish: Publish) -> Outcome {
        let delivery = publish.delivery;
        self.send(Packet::Publish(publish)).await;
        match delivery {
            Delivery::AtMostOnce => Ok(()),
            Delivery::AtLeastOnce(id) => accepted(&self.expect_puback(id.value()).await.set_up()?),
            Delivery::ExactlyOnce(id) => {
                accepted(&self.expect_pubrec(id.value()).await.set_up()?)?;
                self.send(Packet::Pubrel(Ack::success(id))).await;
                self.expect_pubcomp(id.value()).await.set_up().map(drop)
            }
        }
    }

    /// Answers a PUBLISH as its QoS demands, to the end.
    pub(crate) async fn acknowledge(&mut self, publish: &Publish) -> Outcome {
        match publish.delivery {
            Delivery::AtMostOnce => Ok(()),
            Delivery::AtLeastOnce(id) => {
                self.send(Packet::Puback(Ack::success(id))).await;
                Ok(())
            }
            Delivery::ExactlyOnce(id) => {
                self.send(Packet::Pubrec(Ack::success(id))).await;
                self.expect_pubrel(id).await.set_up()?;
                self.send(Packet::Pubcomp(Ack::success(id))).await;
                Ok(())
            }
        }
    }

    /// PUBACK for a message of QoS 1 that came.
    pub(crate) async fn acknowledge_qos1(&mut self, publish: &Publish) {
        if let Delivery::AtLeastOnce(id) = publish.delivery {
            self.send(Packet::Puback(Ack::success(id))).await;
        }
    }

    /// PUBREC for a message of QoS 2 that came, and the PUBREL that answers it, which stays without an answer.
    pub(crate) async fn receive(&mut self, publish: &Publish) -> Outcome {
        let Delivery::ExactlyOnce(id) = publish.delivery else {
            return Err(Stop::Inconclusive("set-up: expected a message of QoS 2".into()));
        };
        self.send(Packet::Pubrec(Ack::success(id))).await;
        self.expect_pubrel(id).await.map(drop)
    }

    /// SUBACK that grants what was asked for.
    pub(crate) async fn grant(&mut self, subscribe: &Subscribe) {
        let granted = |qos: Qos| match qos {
            Qos::AtMostOnce => ReasonCode::Success,
            Qos::AtLeastOnce => ReasonCode::GrantedQos1,
            Qos::ExactlyOnce => ReasonCode::GrantedQos2,
        };
        let filters = subscribe.filters.iter();
        let suback = Suback {
            packet_id: subscribe.packet_id,
            reason_codes: filters.map(|(_, options)| granted(options.qos)).collect(),
            properties: Properties::new(),
        };
        self.send(Packet::Suback(suback)).await;
    }

    /// PINGREQ and its answer: what the target has sent before it is here now, and what was sent to it has been read.
    pub(crate) async fn ping(&mut self) -> Outcome {
        self.send(Packet::Pingreq).await;
        self.expect_pingresp().await.set_up()
    }

    /// DISCONNECT, then the end of the connection.
    pub(crate) async fn disconnect(mut self) -> Outcome {
        self.send(Packet::Disconnect(Disconnect::of(ReasonCode::Success)))
            .await;
        self.half_close().await;
        self.expect_closed("after DISCONNECT").await.set_up().map(drop)
    }
}

impl Context {
    /// Publishes a message that is to be kept, or not, and sees it passed on: a server may acknowledge it long before, and who subscribes in between
    /// may get it live, or the one before it.
    pub(crate) async fn retain(&self, publisher: &mut Client, publish: Publish) -> Outcome {
        let topic = publish.topic.clone();
        let topic = topic.as_ref().map_or("", |topic| topic);
        let mut watch = self.connect("watch").await?;
        watch.subscribe(topic, Qos::AtMostOnce).await?;
        let payload = publish.payload.clone();
        publisher.publish(publish).await?;
        let it = |packet: &Packet| published(packet, topic).filter(|publish| publish.payload == payload);
        watch.expect("the message, live", it).await.set_up()?;
        watch.disconnect().await
    }
}

fn accepted(ack: &Ack) -> Outcome {
    check(!ack.reason_code.is_error(), "the message is taken", || {
        format!("it was refused with 0x{:02X}", ack.reason_code.value())
    })
    .set_up()
}
