use std::{fmt, time::Duration};

use anstyle::{AnsiColor, Style};
use squall_proto::{Instant, PacketType};
use squall_reports::printable;
use squall_sim::trace::{Arrivals, Event, Lines, Recorded, What, detailed_line};

/// Which events are shown.
pub(super) struct Wanted {
    /// Those of these alone; of all where there is none.
    pub(super) clients: Vec<String>,
    /// These packets alone; all, and what is no packet, where there is none.
    pub(super) packets: Vec<PacketType>,
    /// Since the run began.
    pub(super) from: Duration,
    pub(super) until: Duration,
    /// Arrivals too.
    pub(super) arrivals: bool,
}

/// A run as a person reads it: its name, then a line an event. Prints colours, which are taken away where nobody sees them.
pub(super) struct Log<'a> {
    run: &'a Recorded,
    rows: Vec<Row>,
}

struct Row {
    at: Instant,
    /// The client or peer; empty where it concerns nobody alone.
    left: String,
    arrow: char,
    right: String,
    text: String,
    style: Style,
    /// How long it was under way, or what became of it.
    fate: Option<Fate>,
}

#[derive(Clone, Copy)]
enum Fate {
    Arrived(Duration),
    Lost,
}

const BROKER: &str = "broker";
const DIM: Style = Style::new().dimmed();
const STRONG: Style = Style::new().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const ODD: Style = AnsiColor::Yellow.on_default();

impl<'a> Log<'a> {
    /// What is wanted of a run.
    pub(super) fn new(run: &'a Recorded, wanted: &Wanted) -> Self {
        let lines = Lines::new(&run.trace);
        let arrivals = Arrivals::new(&run.trace);
        let mut rows = Vec::new();
        for (index, event) in run.trace.events.iter().enumerate() {
            let Some(line) = lines.line(index) else { continue };
            if wanted.has(event, [&line.from, &line.to]) {
                rows.push(Row::new(event, line.from, line.to, fate(index, event, &arrivals)));
            }
        }
        Self { run, rows }
    }

    /// Nothing of it is wanted.
    pub(super) const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl Wanted {
    fn has(&self, event: &Event, ends: [&String; 2]) -> bool {
        let at = event.at.saturating_since(Instant::ZERO);
        self.from <= at
            && at <= self.until
            && self.has_packet(&event.what)
            && self.has_client(&event.what, ends)
    }

    fn has_packet(&self, what: &What) -> bool {
        let is_arrival = matches!(what, What::Arrived { .. });
        let is_wanted = match what.packet() {
            Some(packet) => self.packets.is_empty() || self.packets.contains(&packet.packet_type()),
            None => self.packets.is_empty(),
        };
        is_wanted && (self.arrivals || !is_arrival)
    }

    /// What concerns nobody alone concerns everybody.
    fn has_client(&self, what: &What, ends: [&String; 2]) -> bool {
        let is_ours = |name: &str| self.clients.iter().any(|client| client == name);
        if let What::HostDown { host, .. }
        | What::HostUp { host, .. }
        | What::HostPaused { host }
        | What::HostResumed { host } = what
        {
            return self.clients.is_empty() || host == BROKER || is_ours(host);
        }
        self.clients.is_empty()
            || ends.iter().any(|name| is_ours(name))
            || ends.iter().all(|name| name.is_empty())
    }
}

fn fate(index: usize, event: &Event, arrivals: &Arrivals) -> Option<Fate> {
    matches!(event.what, What::Sent { .. }).then(|| match arrivals.of(index) {
        Some(at) => Fate::Arrived(at.saturating_since(event.at)),
        None => Fate::Lost,
    })
}

impl Row {
    /// The broker stands on the right, so that the arrow shows the direction at a glance.
    fn new(event: &Event, from: String, to: String, fate: Option<Fate>) -> Self {
        let (left, arrow, right) = match (from.as_str(), to.as_str()) {
            (_, "") => (from, '*', to),
            (BROKER, _) => (to, '←', from),
            (_, _) => (from, '→', to),
        };
        Self {
            at: event.at,
            left,
            arrow,
            right,
            text: detailed_line(event),
            style: style(&event.what),
            fate,
        }
    }
}

const fn style(what: &What) -> Style {
    match what {
        What::Sent { .. } => Style::new(),
        What::Arrived { .. }
        | What::Unread { .. }
        | What::Bytes { .. }
        | What::Application { .. }
        | What::Held(_) => DIM,
        What::Malformed { .. } | What::Missed { .. } => BAD,
        What::Opened { .. }
        | What::Closed { .. }
        | What::LetGo { .. }
        | What::Ended { .. }
        | What::HostDown { .. }
        | What::HostUp { .. }
        | What::HostPaused { .. }
        | What::HostResumed { .. }
        | What::Kicked { .. }
        | What::FaultBegan { .. }
        | What::FaultEnded { .. }
        | What::Step { .. }
        | What::Healed => ODD,
    }
}

impl fmt::Display for Log<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Recorded {
            scenario, mqtt, seed, ..
        } = self.run;
        let scenario = printable(scenario);
        writeln!(f, "{STRONG}{scenario}, MQTT {mqtt}, seed {seed}{STRONG:#}")?;
        let width = |name: fn(&Row) -> &str| {
            let widths = self.rows.iter().map(|row| printable(name(row)).chars().count());
            widths.max().unwrap_or(0)
        };
        let (left, right) = (width(|row| &row.left), width(|row| &row.right));
        self.rows.iter().try_for_each(|row| row.write(f, left, right))
    }
}

impl Row {
    fn write(&self, f: &mut fmt::Formatter<'_>, left: usize, right: usize) -> fmt::Result {
        let at = self.at.as_micros();
        let (seconds, micros) = (at / 1_000_000, at % 1_000_000);
        let (style, text) = (self.style, printable(&self.text));
        write!(
            f,
            "{DIM}{seconds:>5}.{micros:06}{DIM:#}  {:<left$} {} {:<right$}  {style}{text}{style:#}",
            printable(&self.left),
            self.arrow,
            printable(&self.right),
        )?;
        match self.fate {
            Some(Fate::Arrived(after)) => writeln!(f, "  {DIM}+{} ms{DIM:#}", after.as_millis()),
            Some(Fate::Lost) => writeln!(f, "  {BAD}never arrives{BAD:#}"),
            None => writeln!(f),
        }
    }
}
