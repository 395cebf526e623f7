//! `-D PACKET PROPERTY VALUE`: the properties of 5.0, by mosquitto's names.

use squall_node::client::protocol;
use squall_proto::{Binary, Properties, Property, SubscriptionId, Text, TopicAlias, TopicName};

use crate::exit::Misuse;

/// What the -D options of a command line say, by the packet they are for.
#[derive(Clone, Debug, Default)]
pub(crate) struct AllProperties {
    connect: Vec<Property>,
    pub(crate) will: Properties,
    pub(crate) publish: Properties,
    pub(crate) subscribe: Properties,
    pub(crate) unsubscribe: Properties,
    pub(crate) disconnect: Properties,
    /// How many topics get a Topic Alias: `-D publish topic-alias` asks for it.
    topic_aliases: u16,
}

impl AllProperties {
    /// Reads the words of all -D options, one after the other: each has its packet, its property and one value, or two for
    /// `user-property`.
    pub(crate) fn parse(words: &[String]) -> Result<Self, Misuse> {
        let mut all = Self::default();
        let mut words = words.iter().map(String::as_str);
        while let Some(packet) = words.next() {
            let name = words.next().unwrap_or_default();
            let property = property(name, &mut words).map_err(|problem| {
                Misuse::new(
                    format!("-D {packet} {name}: {problem}"),
                    "for example -D publish content-type text/plain",
                )
            })?;
            all.add(packet, property)?;
        }
        Ok(all)
    }

    fn add(&mut self, packet: &str, property: Property) -> Result<(), Misuse> {
        match packet {
            "connect" => self.connect.push(property),
            "will" => self.will.push(property),
            "publish" => {
                if let Property::TopicAlias(alias) = property {
                    self.topic_aliases = alias.value();
                } else {
                    self.publish.push(property);
                }
            }
            "subscribe" => self.subscribe.push(property),
            "unsubscribe" => self.unsubscribe.push(property),
            "disconnect" => self.disconnect.push(property),
            _ => {
                let mend = "-D takes connect, will, publish, subscribe, unsubscribe or disconnect";
                return Err(Misuse::new(
                    format!("-D {packet} is no packet with properties"),
                    mend,
                ));
            }
        }
        Ok(())
    }

    /// Puts those for CONNECT where the client wants them.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the few that CONNECT takes are picked out of all"
    )]
    pub(crate) fn apply_to_connect(&self, options: &mut protocol::Options) -> Result<(), Misuse> {
        options.topic_aliases = self.topic_aliases;
        for property in &self.connect {
            match property {
                Property::SessionExpiryInterval(seconds) => options.session_expiry_interval = *seconds,
                Property::ReceiveMaximum(maximum) => options.receive_maximum = maximum.get(),
                Property::MaximumPacketSize(bytes) => options.packet_size_max = bytes.get(),
                Property::TopicAliasMaximum(maximum) => options.topic_alias_maximum = *maximum,
                Property::UserProperty(..)
                | Property::RequestProblemInformation(_)
                | Property::RequestResponseInformation(_) => options.properties.push(property.clone()),
                _ => {
                    let mend = "see which properties CONNECT takes";
                    return Err(Misuse::new(format!("CONNECT takes no {property:?}"), mend));
                }
            }
        }
        Ok(())
    }
}

fn property<'a>(name: &str, words: &mut impl Iterator<Item = &'a str>) -> Result<Property, String> {
    let value = words.next().ok_or("a value is missing")?;
    Ok(match name {
        "content-type" => Property::ContentType(text(value)?),
        "correlation-data" => {
            Property::CorrelationData(Binary::new(value.to_owned()).map_err(|error| error.to_string())?)
        }
        "maximum-packet-size" => Property::MaximumPacketSize(number(value)?),
        "message-expiry-interval" => Property::MessageExpiryInterval(number(value)?),
        "payload-format-indicator" => Property::PayloadFormatIndicator(flag(value)?),
        "reason-string" => Property::ReasonString(text(value)?),
        "receive-maximum" => Property::ReceiveMaximum(number(value)?),
        "request-problem-information" => Property::RequestProblemInformation(flag(value)?),
        "request-response-information" => Property::RequestResponseInformation(flag(value)?),
        "response-topic" => {
            Property::ResponseTopic(TopicName::new(value).map_err(|error| error.to_string())?)
        }
        "session-expiry-interval" => Property::SessionExpiryInterval(number(value)?),
        "subscription-identifier" => {
            let id = SubscriptionId::new(number(value)?);
            Property::SubscriptionIdentifier(id.ok_or("expected a number from 1 to 268435455")?)
        }
        "topic-alias" => {
            Property::TopicAlias(TopicAlias::new(number(value)?).ok_or("expected a number from 1 to 65535")?)
        }
        "topic-alias-maximum" => Property::TopicAliasMaximum(number(value)?),
        "user-property" => {
            let second = words.next().ok_or("a user property has a name and a value")?;
            Property::UserProperty(text(value)?, text(second)?)
        }
        "will-delay-interval" => Property::WillDelayInterval(number(value)?),
        _ => return Err("no property of that name can be set here".to_owned()),
    })
}

fn text(value: &str) -> Result<Text, String> {
    Text::new(value).map_err(|error| error.to_string())
}

fn number<T: std::str::FromStr>(value: &str) -> Result<T, String> {
    value
        .parse()
        .map_err(|_| format!("{value:?} is not a number it can have"))
}

fn flag(value: &str) -> Result<bool, String> {
    match value {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => Err("expected 0 or 1".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<AllProperties, Misuse> {
        AllProperties::parse(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn options_of_one_and_two_values_follow_each_other() {
        let line = [
            "publish",
            "user-property",
            "a",
            "b",
            "publish",
            "content-type",
            "x",
            "subscribe",
            "subscription-identifier",
            "7",
        ];
        let all = parse(&line).unwrap();
        let users: Vec<_> = all
            .publish
            .user_properties()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        assert_eq!(users, [("a", "b")]);
        assert_eq!(all.publish.content_type().as_deref(), Some("x"));
        assert_eq!(all.subscribe.subscription_identifiers().count(), 1);
    }

    #[test]
    fn a_topic_alias_is_for_the_client_to_use_and_not_a_property_of_the_message() {
        let all = parse(&[
            "publish",
            "topic-alias",
            "3",
            "disconnect",
            "reason-string",
            "bye",
        ])
        .unwrap();
        let mut options = protocol::Options::new(squall_proto::Version::V5, Text::new("c").unwrap());
        all.apply_to_connect(&mut options).unwrap();
        assert_eq!((all.publish.len(), options.topic_aliases), (0, 3));
        assert_eq!(all.disconnect.reason_string().as_deref(), Some("bye"));
    }

    #[test]
    fn what_is_no_property_says_so() {
        for line in [
            &["publish", "colour", "red"][..],
            &["pubrec", "content-type", "x"],
            &["publish", "user-property", "alone"],
            &["connect", "receive-maximum", "0"],
            &["publish", "payload-format-indicator", "2"],
            &["subscribe", "subscription-identifier", "0"],
            &["publish", "topic-alias", "0"],
        ] {
            assert!(parse(line).is_err(), "{line:?}");
        }
    }
}
