//! The driver of a client: a line to it asks for something, lines from it say what became of that. `line` is what one looks like.
//!
//! The driver speaks first: `squall-driver 1` and every word it knows. Each command is then answered by `ok` once the client has been told,
//! or `error` and why it cannot be; what happens to the client comes in between whenever it happens.

mod line;

use std::{collections::VecDeque, time::Duration};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader, Lines},
    time::{Instant, timeout, timeout_at},
};

pub(crate) use self::line::Command;
use self::line::{Answer, Event, Message};
use crate::{
    Duplex, Outcome, Stop,
    context::{WINDOW, log::Log},
};

/// What a driver of this protocol says first, before the words it knows.
const GREETING: &str = "squall-driver 1";

/// How long a driver may take to say so: it is a program that starts, on a machine that may be busy.
const STARTING: Duration = Duration::from_secs(60);

/// The driver of one case's client.
pub(crate) struct Driver {
    known: Vec<String>,
    lines: Lines<BufReader<Box<dyn AsyncRead + Send + Unpin>>>,
    write: Box<dyn AsyncWrite + Send + Unpin>,
    /// What happened and nobody has asked for yet.
    inbox: VecDeque<Event>,
    patience: Duration,
    log: Log,
}

impl Driver {
    /// Waits for the driver's greeting.
    pub(crate) async fn begin(duplex: Duplex, patience: Duration, log: Log) -> Outcome<Self> {
        let mut driver = Self {
            known: Vec::new(),
            lines: BufReader::new(duplex.read).lines(),
            write: duplex.write,
            inbox: VecDeque::new(),
            patience,
            log,
        };
        let first = driver.line(Instant::now() + STARTING).await?.unwrap_or_default();
        let words = first.strip_prefix(GREETING).ok_or_else(|| {
            Stop::Inconclusive(format!(
                "the driver's first line must begin with `{GREETING}`, not `{first}`"
            ))
        })?;
        driver.known = words.split_whitespace().map(str::to_owned).collect();
        Ok(driver)
    }

    /// The words the driver knows.
    pub(crate) fn known(&self) -> &[String] {
        &self.known
    }

    /// Tells the client to do something that it may refuse: the inner error is why.
    pub(crate) async fn ask(&mut self, command: &Command) -> Outcome<Result<(), String>> {
        if let Some(word) = command.words().find(|word| !self.knows(word)) {
            return Err(Stop::Unsupported(format!("the driver does not know `{word}`")));
        }
        let line = command.to_string();
        self.log.add("squall", "driver", line.clone());
        let sent = timeout(self.patience, self.write_line(&line)).await;
        if !matches!(sent, Ok(Ok(()))) {
            return Err(Stop::Inconclusive("the driver takes no lines any more".into()));
        }
        let deadline = Instant::now() + self.patience;
        loop {
            match self.answer(deadline).await? {
                Some(Answer::Ok) => return Ok(Ok(())),
                Some(Answer::Error(why)) => return Ok(Err(why)),
                Some(Answer::Happened(event)) => self.inbox.push_back(event),
                None => {
                    let why = format!("the driver did not answer `{line}` with ok or error");
                    return Err(Stop::Inconclusive(why));
                }
            }
        }
    }

    /// Tells the client to do something that it must be able to do for the case to go on.
    pub(crate) async fn tell(&mut self, command: &Command) -> Outcome {
        let asked = self.ask(command).await?;
        asked.map_err(|why| Stop::Inconclusive(format!("set-up: `{command}`: the driver says: {why}")))
    }

    /// The client must say that it is connected.
    pub(crate) async fn expect_connected(&mut self) -> Outcome {
        self.expect("the client is connected", |event| match event {
            Event::Connected => Some(()),
            Event::Disconnected | Event::Message(_) => None,
        })
        .await
    }

    /// The application must get a message on this topic.
    pub(crate) async fn expect_message(&mut self, topic: &str) -> Outcome<Message> {
        let expected = format!("the application gets a message on {topic:?}");
        self.expect(&expected, |event| message(event, topic)).await
    }

    /// The application must get no message on this topic for a short while.
    pub(crate) async fn expect_no_message(&mut self, expected: &str, topic: &str) -> Outcome {
        let deadline = Instant::now() + WINDOW;
        loop {
            let mut inbox = self.inbox.iter();
            if let Some(found) = inbox.find_map(|event| message(event, topic)) {
                return Err(Stop::broken(expected, found.to_string()));
            }
            match self.answer(deadline).await? {
                Some(Answer::Happened(event)) => self.inbox.push_back(event),
                Some(Answer::Ok | Answer::Error(_)) => {}
                None => return Ok(()),
            }
        }
    }

    async fn expect<T>(&mut self, expected: &str, pick: impl Fn(&Event) -> Option<T>) -> Outcome<T> {
        let deadline = Instant::now() + self.patience;
        loop {
            let place = self.inbox.iter().position(|event| pick(event).is_some());
            let event = place.and_then(|place| self.inbox.remove(place));
            if let Some(picked) = event.and_then(|event| pick(&event)) {
                return Ok(picked);
            }
            match self.answer(deadline).await? {
                Some(Answer::Happened(event)) => self.inbox.push_back(event),
                Some(Answer::Ok | Answer::Error(_)) => {}
                None => {
                    let got = format!("nothing of the kind from its driver in {:?}", self.patience);
                    return Err(Stop::broken(expected, got));
                }
            }
        }
    }

    async fn answer(&mut self, deadline: Instant) -> Outcome<Option<Answer>> {
        let Some(line) = self.line(deadline).await? else {
            return Ok(None);
        };
        match Answer::parse(&line) {
            Some(answer) => Ok(Some(answer)),
            None => Err(Stop::Inconclusive(format!(
                "the driver said `{line}`, which is no answer"
            ))),
        }
    }

    /// The driver's next line; `None` when none came in time.
    async fn line(&mut self, deadline: Instant) -> Outcome<Option<String>> {
        match timeout_at(deadline, self.lines.next_line()).await {
            Ok(Ok(Some(line))) => {
                self.log.add("driver", "squall", line.clone());
                Ok(Some(line))
            }
            Ok(Ok(None) | Err(_)) => Err(Stop::Inconclusive("the driver has ended".into())),
            Err(_) => Ok(None),
        }
    }

    async fn write_line(&mut self, line: &str) -> std::io::Result<()> {
        self.write.write_all(format!("{line}\n").as_bytes()).await?;
        self.write.flush().await
    }

    fn knows(&self, word: &str) -> bool {
        self.known.iter().any(|known| known == word)
    }
}

fn message(event: &Event, topic: &str) -> Option<Message> {
    match event {
        Event::Message(message) if message.topic == topic => Some(message.clone()),
        Event::Message(_) | Event::Connected | Event::Disconnected => None,
    }
}
