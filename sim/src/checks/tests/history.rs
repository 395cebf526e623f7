use bytes::Bytes;
use squall_proto::{
    Ack, Connack, Connect, Delivery, Disconnect, Instant, Packet, PacketId, Properties, Property, Publish,
    Qos, ReasonCode, Suback, Subscribe, SubscriptionOptions, Text, TopicFilter, TopicName, Unsuback,
    Unsubscribe, Version, Will,
};

use crate::{
    checks::check,
    scenario::Scenario,
    trace::{End, Event, Side, Trace, What, WireId},
};

/// A run written by hand. Every packet arrives at the moment it is sent, unless told otherwise.
pub(super) struct History {
    scenario: Scenario,
    version: Version,
    now: u64,
    events: Vec<Event>,
    wires: u32,
}

/// What a packet is sent on.
pub(super) type Wire = WireId;

impl History {
    /// Of a scenario with these clients, peers, settings and expectations.
    pub(super) fn of(parts: &str) -> Self {
        let text = format!("name: by hand\nwhy: a test\n{parts}\n");
        Self {
            scenario: Scenario::parse("by-hand.yaml", &text).unwrap(),
            version: Version::V5,
            now: 0,
            events: Vec::new(),
            wires: 0,
        }
    }

    pub(super) const fn version(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    /// Seconds since the run began.
    pub(super) const fn at(&mut self, millis: u64) -> &mut Self {
        self.now = millis * 1000;
        self
    }

    pub(super) fn note(&mut self, what: What) -> &mut Self {
        let at = Instant::from_micros(self.now);
        self.events.push(Event { at, what });
        self
    }

    pub(super) fn send(&mut self, wire: Wire, from: Side, packet: Packet) -> &mut Self {
        self.lose(wire, from, packet.clone());
        self.note(What::Arrived { wire, from, packet })
    }

    /// Sent, and it never arrives.
    pub(super) fn lose(&mut self, wire: Wire, from: Side, packet: Packet) -> &mut Self {
        self.note(What::Sent { wire, from, packet })
    }

    pub(super) fn client(&mut self, wire: Wire, packet: Packet) -> &mut Self {
        self.send(wire, Side::Client, packet)
    }

    pub(super) fn broker(&mut self, wire: Wire, packet: Packet) -> &mut Self {
        self.send(wire, Side::Broker, packet)
    }

    pub(super) fn open(&mut self, client: &str) -> Wire {
        let wire = WireId(self.wires);
        self.wires += 1;
        self.note(What::Opened {
            wire,
            client: client.to_owned(),
        });
        wire
    }

    /// CONNECT with a session that lives on, and CONNACK.
    pub(super) fn connect(&mut self, client: &str, session_present: bool) -> Wire {
        self.connect_with(connect(client, self.version), session_present)
    }

    pub(super) fn connect_with(&mut self, connect: Connect, session_present: bool) -> Wire {
        let wire = self.open(connect.client_id.as_str());
        self.client(wire, Packet::Connect(Box::new(connect)));
        self.broker(wire, connack(session_present));
        wire
    }

    pub(super) fn subscribe(&mut self, wire: Wire, filter: &str, qos: Qos) -> &mut Self {
        let options = SubscriptionOptions {
            qos,
            ..SubscriptionOptions::default()
        };
        self.client(
            wire,
            Packet::Subscribe(Subscribe {
                packet_id: id(100),
                filters: vec![(TopicFilter::new(filter).unwrap(), options)],
                properties: Properties::new(),
            }),
        );
        self.broker(
            wire,
            Packet::Suback(Suback {
                packet_id: id(100),
                reason_codes: vec![ReasonCode::from_value(qos.value()).unwrap()],
                properties: Properties::new(),
            }),
        )
    }

    /// Both ends learn that the connection is gone.
    pub(super) fn cut(&mut self, wire: Wire) -> &mut Self {
        self.note(What::Ended {
            wire,
            at: Side::Client,
            how: End::Reset,
        });
        self.note(What::Ended {
            wire,
            at: Side::Broker,
            how: End::Reset,
        })
    }

    pub(super) fn close(&mut self, wire: Wire, by: Side) -> &mut Self {
        let at = match by {
            Side::Client => Side::Broker,
            Side::Broker => Side::Client,
        };
        self.note(What::Closed {
            wire,
            by,
            how: End::Fin,
        });
        self.note(What::Ended {
            wire,
            at,
            how: End::Fin,
        })
    }

    pub(super) const fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    pub(super) fn trace(&self) -> Trace {
        Trace {
            events: self.events.clone(),
        }
    }

    /// The names of the checks that find something, each once.
    pub(super) fn findings(&self) -> Vec<&'static str> {
        let findings = check(&self.scenario, self.version, true, &self.trace());
        for finding in &findings {
            // What a failing test shows.
            println!("{finding}");
        }
        let mut names: Vec<&str> = findings.iter().map(|finding| finding.check).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    #[track_caller]
    pub(super) fn passes(&self) {
        self.fails(&[]);
    }

    #[track_caller]
    pub(super) fn fails(&self, checks: &[&str]) {
        assert_eq!(self.findings(), checks);
    }
}

pub(super) fn id(value: u16) -> PacketId {
    PacketId::new(value).unwrap()
}

pub(super) fn connect(client: &str, version: Version) -> Connect {
    let mut properties = Properties::new();
    if version == Version::V5 {
        properties.push(Property::SessionExpiryInterval(u32::MAX));
    }
    Connect {
        version,
        clean_start: false,
        keep_alive: 0,
        client_id: Text::new(client).unwrap(),
        will: None,
        user_name: None,
        password: None,
        properties,
    }
}

pub(super) fn will(client: &str) -> Will {
    Will {
        topic: TopicName::new("will").unwrap(),
        payload: squall_proto::Binary::new(format!("{client}/will")).unwrap(),
        qos: Qos::AtLeastOnce,
        retain: false,
        properties: Properties::new(),
    }
}

pub(super) fn connack(session_present: bool) -> Packet {
    Packet::Connack(Connack {
        session_present,
        reason_code: ReasonCode::Success,
        properties: Properties::new(),
    })
}

/// A message to `t`.
pub(super) fn publish(delivery: Delivery, payload: &str) -> Packet {
    Packet::Publish(Publish {
        dup: false,
        retain: false,
        delivery,
        topic: Some(TopicName::new("t").unwrap()),
        payload: Bytes::copy_from_slice(payload.as_bytes()),
        properties: Properties::new(),
    })
}

pub(super) fn to_will(packet: Packet) -> Packet {
    match packet {
        Packet::Publish(publish) => Packet::Publish(Publish {
            topic: Some(TopicName::new("will").unwrap()),
            ..publish
        }),
        other => other,
    }
}

pub(super) fn dup(packet: Packet) -> Packet {
    match packet {
        Packet::Publish(publish) => Packet::Publish(Publish { dup: true, ..publish }),
        other => other,
    }
}

pub(super) fn q0() -> Delivery {
    Delivery::AtMostOnce
}

pub(super) fn q1(packet_id: u16) -> Delivery {
    Delivery::AtLeastOnce(id(packet_id))
}

pub(super) fn q2(packet_id: u16) -> Delivery {
    Delivery::ExactlyOnce(id(packet_id))
}

pub(super) fn puback(packet_id: u16) -> Packet {
    Packet::Puback(Ack::success(id(packet_id)))
}

pub(super) fn pubrec(packet_id: u16) -> Packet {
    Packet::Pubrec(Ack::success(id(packet_id)))
}

pub(super) fn pubrel(packet_id: u16) -> Packet {
    Packet::Pubrel(Ack::success(id(packet_id)))
}

pub(super) fn pubcomp(packet_id: u16) -> Packet {
    Packet::Pubcomp(Ack::success(id(packet_id)))
}

pub(super) fn disconnect() -> Packet {
    Packet::Disconnect(Disconnect::of(ReasonCode::Success))
}

/// The same PUBLISH with something changed.
pub(super) fn with(packet: Packet, change: impl FnOnce(&mut Publish)) -> Packet {
    match packet {
        Packet::Publish(mut publish) => {
            change(&mut publish);
            Packet::Publish(publish)
        }
        other => other,
    }
}

/// The same PUBLISH with RETAIN.
pub(super) fn retain(packet: Packet) -> Packet {
    with(packet, |publish| publish.retain = true)
}

/// The same PUBLISH with one more property.
pub(super) fn property(packet: Packet, property: Property) -> Packet {
    with(packet, |publish| publish.properties.push(property))
}

pub(super) fn subscribe(packet_id: u16, filter: &str, options: SubscriptionOptions) -> Packet {
    Packet::Subscribe(Subscribe {
        packet_id: id(packet_id),
        filters: vec![(TopicFilter::new(filter).unwrap(), options)],
        properties: Properties::new(),
    })
}

pub(super) fn suback(packet_id: u16, code: ReasonCode) -> Packet {
    Packet::Suback(Suback {
        packet_id: id(packet_id),
        reason_codes: vec![code],
        properties: Properties::new(),
    })
}

pub(super) fn unsubscribe(packet_id: u16, filter: &str) -> Packet {
    Packet::Unsubscribe(Unsubscribe {
        packet_id: id(packet_id),
        filters: vec![TopicFilter::new(filter).unwrap()],
        properties: Properties::new(),
    })
}

pub(super) fn unsuback(packet_id: u16) -> Packet {
    Packet::Unsuback(Unsuback {
        packet_id: id(packet_id),
        reason_codes: vec![ReasonCode::Success],
        properties: Properties::new(),
    })
}
