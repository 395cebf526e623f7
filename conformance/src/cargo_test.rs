//! Every case as a `cargo test` of a broker that somebody else writes.
//!
//! A test without the usual harness (`harness = false` in `Cargo.toml`), whose `main` starts the broker and ends with [`Tested::run`]:
//! `tests/as_cargo_test.rs` is one, `docs/CARGO_TEST.md` says more.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher as _, RandomState},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use squall_proto::Version;
use squall_reports::{TestResult, Verdict};
use tokio::{
    net::TcpStream,
    runtime::{Builder, Runtime},
    sync::OnceCell,
};

use crate::{
    Capability, Case, Duplex, Selected, Settings, Target, Transport, User, Via, expected_to_fail, run, select,
};

/// A broker under test, and what is known of it: every case as a test of a test program without the usual harness, whose `main` returns
/// what [`Tested::run`] says.
#[derive(Clone)]
pub struct Tested {
    transport: Arc<dyn Transport>,
    versions: Vec<Version>,
    patience: Duration,
    user: Option<User>,
    lacks: BTreeMap<Capability, String>,
    failures: BTreeMap<&'static str, &'static str>,
}

/// How many cases run side by side: most of them wait most of the time.
const SIDE_BY_SIDE: usize = 64;

impl Tested {
    /// A broker that listens there for MQTT over TCP: `127.0.0.1:1883`.
    #[must_use]
    pub fn at(address: impl Into<String>) -> Self {
        let address: Arc<str> = address.into().into();
        Self::over(Via(move || {
            let address = Arc::clone(&address);
            async move {
                let stream = TcpStream::connect(&*address).await?;
                stream.set_nodelay(true)?;
                let (read, write) = stream.into_split();
                Ok(Duplex::new(read, write))
            }
        }))
    }

    /// A broker that is reached otherwise: over TLS, or in memory.
    #[must_use]
    pub fn over(transport: impl Transport + 'static) -> Self {
        Self {
            transport: Arc::new(transport),
            versions: Version::ALL.to_vec(),
            patience: Duration::from_secs(5),
            user: None,
            lacks: BTreeMap::new(),
            failures: BTreeMap::new(),
        }
    }

    /// It speaks these versions; both unless this is said.
    #[must_use]
    pub fn versions(self, versions: &[Version]) -> Self {
        Self {
            versions: versions.to_vec(),
            ..self
        }
    }

    /// How long what must come may take; 5 s unless this is said.
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// It knows this user, for the cases about enhanced authentication, and for all if it takes nobody else.
    #[must_use]
    pub fn user(self, name: impl Into<String>, password: impl Into<String>) -> Self {
        let user = Some(User::new(name, password));
        Self { user, ..self }
    }

    /// It does not do this, and its CONNACK does not say so: cases that need it are ignored.
    #[must_use]
    pub fn lacks(mut self, capability: Capability, why: impl Into<String>) -> Self {
        self.lacks.insert(capability, why.into());
        self
    }

    /// It fails this case, and that is known. Once it passes, the test fails until this is taken out.
    ///
    /// # Panics
    ///
    /// When no case has this name.
    #[must_use]
    pub fn known_to_fail(mut self, case: &'static str, why: &'static str) -> Self {
        let is_case = crate::SECTIONS
            .iter()
            .flat_map(|section| section.cases)
            .any(|known: &Case| known.name == case);
        assert!(is_case, "no conformance case is called {case:?}");
        self.failures.insert(case, why);
        self
    }

    /// Runs the cases that the command line asks for, each as a test, and says what `main` returns.
    ///
    /// # Panics
    ///
    /// When the operating system has no threads left.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let mut arguments = Arguments::from_args();
        arguments.test_threads.get_or_insert(SIDE_BY_SIDE);
        let runtime = Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.expect("a runtime needs threads and descriptors, and there are some");
        let selected = select(&self.versions, &[]);
        let asked = Arc::new(Asked::of(self, runtime));
        let trial = |selected: Selected| {
            let asked = Arc::clone(&asked);
            let name = selected.name();
            Trial::ignorable_test(name, move || asked.judge(selected)).with_kind(selected.section.number)
        };
        libtest_mimic::run(&arguments, selected.into_iter().map(trial).collect()).exit_code()
    }
}

/// What all tests of a run share.
struct Asked {
    tested: Tested,
    settings: Settings,
    /// What the broker said when the first test asked.
    target: OnceCell<Result<Arc<Target>, String>>,
    runtime: Runtime,
}

impl Asked {
    fn of(tested: Tested, runtime: Runtime) -> Self {
        let settings = Settings {
            patience: tested.patience,
            unique: Settings::unique(RandomState::new().hash_one(())),
            command: "squall conform --target URL".into(),
        };
        Self {
            tested,
            settings,
            target: OnceCell::new(),
            runtime,
        }
    }

    fn judge(&self, selected: Selected) -> Result<Completion, Failed> {
        let result = self.runtime.block_on(self.result(selected))?;
        let result = match self.tested.failures.get(selected.case.name) {
            Some(why) => expected_to_fail(result, why),
            None => result,
        };
        if let Verdict::Unsupported { why } | Verdict::Known { why } = &result.verdict {
            return Ok(Completion::ignored_with(why));
        }
        match result.verdict.holds() {
            true => Ok(Completion::Completed),
            false => Err(told(&result).into()),
        }
    }

    async fn result(&self, selected: Selected) -> Result<TestResult, Failed> {
        let target = self.target.get_or_init(|| self.probe()).await.as_ref()?;
        Ok(run(selected, &self.settings, target, &self.tested.transport).await)
    }

    async fn probe(&self) -> Result<Arc<Target>, String> {
        let Tested {
            transport,
            versions,
            patience,
            user,
            ..
        } = &self.tested;
        let said = Target::probe(
            transport,
            versions,
            &self.settings.unique,
            *patience,
            user.clone(),
        )
        .await;
        let said = said.map_err(|error| format!("the broker cannot be reached: {error}"))?;
        Ok(Arc::new(said.with_lacks(self.tested.lacks.clone())))
    }
}

/// A result that does not hold, in lines.
fn told(result: &TestResult) -> String {
    let mut lines: Vec<String> = result
        .statements
        .iter()
        .map(|statement| format!("{}  {}", statement.id, statement.gist))
        .collect();
    if let Verdict::Fail { expected, got } = &result.verdict {
        lines.push(format!("expected {}", expected.join(" or ")));
        lines.push(format!("got      {got}"));
    }
    if let Verdict::Inconclusive { why } = &result.verdict {
        lines.push(format!("inconclusive: {why}"));
    }
    let packets = result.packets.iter();
    lines.extend(packets.map(|line| format!("  {} -> {}  {}", line.from, line.to, line.text)));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn failed(tested: Tested) -> String {
        let pings = select(&Version::ALL, &["pingreq_is_answered_with_pingresp".to_owned()]);
        let selected = pings.into_iter().next().expect("a case");
        let asked = Asked::of(tested, Runtime::new().expect("a runtime"));
        let failed = asked.judge(selected).err();
        let failed = failed.expect("it fails");
        failed.message().expect("with a reason").to_owned()
    }

    #[test]
    fn a_broker_that_is_not_there_fails_every_case() {
        let nobody = Tested::over(Via(|| async { Err(io::ErrorKind::ConnectionRefused.into()) }));
        assert!(failed(nobody).starts_with("the broker cannot be reached"));
    }

    #[test]
    fn a_case_that_is_known_to_fail_and_does_not_is_told_to_be_taken_out() {
        let result = TestResult {
            name: String::new(),
            mqtt: "5.0".into(),
            statements: Vec::new(),
            verdict: Verdict::Pass,
            micros: 0,
            simulated_micros: None,
            durability: None,
            packets: Vec::new(),
            repeat: None,
        };
        let told = told(&expected_to_fail(result, "it has always"));
        assert!(told.contains("expected it to fail: it has always"), "{told}");
    }

    #[test]
    #[should_panic(expected = "no conformance case is called \"pong\"")]
    fn a_case_that_there_is_not_is_named() {
        drop(Tested::at("127.0.0.1:1").known_to_fail("pong", "it never came"));
    }
}
