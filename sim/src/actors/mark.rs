use std::{fmt, str::FromStr};

use bytes::Bytes;

/// What tells a message of a run from every other: which client published it, in which step, and the how-manieth of them it is. A
/// payload begins with it: `pub/3/17`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// The client.
    pub client: String,
    /// The place of the publish among the scenario's steps, from 0.
    pub step: usize,
    /// Counted from 1.
    pub n: u32,
}

impl Mark {
    /// The payload of this message: the mark, filled up with dots to `size` bytes. Size 0 is an empty payload.
    pub fn payload(&self, size: Option<u32>) -> Bytes {
        let mut payload = self.to_string();
        match size.map(|size| size as usize) {
            Some(0) => payload.clear(),
            Some(size) if size > payload.len() => {
                let dots = size - payload.len() - 1;
                payload.push(' ');
                payload.extend(std::iter::repeat_n('.', dots));
            }
            Some(_) | None => {}
        }
        payload.into()
    }

    /// The mark a payload begins with. `None`: a client of ours did not publish it in a step.
    pub fn of(payload: &[u8]) -> Option<Self> {
        let text = str::from_utf8(payload).ok()?;
        text.split(' ').next()?.parse().ok()
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.client, self.step, self.n)
    }
}

impl FromStr for Mark {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split('/');
        let (Some(client), Some(step), Some(n), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(());
        };
        Ok(Self {
            client: client.to_owned(),
            step: step.parse().map_err(drop)?,
            n: n.parse().map_err(drop)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_of_any_size_tells_whose_it_is_unless_it_is_empty() {
        let mark = Mark {
            client: "pub".to_owned(),
            step: 3,
            n: 17,
        };
        for (size, bytes) in [
            (None, 8),
            (Some(1), 8),
            (Some(8), 8),
            (Some(9), 9),
            (Some(5000), 5000),
        ] {
            let payload = mark.payload(size);
            assert_eq!((payload.len(), Mark::of(&payload)), (bytes, Some(mark.clone())));
        }
        assert_eq!(mark.payload(Some(0)), "");
        assert_eq!(Mark::of(b"sub/will"), None);
    }
}
