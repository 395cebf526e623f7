use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use squall_proto::{
    Binary, ReasonCode, Text,
    broker::{Credentials, Judgement, Question},
};

use crate::authentication::{Applicant, Authenticator, Exchange};

/// What the broker asks about one connection, and the finding of the answer.
pub(super) struct Judging {
    authenticator: Arc<dyn Authenticator>,
    /// Who it is about, once there was a CONNECT with an Authentication Method.
    applicant: Option<Applicant>,
    /// The exchange that waits for the client.
    exchange: Option<Box<dyn Exchange>>,
    question: Option<Asked>,
}

/// A question without an answer.
struct Asked {
    holds: bool,
    answer: Pin<Box<dyn Future<Output = Answer> + Send>>,
}

/// The answer, and the exchange it came from, if that goes on.
type Answer = (Judgement, Option<Box<dyn Exchange>>);

impl Judging {
    pub(super) const fn new(authenticator: Arc<dyn Authenticator>) -> Self {
        Self {
            authenticator,
            applicant: None,
            exchange: None,
            question: None,
        }
    }

    /// Whether nothing may be read until there is an answer.
    pub(super) fn holds(&self) -> bool {
        self.question.as_ref().is_some_and(|asked| asked.holds)
    }

    /// Begins to look for the answer.
    pub(super) fn ask(&mut self, question: Question) {
        let holds = question.holds();
        let answer: Pin<Box<dyn Future<Output = Answer> + Send>> = match question {
            Question::Connect(credentials) => match Applicant::of(&credentials) {
                None => Box::pin(check(Arc::clone(&self.authenticator), credentials)),
                Some(applicant) => {
                    let exchange = self.authenticator.begin(applicant.clone());
                    self.applicant = Some(applicant);
                    Box::pin(step(exchange, credentials.data))
                }
            },
            Question::Reauthenticate { user, data } => {
                let applicant = self
                    .applicant
                    .clone()
                    .map(|applicant| Applicant { user, ..applicant });
                let exchange = applicant.and_then(|applicant| self.authenticator.begin(applicant));
                Box::pin(step(exchange, data))
            }
            Question::Continue { data, .. } => Box::pin(step(self.exchange.take(), data)),
        };
        self.question = Some(Asked { holds, answer });
    }

    /// The answer to what was asked, and whether it held the connection.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<(Judgement, bool)> {
        let Some(Asked { holds, answer }) = &mut self.question else {
            return Poll::Pending;
        };
        let held = *holds;
        answer.as_mut().poll(cx).map(|(judgement, exchange)| {
            self.exchange = exchange;
            self.question = None;
            (judgement, held)
        })
    }
}

async fn check(authenticator: Arc<dyn Authenticator>, credentials: Box<Credentials>) -> Answer {
    let judgement = match authenticator.check(&credentials).await {
        Ok(user) => Judgement::Accept { user, data: None },
        Err(reason_code) => Judgement::Refuse(reason_code),
    };
    (judgement, None)
}

/// `None` in place of an exchange: nobody knows the method.
// [MQTT-4.12.0-1]
async fn step(exchange: Option<Box<dyn Exchange>>, data: Option<Binary>) -> Answer {
    let Some(mut exchange) = exchange else {
        return (Judgement::Refuse(ReasonCode::BadAuthenticationMethod), None);
    };
    let judgement = exchange.step(data).await;
    let goes_on = matches!(judgement, Judgement::Challenge { .. });
    (judgement, goes_on.then_some(exchange))
}

impl Applicant {
    /// `None` without an Authentication Method.
    fn of(credentials: &Credentials) -> Option<Self> {
        Some(Self {
            client_id: owned(&credentials.client_id),
            user_name: credentials.user_name.as_ref().map(owned),
            method: owned(credentials.method.as_ref()?),
            user: None,
        })
    }
}

/// A copy that does not keep the buffer that the text was read into.
fn owned(text: &Text) -> Text {
    Text::new(text).expect("a text is a legal string")
}
