use squall_proto::{
    Instant, Qos, ReasonCode, RetainHandling, Subscribe, SubscriptionId, SubscriptionOptions, TopicFilter,
    Unsuback, Unsubscribe,
};

use super::{
    Message, Session, Sessions, Topics,
    numbered::{FilterId, SessionId, TopicId},
};
use crate::trace::WireId;

/// What a session is sure to be sent for one Topic Filter, and what it may be sent. Both differ as long as the broker has not answered,
/// and where messages may still wait that were meant for an earlier subscription.
#[derive(Debug, Default)]
pub(crate) struct Subscription {
    /// SUBSCRIBEs that have no answer, and the connection they came on.
    unanswered: Option<(WireId, u32)>,
    granted: Option<Granted>,
    /// Where the last UNSUBSCRIBE arrived.
    unsubscribed: Option<usize>,
    /// Where UNSUBACK left: what is published later is not for it.
    over: Option<usize>,
    pub(crate) may: May,
}

/// What the broker has granted.
#[derive(Clone, Copy, Debug)]
struct Granted {
    /// Where SUBACK left.
    at: usize,
    qos: Qos,
    no_local: bool,
}

/// All that was ever asked and granted in this session.
#[derive(Debug, Default)]
pub(crate) struct May {
    /// The lowest and the highest that was granted.
    granted: Option<(Qos, Qos)>,
    /// The highest that was asked since all was answered.
    asked: Qos,
    /// Subscription Identifiers, and whether there was none.
    pub(crate) ids: Vec<Option<SubscriptionId>>,
    /// The client's own messages were wanted.
    pub(crate) local: bool,
    pub(crate) retain_as_published: bool,
    /// SUBSCRIBEs that asked for retained messages: the first, the last but one, the last.
    pub(crate) retained_asked: Option<[usize; 3]>,
    /// When the first SUBSCRIBE came, and where that is in the trace.
    pub(crate) since: Option<(Instant, usize)>,
}

impl Subscription {
    fn asked(&mut self, (at, index): (Instant, usize), wire: WireId, wish: Wish) {
        let before = self.unanswered.filter(|(on, _)| *on == wire);
        self.unanswered = Some((wire, before.map_or(1, |(_, count)| count + 1)));
        self.over = None;
        let may = &mut self.may;
        may.asked = may.asked.max(wish.options.qos);
        if !may.ids.contains(&wish.id) {
            may.ids.push(wish.id);
        }
        may.local |= !wish.options.no_local;
        may.retain_as_published |= wish.options.retain_as_published;
        if wish.options.retain_handling != RetainHandling::DoNotSend {
            let [first, _, last] = may.retained_asked.unwrap_or([index; 3]);
            may.retained_asked = Some([first, last, index]);
        }
        may.since.get_or_insert((at, index));
    }

    fn answered(&mut self, (asked, index): (usize, usize), code: ReasonCode, wish: Wish) {
        let left = self.unanswered.map_or(0, |(_, count)| count.saturating_sub(1));
        self.unanswered = self.unanswered.map(|(wire, _)| (wire, left)).filter(|_| left > 0);
        let qos = Qos::from_value(code.value());
        // An UNSUBSCRIBE that has come since takes it away again.
        let lasts = self.unsubscribed < Some(asked);
        self.granted = qos.filter(|_| lasts).map(|qos| Granted {
            at: index,
            qos,
            no_local: wish.options.no_local,
        });
        if let Some(qos) = qos {
            let (low, high) = self.may.granted.unwrap_or((qos, qos));
            self.may.granted = Some((low.min(qos), high.max(qos)));
        }
        if left == 0 {
            self.may.asked = Qos::AtMostOnce;
        }
    }

    /// The lowest and the highest QoS at which it may bring anything. What is not answered may be granted lower than it was asked.
    fn qos(&self) -> Option<(Qos, Qos)> {
        match (self.may.granted, self.unanswered) {
            (granted, None) => granted,
            (None, Some(_)) => Some((Qos::AtMostOnce, self.may.asked)),
            (Some((_, high)), Some(_)) => Some((Qos::AtMostOnce, high.max(self.may.asked))),
        }
    }

    /// What it has been granted, and has had since before this place of the trace.
    fn certain(&self, since: usize) -> Option<Granted> {
        self.granted
            .filter(|granted| self.unanswered.is_none() && granted.at < since)
    }

    /// Whether the broker must have it.
    pub(crate) const fn is_held(&self) -> bool {
        self.granted.is_some() && self.unanswered.is_none()
    }

    /// Whether the broker may have it.
    pub(crate) const fn may_be_held(&self) -> bool {
        self.over.is_none()
    }

    /// Whether this message may be sent for it.
    fn may_bring(&self, message: &Message) -> bool {
        self.over.is_none_or(|over| message.first.1 < over)
    }
}

/// What a SUBSCRIBE says of one filter.
#[derive(Clone, Copy)]
struct Wish {
    options: SubscriptionOptions,
    id: Option<SubscriptionId>,
}

impl Wish {
    fn each(subscribe: &Subscribe) -> impl Iterator<Item = (&TopicFilter, Self)> {
        let id = subscribe.properties.subscription_identifiers().next();
        let filters = subscribe.filters.iter();
        filters.map(move |(filter, options)| {
            (
                filter,
                Self {
                    options: *options,
                    id,
                },
            )
        })
    }
}

impl Sessions {
    /// SUBSCRIBE has arrived.
    pub(super) fn subscribed(
        &mut self,
        now: (Instant, usize),
        id: SessionId,
        subscribe: &Subscribe,
        topics: &mut Topics,
    ) {
        let session = self.get_mut(id);
        for (filter, wish) in Wish::each(subscribe) {
            let filter = topics.learn_filter(filter);
            topics.subscribe(filter, id);
            let subscription = session.subscriptions.entry(filter).or_default();
            subscription.asked(now, session.wire, wish);
        }
    }

    /// SUBACK has left, for the SUBSCRIBE of the place `asked`. Gives the filters whose retained messages are owed, with the QoS of each.
    pub(super) fn subacked(
        &mut self,
        (asked, index): (usize, usize),
        id: SessionId,
        (subscribe, codes): (&Subscribe, &[ReasonCode]),
        topics: &mut Topics,
    ) -> Vec<(FilterId, Qos)> {
        let session = self.get_mut(id);
        let mut wanted = Vec::new();
        for ((filter, wish), code) in Wish::each(subscribe).zip(codes) {
            let filter = topics.learn_filter(filter);
            let subscription = session.subscriptions.entry(filter).or_default();
            let is_first = subscription.may.since.is_some_and(|(_, first)| first == asked);
            subscription.answered((asked, index), *code, wish);
            let is_wanted = match wish.options.retain_handling {
                // [MQTT-3.3.1-9] [v3 MQTT-3.3.1-6]
                RetainHandling::Send => true,
                // [MQTT-3.3.1-10] Whether an earlier one still exists is not always certain.
                RetainHandling::SendIfNew => is_first,
                // [MQTT-3.3.1-11]
                RetainHandling::DoNotSend => false,
            };
            // [MQTT-4.8.2-1] A shared subscription brings none.
            if let (true, None, Some(granted)) = (
                is_wanted,
                topics.filter(filter).share_name(),
                subscription.granted,
            ) {
                wanted.push((filter, granted.qos));
            }
        }
        wanted
    }

    /// UNSUBSCRIBE has arrived: from now on nothing is owed.
    pub(super) fn unsubscribed(
        &mut self,
        index: usize,
        id: SessionId,
        unsubscribe: &Unsubscribe,
        topics: &mut Topics,
    ) {
        for filter in &unsubscribe.filters {
            let filter = topics.learn_filter(filter);
            if let Some(subscription) = self.get_mut(id).subscriptions.get_mut(&filter) {
                subscription.granted = None;
                subscription.unsubscribed = Some(index);
            }
        }
    }

    /// UNSUBACK has left. [MQTT-3.10.4-2] [v3 MQTT-3.10.4-2]
    pub(super) fn unsubacked(
        &mut self,
        index: usize,
        id: SessionId,
        (unsubscribe, unsuback): (&Unsubscribe, &Unsuback),
        topics: &mut Topics,
    ) {
        for (place, filter) in unsubscribe.filters.iter().enumerate() {
            let refused = unsuback
                .reason_codes
                .get(place)
                .is_some_and(|code| code.is_error());
            let filter = topics.learn_filter(filter);
            if let (false, Some(subscription)) = (refused, self.get_mut(id).subscriptions.get_mut(&filter)) {
                subscription.over = subscription.unanswered.is_none().then_some(index);
            }
        }
    }
}

impl Session {
    /// Its subscriptions that may have brought it this message.
    pub(crate) fn bringing<'a>(
        &'a self,
        topics: &'a Topics,
        topic: TopicId,
        message: Option<&'a Message>,
    ) -> impl Iterator<Item = (FilterId, &'a Subscription)> {
        let of_topic = topics.matching(topic).iter();
        let subscriptions = of_topic.filter_map(|filter| Some((*filter, self.subscriptions.get(filter)?)));
        subscriptions
            .filter(move |(_, subscription)| message.is_none_or(|message| subscription.may_bring(message)))
    }

    /// The lowest and the highest QoS at which anything of this topic may be sent to it; `None`: nothing may.
    pub(crate) fn qos(
        &self,
        topics: &Topics,
        topic: TopicId,
        message: Option<&Message>,
    ) -> Option<(Qos, Qos)> {
        let all = self.bringing(topics, topic, message);
        let all = all.filter_map(|(_, subscription)| subscription.qos());
        all.reduce(|(low, high), (other_low, other_high)| (low.min(other_low), high.max(other_high)))
    }

    /// Whether RETAIN may say of this topic that it was published so, not that it was retained. [MQTT-3.3.1-13]
    pub(crate) fn may_keep_retain(&self, topics: &Topics, topic: TopicId) -> bool {
        let mut bringing = self.bringing(topics, topic, None);
        bringing.any(|(_, subscription)| subscription.may.retain_as_published)
    }

    /// The shared subscriptions through which it may be sent this topic.
    pub(crate) fn shares<'a>(&'a self, topics: &'a Topics, topic: TopicId) -> impl Iterator<Item = FilterId> {
        let all = self.bringing(topics, topic, None).map(|(filter, _)| filter);
        all.filter(|filter| topics.filter(*filter).share_name().is_some())
    }

    /// How many of its subscriptions may each bring a copy of a message of this topic.
    pub(crate) fn copies_max(&self, topics: &Topics, topic: TopicId) -> usize {
        self.bringing(topics, topic, None).count()
    }

    /// The QoS that this subscription makes it owe for a message that was published at this place; `None`: nothing is certain.
    pub(crate) fn owed_qos(&self, filter: FilterId, published: usize, message: &Message) -> Option<Qos> {
        let is_own = self.client == message.publisher || message.has_more_publishers;
        let granted = self.subscriptions.get(&filter)?.certain(published)?;
        (!(is_own && granted.no_local)).then_some(granted.qos)
    }

    /// The highest QoS that its subscriptions of its own grant a message now, for all that was said; `None`: it has none.
    pub(crate) fn granted_qos(&self, topics: &Topics, message: &Message) -> Option<Qos> {
        let bringing = self.bringing(topics, message.topic, Some(message));
        let of_its_own = bringing.filter(|(filter, _)| topics.filter(*filter).share_name().is_none());
        of_its_own
            .filter_map(|(_, subscription)| Some(subscription.granted?.qos))
            .max()
    }

    /// Whether it has this subscription, for all that was said.
    pub(crate) fn has(&self, filter: FilterId) -> bool {
        let subscription = self.subscriptions.get(&filter);
        subscription.is_some_and(|subscription| subscription.granted.is_some())
    }
}
