//! What happens to a client, drawn so that most of it makes sense.

mod packets;

use std::{fmt, time::Duration};

use proptest::{prelude::*, sample::select, strategy::Union};
use proptest_state_machine::ReferenceStateMachine;
use squall_proto::{
    Packet, Properties, ReasonCode, Text, Version,
    client::{
        Acknowledge, AtMostOnceOffline, Message, Options, Overflow, Refusal, Resubscribe, SessionLost,
        Subscription, Unsubscription,
    },
};

use crate::values;

#[derive(Clone)]
pub(crate) enum Step {
    /// The Network Connection is made.
    Open,
    /// The server accepts the connection.
    Accept(Present, Properties),
    Publish(Message),
    Subscribe(Subscription),
    Unsubscribe(Unsubscription),
    /// The application takes or refuses the nth message that it has not acknowledged.
    Acknowledge(usize, Result<(), Refusal>),
    Disconnect(ReasonCode),
    /// The server answers the nth packet that it has not answered, as it should, with this code where the answer has one.
    Answer(usize, ReasonCode),
    /// The server says this.
    Say(Packet),
    /// The server says bytes that are no packet.
    Bytes(&'static str),
    /// The connection breaks.
    Lose,
    Wait(Duration),
}

/// Session Present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Present {
    /// If the server can have a session.
    Truly,
    /// It has lost it.
    No,
    /// Whether or not that can be.
    Yes,
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("open"),
            Self::Accept(present, properties) => {
                write!(
                    f,
                    "server: accept, session present {present:?}{}",
                    values::properties(properties)
                )
            }
            Self::Publish(message) => write!(f, "app: publish {}", message_line(message)),
            Self::Subscribe(subscription) => write!(f, "app: subscribe {:?}", subscription.filters),
            Self::Unsubscribe(unsubscription) => write!(f, "app: unsubscribe {:?}", unsubscription.filters),
            Self::Acknowledge(nth, verdict) => write!(f, "app: acknowledge {nth} {verdict:?}"),
            Self::Disconnect(code) => write!(f, "app: disconnect {}", values::code(*code)),
            Self::Answer(nth, code) => write!(f, "server: answer {nth} {}", values::code(*code)),
            Self::Say(packet) => write!(f, "server: {}", values::line(packet)),
            Self::Bytes(hex) => write!(f, "server: bytes {hex}"),
            Self::Lose => f.write_str("lost"),
            Self::Wait(duration) => write!(f, "wait {duration:?}"),
        }
    }
}

fn message_line(message: &Message) -> String {
    let retain = if message.retain { " retain" } else { "" };
    let properties = values::properties(&message.properties);
    format!("q{}{retain} {}{properties}", message.qos.value(), &*message.topic)
}

/// What the drawing of a script has to know.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) options: Options,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Offline,
    Connecting,
    Connected,
}

impl ReferenceStateMachine for Script {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        options()
            .prop_map(|options| Self {
                options,
                phase: Phase::Offline,
            })
            .boxed()
    }

    fn transitions(state: &Self) -> BoxedStrategy<Step> {
        let version = state.options.version;
        let common = [(18, application(version)), (3, wait())];
        let of_phase = match state.phase {
            Phase::Offline => vec![(22, Just(Step::Open).boxed())],
            Phase::Connecting => vec![(20, connack(version)), (2, server(version))],
            Phase::Connected => vec![(34, server(version))],
        };
        Union::new_weighted(of_phase.into_iter().chain(common).collect()).boxed()
    }

    fn apply(mut state: Self, step: &Step) -> Self {
        state.phase = match (state.phase, step) {
            (Phase::Offline, Step::Open) => Phase::Connecting,
            (Phase::Connecting, Step::Accept(..)) => Phase::Connected,
            (_, Step::Lose | Step::Bytes(_) | Step::Disconnect(_)) => Phase::Offline,
            (_, Step::Say(Packet::Disconnect(_) | Packet::Connack(_))) => Phase::Offline,
            (Phase::Connecting, Step::Say(_)) => Phase::Offline,
            (phase, _) => phase,
        };
        state
    }
}

fn options() -> BoxedStrategy<Options> {
    let session = (
        any::<bool>(),
        select(vec![
            Resubscribe::WhenSessionLost,
            Resubscribe::Always,
            Resubscribe::Never,
        ]),
    );
    let window = (
        select(vec![1024, 1, 2]),
        select(vec![u16::MAX, 1, 2]),
        select(vec![0, 1]),
    );
    let queue = (
        select(vec![10_000, 2]),
        select(vec![Overflow::Wait, Overflow::DropOldest, Overflow::DropNewest]),
        select(vec![AtMostOnceOffline::Queue, AtMostOnceOffline::Drop]),
    );
    let lost = select(vec![SessionLost::PublishAgain, SessionLost::Fail]);
    let acknowledge = select(vec![Acknowledge::Automatic, Acknowledge::Manual]);
    let rest = (select(vec![0, 2, 5]), lost, acknowledge, select(vec![0, 1, 2]));
    (
        select(Version::ALL.to_vec()).no_shrink(), // What was drawn for one version makes no sense in the other.
        session,
        window,
        queue,
        rest,
    )
        .prop_map(
            |(
                version,
                (persistent, resubscribe),
                window,
                queue,
                (keep_alive, session_lost, acknowledge, topic_aliases),
            )| {
                let (inflight, receive_maximum, topic_alias_maximum) = window;
                let (queued, overflow, at_most_once_offline) = queue;
                let client_id = Text::new("c").unwrap();
                let options = match persistent {
                    false => Options::persistent(version, client_id),
                    true => Options::new(version, client_id),
                };
                Options {
                    resubscribe,
                    inflight,
                    receive_maximum,
                    topic_alias_maximum: if version == Version::V5 {
                        topic_alias_maximum
                    } else {
                        0
                    },
                    queued,
                    overflow,
                    at_most_once_offline,
                    keep_alive,
                    session_lost,
                    acknowledge,
                    topic_aliases,
                    ..options
                }
            },
        )
        .boxed()
}

fn application(version: Version) -> BoxedStrategy<Step> {
    prop_oneof![
        24 => packets::message(version).prop_map(Step::Publish),
        3 => packets::subscription(version).prop_map(Step::Subscribe),
        2 => packets::unsubscription(version).prop_map(Step::Unsubscribe),
        8 => (0..3_usize, packets::verdict()).prop_map(|(nth, verdict)| Step::Acknowledge(nth, verdict)),
        1 => select(vec![ReasonCode::Success, ReasonCode::DisconnectWithWillMessage]).prop_map(Step::Disconnect),
    ]
    .boxed()
}

fn connack(version: Version) -> BoxedStrategy<Step> {
    let present = prop_oneof![8 => Just(Present::Truly), 2 => Just(Present::No), 1 => Just(Present::Yes)];
    let accept = (present, packets::connack_properties(version))
        .prop_map(|(present, properties)| Step::Accept(present, properties));
    prop_oneof![9 => accept, 1 => packets::refusal().prop_map(Step::Say)].boxed()
}

fn server(version: Version) -> BoxedStrategy<Step> {
    let code = prop_oneof![7 => Just(ReasonCode::Success), 1 => Just(ReasonCode::QuotaExceeded)];
    prop_oneof![
        60 => (0..3_usize, code).prop_map(|(nth, code)| Step::Answer(nth, code)),
        40 => packets::publish(version).prop_map(Step::Say),
        14 => packets::release().prop_map(Step::Say),
        4 => packets::ack(version).prop_map(Step::Say),
        1 => packets::wrong(version).prop_map(Step::Say),
        1 => select(packets::MALFORMED.to_vec()).prop_map(Step::Bytes),
        10 => Just(Step::Lose),
    ]
    .boxed()
}

/// Around the deadlines: Keep Alive 2 and 5 s, 10 s for CONNACK and PINGRESP, expiry after 1 and 3 s.
fn wait() -> BoxedStrategy<Step> {
    let millis = select(vec![
        1, 999, 1000, 1999, 2000, 2999, 4999, 5000, 9999, 10_000, 12_000,
    ]);
    millis
        .prop_map(|millis| Step::Wait(Duration::from_millis(millis)))
        .boxed()
}
