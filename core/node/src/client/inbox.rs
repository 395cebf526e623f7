use squall_proto::{
    Disconnect, ReasonCode,
    client::{Failure, Message, NotReauthenticated, Subscription, Unsubscription},
};
use tokio::sync::{mpsc, oneshot};

use super::{acknowledgement::Answer, authentication::Exchange};

/// What the handles ask.
#[derive(Debug)]
pub(super) struct Inbox {
    pub(super) publishes: mpsc::Receiver<Publish>,
    pub(super) requests: mpsc::Receiver<Request>,
    pub(super) stop: mpsc::Receiver<Disconnect>,
    /// Not bounded by itself: there are no more than messages that wait for an answer.
    pub(super) answers: mpsc::UnboundedReceiver<Answer>,
}

#[derive(Debug)]
pub(super) struct Publish {
    pub(super) message: Message,
    pub(super) reply: oneshot::Sender<Result<ReasonCode, Failure>>,
}

#[derive(Debug)]
pub(super) enum Request {
    Subscribe(Subscription, oneshot::Sender<Result<Vec<ReasonCode>, Failure>>),
    Reauthenticate(Box<dyn Exchange>, oneshot::Sender<Result<(), NotReauthenticated>>),
    Unsubscribe(Unsubscription, oneshot::Sender<Result<Vec<ReasonCode>, Failure>>),
    /// Tell when nothing waits any more.
    Flush(oneshot::Sender<()>),
}

/// One of the things that handles ask.
#[derive(Debug)]
pub(super) enum Asked {
    Publish(Publish),
    Request(Request),
    Answer(Answer),
    /// To end, with this DISCONNECT; or nobody is left to ask for anything.
    Stop(Disconnect),
}

impl Inbox {
    /// The next thing asked, of the kinds there is room for. Loses nothing when it is dropped before it is ready.
    pub(super) async fn next(&mut self, takes_requests: bool, takes_messages: bool) -> Asked {
        tokio::select! {
            biased;
            disconnect = self.stop.recv() => {
                Asked::Stop(disconnect.unwrap_or_else(|| Disconnect::of(ReasonCode::Success)))
            }
            Some(answer) = self.answers.recv() => Asked::Answer(answer),
            Some(request) = self.requests.recv(), if takes_requests => Asked::Request(request),
            Some(publish) = self.publishes.recv(), if takes_messages => Asked::Publish(publish),
        }
    }

    /// As [`Inbox::next`], of what is there by now; it never says to stop.
    pub(super) fn try_next(&mut self, takes_requests: bool, takes_messages: bool) -> Option<Asked> {
        if let Ok(answer) = self.answers.try_recv() {
            return Some(Asked::Answer(answer));
        }
        if takes_requests && let Ok(request) = self.requests.try_recv() {
            return Some(Asked::Request(request));
        }
        if takes_messages && let Ok(publish) = self.publishes.try_recv() {
            return Some(Asked::Publish(publish));
        }
        None
    }

    /// Whether nothing is asked that was not taken yet.
    pub(super) fn is_empty(&self) -> bool {
        self.publishes.is_empty() && self.requests.is_empty() && self.answers.is_empty()
    }

    /// Takes nothing more, and gives what was asked before.
    pub(super) fn close(&mut self) -> Vec<Asked> {
        self.requests.close();
        self.publishes.close();
        let requests = std::iter::from_fn(|| self.requests.try_recv().ok()).map(Asked::Request);
        let publishes = std::iter::from_fn(|| self.publishes.try_recv().ok()).map(Asked::Publish);
        let answers = std::iter::from_fn(|| self.answers.try_recv().ok()).map(Asked::Answer);
        answers.chain(requests).chain(publishes).collect()
    }
}
