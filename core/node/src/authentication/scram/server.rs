use std::{future::ready, str, sync::Arc};

use bytes::Bytes;
use squall_proto::{Binary, ReasonCode, Text, broker::Judgement};

use super::{
    Verifier,
    message::{self, ClientFinal, ClientFirst},
};
use crate::authentication::{Applicant, Exchange, Judging, users::Known};

/// The server's side of an exchange.
pub(in crate::authentication) struct ScramExchange {
    users: Arc<Known>,
    /// Who the client has to be, when it authenticates again.
    expected: Option<Text>,
    /// The server's part of the nonce.
    nonce: String,
    state: State,
}

enum State {
    AwaitingFirst,
    AwaitingFinal(Box<Challenged>),
    Over,
}

/// What the client's last message is judged by.
struct Challenged {
    user: Text,
    verifier: Verifier,
    /// Client's and server's.
    nonce: String,
    binding: String,
    client_first_bare: String,
    server_first: String,
}

impl ScramExchange {
    /// `nonce` is chance that nobody foresees, and never the same again.
    pub(in crate::authentication) fn new(users: Arc<Known>, applicant: Applicant, nonce: String) -> Self {
        Self {
            users,
            expected: applicant.user,
            nonce,
            state: State::AwaitingFirst,
        }
    }

    /// `None` refuses the client. It does not learn why: a name that nobody has ends as a wrong password does.
    fn next(&mut self, data: &[u8]) -> Option<Judgement> {
        let text = str::from_utf8(data).ok()?;
        match std::mem::replace(&mut self.state, State::Over) {
            State::AwaitingFirst => self.first(text),
            State::AwaitingFinal(challenged) => self.last(*challenged, text),
            State::Over => None,
        }
    }

    fn first(&mut self, text: &str) -> Option<Judgement> {
        let first = ClientFirst::parse(text)?;
        let user = Text::new(&first.user).ok()?;
        let verifier = self.users.verifier(&user);
        let nonce = format!("{}{}", first.nonce, self.nonce);
        let server_first = message::server_first(&nonce, verifier.salt(), verifier.iterations());
        self.state = State::AwaitingFinal(Box::new(Challenged {
            user,
            verifier,
            nonce,
            binding: first.binding.to_owned(),
            client_first_bare: first.bare.to_owned(),
            server_first: server_first.clone(),
        }));
        let data = binary(server_first);
        data.is_some().then_some(Judgement::Challenge { data })
    }

    fn last(&self, challenged: Challenged, text: &str) -> Option<Judgement> {
        let last = ClientFinal::parse(text)?;
        let Challenged { user, verifier, .. } = challenged;
        let auth_message = message::auth_message(
            &challenged.client_first_bare,
            &challenged.server_first,
            last.without_proof,
        );
        let right = last.nonce == challenged.nonce
            && last.binding == challenged.binding.as_bytes()
            && verifier.proves(&last.proof, &auth_message)
            && self.expected.as_ref().is_none_or(|expected| *expected == user);
        right.then(|| Judgement::Accept {
            user: Some(user),
            data: binary(message::server_final(&verifier.signature(&auth_message))),
        })
    }
}

impl Exchange for ScramExchange {
    fn step(&mut self, data: Option<Binary>) -> Judging<'_> {
        let next = data.and_then(|data| self.next(&data));
        let refused = Judgement::Refuse(ReasonCode::NotAuthorized);
        Box::pin(ready(next.unwrap_or(refused)))
    }
}

/// `None` for more bytes than a client may send a nonce of.
fn binary(text: String) -> Option<Binary> {
    Binary::new(Bytes::from(text)).ok()
}

#[cfg(test)]
mod tests {

    use super::{super::from_base64, *};
    use crate::authentication::UserFile;

    /// The server of RFC 7677, section 3.
    fn exchange() -> ScramExchange {
        let salt = from_base64("W22ZaJ0SNY7soEsUEjb6gQ==").expect("Base64");
        let mut file = UserFile::default();
        file.set("user", Verifier::new(b"pencil", salt, 4096))
            .expect("a name");
        let applicant = Applicant {
            client_id: Text::default(),
            user_name: None,
            method: Text::default(),
            user: None,
        };
        let nonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0".to_owned();
        ScramExchange::new(Arc::new(Known::new(file)), applicant, nonce)
    }

    const FIRST: &str = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
    const LAST: &str = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                        p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

    fn data(text: &str) -> Option<Binary> {
        binary(text.to_owned())
    }

    #[test]
    fn the_exchange_of_rfc_7677_comes_out_as_written_there() {
        let mut exchange = exchange();
        let challenge =
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        let data_of = |text| data(text);
        assert_eq!(
            exchange.next(FIRST.as_bytes()),
            Some(Judgement::Challenge {
                data: data_of(challenge)
            })
        );
        assert_eq!(
            exchange.next(LAST.as_bytes()),
            Some(Judgement::Accept {
                user: Text::new("user").ok(),
                data: data_of("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="),
            })
        );
        assert_eq!(exchange.next(LAST.as_bytes()), None);
    }

    #[test]
    fn a_last_message_that_differs_anywhere_is_refused() {
        for last in [
            LAST.replace("p=d", "p=e"),
            LAST.replace("p=", "x=1,p="),
            LAST.replace("c=biws", "c=eSws"),
            LAST.replace("k0,", "k1,"),
            FIRST.to_owned(),
            String::new(),
        ] {
            let mut exchange = exchange();
            exchange.next(FIRST.as_bytes()).expect("a challenge");
            assert_eq!(exchange.next(last.as_bytes()), None, "{last}");
            assert_eq!(exchange.next(LAST.as_bytes()), None, "one attempt an exchange");
        }
    }

    #[test]
    fn a_name_that_nobody_has_is_challenged_like_any_other_and_always_alike() {
        let challenge = |nonce: &str| {
            let first = format!("n,,n=nobody,r={nonce}");
            let Some(Judgement::Challenge { data: Some(data) }) = exchange().next(first.as_bytes()) else {
                panic!("no challenge")
            };
            let text = String::from_utf8(data.to_vec()).expect("text");
            let (_, salting) = text.split_once(",s=").expect("a salt");
            salting.to_owned()
        };
        assert_eq!(challenge("abc"), challenge("def"));
        assert!(challenge("abc").ends_with("==,i=4096"));
        assert_eq!(challenge("abc").len(), "W22ZaJ0SNY7soEsUEjb6gQ==,i=4096".len());
    }
}
