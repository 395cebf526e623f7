use rand::{RngExt, seq::IndexedRandom};
use rand_pcg::Pcg64Mcg;
use squall_node::client::{Message, Subscription};
use squall_proto::{Properties, Qos, SubscriptionOptions, TopicFilter, TopicName, Version};
use tokio::{
    task::JoinSet,
    time::{Duration, Instant, sleep_until},
};

use super::{progress::Plan, steps::Performance};
use crate::{
    actors::{Client, Mark},
    scenario::{QosMix, Subscribers, Traffic},
};

impl Performance {
    /// Subscribes whoever is to, and publishes at the traffic's rate.
    pub(super) async fn traffic(&mut self, it: &Traffic, plan: Plan) {
        let topics: Vec<TopicName> = it
            .topics
            .iter()
            .flat_map(|pattern| pattern.topics())
            .cloned()
            .collect();
        // No clock says when SUBACK comes, or whether it does.
        drop(plan);
        if let Some(subscribers) = &it.subscribers {
            self.subscribe_at_random(subscribers, &topics).await;
        }
        let plan = self.progress.planned();
        let publishers: Vec<Client> = it
            .publishers
            .iter()
            .flat_map(|name| self.cast.clients(name))
            .cloned()
            .collect();
        let rate = it.rate.drawn(&mut self.chance).max();
        let count = match (it.count, it.lasts) {
            (Some(count), _) => count.drawn(&mut self.chance).max(),
            (None, lasts) => {
                let lasts = lasts.unwrap_or_default().drawn(&mut self.chance).max();
                messages_in(lasts.duration(), rate)
            }
        };
        let began = Instant::now();
        let mut under_way = JoinSet::new();
        for n in 1..=u32::try_from(count).unwrap_or(u32::MAX) {
            sleep_until(began + Duration::from_millis(u64::from(n - 1) * 1000 / rate)).await;
            let (Some(client), Some(topic)) = (
                publishers.choose(&mut self.chance),
                topics.choose(&mut self.chance),
            ) else {
                break;
            };
            let message = self.message_at_random(it, client.name(), topic, n);
            let (client, step) = (client.clone(), self.place);
            // Whoever cannot publish now does not keep the others from it.
            under_way.spawn(async move {
                if let Some(published) = client.publish(step, message).await {
                    published.ended().await;
                }
            });
            while under_way.try_join_next().is_some() {}
        }
        drop(plan);
        under_way.join_all().await;
    }

    fn message_at_random(&mut self, it: &Traffic, client: &str, topic: &TopicName, n: u32) -> Message {
        let mark = Mark {
            client: client.to_owned(),
            step: self.place,
            n,
        };
        let size = it.size.map(|size| size.drawn(&mut self.chance).max());
        let size = size.map(|size| u32::try_from(size).unwrap_or(u32::MAX));
        let qos = match it.qos {
            QosMix::Of(qos) => qos,
            QosMix::Mix => any_qos(&mut self.chance),
        };
        Message {
            retain: self.chance.random_range(0..100) < it.retain.drawn(&mut self.chance).max(),
            ..Message::new(topic.clone(), mark.payload(size), qos)
        }
    }

    async fn subscribe_at_random(&mut self, it: &Subscribers, topics: &[TopicName]) {
        let clients: Vec<Client> = it
            .clients
            .iter()
            .flat_map(|name| self.cast.clients(name))
            .cloned()
            .collect();
        let can_share = self.version == Version::V5 || self.shares_v3;
        let mut subscribing = JoinSet::new();
        for client in clients {
            let filters = it.filters.drawn(&mut self.chance).max();
            let filters = (0..filters).filter_map(|_| {
                let topic = topics.choose(&mut self.chance)?;
                let filter = filter_at_random(&topic.text().to_string(), &mut self.chance);
                let is_shared = self.chance.random_range(0..100) < it.shared.drawn(&mut self.chance).max();
                let group = self.chance.random_range(1..=2);
                let filter = match is_shared && can_share {
                    true => format!("$share/group-{group}/{filter}"),
                    false => filter,
                };
                let options = SubscriptionOptions {
                    qos: any_qos(&mut self.chance),
                    ..SubscriptionOptions::default()
                };
                Some((TopicFilter::new(&filter).ok()?, options))
            });
            let subscription = Subscription {
                filters: filters.collect(),
                properties: Properties::new(),
            };
            subscribing.spawn(client.subscribe(subscription));
        }
        subscribing.join_all().await;
    }
}

/// As many as a rate gives.
fn messages_in(lasts: Duration, rate: u64) -> u64 {
    let millis = u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX);
    millis.saturating_mul(rate) / 1000
}

fn any_qos(chance: &mut Pcg64Mcg) -> Qos {
    Qos::from_value(chance.random_range(0..=2)).unwrap_or_default()
}

/// A Topic Filter that matches a topic: each level itself or `+`, and perhaps `#` from some level on.
fn filter_at_random(topic: &str, chance: &mut Pcg64Mcg) -> String {
    let levels: Vec<&str> = topic.split('/').collect();
    let kept = match chance.random_ratio(1, 3) {
        true => chance.random_range(0..levels.len()),
        false => levels.len(),
    };
    let mut filter: Vec<&str> = levels
        .iter()
        .take(kept)
        .map(|level| if chance.random_ratio(1, 4) { "+" } else { level })
        .collect();
    if kept < levels.len() {
        filter.push("#");
    }
    filter.join("/")
}
