//! `squall sub`: subscribes and prints, with the options of mosquitto_sub.

mod format;

use std::{future::pending, time::Duration};

use rand::{RngExt as _, SeedableRng as _, TryRng as _, rngs::SysRng};
use rand_pcg::Pcg64Mcg;
use squall_node::client::{
    Client, Error, Event, Events, Message, Publishing, Subscription, Unsubscription, protocol,
};
use squall_proto::{Qos, ReasonCode, RetainHandling, SubscriptionOptions, TopicFilter};

use self::format::Format;
use crate::{
    connection::{self, AllProperties, ConnectionArgs},
    exit::{Exit, Misuse},
    output::{self, Reader},
};

/// Subscribe, and print the messages that come
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
#[command(after_help = "\
Examples:
  squall sub -L wss://broker.example -t 'room/+'           over WebSocket and TLS
  squall sub -t 'room/+' -v                                topic and payload
  squall sub -h broker.example -t log -q 1 -c -i reader    what came while nobody listened, too
  squall sub -t '#' -F '%I %t %q %p'                       when, where, QoS, what
  squall sub -t answer -C 1 -W 5                           one message, or none after five seconds

The options are mosquitto_sub's. Ends with: 0 all was done; 1 the broker refused, or was lost at once; 2 wrong use;
27 the time of -W is over.")]
pub(crate) struct Args {
    /// What to subscribe to; may be given many times
    #[arg(short, long, required_unless_present_any = ["unsubscribe", "url"], value_parser = connection::topic_filter)]
    topic: Vec<TopicFilter>,
    /// The highest QoS to get messages at: 0, 1 or 2
    #[arg(short, long, default_value = "0", value_parser = connection::qos)]
    qos: Qos,
    /// Print nothing that this matches; may be given many times
    #[arg(short = 'T', long, value_name = "FILTER", value_parser = connection::topic_filter)]
    filter_out: Vec<TopicFilter>,
    /// Unsubscribe from this; may be given many times
    #[arg(short = 'U', long, value_name = "FILTER", value_parser = connection::topic_filter)]
    unsubscribe: Vec<TopicFilter>,
    /// End after so many messages
    #[arg(short = 'C', value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// End after so many seconds, with 27
    #[arg(short = 'W', value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    timeout: Option<u64>,
    /// End when the broker has answered the subscriptions
    #[arg(short = 'E')]
    exit_after_subscribe: bool,
    /// Print the topic before the payload
    #[arg(short, long)]
    verbose: bool,
    /// Print so: %t topic, %p payload, %x payload in hex, %l its length, %q QoS, %r retained, %I time, %U Unix time, %j JSON,
    /// %J JSON with a JSON payload, %C %D %E %F %P %R %S properties, @Y @m @d .. as strftime has them, \n; %-20t %05l %.10p give a
    /// field room
    #[arg(short = 'F', value_name = "FORMAT", conflicts_with = "verbose", value_parser = Format::parse)]
    format: Option<Format>,
    /// Print JSON (%j, %J) with a line a member
    #[arg(long)]
    pretty: bool,
    /// Print so many percent of the messages, chosen by chance
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    random_filter: Option<f64>,
    /// Get none of the messages that this client publishes, in 5.0
    #[arg(long)]
    no_local: bool,
    /// Get messages with the RETAIN flag they were published with, in 5.0
    #[arg(long)]
    retain_as_published: bool,
    /// Which retained messages subscribing brings, in 5.0
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = RetainedWhen::Always)]
    retain_handling: RetainedWhen,
    /// Put no end of line after a message
    #[arg(short = 'N')]
    no_newline: bool,
    /// Print no retained messages
    #[arg(short = 'R', conflicts_with = "retained_only")]
    no_retained: bool,
    /// Print retained messages alone, and end with the first other one
    #[arg(long)]
    retained_only: bool,
    /// Remove every retained message that comes
    #[arg(long)]
    remove_retained: bool,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Retain Handling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum RetainedWhen {
    /// All, each time
    Always,
    /// Those of subscriptions that did not exist
    New,
    /// None
    Never,
}

impl From<RetainedWhen> for RetainHandling {
    fn from(when: RetainedWhen) -> Self {
        match when {
            RetainedWhen::Always => Self::Send,
            RetainedWhen::New => Self::SendIfNew,
            RetainedWhen::Never => Self::DoNotSend,
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<Exit, anyhow::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(subscribe(args))
}

async fn subscribe(args: &Args) -> Result<Exit, anyhow::Error> {
    let filters = args.filters()?;
    let asked = args
        .connection
        .ask("sub", args.needs_5(), Some(connection::reconnect()))?;
    let properties = asked.properties.clone();
    let (client, events) = asked.spawn(args.connection.store())?;
    let mut printing = Printing {
        args,
        client: &client,
        connected: false,
        printed: 0,
        removals: Vec::new(),
        random: Pcg64Mcg::seed_from_u64(SysRng.try_next_u64()?),
    };
    let timeout = async {
        match args.timeout {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => pending().await,
        }
    };
    let exit = tokio::select! {
        biased;
        _ = tokio::signal::ctrl_c() => Exit::Held,
        () = timeout => Exit::TimedOut,
        exit = both(requests(args, &filters, &client, &properties), printing.print_all(events)) => exit?,
    };
    for removal in printing.removals {
        // The broker may be gone, or slow; what was sent is all that can be done.
        let _ = tokio::time::timeout(Duration::from_secs(1), removal).await;
    }
    connection::disconnect(&client, properties.disconnect).await?;
    Ok(exit)
}

/// The end of either; the requests' is none while they go well.
async fn both(
    requests: impl Future<Output = Result<Option<Exit>, anyhow::Error>>,
    printing: impl Future<Output = Result<Exit, anyhow::Error>>,
) -> Result<Exit, anyhow::Error> {
    let requests = async {
        match requests.await {
            Ok(Some(exit)) => Ok(exit),
            Ok(None) => pending().await,
            Err(error) => Err(error),
        }
    };
    tokio::select! {
        biased;
        exit = requests => exit,
        exit = printing => exit,
    }
}

/// Subscribes and unsubscribes; says how to end, if that is to be the end.
async fn requests(
    args: &Args,
    filters: &[TopicFilter],
    client: &Client,
    properties: &AllProperties,
) -> Result<Option<Exit>, anyhow::Error> {
    let answered = match ask(args, filters, client, properties).await {
        Ok(answered) => answered,
        Err(Error::Failed(failure)) => return connection::failed(failure, &args.connection).map(Some),
        // Why it ended is among the events.
        Err(Error::Ended) => return Ok(None),
        Err(error @ (Error::Refused(_) | Error::TimedOut)) => return Err(error.into()),
    };
    Ok(match (answered, args.exit_after_subscribe) {
        (false, _) => Some(Exit::NotHeld),
        (true, true) => Some(Exit::Held),
        (true, false) => None,
    })
}

/// Whether any of the subscriptions was granted, or there was none to ask for.
async fn ask(
    args: &Args,
    filters: &[TopicFilter],
    client: &Client,
    properties: &AllProperties,
) -> Result<bool, Error> {
    let mut granted = true;
    if !filters.is_empty() {
        let options = SubscriptionOptions {
            qos: args.qos,
            no_local: args.no_local,
            retain_as_published: args.retain_as_published,
            retain_handling: args.retain_handling.into(),
        };
        let subscription = Subscription {
            filters: filters.iter().map(|filter| (filter.clone(), options)).collect(),
            properties: properties.subscribe.clone(),
        };
        let reason_codes = client.subscribe(subscription).await?;
        tell(args, "subscription to", filters, &reason_codes);
        granted = reason_codes.iter().any(|reason_code| !reason_code.is_error());
    }
    if !args.unsubscribe.is_empty() {
        let unsubscription = Unsubscription {
            filters: args.unsubscribe.clone(),
            properties: properties.unsubscribe.clone(),
        };
        let reason_codes = client.unsubscribe(unsubscription).await?;
        tell(
            args,
            "end of the subscription to",
            &args.unsubscribe,
            &reason_codes,
        );
    }
    Ok(granted)
}

fn tell(args: &Args, what: &str, filters: &[TopicFilter], reason_codes: &[ReasonCode]) {
    for (filter, reason_code) in filters.iter().zip(reason_codes) {
        if reason_code.is_error() {
            args.connection
                .complain(&format!("the broker refused the {what} {filter}: {reason_code}"));
        } else {
            args.connection
                .debug(&format!("the {what} {filter}: {reason_code}"));
        }
    }
}

struct Printing<'a> {
    args: &'a Args,
    client: &'a Client,
    connected: bool,
    printed: u64,
    removals: Vec<Publishing>,
    /// Decides what --random-filter leaves out.
    random: Pcg64Mcg,
}

impl Printing<'_> {
    /// Prints what comes, a batch at a time, until something ends it.
    async fn print_all(&mut self, mut events: Events) -> Result<Exit, anyhow::Error> {
        while let Some(event) = events.next().await {
            let mut lines = Vec::new();
            let mut exit = self.event(event, &mut lines).await?;
            while exit.is_none()
                && let Some(event) = events.try_next()
            {
                exit = self.event(event, &mut lines).await?;
            }
            if !lines.is_empty() && output::print_raw(&lines)? == Reader::Gone {
                return Ok(Exit::Held);
            }
            if let Some(exit) = exit {
                return Ok(exit);
            }
        }
        Ok(Exit::NotHeld)
    }

    async fn event(&mut self, event: Event, lines: &mut Vec<u8>) -> Result<Option<Exit>, anyhow::Error> {
        if let Some(trouble) = self.args.connection.trouble(&event) {
            self.args.connection.complain(&trouble);
        }
        Ok(match event {
            Event::Connected { session_present, .. } => {
                self.connected = true;
                self.args
                    .connection
                    .debug(&format!("connected, session present: {session_present}"));
                None
            }
            Event::Message { message, .. } => self.message(message, lines).await?,
            Event::Unreachable(_) => (!self.connected).then_some(Exit::NotHeld),
            Event::Disconnected { why, .. } => {
                let refused = matches!(why, protocol::Why::Refused(_));
                (refused || !self.connected).then_some(Exit::NotHeld)
            }
            Event::SubscriptionLost { .. } | Event::StoreFailed(_) => Some(Exit::NotHeld),
        })
    }

    async fn message(&mut self, message: Message, lines: &mut Vec<u8>) -> Result<Option<Exit>, Error> {
        if self.args.retained_only && !message.retain {
            return Ok(Some(Exit::Held));
        }
        let left_out = self
            .args
            .filter_out
            .iter()
            .any(|filter| filter.matches(&message.topic));
        let drawn_out = self
            .args
            .random_filter
            .is_some_and(|percent| self.random.random::<f64>() * 100.0 >= percent);
        if left_out || drawn_out || (self.args.no_retained && message.retain) {
            return Ok(None);
        }
        if self.args.remove_retained && message.retain {
            let mut empty = Message::new(message.topic.clone(), Vec::new().into(), Qos::AtLeastOnce);
            empty.retain = true;
            self.removals.push(self.client.enqueue(empty).await?);
        }
        self.args.print(&message, lines);
        self.printed += 1;
        Ok((Some(self.printed) == self.args.count).then_some(Exit::Held))
    }
}

impl Args {
    fn needs_5(&self) -> bool {
        self.no_local || self.retain_as_published || self.retain_handling != RetainedWhen::Always
    }

    /// Those of -t, and the URL's.
    fn filters(&self) -> Result<Vec<TopicFilter>, anyhow::Error> {
        let of_url = self.connection.server.topic().map(TopicFilter::new).transpose();
        let mend = "add -t FILTER, or the filter to the URL: mqtt://host/filter";
        let mut filters = self.topic.clone();
        filters.extend(of_url.map_err(|error| Misuse::new(error, mend))?);
        if filters.is_empty() && self.unsubscribe.is_empty() {
            return Err(Misuse::new("there is nothing to subscribe to", mend).into());
        }
        Ok(filters)
    }

    fn print(&self, message: &Message, lines: &mut Vec<u8>) {
        match &self.format {
            Some(format) => format.print(message, self.pretty, lines),
            None => {
                if self.verbose {
                    lines.extend_from_slice(message.topic.as_bytes());
                    lines.push(b' ');
                }
                lines.extend_from_slice(&message.payload);
            }
        }
        if !self.no_newline {
            lines.push(b'\n');
        }
    }
}

fn percent(percent: &str) -> Result<f64, &'static str> {
    let percent = percent
        .parse()
        .ok()
        .filter(|percent| (0.0..=100.0).contains(percent));
    percent.ok_or("expected a number from 0 to 100")
}
