//! The sections of the standard, and what all cases in them have: those about brokers and those about clients.

use std::fmt;

use squall_proto::Version;

/// A section of the standard with its cases: about brokers if nothing else is said.
#[derive(Debug)]
pub struct Section<C: 'static = crate::Case> {
    /// `3.3`, in both versions.
    pub number: &'static str,
    /// `PUBLISH`.
    pub title: &'static str,
    /// In the order of the section.
    pub cases: &'static [C],
}

/// What a suite needs to know of a case to select it and to say what came of it.
pub trait AnyCase: Send + Sync + Sized + 'static {
    /// How the command that repeats a case ends, after its name.
    const COMMAND_ENDS: &'static str;

    /// A sentence about whoever conforms, in snake case; unique in its suite, and never changed.
    fn name(&self) -> &'static str;

    /// The statements of one version it decides; with none it does not run with that version.
    fn covers(&self, version: Version) -> &'static [&'static str];

    /// All sections of its suite, in the order of the standard.
    fn sections() -> &'static [Section<Self>];

    /// All cases of its suite, in that order.
    fn all() -> impl Iterator<Item = &'static Self> {
        Self::sections().iter().flat_map(|section| section.cases)
    }
}

impl<C> fmt::Display for Section<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.title)
    }
}

/// Declares the modules of a suite's sections, each with its `CASES`, and lists them.
macro_rules! sections {
    ($($module:ident: $number:literal $title:literal,)+) => {
        $(mod $module;)+

        /// Every section, in the order of the standard.
        pub static SECTIONS: &[$crate::Section<Case>] = &[
            $($crate::Section { number: $number, title: $title, cases: $module::CASES },)+
        ];
    };
}
pub(crate) use sections;

/// Panics unless each case of a suite has a name of its own, and names only statements of its version that `shows` is true of.
#[cfg(test)]
pub(crate) fn assert_well_named<C: AnyCase>(shows: impl Fn(&crate::Statement) -> bool) {
    let mut names = std::collections::BTreeSet::new();
    for case in C::all() {
        let name = case.name();
        assert!(names.insert(name), "{name} stands twice");
        let covered = Version::ALL.map(|version| (version, case.covers(version)));
        assert!(
            covered.iter().any(|(_, ids)| !ids.is_empty()),
            "{name} names no statement"
        );
        for (version, ids) in covered {
            for id in ids {
                let known = crate::statement(version, id);
                assert!(
                    known.is_some_and(&shows),
                    "{name}: {id} of {version} is no statement that shows"
                );
            }
        }
    }
}
