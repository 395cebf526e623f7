//! What the target says about itself before the cases run.

use std::{collections::BTreeMap, io, sync::Arc, time::Duration};

use squall_proto::{Connack, Packet, ReasonCode, Version};
use tokio::time::timeout;

use crate::{Capability, Context, Transport, packets, scram::User};

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
}

impl Target {
    /// Asks the target once with each of these versions. A target that answers neither speaks neither; that is no error.
    ///
    /// # Errors
    ///
    /// When it cannot be reached.
    pub async fn probe(
        transport: &Arc<dyn Transport>,
        versions: &[Version],
        unique: &str,
        patience: Duration,
    ) -> io::Result<Self> {
        drop(timeout(patience, transport.connect()).await??);
        let mut found = Self::default();
        for version in versions {
            let nobody = Arc::new(Self::default());
            let context = Context::new(*version, patience, nobody, Arc::clone(transport), unique.into());
            match answer(&context).await {
                Ok(connack) if *version == Version::V5 => found.connack = Some(connack),
                Ok(_) => {}
                Err(why) => found.refused.push((*version, why)),
            }
        }
        Ok(found)
    }

    /// With a user it knows, as whom the cases about enhanced authentication authenticate; without one they are unsupported.
    #[must_use]
    pub fn with_user(self, name: String, password: String) -> Self {
        Self {
            user: Some(User { name, password }),
            ..self
        }
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

async fn answer(context: &Context) -> Result<Connack, String> {
    let refused = |got: &str| format!("it does not take a CONNECT of {}: {got}", context.version);
    let mut client = context
        .open("probe")
        .await
        .map_err(|_| refused("no connection"))?;
    let connect = packets::connect(context.version, &context.client_id("probe"));
    client.send(Packet::Connect(Box::new(connect))).await;
    let connack = client.expect_connack().await.map_err(|_| refused("no CONNACK"))?;
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
