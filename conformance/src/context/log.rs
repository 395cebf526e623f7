//! Every packet of a case, as the report shows it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use squall_proto::{Connect, Packet, Properties, Publish, ReasonCode};
use squall_reports::PacketLine;
use tokio::time::Instant;

/// The packets of a case, in the order they were seen.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    start: Instant,
    lines: Arc<Mutex<Vec<PacketLine>>>,
}

impl Log {
    pub(crate) fn start() -> Self {
        Self {
            start: Instant::now(),
            lines: Arc::default(),
        }
    }

    pub(crate) fn lines(&self) -> Vec<PacketLine> {
        self.lock().clone()
    }

    pub(crate) fn add(&self, from: &str, to: &str, text: String) {
        let at_micros = u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.lock().push(PacketLine {
            at_micros,
            from: from.into(),
            to: to.into(),
            text,
            mark: None,
        });
    }

    fn lock(&self) -> MutexGuard<'_, Vec<PacketLine>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A packet in a line: `PUBLISH q2 id 3 dup "t/1" 5 bytes`.
pub(crate) fn describe(packet: &Packet) -> String {
    let mut line = packet.packet_type().name().to_owned();
    let mut add = |word: String| {
        line.push(' ');
        line.push_str(&word);
    };
    match packet {
        Packet::Connect(connect) => add(describe_connect(connect)),
        Packet::Connack(connack) => {
            add(code(connack.reason_code));
            if connack.session_present {
                add("session present".into());
            }
            add(properties(&connack.properties));
        }
        Packet::Publish(publish) => add(describe_publish(publish)),
        Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack) => {
            add(format!("id {} {}", ack.packet_id.value(), code(ack.reason_code)));
            add(properties(&ack.properties));
        }
        Packet::Subscribe(subscribe) => {
            add(format!("id {}", subscribe.packet_id.value()));
            for (filter, options) in &subscribe.filters {
                add(format!("{:?} q{}", filter.text().as_str(), options.qos.value()));
            }
            add(properties(&subscribe.properties));
        }
        Packet::Suback(suback) => {
            add(format!(
                "id {} {}",
                suback.packet_id.value(),
                codes(&suback.reason_codes)
            ));
        }
        Packet::Unsubscribe(unsubscribe) => {
            add(format!("id {}", unsubscribe.packet_id.value()));
            unsubscribe
                .filters
                .iter()
                .for_each(|filter| add(format!("{:?}", filter.text().as_str())));
        }
        Packet::Unsuback(unsuback) => {
            add(format!(
                "id {} {}",
                unsuback.packet_id.value(),
                codes(&unsuback.reason_codes)
            ));
        }
        Packet::Pingreq | Packet::Pingresp => {}
        Packet::Disconnect(disconnect) => {
            add(code(disconnect.reason_code));
            add(properties(&disconnect.properties));
        }
        Packet::Auth(auth) => add(code(auth.reason_code)),
    }
    line.trim_end().to_owned()
}

fn describe_connect(connect: &Connect) -> String {
    let mut line = format!(
        "{:?} keep alive {}",
        connect.client_id.as_str(),
        connect.keep_alive
    );
    if connect.clean_start {
        line.push_str(" clean");
    }
    if let Some(will) = &connect.will {
        let retain = if will.retain { " retain" } else { "" };
        let topic = will.topic.text().as_str();
        line.push_str(&format!(
            " will q{}{retain} {topic:?} {}",
            will.qos.value(),
            properties(&will.properties)
        ));
    }
    format!("{line} {}", properties(&connect.properties))
}

fn describe_publish(publish: &Publish) -> String {
    let mut line = format!("q{}", publish.delivery.qos().value());
    if let Some(packet_id) = publish.delivery.packet_id() {
        line.push_str(&format!(" id {}", packet_id.value()));
    }
    if publish.dup {
        line.push_str(" dup");
    }
    if publish.retain {
        line.push_str(" retain");
    }
    let topic = publish.topic.as_ref().map_or("", |topic| topic.text().as_str());
    let payload = &publish.payload;
    match std::str::from_utf8(payload) {
        Ok(text) if text.len() <= 40 => line.push_str(&format!(" {topic:?} {text:?}")),
        Ok(_) | Err(_) => line.push_str(&format!(" {topic:?} {} bytes", payload.len())),
    }
    format!("{line} {}", properties(&publish.properties))
}

fn properties(properties: &Properties) -> String {
    let each: Vec<_> = properties
        .iter()
        .map(|property| format!("{property:?}"))
        .collect();
    each.join(" ")
}

fn codes(codes: &[ReasonCode]) -> String {
    codes
        .iter()
        .map(|code| self::code(*code))
        .collect::<Vec<_>>()
        .join(", ")
}

/// A Reason Code as people look it up: `0x82 Protocol Error`.
fn code(code: ReasonCode) -> String {
    format!("0x{:02X} {}", code.value(), code.name())
}
