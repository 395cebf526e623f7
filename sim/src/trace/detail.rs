use std::fmt::{Error, Write};

use squall_proto::{
    Connect, Packet, Properties, Property, Qos, ReasonCode, RetainHandling, Subscribe, SubscriptionOptions,
};

/// The fields of a packet that its line leaves out: ` {reason string "busy", user property "k": "v"}`. Empty where there are none.
pub(super) fn details(packet: &Packet) -> String {
    let mut details = Details::default();
    // Writing to a string cannot fail.
    _ = match packet {
        Packet::Connect(connect) => details.connect(connect),
        Packet::Subscribe(subscribe) => details.subscribe(subscribe),
        Packet::Unsuback(unsuback) => details.codes(&unsuback.reason_codes),
        Packet::Connack(_)
        | Packet::Publish(_)
        | Packet::Puback(_)
        | Packet::Pubrec(_)
        | Packet::Pubrel(_)
        | Packet::Pubcomp(_)
        | Packet::Suback(_)
        | Packet::Unsubscribe(_)
        | Packet::Pingreq
        | Packet::Pingresp
        | Packet::Disconnect(_)
        | Packet::Auth(_) => Ok(()),
    };
    if let Some(properties) = packet.properties() {
        _ = details.properties(properties);
    }
    if details.0.is_empty() {
        String::new()
    } else {
        format!(" {{{}}}", details.0)
    }
}

#[derive(Default)]
struct Details(String);

impl Details {
    /// A comma, where something stands before.
    fn next(&mut self) -> &mut String {
        if !self.0.is_empty() {
            self.0.push_str(", ");
        }
        &mut self.0
    }

    fn connect(&mut self, connect: &Connect) -> Result<(), Error> {
        if let Some(user_name) = &connect.user_name {
            write!(self.next(), "user name {:?}", user_name.as_str())?;
        }
        if let Some(password) = &connect.password {
            write!(self.next(), "password of {} bytes", password.bytes().len())?;
        }
        let Some(will) = &connect.will else { return Ok(()) };
        if will.retain {
            self.next().push_str("will retain");
        }
        let payload = crate::checks::shown(will.payload.bytes());
        write!(self.next(), "will payload {payload}")?;
        for property in will.properties.iter() {
            write!(self.next(), "will ")?;
            put(&mut self.0, property)?;
        }
        Ok(())
    }

    /// What a filter asks for besides its QoS.
    fn subscribe(&mut self, subscribe: &Subscribe) -> Result<(), Error> {
        for (filter, options) in &subscribe.filters {
            let options = in_words(*options);
            if !options.is_empty() {
                write!(self.next(), "{:?} {}", filter.text().as_str(), options.join(" "))?;
            }
        }
        Ok(())
    }

    fn codes(&mut self, codes: &[ReasonCode]) -> Result<(), Error> {
        for code in codes {
            write!(self.next(), "{code}")?;
        }
        Ok(())
    }

    fn properties(&mut self, properties: &Properties) -> Result<(), Error> {
        for property in properties.iter() {
            put(self.next(), property)?;
        }
        Ok(())
    }
}

fn in_words(options: SubscriptionOptions) -> Vec<&'static str> {
    let no_local = options.no_local.then_some("no local");
    let as_published = options.retain_as_published.then_some("retain as published");
    let handling = match options.retain_handling {
        RetainHandling::Send => None,
        RetainHandling::SendIfNew => Some("retained if new"),
        RetainHandling::DoNotSend => Some("retained never"),
    };
    [no_local, as_published, handling].into_iter().flatten().collect()
}

/// A property as a person reads it: `session expiry interval 300`.
fn put(line: &mut String, property: &Property) -> Result<(), Error> {
    let name = property.id().name().to_lowercase();
    match property {
        Property::PayloadFormatIndicator(flag)
        | Property::RequestProblemInformation(flag)
        | Property::RequestResponseInformation(flag)
        | Property::RetainAvailable(flag)
        | Property::WildcardSubscriptionAvailable(flag)
        | Property::SubscriptionIdentifierAvailable(flag)
        | Property::SharedSubscriptionAvailable(flag) => write!(line, "{name} {}", u8::from(*flag)),
        Property::MaximumQos(is_one) => {
            let qos = if *is_one {
                Qos::AtLeastOnce
            } else {
                Qos::AtMostOnce
            };
            write!(line, "{name} {}", qos.value())
        }
        Property::MessageExpiryInterval(number)
        | Property::SessionExpiryInterval(number)
        | Property::WillDelayInterval(number) => write!(line, "{name} {number}"),
        Property::MaximumPacketSize(number) => write!(line, "{name} {number}"),
        Property::ServerKeepAlive(number) | Property::TopicAliasMaximum(number) => {
            write!(line, "{name} {number}")
        }
        Property::ReceiveMaximum(number) => write!(line, "{name} {number}"),
        Property::TopicAlias(alias) => write!(line, "{name} {}", alias.value()),
        Property::SubscriptionIdentifier(id) => write!(line, "{name} {}", id.value()),
        Property::ContentType(text)
        | Property::AssignedClientIdentifier(text)
        | Property::AuthenticationMethod(text)
        | Property::ResponseInformation(text)
        | Property::ServerReference(text)
        | Property::ReasonString(text) => write!(line, "{name} {:?}", text.as_str()),
        Property::ResponseTopic(topic) => write!(line, "{name} {:?}", topic.text().as_str()),
        Property::CorrelationData(binary) | Property::AuthenticationData(binary) => {
            write!(line, "{name} {}", hex::encode(binary.bytes()))
        }
        Property::UserProperty(key, value) => {
            write!(line, "{name} {:?}: {:?}", key.as_str(), value.as_str())
        }
    }
}
