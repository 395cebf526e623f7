//! `squall pub`: publishes, with the options of mosquitto_pub.

use std::{collections::VecDeque, io::Read as _, path::PathBuf, time::Duration};

use anyhow::Context as _;
use squall_node::client::{Client, Error, Message, Publishing};
use squall_proto::{Properties, Qos, ReasonCode, TopicName};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::{
    connection::{self, AllProperties, ConnectionArgs},
    exit::{Exit, Misuse},
};

/// Publish messages
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
#[command(after_help = "\
Examples:
  squall pub -t room/temperature -m 21
  squall pub -h broker.example -t log -l -q 1 < lines.txt       a message a line
  squall pub -t room/temperature -r -n                          remove what is retained
  squall pub -L mqtts://broker.example/room/temperature -m 21   over TLS
  squall pub -t a -m b -D publish user-property unit celsius    in 5.0

The options are mosquitto_pub's. Ends with: 0 all was published; 1 the broker refused, or was lost; 2 wrong use.")]
pub(crate) struct Args {
    /// Where to publish
    #[arg(short, long, value_parser = connection::topic_name, required_unless_present = "url")]
    topic: Option<TopicName>,
    #[command(flatten)]
    payload: Payload,
    /// QoS: 0, 1 or 2
    #[arg(short, long, default_value = "0", value_parser = connection::qos)]
    qos: Qos,
    /// Have the broker retain it
    #[arg(short, long)]
    retain: bool,
    /// Publish it so often (-m, -f, -s, -n)
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "stdin_line")]
    repeat: u64,
    /// Seconds between repeats
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "0")]
    repeat_delay: Duration,
    /// QoS 1 and 2 messages that are sent before the first is acknowledged, if the broker takes as many
    #[arg(short = 'M', value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..))]
    max_inflight: Option<u16>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// What to publish: one of them.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Payload {
    /// Publish this
    #[arg(short, long, allow_hyphen_values = true)]
    message: Option<String>,
    /// Publish a file
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Publish each line of standard input
    #[arg(short = 'l', long)]
    stdin_line: bool,
    /// Publish the whole of standard input as one message
    #[arg(short = 's', long)]
    stdin_file: bool,
    /// Publish an empty message
    #[arg(short, long)]
    null_message: bool,
}

/// How long messages of an earlier process may take after ours are done.
const LEFT_OVER: Duration = Duration::from_secs(10);

/// Messages that may wait for their acknowledgement while more are read from standard input.
const ON_THEIR_WAY_MAX: usize = 1000;

pub(crate) fn run(args: &Args) -> Result<Exit, anyhow::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let result = runtime.block_on(publish(args));
    // Standard input may be waited for still; nobody wants it any more.
    runtime.shutdown_background();
    result
}

async fn publish(args: &Args) -> Result<Exit, anyhow::Error> {
    let mut asked = args.connection.ask("pub", false, None)?;
    if let Some(inflight) = args.max_inflight {
        asked.options.protocol.inflight = inflight;
    }
    let once = match args.payload.whole()? {
        Some(payload) => Some(args.message(payload, &asked.properties.publish)?),
        None => None,
    };
    let AllProperties {
        publish, disconnect, ..
    } = asked.properties.clone();
    let (client, events) = asked.spawn(args.connection.store())?;
    let work = async {
        let published = tokio::select! {
            biased;
            _ = tokio::signal::ctrl_c() => {
                args.connection.complain("interrupted");
                Ok(Exit::NotHeld)
            }
            published = publish_all(args, &client, once, &publish) => published,
        };
        if args.connection.store().is_some() {
            // What an earlier process left goes out before ours, and is ours to finish.
            client.flush(LEFT_OVER).await;
        }
        connection::disconnect(&client, disconnect).await?;
        published
    };
    let (published, trouble) = tokio::join!(work, connection::last_trouble(events, &args.connection));
    match published {
        Ok(exit) => Ok(exit),
        Err(error) => match error.downcast_ref() {
            Some(Error::Ended) => {
                args.connection
                    .complain(&trouble.unwrap_or_else(|| error.to_string()));
                Ok(Exit::NotHeld)
            }
            Some(Error::Failed(failure)) => connection::failed(*failure, &args.connection),
            Some(error @ (Error::Refused(_) | Error::TimedOut)) => {
                args.connection.complain(&error.to_string());
                Ok(Exit::NotHeld)
            }
            None => Err(error),
        },
    }
}

async fn publish_all(
    args: &Args,
    client: &Client,
    once: Option<Message>,
    properties: &Properties,
) -> Result<Exit, anyhow::Error> {
    let mut outcome = Outcome {
        args,
        on_their_way: VecDeque::new(),
        exit: Exit::Held,
    };
    if let Some(message) = once {
        for n in 0..args.repeat {
            if n > 0 && !args.repeat_delay.is_zero() {
                tokio::time::sleep(args.repeat_delay).await;
            }
            outcome.add(client.enqueue(message.clone()).await?).await?;
        }
    } else {
        let mut lines = BufReader::new(tokio::io::stdin()).split(b'\n');
        while let Some(line) = lines.next_segment().await.context("cannot read standard input")? {
            let message = args.message(line, properties)?;
            outcome.add(client.enqueue(message).await?).await?;
        }
    }
    outcome.end().await
}

/// What became of the messages.
struct Outcome<'a> {
    args: &'a Args,
    on_their_way: VecDeque<Publishing>,
    exit: Exit,
}

impl Outcome<'_> {
    async fn add(&mut self, publishing: Publishing) -> Result<(), Error> {
        self.on_their_way.push_back(publishing);
        if self.on_their_way.len() > ON_THEIR_WAY_MAX {
            self.next().await?;
        }
        Ok(())
    }

    async fn next(&mut self) -> Result<bool, Error> {
        let Some(publishing) = self.on_their_way.pop_front() else {
            return Ok(false);
        };
        let reason_code = publishing.await?;
        self.args.connection.debug(&format!("published: {reason_code}"));
        if reason_code.is_error() {
            self.refused(reason_code);
        }
        Ok(true)
    }

    fn refused(&mut self, reason_code: ReasonCode) {
        self.args
            .connection
            .complain(&format!("the broker refused the message: {reason_code}"));
        self.exit = Exit::NotHeld;
    }

    async fn end(mut self) -> Result<Exit, anyhow::Error> {
        while self.next().await? {}
        Ok(self.exit)
    }
}

impl Args {
    fn message(&self, payload: Vec<u8>, properties: &Properties) -> Result<Message, anyhow::Error> {
        Ok(Message {
            topic: self.topic()?,
            payload: payload.into(),
            qos: self.qos,
            retain: self.retain,
            properties: properties.clone(),
        })
    }

    /// That of -t, or the URL's.
    fn topic(&self) -> Result<TopicName, anyhow::Error> {
        if let Some(topic) = &self.topic {
            return Ok(topic.clone());
        }
        let mend = "add -t TOPIC, or the topic to the URL: mqtt://host/topic";
        let topic = self.connection.server.topic();
        let topic = topic.ok_or_else(|| Misuse::new("there is no topic to publish to", mend))?;
        Ok(TopicName::new(topic).map_err(|error| Misuse::new(error, mend))?)
    }
}

impl Payload {
    /// The one payload to publish; `None` where each line of standard input is one.
    fn whole(&self) -> Result<Option<Vec<u8>>, anyhow::Error> {
        if let Some(message) = &self.message {
            return Ok(Some(message.clone().into_bytes()));
        }
        if let Some(file) = &self.file {
            let payload = std::fs::read(file).map_err(|error| {
                Misuse::new(
                    format!("cannot read {}: {error}", file.display()),
                    "-f takes a file",
                )
            })?;
            return Ok(Some(payload));
        }
        if self.stdin_file {
            let mut payload = Vec::new();
            std::io::stdin()
                .read_to_end(&mut payload)
                .context("cannot read standard input")?;
            return Ok(Some(payload));
        }
        Ok(self.null_message.then(Vec::new))
    }
}

fn seconds(seconds: &str) -> Result<Duration, &'static str> {
    let seconds = seconds
        .parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.ok_or("expected seconds, such as 0.5")
}
