//! The four messages of an exchange, as text: `n,,n=user,r=..`, `r=..,s=..,i=..`, `c=..,r=..,p=..`, `v=..`.

use super::{Key, base64, from_base64, prepared};

/// What says that the client does not bind the exchange to its TLS channel.
const NO_BINDING: &str = "n,,";

/// The client's first message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ClientFirst<'a> {
    /// What the client says about channel binding, which its last message repeats.
    pub(super) binding: &'a str,
    /// The message without that.
    pub(super) bare: &'a str,
    pub(super) user: String,
    pub(super) nonce: &'a str,
}

/// The server's first message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ServerFirst<'a> {
    pub(super) nonce: &'a str,
    pub(super) salt: Vec<u8>,
    pub(super) iterations: u32,
}

/// The client's last message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ClientFinal<'a> {
    /// The message without the proof.
    pub(super) without_proof: &'a str,
    pub(super) binding: Vec<u8>,
    pub(super) nonce: &'a str,
    pub(super) proof: Key,
}

impl<'a> ClientFirst<'a> {
    /// `None` for what is none, and for a client that insists on channel binding or on acting for somebody else: there is neither.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let bare = text.strip_prefix("n,,").or_else(|| text.strip_prefix("y,,"))?;
        let binding = text.strip_suffix(bare)?;
        let mut attributes = bare.split(',');
        // A message that begins with an extension that must be understood has no name there.
        let user = unescaped(attributes.next()?.strip_prefix("n=")?)?;
        let nonce = attributes
            .next()?
            .strip_prefix("r=")
            .filter(|nonce| is_nonce(nonce))?;
        Some(Self {
            binding,
            bare,
            user: prepared(&user),
            nonce,
        })
    }
}

/// The client's first message without what it says of channel binding.
pub(super) fn client_first_bare(user: &str, nonce: &str) -> String {
    let user = prepared(user).replace('=', "=3D").replace(',', "=2C");
    format!("n={user},r={nonce}")
}

pub(super) fn client_first(bare: &str) -> String {
    format!("{NO_BINDING}{bare}")
}

pub(super) fn server_first(nonce: &str, salt: &[u8], iterations: u32) -> String {
    format!("r={nonce},s={},i={iterations}", base64(salt))
}

impl<'a> ServerFirst<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let mut attributes = text.split(',');
        let nonce = attributes
            .next()?
            .strip_prefix("r=")
            .filter(|nonce| is_nonce(nonce))?;
        let salt = from_base64(attributes.next()?.strip_prefix("s=")?)?;
        let iterations = attributes.next()?.strip_prefix("i=")?.parse().ok()?;
        Some(Self {
            nonce,
            salt,
            iterations,
        })
    }
}

pub(super) fn client_final_without_proof(nonce: &str) -> String {
    format!("c={},r={nonce}", base64(NO_BINDING))
}

pub(super) fn client_final(without_proof: &str, proof: &Key) -> String {
    format!("{without_proof},p={}", base64(proof))
}

impl<'a> ClientFinal<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (without_proof, proof) = text.rsplit_once(",p=")?;
        let mut attributes = without_proof.split(',');
        Some(Self {
            without_proof,
            binding: from_base64(attributes.next()?.strip_prefix("c=")?)?,
            nonce: attributes.next()?.strip_prefix("r=")?,
            proof: from_base64(proof)?.try_into().ok()?,
        })
    }
}

pub(super) fn server_final(signature: &Key) -> String {
    format!("v={}", base64(signature))
}

/// The signature in the server's last message.
pub(super) fn signature(text: &str) -> Option<Key> {
    let signature = text.split(',').next()?.strip_prefix("v=")?;
    from_base64(signature)?.try_into().ok()
}

/// What both sides sign.
pub(super) fn auth_message(client_first_bare: &str, server_first: &str, without_proof: &str) -> String {
    format!("{client_first_bare},{server_first},{without_proof}")
}

/// A name as it was before `=` and `,` were escaped; `None` where an escape is none.
fn unescaped(name: &str) -> Option<String> {
    let mut pieces = name.split('=');
    let mut whole = pieces.next()?.to_owned();
    for piece in pieces {
        let (escape, rest) = piece.split_at_checked(2)?;
        whole.push(match escape {
            "2C" => ',',
            "3D" => '=',
            _ => return None,
        });
        whole.push_str(rest);
    }
    Some(whole).filter(|name| !name.is_empty())
}

fn is_nonce(nonce: &str) -> bool {
    !nonce.is_empty() && nonce.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_comes_back_as_it_was_escaped() {
        for name in ["u", "a,b=c", "=,", "ü"] {
            let first = client_first(&client_first_bare(name, "abc"));
            let parsed = ClientFirst::parse(&first).map(|first| (first.user, first.nonce));
            assert_eq!(parsed, Some((name.to_owned(), "abc")), "{first}");
        }
    }

    #[test]
    fn what_is_no_first_message_is_refused() {
        for text in [
            "",
            "n,,",
            "n,,n=,r=abc",
            "n,,n=u",
            "n,,n=u,r=",
            "n,,n=u=2X,r=abc",
            "n,,n=u=2,r=abc",
            "n,,n=u,r=a c",
            "n,,m=x,n=u,r=abc",
            "n,a=other,n=u,r=abc",
            "p=tls-exporter,,n=u,r=abc",
        ] {
            assert_eq!(ClientFirst::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_client_that_thinks_the_server_binds_nothing_is_taken() {
        let first = ClientFirst::parse("y,,n=u,r=abc").map(|first| (first.binding, first.bare));
        assert_eq!(first, Some(("y,,", "n=u,r=abc")));
    }

    #[test]
    fn what_is_no_other_message_is_refused() {
        for text in [
            "",
            "r=abc",
            "r=abc,s=?,i=1",
            "r=abc,s=AAAA,i=x",
            "s=AAAA,r=abc,i=1",
            "e=other-error",
        ] {
            assert_eq!(ServerFirst::parse(text), None, "{text}");
        }
        for text in [
            "",
            "c=biws,r=abc",
            "c=biws,r=abc,p=AAAA",
            "c=?,r=abc,p=",
            "r=abc,c=biws,p=",
        ] {
            assert_eq!(ClientFinal::parse(text), None, "{text}");
        }
        for text in ["", "v=", "v=AAAA", "e=invalid-proof"] {
            assert_eq!(signature(text), None, "{text}");
        }
    }
}
