use std::fmt;

use toml::de;

/// What is wrong with a configuration, and where. Prints the place, the problem and the line, marked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    file: String,
    /// From 1; columns in characters.
    line: usize,
    column: usize,
    text: String,
    marked: usize,
    problem: String,
    mend: Option<String>,
}

impl ConfigError {
    pub(super) fn new(file: &str, text: &str, error: &de::Error) -> Self {
        let span = error.span().unwrap_or_default();
        let before = text.get(..span.start).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = text
            .get(line_start..)
            .and_then(|rest| rest.lines().next())
            .unwrap_or_default();
        let column = chars(text, line_start, span.start);
        let marked =
            chars(text, span.start, span.end).clamp(1, line.chars().count().saturating_sub(column).max(1));
        let (problem, mend) = explain(error.message());
        Self {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: column + 1,
            text: line.to_owned(),
            marked,
            problem,
            mend,
        }
    }

    /// What would be right, if that can be guessed.
    pub fn mend(&self) -> Option<&str> {
        self.mend.as_deref()
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            column,
            text,
            problem,
            ..
        } = self;
        let number = line.to_string();
        let margin = " ".repeat(number.len());
        writeln!(f, "{file}:{line}:{column}: {problem}")?;
        writeln!(f, " {margin} |")?;
        writeln!(f, " {number} | {text}")?;
        write!(
            f,
            " {margin} | {}{}",
            " ".repeat(column - 1),
            "^".repeat(self.marked)
        )
    }
}

fn chars(text: &str, from: usize, to: usize) -> usize {
    text.get(from..to).map_or(0, |text| text.chars().count())
}

/// serde's message in the words of a configuration, and what would be right.
fn explain(message: &str) -> (String, Option<String>) {
    let unknown = [("unknown field `", "key"), ("unknown variant `", "word")];
    for (prefix, noun) in unknown {
        let Some((name, expected)) = message.strip_prefix(prefix).and_then(|rest| rest.split_once('`'))
        else {
            continue;
        };
        let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
        return (format!("unknown {noun} `{name}`"), Some(nearest(name, &known)));
    }
    let message = message.trim_end().replace('\n', ", ");
    let message = message.replace("missing field", "missing key");
    (
        message.replace("a duration", "a length of time such as \"10s\""),
        None,
    )
}

fn nearest(name: &str, known: &[&str]) -> String {
    let near = known
        .iter()
        .map(|known| (strsim::damerau_levenshtein(name, known), known))
        .min()
        .filter(|(distance, known)| *distance * 2 <= known.len());
    match near {
        Some((_, known)) => format!("did you mean `{known}`?"),
        None => format!("there is {}", known.join(", ")),
    }
}
