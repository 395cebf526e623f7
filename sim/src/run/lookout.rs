use tokio::{sync::oneshot, time::timeout};

use super::{
    Arm,
    steps::Performance,
    words::{awaited, looked_out_for},
};
use crate::{
    actors::Client,
    faults::PacketMatch,
    scenario::{Await, ExpectNone, ToApplication},
    trace::{Event, Told, What},
    world::{Lookout, Wanted, network},
};

/// Told when it has come.
type Coming = oneshot::Receiver<()>;

impl Performance {
    /// Waits until what a step waits for has come, or should have.
    pub(super) async fn wait_for(&mut self, it: &Await) {
        let coming = match (&it.connected, &it.disconnected) {
            (Some(client), _) => self.state(client, &Wanted::Connected),
            (None, Some(client)) => self.state(client, &Wanted::Disconnected),
            (None, None) => self.look_out(it.packet.as_ref(), it.delivered.as_ref()),
        };
        if timeout(it.within.duration(), all(coming)).await.is_err() {
            self.missed(format!("{} within {}", awaited(it), it.within), "it did not come");
        }
    }

    /// Looks out for what must not come.
    pub(super) async fn see_none(&mut self, it: &ExpectNone) {
        let lasts = it.lasts.drawn(&mut self.chance).max();
        let coming = self.look_out(it.packet.as_ref(), it.delivered.as_ref());
        if timeout(lasts.duration(), all(coming)).await.is_ok() {
            let what = looked_out_for(it.packet.as_ref(), it.delivered.as_ref());
            self.missed(format!("no {what} for {lasts}"), "it came");
        }
    }

    fn look_out(&mut self, packet: Option<&PacketMatch>, delivered: Option<&ToApplication>) -> Vec<Coming> {
        let packet = packet.map(|packet| {
            let packet = packet.drawn(&mut self.chance);
            self.cast.stage.at_packet(&packet)
        });
        let delivered = delivered.map(|it| {
            let clients = self.cast.clients(&it.to).iter().map(Client::name);
            let wanted = Wanted::Message(it.topic.clone());
            let count = it.count.drawn(&mut self.chance).max();
            look_out(clients.map(str::to_owned).collect(), wanted, count)
        });
        packet.into_iter().chain(delivered).collect()
    }

    /// Of each client that is not in this state, when it will be.
    fn state(&self, name: &str, wanted: &Wanted) -> Vec<Coming> {
        let clients = self.cast.clients(name).iter().map(Client::name);
        let others = clients.filter(|client| !is_in(client, wanted));
        others
            .map(|client| look_out(vec![client.to_owned()], wanted.clone(), 1))
            .collect()
    }

    /// Writes down what did not hold. Without the faults, what they bring about does not come.
    fn missed(&self, expected: String, got: &str) {
        if self.arm == Arm::Control {
            return;
        }
        let (step, got) = (self.place, got.to_owned());
        network::with(|network| network.note(What::Missed { step, expected, got }));
    }
}

async fn all(coming: Vec<Coming>) {
    for one in coming {
        // The network never forgets whom it has to tell.
        _ = one.await;
    }
}

fn look_out(clients: Vec<String>, wanted: Wanted, count: u64) -> Coming {
    let (tell, coming) = oneshot::channel();
    let lookout = Lookout {
        clients,
        wanted,
        count,
        tell,
    };
    network::with(|network| network.look_out(lookout));
    coming
}

/// Whether the last that a client told its application of its connection is this. Before it told anything, it is not connected.
fn is_in(client: &str, wanted: &Wanted) -> bool {
    let of_connection = |event: &Event| {
        let What::Application { client: by, told } = &event.what else {
            return None;
        };
        (by == client).then(|| is_connected(told)).flatten()
    };
    let connected = network::with(|network| network.trace().events.iter().rev().find_map(of_connection));
    match wanted {
        Wanted::Connected => connected == Some(true),
        Wanted::Disconnected => connected != Some(true),
        Wanted::Message(_) => false,
    }
}

const fn is_connected(told: &Told) -> Option<bool> {
    match told {
        Told::Connected { .. } => Some(true),
        Told::Disconnected { .. } | Told::StoreFailed { .. } => Some(false),
        Told::Message { .. } | Told::SubscriptionLost { .. } | Told::Published { .. } => None,
    }
}
