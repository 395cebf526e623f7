use crate::{
    faults::PacketMatch,
    scenario::{Action, Await, ToApplication},
};

/// What a step says, in words.
pub(super) fn in_words(action: &Action) -> String {
    match action {
        Action::Await(it) => format!("await {}", awaited(it)),
        Action::Connect(connect) => format!("connect {}", connect.client),
        Action::Disconnect(disconnect) => format!("disconnect {}", disconnect.client),
        Action::ExpectNone(it) => format!(
            "expect no {} for {}",
            looked_out_for(it.packet.as_ref(), it.delivered.as_ref()),
            it.lasts
        ),
        Action::Note(note) => note.0.clone(),
        Action::Open(open) => format!("open {}", open.peer),
        Action::Publish(publish) => {
            format!(
                "publish {} messages from {} at qos {}",
                publish.count,
                publish.from,
                publish.qos.value()
            )
        }
        Action::Send(send) => format!("send from {}", send.from),
        Action::Shut(shut) => format!("shut {}", shut.peer),
        Action::Subscribe(subscribe) => format!("subscribe {}", subscribe.client),
        Action::Traffic(traffic) => format!("traffic from {}", traffic.publishers.join(", ")),
        Action::Unsubscribe(unsubscribe) => format!("unsubscribe {}", unsubscribe.client),
        Action::Fault(fault) => fault.to_string(),
    }
}

/// What is awaited, in words.
pub(super) fn awaited(it: &Await) -> String {
    match (&it.connected, &it.disconnected) {
        (Some(client), _) => format!("{client} to be connected"),
        (None, Some(client)) => format!("{client} to be disconnected"),
        (None, None) => looked_out_for(it.packet.as_ref(), it.delivered.as_ref()),
    }
}

/// What is looked out for, in words.
pub(super) fn looked_out_for(packet: Option<&PacketMatch>, delivered: Option<&ToApplication>) -> String {
    match (packet, delivered) {
        (Some(packet), _) => packet.to_string(),
        (None, Some(it)) => {
            let of = it
                .topic
                .as_ref()
                .map_or(String::new(), |topic| format!(" of {topic}"));
            format!("message {}{of} at {}", it.count, it.to)
        }
        (None, None) => "nothing".to_owned(),
    }
}
