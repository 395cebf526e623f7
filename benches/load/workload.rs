use std::{
    cell::Cell,
    fmt,
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::{
    sync::Notify,
    task::{JoinSet, LocalSet},
    time::timeout,
};

use crate::{
    clients::{self, Flow},
    process::Broker,
};

pub(crate) struct Workload {
    pub(crate) name: &'static str,
    publishers: usize,
    subscribers: usize,
    qos: u8,
    window: u64,
}

/// What a broker did for a workload.
pub(crate) struct Measured {
    run_time: Duration,
    time: Duration,
    expected: u64,
    delivered: u64,
}

pub(crate) const WORKLOADS: &[Workload] = &[
    workload("p2p q0", 10, 10, 0),
    workload("p2p q1", 10, 10, 1),
    workload("1:500 q0", 1, 500, 0),
    workload("1:500 q1", 1, 500, 1),
    workload("500:1 q0", 500, 1, 0),
    workload("500:1 q1", 500, 1, 1),
];

const fn workload(name: &'static str, publishers: usize, subscribers: usize, qos: u8) -> Workload {
    Workload {
        name,
        publishers,
        subscribers,
        qos,
        window: match (publishers, subscribers) {
            (1, _) => 400,
            (_, 1) => 5_000,
            _ => 2_000,
        },
    }
}

impl Workload {
    /// Publishes for that long, and waits until all has arrived, if it does.
    pub(crate) async fn run(&self, broker: &Broker, length: Duration) -> Measured {
        LocalSet::new().run_until(self.run_local(broker, length)).await
    }

    async fn run_local(&self, broker: &Broker, length: Duration) -> Measured {
        let flows = self.flows();
        let mut receiving = JoinSet::new();
        for number in 0..self.subscribers {
            let topic = number % flows.len();
            let (client_id, filter) = (format!("s{number}"), format!("load/{topic}"));
            let subscriber = clients::subscriber(broker.address, &client_id, &filter, self.qos);
            let stream = subscriber.await.expect("the broker takes a subscriber");
            let flow = Rc::clone(&flows[topic]);
            receiving.spawn_local(async move { clients::receive(stream, &flow).await });
        }
        let mut publishers = Vec::new();
        for number in 0..self.publishers {
            let publisher = clients::connect(broker.address, &format!("p{number}")).await;
            publishers.push(publisher.expect("the broker takes a publisher"));
        }

        let (run_time, start) = (broker.run_time(), Instant::now());
        let mut publishing = JoinSet::new();
        for (number, stream) in publishers.into_iter().enumerate() {
            let topic = number % flows.len();
            let (flow, qos) = (Rc::clone(&flows[topic]), self.qos);
            let topic = format!("load/{topic}");
            publishing.spawn_local(async move {
                clients::publish(stream, &topic, qos, &flow, start + length).await
            });
        }
        let finish = async {
            while let Some(published) = publishing.join_next().await {
                published
                    .expect("no panic")
                    .expect("the broker reads what is published");
            }
            for flow in &flows {
                while flow.delivered.get() < flow.published.get() * flow.fan_out {
                    flow.room.notified().await;
                }
            }
        };
        let _ = timeout(length + GRACE, finish).await;
        Measured {
            run_time: broker.run_time() - run_time,
            time: start.elapsed(),
            expected: flows.iter().map(|flow| flow.published.get() * flow.fan_out).sum(),
            delivered: flows.iter().map(|flow| flow.delivered.get()).sum(),
        }
    }

    /// One topic for each pair, or one for all.
    fn flows(&self) -> Vec<Rc<Flow>> {
        let topics = self.publishers.min(self.subscribers);
        let flow = || {
            Rc::new(Flow {
                published: Cell::new(0),
                delivered: Cell::new(0),
                fan_out: (self.subscribers / topics) as u64,
                window: self.window,
                room: Notify::new(),
            })
        };
        (0..topics).map(|_| flow()).collect()
    }
}

impl Measured {
    /// Processor seconds a million delivered messages.
    pub(crate) fn cost(&self) -> f64 {
        self.run_time.as_secs_f64() * 1e6 / self.delivered as f64
    }

    /// Whether all that was published arrived.
    pub(crate) const fn is_complete(&self) -> bool {
        self.delivered == self.expected
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = self.delivered as f64 / self.time.as_secs_f64() / 1e3;
        let lost = if self.is_complete() { "" } else { " LOST" };
        write!(f, "{:.3} ({rate:.0}k){lost}", self.cost())
    }
}

/// For what is on its way when publishing ends.
const GRACE: Duration = Duration::from_secs(10);
