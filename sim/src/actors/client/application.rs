//! The application of a client: what it is told stands in the trace.

use std::{error::Error, future, mem};

use bytes::Bytes;
use squall_node::client::{Acknowledgement, Event, Message, Publishing};
use tokio::time::{Instant, sleep_until};

use super::options::Character;
use crate::{
    scenario::{self, Acknowledges},
    trace::{Outcome, Told, What},
    world::network,
};

/// Takes what a client tells, as slowly as the scenario says.
pub(super) struct Application {
    client: String,
    spec: scenario::Application,
    handling: Option<Handling>,
    /// Handled, and not acknowledged yet.
    unanswered: Vec<Acknowledgement>,
}

/// A message that the application is busy with.
struct Handling {
    until: Instant,
    message: Message,
    acknowledgement: Option<Acknowledgement>,
}

/// A message on its way, published by a step.
pub(crate) struct Published {
    client: String,
    step: usize,
    payload: Bytes,
    publishing: Publishing,
}

impl Application {
    pub(super) fn new(character: &Character) -> Self {
        Self {
            client: character.name.clone(),
            spec: character.spec.application,
            handling: None,
            unanswered: Vec::new(),
        }
    }

    /// Whether it takes nothing now.
    pub(super) const fn is_busy(&self) -> bool {
        self.handling.is_some()
    }

    pub(super) fn told(&mut self, event: Event) {
        match event {
            Event::Connected { session_present, .. } => self.note(Told::Connected { session_present }),
            Event::Disconnected { why, .. } => {
                let why = why.to_string();
                self.note(Told::Disconnected { why });
            }
            Event::Message {
                message,
                acknowledgement,
                ..
            } => self.takes(message, acknowledgement),
            Event::SubscriptionLost { filter, .. } => self.note(Told::SubscriptionLost { filter }),
            Event::StoreFailed(error) => self.store_failed(&error),
            Event::Unreachable(_) => {}
        }
    }

    /// Its session cannot be kept, or not be had back.
    pub(super) fn store_failed(&self, error: &impl Error) {
        let why = error.to_string();
        self.note(Told::StoreFailed { why });
    }

    fn takes(&mut self, message: Message, acknowledgement: Option<Acknowledgement>) {
        let handling = Handling {
            until: Instant::now() + self.spec.takes.duration(),
            message,
            acknowledgement,
        };
        if !self.spec.takes_time() {
            self.handled(handling);
        } else {
            self.handling = Some(handling);
        }
    }

    /// Is over when it has handled what it is busy with; never, when there is nothing.
    pub(super) async fn handles(&mut self) {
        let Some(handling) = &self.handling else {
            return future::pending().await;
        };
        sleep_until(handling.until).await;
        if let Some(handling) = self.handling.take() {
            self.handled(handling);
        }
    }

    fn handled(&mut self, handling: Handling) {
        let Handling {
            message,
            acknowledgement,
            ..
        } = handling;
        // On their own: the trace is kept, and would keep all the buffers that a client has read into.
        self.note(Told::Message {
            topic: message.topic.detached(),
            qos: message.qos,
            retain: message.retain,
            payload: Bytes::copy_from_slice(&message.payload),
        });
        self.unanswered.extend(acknowledgement);
        let enough = match self.spec.acknowledges {
            Acknowledges::Taken | Acknowledges::Handled => 1,
            Acknowledges::Reversed(at_once) => at_once as usize,
        };
        if self.unanswered.len() >= enough {
            let answered = mem::take(&mut self.unanswered);
            answered.into_iter().rev().for_each(Acknowledgement::accept);
        }
    }

    fn note(&self, told: Told) {
        note(self.client.clone(), told);
    }
}

impl Published {
    pub(super) const fn new(client: String, step: usize, payload: Bytes, publishing: Publishing) -> Self {
        Self {
            client,
            step,
            payload,
            publishing,
        }
    }

    /// Is over when the message is acknowledged, has failed, or is lost with the client's process.
    pub(crate) async fn ended(self) {
        let outcome = match self.publishing.await {
            Ok(reason_code) => Outcome::Answered(reason_code),
            Err(error) => Outcome::Failed(error.to_string()),
        };
        let told = Told::Published {
            step: self.step,
            payload: self.payload,
            outcome,
        };
        note(self.client, told);
    }
}

fn note(client: String, told: Told) {
    network::with(|network| network.note(What::Application { client, told }));
}
