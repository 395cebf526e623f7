//! What the target says about itself before the cases run.

use std::{collections::BTreeMap, io, sync::Arc, time::Duration};

use squall_proto::{Connack, ReasonCode, Version};
use tokio::time::timeout;

use crate::{Capability, Context, Transport, User, packets};

/// What a target said about itself. [`Target::default`] has said nothing, and so is held to everything.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// Its CONNACK of 5.0.
    connack: Option<Connack>,
    /// Versions it does not speak, and how it said so.
    refused: Vec<(Version, String)>,
    /// What it does not do and does not say, as whoever runs the suite said, and why.
    lacks: BTreeMap<Capability, String>,
    /// Somebody it knows, as whoever runs the suite said.
    user: Option<User>,
    /// It takes nobody else.
    takes_nobody_else: bool,
}

impl Target {
    /// Asks the target once with each of these versions. A target that answers neither speaks neither; that is no error. Where it knows
    /// this user, and takes nobody who does not say who they are, all cases are this user; otherwise those about enhanced
    /// authentication alone, which without a user are unsupported.
    ///
    /// # Errors
    ///
    /// When it cannot be reached.
    pub async fn probe(
        transport: &Arc<dyn Transport>,
        versions: &[Version],
        unique: &str,
        patience: Duration,
        user: Option<User>,
    ) -> io::Result<Self> {
        drop(timeout(patience, transport.connect()).await??);
        let asking = |target: Self| async move {
            let (as_this, mut found) = (Arc::new(target.clone()), target);
            for version in versions {
                let target = Arc::clone(&as_this);
                let context = Context::new(*version, patience, target, Arc::clone(transport), unique.into());
                match answer(&context).await {
                    Ok(connack) if *version == Version::V5 => found.connack = Some(connack),
                    Ok(_) => {}
                    Err(why) => found.refused.push((*version, why)),
                }
            }
            found
        };
        let nobody = Self {
            user,
            ..Self::default()
        };
        let as_user = Self {
            takes_nobody_else: true,
            ..nobody.clone()
        };
        let has_user = nobody.user.is_some();
        let found = asking(nobody).await;
        if !has_user || found.refused.is_empty() {
            return Ok(found);
        }
        let found_as_user = asking(as_user).await;
        Ok(match found_as_user.refused.len() < found.refused.len() {
            true => found_as_user,
            false => found,
        })
    }

    /// With what it is known not to do, each with a reason, wherever its CONNACK does not say so.
    #[must_use]
    pub fn with_lacks(self, lacks: BTreeMap<Capability, String>) -> Self {
        Self { lacks, ..self }
    }

    /// Why cases of this version make no sense here, if they do not.
    #[must_use]
    pub fn refuses(&self, version: Version) -> Option<&str> {
        let refused = self.refused.iter().find(|(refused, _)| *refused == version);
        refused.map(|(_, why)| why.as_str())
    }

    /// Where it said that it does not do this, if it did. What a server says in 5.0 holds for its 3.1.1 too.
    #[must_use]
    pub fn lacks(&self, capability: Capability) -> Option<String> {
        let known = self.lacks.get(&capability);
        known.cloned().or_else(|| self.says_it_lacks(capability))
    }

    fn says_it_lacks(&self, capability: Capability) -> Option<String> {
        let properties = &self.connack.as_ref()?.properties;
        let (lacks, said) = match capability {
            // `false` means QoS 0, `true` QoS 1.
            Capability::Qos1 => (properties.maximum_qos() == Some(false), "Maximum QoS 0"),
            Capability::Qos2 => (properties.maximum_qos().is_some(), "a Maximum QoS below 2"),
            Capability::Retain => (properties.retain_available() == Some(false), "Retain Available 0"),
            Capability::SharedSubscriptions => (
                properties.shared_subscription_available() == Some(false),
                "Shared Subscription Available 0",
            ),
            Capability::SubscriptionIdentifiers => (
                properties.subscription_identifier_available() == Some(false),
                "Subscription Identifier Available 0",
            ),
            Capability::TopicAliases => (self.topic_alias_maximum() == 0, "no Topic Alias Maximum"),
            Capability::Wildcards => (
                properties.wildcard_subscription_available() == Some(false),
                "Wildcard Subscription Available 0",
            ),
        };
        lacks.then(|| format!("its CONNACK says {said}"))
    }

    /// As whom everybody connects, if it takes nobody else.
    pub(crate) fn login(&self) -> Option<&User> {
        self.user.as_ref().filter(|_| self.takes_nobody_else)
    }

    /// Somebody it knows, if anybody said who.
    pub(crate) const fn user(&self) -> Option<&User> {
        self.user.as_ref()
    }

    /// The highest Topic Alias it takes; 0 for none.
    pub(crate) fn topic_alias_maximum(&self) -> u16 {
        let connack = self.connack.as_ref();
        connack
            .and_then(|connack| connack.properties.topic_alias_maximum())
            .unwrap_or(0)
    }
}

/// How the reason begins why cases of a version make no sense where a target does not take its CONNECT.
const REFUSES: &str = "it does not take a CONNECT";

/// Whether a case was `unsupported` for this reason: the target takes no CONNECT of its version.
#[must_use]
pub fn is_refusal(why: &str) -> bool {
    why.starts_with(REFUSES)
}

async fn answer(context: &Context) -> Result<Connack, String> {
    let refused = |got: &str| format!("{REFUSES} of {}: {got}", context.version);
    // Not the same client with both versions: the one before may still be there.
    let name = context.by_version("probe3", "probe5");
    let connect = packets::connect(context.version, &context.client_id(name));
    let answered = context.available(name, &connect).await;
    let (_client, connack) = answered.map_err(|_| refused("no CONNACK"))?;
    let code = connack.reason_code;
    if code == ReasonCode::Success {
        return Ok(connack);
    }
    Err(refused(&format!(
        "CONNACK 0x{:02X} {}",
        code.value(),
        code.name()
    )))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::{Connecting, Duplex};

    /// It is not available just now to the first three connections: that of the probe which says nothing, and two CONNECTs.
    struct Busy(std::sync::Mutex<u32>);

    impl Transport for Busy {
        fn connect(&self) -> Connecting<'_> {
            let mut connections = self.0.lock().unwrap();
            *connections += 1;
            let code = if *connections > 3 { 0 } else { 3 };
            let (near, mut far) = tokio::io::duplex(64);
            tokio::spawn(async move {
                let mut byte = [0];
                if far.read_exact(&mut byte).await.is_ok() {
                    far.write_all(&[0x20, 2, 0, code]).await.unwrap();
                    far.read_to_end(&mut Vec::new()).await.unwrap();
                }
            });
            let (read, write) = tokio::io::split(near);
            Box::pin(async { Ok(Duplex::new(read, write)) })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_target_that_is_not_available_just_now_is_asked_again() {
        let transport: Arc<dyn Transport> = Arc::new(Busy(std::sync::Mutex::default()));
        let patience = Duration::from_secs(5);
        let target = Target::probe(&transport, &[Version::V3_1_1], "x", patience, None);
        assert_eq!(target.await.unwrap().refuses(Version::V3_1_1), None);
    }
}
