//! What `squall pub` and `squall sub` share: the options of mosquitto's clients that say whom to connect to, and as whom.

mod properties;
mod server;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use clap::ArgAction;
use rand::{TryRng as _, rngs::SysRng};
use squall_node::{
    authentication::Scram,
    client::{
        AddressConnector, Authentication, Client, Event, Events, FileStore, Options, Reconnect, RestoreError,
        protocol,
    },
};
use squall_proto::{
    Binary, BinaryTooLong, Disconnect, Properties, Qos, ReasonCode, Text, TextError, TopicError, TopicFilter,
    TopicName, Version, Will,
};

pub(crate) use self::{
    properties::AllProperties,
    server::{ServerArgs, connector, secured},
};
use crate::exit::{Exit, Misuse};
use crate::output;

/// Whom to connect to, and as whom.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// Client Identifier; a random one if not given
    #[arg(short, long, value_parser = Text::new)]
    id: Option<Text>,
    /// Client Identifier: this and the process id
    #[arg(short = 'I', long, value_name = "PREFIX", conflicts_with = "id")]
    id_prefix: Option<String>,
    /// Version: 5 (mqttv5) or 311 (mqttv311); 311 unless -D, -x or --auth-method ask for 5
    #[arg(short = 'V', long, value_name = "VERSION", value_parser = version)]
    protocol_version: Option<Version>,
    /// User Name
    #[arg(short, long, value_parser = Text::new)]
    username: Option<Text>,
    /// Password
    #[arg(short = 'P', long, value_name = "PASSWORD", allow_hyphen_values = true, value_parser = binary)]
    pw: Option<Binary>,
    /// Show by this method of 5.0 that the password is known, without saying it: SCRAM-SHA-256
    #[arg(long, value_name = "METHOD", value_parser = ["SCRAM-SHA-256"])]
    auth_method: Option<String>,
    /// Keep Alive in seconds; 0 switches it off
    #[arg(short, long, value_name = "SECONDS", default_value_t = 60)]
    keepalive: u16,
    /// Keep the session after the connection, and take up the one there is; needs -i
    #[arg(short = 'c', long)]
    disable_clean_session: bool,
    /// Seconds the session outlives the connection; -1 never ends it
    #[arg(short = 'x', long, value_name = "SECONDS", allow_hyphen_values = true, value_parser = session_expiry_interval)]
    session_expiry_interval: Option<u32>,
    /// The broker publishes a Will there when the connection ends without a word
    #[arg(long, value_name = "TOPIC", value_parser = topic_name)]
    will_topic: Option<TopicName>,
    /// The Will's payload; empty if not given
    #[arg(
        long,
        value_name = "PAYLOAD",
        requires = "will_topic",
        allow_hyphen_values = true, value_parser = binary
    )]
    will_payload: Option<Binary>,
    /// The Will's QoS
    #[arg(long, value_name = "QOS", requires = "will_topic", value_parser = qos)]
    will_qos: Option<Qos>,
    /// The Will is retained
    #[arg(long, requires = "will_topic")]
    will_retain: bool,
    /// A property of 5.0: -D connect user-property NAME VALUE, -D publish content-type text/plain ..
    #[arg(short = 'D', long, num_args = 3..=4, action = ArgAction::Append, value_names = ["PACKET", "PROPERTY", "VALUE"])]
    property: Vec<String>,
    /// Keep what is unfinished in this file, and go on with it next time; needs -c
    #[arg(long, value_name = "FILE", requires = "disable_clean_session")]
    store: Option<PathBuf>,
    /// Send each message at once, as is always done
    #[arg(long)]
    nodelay: bool,
    /// Say on standard error what happens
    #[arg(short, long)]
    pub(crate) debug: bool,
    /// Say nothing on standard error
    #[arg(long)]
    pub(crate) quiet: bool,
    /// Print help
    #[arg(long, action = ArgAction::HelpLong)]
    help: Option<bool>,
}

/// A client that was asked for, and what else its -D options said.
pub(crate) struct Asked {
    pub(crate) options: Options,
    pub(crate) connector: AddressConnector,
    pub(crate) properties: AllProperties,
}

impl Asked {
    /// Begins.
    pub(crate) fn spawn(self, store: Option<&Path>) -> Result<(Client, Events), anyhow::Error> {
        let Some(path) = store else {
            return Client::spawn(self.options, self.connector).map_err(|error| misuse(error).into());
        };
        let opened = FileStore::open(path).map_err(RestoreError::from);
        let restored = opened.and_then(|store| Client::restore(self.options, self.connector, store));
        let (client, events, runner) = restored.map_err(|error| match error {
            RestoreError::Misuse(error) => misuse(error),
            RestoreError::Store(error) => {
                Misuse::new(error, "--store takes a file of its own for each client")
            }
        })?;
        tokio::spawn(runner.run());
        Ok((client, events))
    }
}

impl ConnectionArgs {
    /// Where the session is kept.
    pub(crate) fn store(&self) -> Option<&Path> {
        self.store.as_deref()
    }

    /// The client these options ask for; `command` names it where they do not, and `needs_5` says that others ask for 5.0.
    pub(crate) fn ask(
        &self,
        command: &str,
        needs_5: bool,
        reconnect: Option<Reconnect>,
    ) -> Result<Asked, anyhow::Error> {
        let properties = AllProperties::parse(&self.property)?;
        let mut protocol = protocol::Options::new(self.version(needs_5), self.client_id(command)?);
        protocol.clean_start = !self.disable_clean_session;
        protocol.adopt_session = self.disable_clean_session;
        protocol.session_expiry_interval = self.expiry(protocol.version);
        protocol.keep_alive = self.keepalive;
        if self.auth_method.is_none() {
            protocol.user_name = self.user_name()?;
            protocol.password = self.password()?;
        }
        protocol.will = self.will(&properties);
        properties.apply_to_connect(&mut protocol)?;
        Ok(Asked {
            options: Options {
                authentication: self.authentication()?,
                reconnect,
                ..Options::new(protocol, SysRng.try_next_u64()?)
            },
            connector: self.server.connector()?,
            properties,
        })
    }

    fn version(&self, needs_5: bool) -> Version {
        let asks_for_5 = needs_5
            || self.auth_method.is_some()
            || !self.property.is_empty()
            || self.session_expiry_interval.is_some();
        let default = if asks_for_5 { Version::V5 } else { Version::V3_1_1 };
        self.protocol_version.unwrap_or(default)
    }

    fn client_id(&self, command: &str) -> Result<Text, anyhow::Error> {
        if let Some(id) = &self.id {
            return Ok(id.clone());
        }
        if self.disable_clean_session {
            let mend = "name the session with -i";
            return Err(Misuse::new("-c needs a client identifier of its own", mend).into());
        }
        Ok(match &self.id_prefix {
            Some(prefix) => Text::new(&format!("{prefix}{}", std::process::id()))?,
            None => Text::new(&format!("squall-{command}-{:08x}", SysRng.try_next_u32()?))?,
        })
    }

    fn user_name(&self) -> Result<Option<Text>, TextError> {
        let of_url = self.server.user().map(Text::new).transpose()?;
        Ok(self.username.clone().or(of_url))
    }

    fn password(&self) -> Result<Option<Binary>, BinaryTooLong> {
        let of_url = self.server.password().map(binary).transpose()?;
        Ok(self.pw.clone().or(of_url))
    }

    fn expiry(&self, version: Version) -> u32 {
        let default = match version {
            Version::V5 if self.disable_clean_session => u32::MAX,
            Version::V5 | Version::V3_1_1 => 0,
        };
        self.session_expiry_interval.unwrap_or(default)
    }

    fn authentication(&self) -> Result<Option<Arc<dyn Authentication>>, anyhow::Error> {
        if self.auth_method.is_none() {
            return Ok(None);
        }
        let (Some(user), Some(password)) = (self.user_name()?, self.password()?) else {
            let problem = "--auth-method needs a user name and a password";
            return Err(Misuse::new(problem, "add -u and -P").into());
        };
        let mut seed = [0; 32];
        SysRng.try_fill_bytes(&mut seed)?;
        Ok(Some(Arc::new(Scram::new(&*user, &*password, seed))))
    }

    fn will(&self, properties: &AllProperties) -> Option<Will> {
        let topic = self.will_topic.clone()?;
        Some(Will {
            topic,
            payload: self.will_payload.clone().unwrap_or_default(),
            qos: self.will_qos.unwrap_or_default(),
            retain: self.will_retain,
            properties: properties.will.clone(),
        })
    }

    /// Says something on standard error, unless asked to be quiet.
    pub(crate) fn complain(&self, text: &str) {
        if !self.quiet {
            output::complain(&format!("{text}\n"));
        }
    }

    /// Says something on standard error if asked to.
    pub(crate) fn debug(&self, text: &str) {
        if self.debug {
            output::complain(&format!("{text}\n"));
        }
    }

    /// What an event means for somebody who wants to know why nothing comes, if it means that.
    pub(crate) fn trouble(&self, event: &Event) -> Option<String> {
        match event {
            Event::Unreachable(error) => {
                Some(format!("cannot connect to {}: {error}", self.server.address()))
            }
            Event::Disconnected {
                why: protocol::Why::Requested,
                ..
            } => None,
            Event::Disconnected { why, error } => Some(match error {
                Some(error) => format!("{why}: {error}"),
                None => why.to_string(),
            }),
            Event::SubscriptionLost { filter, reason_code } => Some(format!(
                "the broker has lost the subscription to {filter}, and refuses it now: {reason_code}"
            )),
            Event::StoreFailed(error) => Some(error.to_string()),
            Event::Connected { .. } | Event::Message { .. } => None,
        }
    }
}

/// What to type instead of something the protocol does not allow.
pub(crate) fn misuse(error: protocol::Misuse) -> Misuse {
    let mend = match error {
        protocol::Misuse::NeedsVersion5(_) => "add -V 5",
        protocol::Misuse::EmptyClientIdNeedsCleanStart => "name the session with -i",
        protocol::Misuse::PasswordNeedsUserName => "add -u, or -V 5",
        protocol::Misuse::PropertyNotAllowed => {
            "see which properties a packet takes, and that each stands once"
        }
        protocol::Misuse::Zero(_)
        | protocol::Misuse::NoTopicFilter
        | protocol::Misuse::NoLocalOnShared
        | protocol::Misuse::OtherClientId
        | protocol::Misuse::ReasonCodeNotAllowed(_)
        | protocol::Misuse::SessionExpiryFromZero
        | protocol::Misuse::QueueFull(_)
        | protocol::Misuse::QosNotSupported(_)
        | protocol::Misuse::RetainNotSupported
        | protocol::Misuse::PacketTooLarge { .. }
        | protocol::Misuse::WildcardSubscriptionsNotSupported
        | protocol::Misuse::SharedSubscriptionsNotSupported
        | protocol::Misuse::SubscriptionIdentifiersNotSupported => "see --help",
    };
    Misuse::new(error, mend)
}

/// What a failed request comes to: wrong use where the command line is to blame, otherwise a complaint.
pub(crate) fn failed(failure: protocol::Failure, args: &ConnectionArgs) -> Result<Exit, anyhow::Error> {
    match failure {
        protocol::Failure::Misuse(
            error @ (protocol::Misuse::NeedsVersion5(_)
            | protocol::Misuse::PropertyNotAllowed
            | protocol::Misuse::NoLocalOnShared),
        ) => Err(misuse(error).into()),
        protocol::Failure::Misuse(_)
        | protocol::Failure::SessionLost
        | protocol::Failure::Expired
        | protocol::Failure::Dropped
        | protocol::Failure::Offline => {
            args.complain(&failure.to_string());
            Ok(Exit::NotHeld)
        }
    }
}

/// Says DISCONNECT with the properties of -D.
pub(crate) async fn disconnect(client: &Client, properties: Properties) -> Result<(), Misuse> {
    let reason_code = ReasonCode::Success;
    let disconnect = Disconnect {
        reason_code,
        properties,
    };
    client.disconnect_with(disconnect).await.map_err(misuse)
}

/// Waits for the client's last event; says what went wrong last, if something did.
pub(crate) async fn last_trouble(mut events: Events, args: &ConnectionArgs) -> Option<String> {
    let mut last = None;
    while let Some(event) = events.next().await {
        if let Event::Connected { .. } = event {
            args.debug("connected");
        }
        last = args.trouble(&event).or(last);
    }
    last
}

/// Back-off of a client that people watch: it begins sooner than a device's.
pub(crate) fn reconnect() -> Reconnect {
    Reconnect {
        after: Duration::from_millis(500)..=Duration::from_secs(1),
        after_max: Duration::from_secs(30),
        ..Reconnect::default()
    }
}

pub(crate) fn topic_name(topic: &str) -> Result<TopicName, TopicError> {
    TopicName::new(topic)
}

pub(crate) fn topic_filter(filter: &str) -> Result<TopicFilter, TopicError> {
    TopicFilter::new(filter)
}

pub(crate) fn qos(qos: &str) -> Result<Qos, &'static str> {
    let value = qos.parse().ok().and_then(Qos::from_value);
    value.ok_or("expected 0, 1 or 2")
}

fn binary(text: &str) -> Result<Binary, BinaryTooLong> {
    Binary::new(text.to_owned())
}

fn version(version: &str) -> Result<Version, &'static str> {
    match version {
        "5" | "mqttv5" | "5.0" => Ok(Version::V5),
        "311" | "mqttv311" | "3.1.1" => Ok(Version::V3_1_1),
        _ => Err("expected 5, mqttv5, 311 or mqttv311"),
    }
}

fn session_expiry_interval(seconds: &str) -> Result<u32, &'static str> {
    match seconds {
        "-1" | "∞" => Ok(u32::MAX),
        _ => seconds
            .parse()
            .map_err(|_| "expected seconds from 0 to 4294967295, or -1"),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    #[command(disable_help_flag = true)]
    struct Line {
        #[command(flatten)]
        connection: ConnectionArgs,
    }

    fn asked(line: &[&str]) -> Result<protocol::Options, anyhow::Error> {
        let line = Line::try_parse_from([&["squall"], line].concat())?;
        Ok(line.connection.ask("test", false, None)?.options.protocol)
    }

    #[test]
    fn the_version_is_3_1_1_unless_something_needs_5_0() {
        for (line, version) in [
            (&[][..], Version::V3_1_1),
            (&["-V", "mqttv5"], Version::V5),
            (&["-x", "60"], Version::V5),
            (&["-D", "connect", "receive-maximum", "5"], Version::V5),
            (&["-x", "60", "-V", "311"], Version::V3_1_1),
        ] {
            assert_eq!(asked(line).unwrap().version, version, "{line:?}");
        }
    }

    #[test]
    fn a_session_that_is_kept_needs_a_name_and_never_expires_unless_told() {
        assert!(asked(&["-c"]).unwrap_err().is::<Misuse>());
        let options = asked(&["-c", "-i", "me", "-V", "5"]).unwrap();
        assert_eq!((options.clean_start, options.adopt_session), (false, true));
        assert_eq!(options.session_expiry_interval, u32::MAX);
        assert_eq!(
            asked(&["-c", "-i", "me", "-x", "9"])
                .unwrap()
                .session_expiry_interval,
            9
        );
    }

    #[test]
    fn a_will_is_made_of_its_options() {
        let line = [
            "--will-topic",
            "w",
            "--will-payload",
            "-gone-",
            "--will-qos",
            "2",
            "--will-retain",
        ];
        let will = asked(&line).unwrap().will.unwrap();
        assert_eq!(
            (&*will.topic, &*will.payload, will.qos, will.retain),
            ("w", &b"-gone-"[..], Qos::ExactlyOnce, true)
        );
        assert!(asked(&["--will-retain"]).is_err());
    }
}
