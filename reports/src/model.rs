//! What a run of scenarios or of the conformance suite found, as every renderer reads it.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{durability::Durability, kind::Kind};

/// The version of [`Report`]'s JSON form. It rises when a reader of the old form would go wrong.
pub const FORMAT: u32 = 1;

/// Everything one command found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// [`FORMAT`] of the program that wrote it.
    pub format: u32,
    /// The program and its version: `squall 0.1.0`.
    pub producer: String,
    /// What was tested: `the simulated broker`, `mqtt://127.0.0.1:1883`.
    pub target: String,
    /// Wall-clock microseconds of the whole command; less than the results' sum where they ran side by side.
    pub micros: u64,
    /// Groups in the order they are shown: a section of the standard, or a scenario.
    pub groups: Vec<Group>,
}

/// Results that are shown together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// A scenario's name, or a section: `3.3 PUBLISH`.
    pub name: String,
    /// What was tested, in a report of several targets; none in a report of one, whose head says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// In the order they are shown.
    pub results: Vec<TestResult>,
}

/// The result of one case or one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestResult {
    /// Unique in its group: a case's name with its version, or `3.1.1 seed 7`.
    pub name: String,
    /// The version of the protocol it ran with: `3.1.1` or `5.0`.
    pub mqtt: String,
    /// The normative statements it decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statements: Vec<Statement>,
    /// What came of it.
    pub verdict: Verdict,
    /// Wall-clock microseconds.
    pub micros: u64,
    /// Simulated microseconds, where time was simulated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub simulated_micros: Option<u64>,
    /// What became of what the broker acknowledged, where a run was asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub durability: Option<Durability>,
    /// The packets that led to a verdict other than `pass`, oldest first; empty for `pass`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packets: Vec<PacketLine>,
    /// The command that repeats it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<String>,
}

/// One numbered normative sentence of the standard, or one rule of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// `MQTT-3.1.2-24`, of the version the result ran with; or a check's name, `exactly_once`.
    pub id: String,
    /// What it asks for, in a few words; empty where nobody said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub gist: String,
}

impl Statement {
    /// Whether it is a sentence of the standard, not the name of a check, which has no hyphen.
    #[must_use]
    pub fn is_normative(&self) -> bool {
        self.id.contains('-')
    }
}

/// What came of a case or a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Verdict {
    /// All that was asked for held.
    Pass,
    /// A MUST was broken.
    Fail {
        /// Each line is one right answer.
        expected: Vec<String>,
        /// What came instead.
        got: String,
    },
    /// A SHOULD was not followed.
    Deviation {
        /// Each line is one recommended answer.
        expected: Vec<String>,
        /// What came instead.
        got: String,
    },
    /// Several outcomes are legal; this one was seen.
    Choice {
        /// The outcome.
        outcome: String,
    },
    /// The target said that it does not do this.
    Unsupported {
        /// Where it said so.
        why: String,
    },
    /// A failure that the target's profile explains.
    Known {
        /// The explanation.
        why: String,
    },
    /// The network or the harness kept it from being decided.
    Inconclusive {
        /// What went wrong.
        why: String,
    },
}

impl Verdict {
    /// Whether the target did what it must, as far as it can be judged. A command ends with 0 if this is so for every result.
    ///
    /// A SHOULD not followed, a legal choice, a feature the target does not have and a known failure do not count against it;
    /// what could not be decided does, because nothing has been proven.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.kind().holds()
    }

    /// Which one it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Pass => Kind::Pass,
            Self::Fail { .. } => Kind::Fail,
            Self::Deviation { .. } => Kind::Deviation,
            Self::Choice { .. } => Kind::Choice,
            Self::Unsupported { .. } => Kind::Unsupported,
            Self::Known { .. } => Kind::Known,
            Self::Inconclusive { .. } => Kind::Inconclusive,
        }
    }

    /// What was seen, or why it was not judged; empty for `pass`.
    #[must_use]
    pub fn got(&self) -> &str {
        match self {
            Self::Pass => "",
            Self::Fail { got, .. } | Self::Deviation { got, .. } => got,
            Self::Choice { outcome } => outcome,
            Self::Unsupported { why } | Self::Known { why } | Self::Inconclusive { why } => why,
        }
    }

    /// The right answers of a verdict that has some.
    #[must_use]
    pub fn expected(&self) -> &[String] {
        match self {
            Self::Fail { expected, .. } | Self::Deviation { expected, .. } => expected,
            Self::Pass
            | Self::Choice { .. }
            | Self::Unsupported { .. }
            | Self::Known { .. }
            | Self::Inconclusive { .. } => &[],
        }
    }
}

impl Group {
    /// The name, with the target before it in a report of several: `mosquitto 2.0: 3.3 PUBLISH`.
    #[must_use]
    pub fn title(&self) -> Cow<'_, str> {
        match &self.target {
            Some(target) => Cow::Owned(format!("{target}: {}", self.name)),
            None => Cow::Borrowed(&self.name),
        }
    }
}

impl Report {
    /// Every result, in the order they are shown.
    pub fn results(&self) -> impl Iterator<Item = &TestResult> + Clone {
        self.groups.iter().flat_map(|group| &group.results)
    }

    /// Whether every verdict [holds](Verdict::holds). So it is of a report without results: whoever wants some must ask.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.results().all(|result| result.verdict.holds())
    }
}

/// What ends the text of a line that a finding is about.
pub const POINTER: &str = "  <--";

/// One packet, event or fault, as a person reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PacketLine {
    /// Microseconds since the run began.
    pub at_micros: u64,
    /// Who sent it, or where it happened: a client's name or `broker`.
    pub from: String,
    /// Who it was for; empty for what is no packet.
    pub to: String,
    /// `PUBLISH q2 id 3 dup "t/1" 5 bytes`, or what happened.
    pub text: String,
    /// What a picture has to know of it; none for a packet that is sent, and for most events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<Mark>,
}

/// What a line is that a picture draws otherwise than as an arrow or a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Mark {
    /// A packet arrives that another line has sent; its text begins with that one's.
    Arrival,
    /// A client opens a connection: what it had under way on the one before arrives no more.
    Opened,
    /// A fault begins, which goes by this number.
    FaultBegan(usize),
    /// The fault with this number is over.
    FaultEnded(usize),
}
