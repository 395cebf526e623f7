//! Every case about clients with every version against our own client, in memory and in virtual time (`conforms`); and the proof that
//! each can fail: the same again with something wrong between the client and the case (`can_fail`). Which mutation fails which case is
//! in `docs/CLIENT_MUTATIONS.md`.

#[path = "../../drivers/squall/authentication.rs"]
mod authentication;
#[path = "../../drivers/squall/driver.rs"]
mod driver;
#[path = "../mutations/http.rs"]
mod http;
mod mutation;
#[path = "../mutations/table.rs"]
mod table;
mod websocket;
mod wire;
#[path = "../../drivers/squall/words.rs"]
mod words;

use std::{
    io,
    sync::{Arc, OnceLock},
    time::Duration,
};

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
    table::{Row, Table, Tried, UNSUPPORTED, fails, first, holds, trials},
    wire::{between, lines_between},
};

type Selected = squall_conformance::Selected<Case>;

const TABLE: Table = Table {
    file: "CLIENT_MUTATIONS.md",
    head: "# What fails each case about clients\n\nOur client passes each case; with the mutation between it and the case, the case fails, or \
           records another choice. What our client's\ndriver cannot carry out is `unsupported`.",
    command: "SQUALL_UPDATE_MUTATIONS=1 cargo test -p squall-conformance --test clients -- table",
    columns: &["case", "version", "fails under"],
};

fn main() {
    let all = WithOurs::all();
    let mut tests: Vec<_> = trials("conforms", &all, conforms).collect();
    tests.extend(trials("can_fail", &all, |tried| TABLE.proves(tried)));
    tests.push(Trial::test("the_table_of_mutations_is_up_to_date", move || {
        TABLE.is_up_to_date(&all)
    }));
    libtest_mimic::run(&Arguments::from_args(), tests).exit();
}

/// A case with one version, and what came of it with our client, found out once.
struct WithOurs {
    selected: Selected,
    written: Option<Row>,
    sound: OnceLock<TestResult>,
}

impl WithOurs {
    /// Every case.
    fn all() -> Vec<Arc<Self>> {
        let mut rows = TABLE.rows();
        let cases: Vec<Selected> = select(&Version::ALL, &[]);
        let tried = cases.into_iter().map(|selected| Self {
            selected,
            written: rows.remove(&(selected.case.name.to_owned(), selected.version.to_string())),
            sound: OnceLock::new(),
        });
        tried.map(Arc::new).collect()
    }

    fn sound(&self) -> &TestResult {
        self.sound.get_or_init(|| result(self.selected, None))
    }
}

impl Tried for WithOurs {
    type Case = Case;

    fn selected(&self) -> Selected {
        self.selected
    }

    fn written(&self) -> Option<&Row> {
        self.written.as_ref()
    }

    fn found(&self) -> Row {
        let sound = &self.sound().verdict;
        let named = ALL.iter().map(|mutation| (mutation.name, mutation));
        let found = match sound.kind() {
            Kind::Unsupported => UNSUPPORTED,
            Kind::Pass | Kind::Fail | Kind::Deviation | Kind::Choice | Kind::Known | Kind::Inconclusive => {
                first(named, self.written(), |mutation| {
                    fails(&result(self.selected, Some(mutation)).verdict, sound)
                })
            }
        };
        let version = self.selected.version.to_string();
        [self.selected.case.name, &version, found]
            .map(str::to_owned)
            .into()
    }
}

/// Our client conforms; what it cannot be told to do, its driver does not know.
fn conforms(tried: &WithOurs) -> Result<(), Failed> {
    let result = tried.sound();
    let again = format!(
        "cargo test -p squall-conformance --test clients -- '{}'",
        tried.selected.name()
    );
    holds(result, &again)
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
