//! What the lines of `docs/CLIENTS.md` mean to our client.

use std::{error::Error, sync::Arc, time::Duration};

use squall_node::{
    Connector,
    client::{
        Client, Event, Events, Message, Options, Reconnect, Subscription, Unsubscription, Version, protocol,
    },
    ws::WsConnector,
};
use squall_proto::{Binary, Disconnect, Property, ReasonCode, Text, TopicFilter, TopicName, Will};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};

use crate::{
    authentication::Told,
    words::{Words, number, qos, read, text, written},
};

const GREETING: &str = "squall-driver 1 connect client_id clean_start keep_alive session_expiry user_name password \
will_topic will_payload will_qos will_retain receive_maximum topic_alias_maximum maximum_packet_size \
websocket request_problem_information topic_aliases \
publish topic qos retain payload message_expiry response_topic content_type subscribe filter no_local unsubscribe \
disconnect reason_code reconnect \
authentication_method authentication_data reauthenticate\n";

pub(crate) type Wrong = Box<dyn Error + Send + Sync>;

/// Carries out commands until there are none, with clients that `connector` connects.
pub(crate) async fn drive<C: Connector>(
    version: Version,
    connector: impl Fn() -> C,
    commands: impl AsyncRead + Unpin,
    mut answers: impl AsyncWrite + Unpin,
) -> Result<(), Wrong> {
    let mut lines = BufReader::new(commands).lines();
    let (mut client, mut answer) = (None, String::from(GREETING));
    loop {
        answers.write_all(answer.as_bytes()).await?;
        answers.flush().await?;
        let line = tokio::select! {
            biased;
            happened = happened(&mut client) => {
                answer = happened;
                continue;
            }
            line = lines.next_line() => line?,
        };
        let Some(line) = line else { return Ok(()) };
        let (verb, words) = line.split_once(' ').unwrap_or((&line, ""));
        let done = match (verb, read(words)) {
            ("connect", words) => options(version, &words).and_then(|options| {
                client = Some(match words.get("websocket") {
                    Some(path) => {
                        Client::spawn(options, WsConnector::new(connector(), "squall", path, [7; 32]))
                    }
                    None => Client::spawn(options, connector()),
                }?);
                Ok(())
            }),
            (verb, words) => match &client {
                Some((client, _)) => carry_out(client, verb, &words).await,
                None => Err("not connected".into()),
            },
        };
        answer = done.map_or_else(|why| format!("error {why}\n"), |()| "ok\n".into());
    }
}

async fn carry_out(client: &Client, verb: &str, words: &Words) -> Result<(), Wrong> {
    let client = client.clone();
    match verb {
        "publish" => drop(client.enqueue(message(words)?).await?),
        "subscribe" => {
            let mut subscription =
                Subscription::new(TopicFilter::new(text(words, "filter"))?, qos(words, "qos"));
            let options = subscription.filters.first_mut().map(|(_, options)| options);
            options
                .map(|options| options.no_local = number(words, "no_local") == Ok(1))
                .unwrap_or_default();
            tokio::spawn(async move { client.subscribe(subscription).await });
        }
        "unsubscribe" => {
            let unsubscription = Unsubscription::new(TopicFilter::new(text(words, "filter"))?);
            tokio::spawn(async move { client.unsubscribe(unsubscription).await });
        }
        "disconnect" => {
            let code =
                ReasonCode::from_value(number(words, "reason_code").unwrap_or(0)).ok_or("no Reason Code")?;
            client.disconnect_with(Disconnect::of(code)).await?;
        }
        "reauthenticate" => drop(tokio::spawn(async move { client.reauthenticate().await })),
        // It comes back by itself.
        "reconnect" => {}
        other => return Err(format!("unknown: {other}").into()),
    }
    Ok(())
}

async fn happened(client: &mut Option<(Client, Events)>) -> String {
    let Some((_, events)) = client else {
        return std::future::pending().await;
    };
    match events.next().await {
        Some(Event::Connected { .. }) => "connected\n".into(),
        Some(Event::Message { message, .. }) => {
            let (topic, payload) = (message.topic.text().as_str().as_bytes(), &message.payload);
            format!("message topic={} payload={}\n", written(topic), written(payload))
        }
        Some(_) => "disconnected\n".into(),
        None => std::future::pending().await,
    }
}

fn options(version: Version, words: &Words) -> Result<Options, Wrong> {
    let mut protocol = protocol::Options::new(version, Text::new(text(words, "client_id"))?);
    protocol.clean_start = number(words, "clean_start") != Ok(0);
    protocol.keep_alive = number(words, "keep_alive")?;
    protocol.session_expiry_interval = number(words, "session_expiry").unwrap_or(0);
    protocol.user_name = words.get("user_name").map(|name| Text::new(name)).transpose()?;
    protocol.password = words
        .get("password")
        .map(|word| Binary::new(word.clone()))
        .transpose()?;
    protocol.receive_maximum = number(words, "receive_maximum").unwrap_or(u16::MAX);
    protocol.topic_alias_maximum = number(words, "topic_alias_maximum").unwrap_or(0);
    protocol.topic_aliases = number(words, "topic_aliases").unwrap_or(0);
    protocol.packet_size_max = number(words, "maximum_packet_size").unwrap_or(protocol.packet_size_max);
    if let Ok(asked) = number::<u8>(words, "request_problem_information") {
        protocol
            .properties
            .push(Property::RequestProblemInformation(asked != 0));
    }
    if let Some(topic) = words.get("will_topic") {
        protocol.will = Some(Will {
            topic: TopicName::new(topic)?,
            payload: Binary::new(text(words, "will_payload").to_owned())?,
            qos: qos(words, "will_qos"),
            retain: number(words, "will_retain") == Ok(1),
            properties: [].into_iter().collect(),
        });
    }
    let after = Duration::from_millis(10)..=Duration::from_millis(20);
    let reconnect = Reconnect {
        after,
        ..Reconnect::default()
    };
    let authentication = words
        .get("authentication_method")
        .map(|method| Told::new(method, words));
    let authentication = authentication.transpose()?.map(|told| Arc::new(told) as Arc<_>);
    Ok(Options {
        reconnect: Some(reconnect),
        authentication,
        ..Options::new(protocol, 7)
    })
}

fn message(words: &Words) -> Result<Message, Wrong> {
    let mut message = Message::new(
        TopicName::new(text(words, "topic"))?,
        text(words, "payload").to_owned().into(),
        qos(words, "qos"),
    );
    message.retain = number(words, "retain") == Ok(1);
    let expiry = number(words, "message_expiry")
        .ok()
        .map(Property::MessageExpiryInterval);
    let response = words
        .get("response_topic")
        .map(|topic| TopicName::new(topic))
        .transpose()?;
    let content = words
        .get("content_type")
        .map(|content| Text::new(content))
        .transpose()?;
    let properties = [
        expiry,
        response.map(Property::ResponseTopic),
        content.map(Property::ContentType),
    ];
    message.properties = properties.into_iter().flatten().collect();
    Ok(message)
}
