use std::{collections::BTreeMap, future::Future, sync::Arc, time::Duration};

use parking_lot::Mutex;
use squall_proto::{
    Binary, Connack, Property, Qos, ReasonCode, TopicFilter, TopicName, Version,
    client::{Failure, Message, Misuse, Resubscribe, Subscription},
};
use tokio::sync::{Notify, oneshot};

use super::{Client, Error, Options};

/// The requests of a client that wait for their responses.
#[derive(Clone, Debug)]
pub(super) struct Responses(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    connected: Notify,
    /// One request subscribes, those with it wait for that.
    subscribing: tokio::sync::Mutex<()>,
    /// Tells this client's requests from those of an earlier process of its session.
    seed: u64,
    client_id: String,
    /// Whether the client makes the subscription again by itself.
    renews: bool,
}

#[derive(Debug, Default)]
struct State {
    /// Where responses go; known since the first connection.
    topic: Option<TopicName>,
    subscribed: bool,
    waiting: BTreeMap<u64, oneshot::Sender<Message>>,
    next: u64,
}

/// A request under way: nobody waits for its response any more when this is dropped.
struct Waiting<'a> {
    responses: &'a Responses,
    number: u64,
    response: oneshot::Receiver<Message>,
}

impl Client {
    /// Publishes a request and waits for its response, so long at most. The client subscribes to a Response Topic of its own, made of the
    /// server's Response Information if CONNECT asked for it, and sets Response Topic and Correlation Data; any number of requests
    /// may be under way. 5.0 alone.
    pub async fn request(&self, message: Message, within: Duration) -> Result<Message, Error> {
        let response = tokio::time::timeout(within, self.requested(message));
        response.await.unwrap_or(Err(Error::TimedOut))
    }

    async fn requested(&self, mut message: Message) -> Result<Message, Error> {
        if self.protocol.version == Version::V3_1_1 {
            return Err(Failure::Misuse(Misuse::NeedsVersion5("requests")).into());
        }
        let topic = self.responses.ready(self).await?;
        let mut waiting = self.responses.wait();
        message.properties.retain(|property| {
            !matches!(
                property,
                Property::ResponseTopic(_) | Property::CorrelationData(_)
            )
        });
        message.properties.push(Property::ResponseTopic(topic));
        message.properties.push(Property::CorrelationData(
            self.responses.correlation(waiting.number),
        ));
        let publish = async {
            match self.publish(message).await {
                Ok(code) if code.is_error() => Err(Error::Refused(code)),
                Ok(_) => std::future::pending().await,
                Err(error) => Err(error),
            }
        };
        first(&mut waiting.response, publish).await
    }
}

async fn first(
    response: &mut oneshot::Receiver<Message>,
    publish: impl Future<Output = Result<Message, Error>>,
) -> Result<Message, Error> {
    tokio::select! {
        biased;
        response = response => response.map_err(|_| Error::Ended),
        failed = publish => failed,
    }
}

impl Responses {
    pub(super) fn new(options: &Options) -> Self {
        Self(Arc::new(Shared {
            state: Mutex::default(),
            connected: Notify::new(),
            subscribing: tokio::sync::Mutex::new(()),
            seed: options.seed,
            client_id: options.protocol.client_id.to_string(),
            renews: options.protocol.resubscribe != Resubscribe::Never,
        }))
    }

    /// The server accepted a connection.
    pub(super) fn connected(&self, session_present: bool, connack: &Connack) {
        let mut state = self.0.state.lock();
        if state.topic.is_none() {
            let assigned = connack.properties.assigned_client_identifier();
            let client_id = assigned.as_deref().unwrap_or(&self.0.client_id);
            let basis = connack.properties.response_information();
            state.topic = topic(basis.as_deref().unwrap_or("response"), client_id);
            self.0.connected.notify_waiters();
        }
        state.subscribed &= session_present || self.0.renews;
    }

    /// Gives a response to who waits for it, and every other message back. A response for which nobody waits any more is nobody's.
    pub(super) fn take(&self, message: Message) -> Option<Message> {
        let mut state = self.0.state.lock();
        if !state.subscribed || state.topic.as_ref() != Some(&message.topic) {
            return Some(message);
        }
        let correlation = message.properties.correlation_data();
        let number = correlation.and_then(|correlation| self.number(&correlation));
        if let Some(waiting) = number.and_then(|number| state.waiting.remove(&number)) {
            // It may have given up.
            let _ = waiting.send(message);
        }
        None
    }

    /// Waits until responses can come, and says where.
    async fn ready(&self, client: &Client) -> Result<TopicName, Error> {
        let topic = self.topic().await;
        let _one_at_a_time = self.0.subscribing.lock().await;
        if self.0.state.lock().subscribed {
            return Ok(topic);
        }
        // A Topic Name is its own Topic Filter.
        let filter = TopicFilter::new(&topic).map_err(|_| Error::Refused(ReasonCode::TopicFilterInvalid))?;
        let granted = client
            .subscribe(Subscription::new(filter, Qos::AtLeastOnce))
            .await?;
        match granted.into_iter().find(|code| code.is_error()) {
            None => {
                self.0.state.lock().subscribed = true;
                Ok(topic)
            }
            Some(refused) => Err(Error::Refused(refused)),
        }
    }

    async fn topic(&self) -> TopicName {
        loop {
            let connected = self.0.connected.notified();
            if let Some(topic) = self.0.state.lock().topic.clone() {
                return topic;
            }
            connected.await;
        }
    }

    fn wait(&self) -> Waiting<'_> {
        let (respond, response) = oneshot::channel();
        let mut state = self.0.state.lock();
        let number = state.next;
        state.next += 1;
        state.waiting.insert(number, respond);
        Waiting {
            responses: self,
            number,
            response,
        }
    }

    fn correlation(&self, number: u64) -> Binary {
        let bytes = [self.0.seed.to_be_bytes(), number.to_be_bytes()].concat();
        Binary::new(bytes).unwrap_or_default()
    }

    fn number(&self, correlation: &[u8]) -> Option<u64> {
        let number = correlation.strip_prefix(&self.0.seed.to_be_bytes())?;
        number.try_into().ok().map(u64::from_be_bytes)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.responses.0.state.lock().waiting.remove(&self.number);
    }
}

/// `None` where the server's basis, or the Client Identifier, makes no Topic Name.
fn topic(basis: &str, client_id: &str) -> Option<TopicName> {
    let client_id = client_id.replace(['+', '#'], "_");
    TopicName::new(&format!("{}/{client_id}", basis.trim_end_matches('/'))).ok()
}
