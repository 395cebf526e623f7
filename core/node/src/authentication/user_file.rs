use std::{collections::BTreeMap, fmt};

use super::{Verifier, VerifierError, scram::prepared};

/// Users with their salted keys, as a text with a line each: `name:SCRAM-SHA-256$..`. Empty lines and lines that begin with `#` are
/// kept as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserFile {
    lines: Vec<Line>,
    users: BTreeMap<String, Verifier>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Line {
    Remark(String),
    User(String),
}

/// What is wrong with a file of users, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {problem}")]
pub struct UserFileError {
    file: String,
    /// From 1.
    line: usize,
    problem: Problem,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Problem {
    #[error("expected <name>:<key>")]
    Form,
    #[error(transparent)]
    Name(#[from] UserNameError),
    #[error("user `{0}` has a line already")]
    Twice(String),
    #[error(transparent)]
    Verifier(#[from] VerifierError),
}

/// Why a name cannot be one in a [`UserFile`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a user name is neither empty nor longer than 65,535 bytes, has no `:`, no control characters and no space at its ends, and does not begin with `#`"
)]
pub struct UserNameError;

impl UserFile {
    /// Reads a file. `file` names it in errors.
    pub fn parse(file: &str, text: &str) -> Result<Self, UserFileError> {
        let mut users = Self::default();
        for (at, line) in text.lines().enumerate() {
            users.read(line).map_err(|problem| UserFileError {
                file: file.to_owned(),
                line: at + 1,
                problem,
            })?;
        }
        Ok(users)
    }

    fn read(&mut self, line: &str) -> Result<(), Problem> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            self.lines.push(Line::Remark(line.to_owned()));
            return Ok(());
        }
        let (name, verifier) = line.split_once(':').ok_or(Problem::Form)?;
        if self.get(name).is_some() {
            return Err(Problem::Twice(name.to_owned()));
        }
        self.set(name, verifier.parse()?)?;
        Ok(())
    }

    /// A user's key.
    pub fn get(&self, name: &str) -> Option<&Verifier> {
        self.users.get(&prepared(name))
    }

    /// Every user with their key, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Verifier)> {
        self.users.iter().map(|(name, verifier)| (&**name, verifier))
    }

    /// Gives a user a key; a new user's line is the last.
    pub fn set(&mut self, name: &str, verifier: Verifier) -> Result<(), UserNameError> {
        check_name(name)?;
        let name = prepared(name);
        if self.users.insert(name.clone(), verifier).is_none() {
            self.lines.push(Line::User(name));
        }
        Ok(())
    }

    /// Takes a user out; whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        let user = Line::User(prepared(name));
        self.lines.retain(|line| *line != user);
        self.users.remove(&prepared(name)).is_some()
    }
}

impl UserFileError {
    /// What would be right.
    pub const fn mend(&self) -> &'static str {
        "`squall passwd` writes the lines of this file"
    }
}

fn check_name(name: &str) -> Result<(), UserNameError> {
    let right = !name.is_empty()
        && name.len() <= usize::from(u16::MAX)
        && name.trim() == name
        && !name.starts_with('#')
        && !name.contains(|char: char| char == ':' || char.is_control());
    if right { Ok(()) } else { Err(UserNameError) }
}

impl fmt::Display for UserFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            match line {
                Line::Remark(remark) => writeln!(f, "{remark}")?,
                Line::User(name) => {
                    if let Some(verifier) = self.users.get(name) {
                        writeln!(f, "{name}:{verifier}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verifier(password: &str) -> Verifier {
        Verifier::new(password.as_bytes(), (0..16).collect(), 1)
    }

    #[test]
    fn a_file_comes_back_with_its_remarks_and_its_order() {
        let text = format!(
            "# Ours.\n\nbob:{}\n# Theirs.\nalice:{}\n",
            verifier("b"),
            verifier("a")
        );
        let file = UserFile::parse("users", &text).expect("a right file");
        assert_eq!(file.to_string(), text);
        assert_eq!(
            file.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            ["alice", "bob"]
        );
        assert_eq!(file.get("alice"), Some(&verifier("a")));
    }

    #[test]
    fn a_user_is_added_at_the_end_changed_in_place_and_taken_out() {
        let mut file = UserFile::parse("users", "# Ours.\n").expect("a right file");
        file.set("bob", verifier("b")).expect("a name");
        file.set("alice", verifier("a")).expect("a name");
        file.set("bob", verifier("new")).expect("a name");
        let expected = format!("# Ours.\nbob:{}\nalice:{}\n", verifier("new"), verifier("a"));
        assert_eq!(file.to_string(), expected);
        assert!(file.remove("bob"));
        assert!(!file.remove("bob"));
        assert_eq!(file.to_string(), format!("# Ours.\nalice:{}\n", verifier("a")));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let right = verifier("a").to_string();
        let cases = [
            ("alice".to_owned(), "expected <name>:<key>"),
            (format!(":{right}"), "a user name is neither empty"),
            (
                format!("a:{right}\na:{right}"),
                "users:3: user `a` has a line already",
            ),
            ("a:secret".to_owned(), "expected SCRAM-SHA-256$"),
            ("a:$7$101$AAAA$AAAA".to_owned(), "expected SCRAM-SHA-256$"),
            (format!("a:{}", right.replace("$1:", "$0:")), "iteration count"),
            (
                format!("a:{}", right.replace("$1:", "$10000001:")),
                "iteration count",
            ),
            (format!("a:{}", right.replace("$1:A", "$1:?")), "salt"),
            (format!("a:{}", right.replace("==$", "==$A")), "keys of 32 bytes"),
            (format!("a:{right}$"), "expected SCRAM-SHA-256$"),
        ];
        for (text, expected) in cases {
            let error = UserFile::parse("users", &format!("# Ours.\n{text}")).expect_err(&text);
            let said = error.to_string();
            assert!(
                said.starts_with("users:") && said.contains(expected),
                "{text}\n{said}"
            );
        }
    }

    #[test]
    fn a_name_that_would_not_come_back_is_refused() {
        for name in ["", "a:b", "#a", " a", "a ", "a\nb", &"a".repeat(65_536)] {
            assert_eq!(
                UserFile::default().set(name, verifier("a")),
                Err(UserNameError),
                "{name:.9}"
            );
        }
    }

    #[test]
    fn a_name_is_the_same_however_its_letters_are_composed() {
        let mut file = UserFile::default();
        file.set("U\u{308}nal", verifier("a")).expect("a name");
        assert_eq!(file.get("\u{dc}nal"), Some(&verifier("a")));
    }

    #[test]
    fn nobody_reads_a_key_in_a_log() {
        let mut file = UserFile::default();
        file.set("alice", verifier("secret")).expect("a name");
        let shown = format!("{file:?}");
        assert!(shown.contains("Verifier { iterations: 1, .. }"), "{shown}");
    }
}
