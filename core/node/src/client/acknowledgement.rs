use squall_proto::client::{Receipt, Refusal};
use tokio::sync::mpsc;

/// What the application says of a message.
pub(super) type Answer = (Receipt, Result<(), Refusal>);

/// A QoS 1 or 2 message that waits for the application's word, see
/// [`protocol::Acknowledge::Manual`](squall_proto::client::Acknowledge::Manual).
///
/// Dropping it accepts the message: a client acknowledges what it makes no use of, and a message that is forgotten never holds back those
/// behind it. Dropped by a panic it refuses the message with 0x83, which a 3.1.1 server cannot be told.
///
/// It outlives the connection: in a resumed session it still answers its message, which is not delivered again; when the session
/// is lost it means nothing.
#[derive(Debug)]
pub struct Acknowledgement {
    receipt: Receipt,
    /// `None` once it has answered.
    answers: Option<mpsc::UnboundedSender<Answer>>,
}

impl Acknowledgement {
    pub(super) const fn new(receipt: Receipt, answers: mpsc::UnboundedSender<Answer>) -> Self {
        Self {
            receipt,
            answers: Some(answers),
        }
    }

    /// The message is the application's now: the server forgets it. Sent when all earlier messages of its QoS are answered.
    // [MQTT-4.5.0-2] [v3 MQTT-4.5.0-2]
    pub fn accept(mut self) {
        self.answer(Ok(()));
    }

    /// The application does not take the message. The server does not send it again; in 3.1.1 it does not learn of the refusal.
    pub fn refuse(mut self, refusal: Refusal) {
        self.answer(Err(refusal));
    }

    fn answer(&mut self, verdict: Result<(), Refusal>) {
        if let Some(answers) = self.answers.take() {
            // The client may have ended: the server will send the message again to the next of this session.
            let _ = answers.send((self.receipt, verdict));
        }
    }
}

impl Drop for Acknowledgement {
    fn drop(&mut self) {
        let verdict = if std::thread::panicking() {
            Err(Refusal::ImplementationSpecificError)
        } else {
            Ok(())
        };
        self.answer(verdict);
    }
}
