//! What clients do, drawn so that most of it makes sense.

mod packets;

use std::{fmt, time::Duration};

use proptest::{prelude::*, sample::select, strategy::Union};
use proptest_state_machine::ReferenceStateMachine;
use squall_proto::{Packet, Qos, ReasonCode, Version, broker::Limits};

use crate::values;

/// Connections there are at a time.
pub(crate) const SLOTS: usize = 4;

/// One step of a script. `usize` is the slot of a connection; a step on a slot without one opens it first.
#[derive(Clone)]
pub(crate) enum Step {
    /// The connection says this.
    Say(usize, Packet),
    /// It answers the nth PUBLISH or PUBREL that it has not answered, as it should, with this code where the answer has one.
    Answer(usize, usize, ReasonCode),
    /// It says bytes that are no packet.
    Bytes(usize, &'static str),
    /// It breaks.
    Lose(usize),
    /// This much of what it is to be sent has not gone out yet.
    Unsent(usize, Unsent),
    Wait(Duration),
    /// An administrator closes the connection of this client.
    Kick(String),
    /// An administrator ends the session of this client.
    EndSession(String),
    Shutdown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unsent {
    Nothing,
    Much,
    TooMuch,
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Say(slot, packet) => write!(f, "#{slot}: {}", values::line(packet)),
            Self::Answer(slot, nth, code) => write!(f, "#{slot}: answer {nth} {}", values::code(*code)),
            Self::Bytes(slot, hex) => write!(f, "#{slot}: bytes {hex}"),
            Self::Lose(slot) => write!(f, "#{slot}: lost"),
            Self::Unsent(slot, unsent) => write!(f, "#{slot}: unsent {unsent:?}"),
            Self::Wait(duration) => write!(f, "wait {duration:?}"),
            Self::Kick(client_id) => write!(f, "kick {client_id}"),
            Self::EndSession(client_id) => write!(f, "end session {client_id}"),
            Self::Shutdown => f.write_str("shutdown"),
        }
    }
}

/// The limits of the broker: a script is played to one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum World {
    /// Nothing is short.
    Wide,
    /// Everything is short.
    Narrow,
    /// Not everything is supported.
    Restricted,
}

impl World {
    pub(crate) fn limits(self) -> Limits {
        match self {
            Self::Wide => Limits {
                unsent_bytes_soft: 10,
                unsent_bytes: 100,
                queue_in_memory: 8,
                ..Limits::default()
            },
            Self::Narrow => Limits {
                connections: 3,
                packet_size: 200,
                receive_maximum: 2,
                inflight: 2,
                queued_messages: 3,
                subscriptions: 2,
                topic_levels: 3,
                retained_messages: 2,
                topic_alias_maximum: 1,
                session_expiry: Some(Duration::from_secs(6)),
                keep_alive: Some(3),
                queue_in_memory: 0,
                ..Self::Wide.limits()
            },
            Self::Restricted => Limits {
                maximum_qos: Qos::AtLeastOnce,
                retain_available: false,
                wildcard_subscription_available: false,
                shared_subscription_available: false,
                queue_in_memory: 1 << 20,
                ..Self::Wide.limits()
            },
        }
    }
}

/// What the drawing of a script has to know: who is probably connected, and how.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    world: World,
    focus: Focus,
    slots: [Slot; SLOTS],
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Slot {
    #[default]
    Free,
    Connected {
        version: Version,
        client_id: String,
        /// Whether much that was sent to it has not gone out.
        is_slow: bool,
    },
}

/// What a script is about: some things go wrong only where several rare ones meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Focus {
    Everything,
    /// QoS 1 and 2 within small windows.
    Windows,
    /// Shared subscriptions.
    Groups,
}

impl From<&Script> for World {
    fn from(script: &Script) -> Self {
        script.world
    }
}

impl ReferenceStateMachine for Script {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        let world =
            prop_oneof![6 => Just(World::Wide), 3 => Just(World::Narrow), 1 => Just(World::Restricted)];
        let focus =
            prop_oneof![2 => Just(Focus::Everything), 1 => Just(Focus::Windows), 1 => Just(Focus::Groups)];
        (world, focus.no_shrink())
            .prop_map(|(world, focus)| Self {
                world,
                focus,
                slots: Default::default(),
            })
            .boxed()
    }

    fn transitions(state: &Self) -> BoxedStrategy<Step> {
        let focus = state.focus;
        let weighted = state.slots.iter().enumerate().map(|(slot, is)| match is {
            Slot::Free => (
                3,
                packets::connect(slot, focus)
                    .prop_map(move |packet| Step::Say(slot, packet))
                    .boxed(),
            ),
            Slot::Connected { is_slow: true, .. } => (2, Just(Step::Unsent(slot, Unsent::Nothing)).boxed()),
            Slot::Connected { version, .. } => (8, connected(slot, *version, focus)),
        });
        let anywhere = [
            (
                6,
                select(WAITS.to_vec())
                    .prop_map(|millis| Step::Wait(Duration::from_millis(millis)))
                    .boxed(),
            ),
            (
                1,
                (0..SLOTS, packets::any(Version::V5, focus))
                    .prop_map(|(slot, packet)| Step::Say(slot, packet))
                    .boxed(),
            ),
            (1, administration()),
        ];
        Union::new_weighted(weighted.chain(anywhere).collect()).boxed()
    }

    fn apply(mut state: Self, step: &Step) -> Self {
        match step {
            Step::Say(slot, Packet::Connect(connect)) => {
                state.connect(*slot, connect.version, &connect.client_id)
            }
            Step::Say(slot, Packet::Disconnect(_)) | Step::Bytes(slot, _) | Step::Lose(slot) => {
                state.slots[*slot] = Slot::Free;
            }
            Step::Kick(client_id) | Step::EndSession(client_id) => state.free(client_id),
            Step::Shutdown => state.slots = Default::default(),
            Step::Unsent(slot, unsent) => {
                if let Slot::Connected { is_slow, .. } = &mut state.slots[*slot] {
                    *is_slow = *unsent == Unsent::Much;
                }
            }
            Step::Say(..) | Step::Answer(..) | Step::Wait(_) => {}
        }
        state
    }
}

impl Script {
    fn connect(&mut self, slot: usize, version: Version, client_id: &str) {
        self.free(client_id);
        self.slots[slot] = Slot::Connected {
            version,
            client_id: client_id.to_owned(),
            is_slow: false,
        };
    }

    /// The client has no connection any more.
    fn free(&mut self, client_id: &str) {
        for slot in &mut self.slots {
            if matches!(slot, Slot::Connected { client_id: taken, .. } if taken == client_id && !taken.is_empty())
            {
                *slot = Slot::Free;
            }
        }
    }
}

/// What an administrator does to one of the clients.
fn administration() -> BoxedStrategy<Step> {
    let client_id = select(packets::CLIENT_IDS.to_vec()).prop_map(str::to_owned);
    let step = select(vec![Step::Kick as fn(String) -> Step, Step::EndSession]);
    (client_id, step)
        .prop_map(|(client_id, step)| step(client_id))
        .boxed()
}

/// Milliseconds around the deadlines that the packets of a script set.
const WAITS: [u64; 13] = [
    1, 999, 1000, 1999, 2000, 2999, 3000, 4499, 4500, 6000, 9999, 10_000, 100_000,
];

/// What a connected client does next.
fn connected(slot: usize, version: Version, focus: Focus) -> BoxedStrategy<Step> {
    let say = move |packet| Step::Say(slot, packet);
    let code = prop_oneof![7 => Just(ReasonCode::Success), 1 => Just(ReasonCode::QuotaExceeded)];
    prop_oneof![
        120 => packets::publish(version, focus).prop_map(say),
        90 => (0..3_usize, code).prop_map(move |(nth, code)| Step::Answer(slot, nth, code)),
        20 => packets::release().prop_map(say),
        6 => packets::ack().prop_map(say),
        40 => packets::subscribe(focus).prop_map(say),
        6 => packets::unsubscribe(focus).prop_map(say),
        4 => packets::disconnect(version).prop_map(say),
        3 => Just(Packet::Pingreq).prop_map(say),
        1 => packets::wrong().prop_map(say),
        1 => packets::connect(slot, focus).prop_map(say),
        2 => select(packets::MALFORMED.to_vec()).prop_map(move |hex| Step::Bytes(slot, hex)),
        14 => Just(Step::Lose(slot)),
        9 => prop_oneof![4 => Just(Unsent::Nothing), 3 => Just(Unsent::Much), 1 => Just(Unsent::TooMuch)]
            .prop_map(move |unsent| Step::Unsent(slot, unsent)),
        1 => Just(Step::Shutdown),
    ]
    .boxed()
}
