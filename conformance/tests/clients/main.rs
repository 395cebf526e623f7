//! Every case about clients with every version against our own client, in memory and in virtual time (`conforms`); and the proof that
//! each can fail: the same again with something wrong between the client and the case (`can_fail`). Which mutation fails which case is
//! in `docs/CLIENT_MUTATIONS.md`.

#[path = "../../drivers/squall/authentication.rs"]
mod authentication;
#[path = "../../drivers/squall/driver.rs"]
mod driver;
mod mutation;
mod wire;
#[path = "../../drivers/squall/words.rs"]
mod words;

use std::{fmt::Write as _, fs, io, path::Path, sync::Arc, time::Duration};

use libtest_mimic::{Arguments, Failed, Trial};
use squall_conformance::{
    Duplex, Settings,
    clients::{Case, Launch, Launched, Launching, run},
    select,
};
use squall_node::{Connector, Stream};
use squall_proto::Version;
use squall_reports::{Kind, TestResult};
use tokio::{
    io::{DuplexStream, ReadHalf, WriteHalf, duplex, split},
    sync::mpsc,
};

use self::{
    driver::drive,
    mutation::{ALL, Mutation},
    wire::{between, lines_between},
};

type Selected = squall_conformance::Selected<Case>;

/// What no mutation changes, and why. One that is caught after all fails its test, so that the list only shrinks.
const NEVER_CAUGHT: &[(&str, &str)] = &[];

fn main() {
    let conforms = cases().map(|selected| {
        Trial::test(format!("conforms::{}", selected.name()), move || {
            conforms(selected)
        })
    });
    let caught = cases().map(|selected| {
        Trial::test(format!("can_fail::{}", selected.name()), move || {
            can_fail(selected)
        })
    });
    let table = Trial::test("the_table_of_mutations_is_up_to_date", the_table_is_up_to_date);
    libtest_mimic::run(
        &Arguments::from_args(),
        conforms.chain(caught).chain([table]).collect(),
    )
    .exit();
}

fn cases() -> impl Iterator<Item = Selected> {
    select(&Version::ALL, &[]).into_iter()
}

/// Our client conforms; what it cannot be told to do, its driver does not know.
fn conforms(selected: Selected) -> Result<(), Failed> {
    let result = result(selected, None);
    if result.verdict.holds() {
        return Ok(());
    }
    let lines: Vec<_> = result
        .packets
        .iter()
        .map(|line| format!("{} -> {} {}", line.from, line.to, line.text))
        .collect();
    Err(format!("{:?}\n{}", result.verdict, lines.join("\n")).into())
}

fn can_fail(selected: Selected) -> Result<(), Failed> {
    if result(selected, None).verdict.kind() == Kind::Unsupported {
        return Ok(());
    }
    let excused = NEVER_CAUGHT.iter().any(|(name, _)| *name == selected.case.name);
    match (catcher(selected), excused) {
        (Some(_), false) | (None, true) => Ok(()),
        (Some(by), true) => Err(format!("{} makes it fail now: take it off the list", by.name).into()),
        (None, false) => Err("no mutation makes it fail".into()),
    }
}

/// The first mutation that makes the case blame the client, or record another choice.
fn catcher(selected: Selected) -> Option<&'static Mutation> {
    let sound = result(selected, None).verdict;
    ALL.iter().find(|mutation| {
        let mutated = result(selected, Some(mutation)).verdict;
        match mutated.kind() {
            Kind::Fail | Kind::Deviation => true,
            Kind::Choice => mutated != sound,
            Kind::Pass | Kind::Unsupported | Kind::Known | Kind::Inconclusive => false,
        }
    })
}

/// `SQUALL_UPDATE_MUTATIONS=1` writes it.
fn the_table_is_up_to_date() -> Result<(), Failed> {
    let path = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../docs/CLIENT_MUTATIONS.md"
    ));
    let table = table();
    if std::env::var_os("SQUALL_UPDATE_MUTATIONS").is_some() {
        fs::write(path, &table)?;
    }
    let written = fs::read_to_string(path).unwrap_or_default();
    match written == table {
        true => Ok(()),
        false => Err(
            "write it again: SQUALL_UPDATE_MUTATIONS=1 cargo test -p squall-conformance --test clients -- table".into(),
        ),
    }
}

fn table() -> String {
    let mut table = String::from(
        "# What fails each case about clients\n\nWritten by a test, never by hand: `SQUALL_UPDATE_MUTATIONS=1 cargo test -p squall-conformance --test \
         clients -- table`. Our client passes each case;\nwith the mutation between it and the case, the case fails. A case that our client's driver \
         cannot carry out has `unsupported`.\n\n| case | version | fails under |\n|---|---|---|\n",
    );
    for selected in cases() {
        let unsupported = result(selected, None).verdict.kind() == Kind::Unsupported;
        let by = match (unsupported, catcher(selected)) {
            (true, _) => "unsupported",
            (false, Some(mutation)) => mutation.name,
            (false, None) => "nothing",
        };
        let _ = writeln!(table, "| {} | {} | {by} |", selected.case.name, selected.version);
    }
    table
}

/// Runs the case against our client, with this mutation in between.
fn result(selected: Selected, mutation: Option<&'static Mutation>) -> TestResult {
    let settings = Settings {
        patience: Duration::from_secs(5),
        unique: String::new(),
        command: "squall conform --client".into(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let launch: Arc<dyn Launch> = Arc::new(InMemory(mutation));
    runtime.block_on(run(selected, &settings, &launch))
}

/// Our client on streams in memory.
struct InMemory(Option<&'static Mutation>);

impl Launch for InMemory {
    fn launch(&self, version: Version) -> Launching<'_> {
        let (connected, connections) = mpsc::unbounded_channel();
        let line = Line {
            connected,
            version,
            mutation: self.0,
        };
        let (ours, theirs) = duplex(1 << 20);
        let (commands, answers) = split(theirs);
        let driving = tokio::spawn(async move { drive(version, || line.clone(), commands, answers).await });
        let (read, write) = split(ours);
        let lines = lines_between(read, write, self.0);
        let launched = Launched {
            lines,
            connections,
            keep: Box::new(AbortOnDrop(driving.abort_handle())),
        };
        Box::pin(async move { Ok(launched) })
    }
}

struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Hands the other end of every stream it makes to the case.
#[derive(Clone)]
struct Line {
    connected: mpsc::UnboundedSender<Duplex>,
    version: Version,
    mutation: Option<&'static Mutation>,
}

struct Ours(DuplexStream);

impl Stream for Ours {
    type Read = ReadHalf<DuplexStream>;
    type Write = WriteHalf<DuplexStream>;

    fn split(self) -> (Self::Read, Self::Write) {
        split(self.0)
    }
}

impl Connector for Line {
    type Stream = Ours;

    async fn connect(&mut self) -> io::Result<Ours> {
        let (ours, theirs) = duplex(1 << 20);
        let theirs = between(theirs, self.version, self.mutation);
        let sent = self.connected.send(theirs);
        sent.map_err(|_| io::ErrorKind::ConnectionRefused)?;
        Ok(Ours(ours))
    }
}
