//! From a [`Scenario`] to the file that a person would have written.

use super::{Scenario, plain::Plain};

/// Where YAML allows it, no line is longer.
const WIDTH: usize = 130;

impl Scenario {
    /// As YAML that reads as the same scenario: what is as it is by default is left out, small things stand in one line. One that is
    /// compared with another is written with it, as `paths`.
    pub fn to_yaml(&self) -> String {
        let mut text = String::new();
        if let Plain::Map(sections) = Plain::file(self) {
            for (name, section) in &sections {
                self::section(name, section, &mut text);
            }
        }
        text
    }
}

/// Each client, peer, step and expectation has a line of its own; what is nothing but words has one together.
fn section(name: &str, section: &Plain, out: &mut String) {
    if section.children().any(has_parts) {
        out.push_str(&format!("{name}:\n"));
        lines(section, 2, out);
    } else {
        entry(name, section, 0, out);
    }
}

/// Whether it is more than words and a list of words.
fn has_parts(value: &Plain) -> bool {
    match value {
        Plain::Map(_) => true,
        Plain::List(items) => items.iter().any(Plain::is_branch),
        Plain::Null | Plain::Bool(_) | Plain::Number(_) | Plain::Text(_) => false,
    }
}

/// The entries of a list or map, each in lines of its own.
fn lines(plain: &Plain, indent: usize, out: &mut String) {
    match plain {
        Plain::Map(entries) => {
            for (key, value) in entries {
                out.push_str(&" ".repeat(indent));
                entry(key, value, indent, out);
            }
        }
        Plain::List(items) => {
            for item in items {
                out.push_str(&" ".repeat(indent));
                self::item(item, indent, out);
            }
        }
        Plain::Null | Plain::Bool(_) | Plain::Number(_) | Plain::Text(_) => {}
    }
}

/// `key: value`, where its line is indented already.
fn entry(key: &str, value: &Plain, indent: usize, out: &mut String) {
    if let Plain::Text(text) = value
        && let Some(text) = of_lines(text)
    {
        out.push_str(&format!("{}: |-\n", word(key)));
        for line in text {
            out.push_str(&format!("{}{line}\n", " ".repeat(indent + 2)));
        }
        return;
    }
    let line = match value {
        Plain::Text(text) => format!("{}: {}", word(key), sentence(text)),
        Plain::Null | Plain::Bool(_) | Plain::Number(_) | Plain::List(_) | Plain::Map(_) => {
            format!("{}: {}", word(key), in_line(value))
        }
    };
    if indent + line.len() <= WIDTH || !value.is_branch() && !can_be_folded(value) {
        out.push_str(&line);
        out.push('\n');
    } else if let Plain::Text(text) = value {
        out.push_str(&format!("{}: >-\n", word(key)));
        folded(text, indent + 2, out);
    } else {
        out.push_str(&format!("{}:\n", word(key)));
        lines(value, indent + 2, out);
    }
}

/// `- value`, where its line is indented already.
fn item(value: &Plain, indent: usize, out: &mut String) {
    let line = in_line(value);
    let Plain::Map(entries) = value else {
        out.push_str(&format!("- {line}\n"));
        return;
    };
    match entries.split_first() {
        Some((first, more)) if more.is_empty() || indent + 2 + line.len() > WIDTH => {
            out.push_str("- ");
            entry(&first.0, &first.1, indent + 2, out);
            lines(&Plain::Map(more.to_vec()), indent + 2, out);
        }
        Some(_) | None => out.push_str(&format!("- {line}\n")),
    }
}

fn in_line(value: &Plain) -> String {
    match value {
        Plain::Null => "null".to_owned(),
        Plain::Bool(value) => value.to_string(),
        Plain::Number(number) => number.to_string(),
        Plain::Text(text) => word(text),
        Plain::List(items) => format!("[{}]", items.iter().map(in_line).collect::<Vec<_>>().join(", ")),
        Plain::Map(entries) if entries.is_empty() => "{}".to_owned(),
        Plain::Map(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| format!("{}: {}", word(key), in_line(value)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// As it is where that can be nothing but this text, within brackets too, else in quotes.
fn word(text: &str) -> String {
    as_is_with(" -_./;()%+", text)
}

/// The same for a text that nothing follows on its line.
fn sentence(text: &str) -> String {
    as_is_with(" -_./;()%+,'\"!?&=<>", text)
}

fn as_is_with(marks: &str, text: &str) -> String {
    let plain = |character: char| character.is_alphanumeric() || marks.contains(character);
    let is_plain = text.starts_with(|first: char| first.is_alphabetic() || first == '_')
        && !text.ends_with(' ')
        && text.chars().all(plain)
        && !is_keyword(text);
    if is_plain || is_span(text) || is_parameter(text) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// `$qos`: what a sweep or paths put there.
fn is_parameter(text: &str) -> bool {
    let of_name =
        |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_';
    text.strip_prefix('$')
        .is_some_and(|name| !name.is_empty() && name.chars().all(of_name))
}

/// What YAML takes for something else than text, in one of its versions.
fn is_keyword(text: &str) -> bool {
    let words = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    words.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// `8s`, `5ms..40ms`, `1m 30s`: begins with a digit, and is no number because of its unit.
fn is_span(text: &str) -> bool {
    let text_of_units = |character: char| character.is_ascii_alphanumeric() || " .".contains(character);
    let units = ["ms", "s", "m", "h", "days", "day"];
    text.starts_with(|first: char| first.is_ascii_digit())
        && text.chars().all(text_of_units)
        && units.iter().any(|unit| text.ends_with(unit))
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            _ if character.is_control() || is_odd(character) => quoted.push_str(&escaped(character)),
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

fn escaped(character: char) -> String {
    format!("\\u{:04x}", u32::from(character))
}

/// The lines of a text of several, where it can be written line by line as it is.
fn of_lines(text: &str) -> Option<Vec<&str>> {
    let lines: Vec<&str> = text.split('\n').collect();
    let is_plain = |line: &str| {
        !line.is_empty()
            && line.trim() == line
            && !line.contains(|character: char| character.is_control() || is_odd(character))
    };
    (lines.len() > 1 && lines.iter().all(|line| is_plain(line))).then_some(lines)
}

/// What YAML takes for a line break, or for nothing.
const fn is_odd(character: char) -> bool {
    matches!(character, '\u{feff}' | '\u{2028}' | '\u{2029}')
}

/// Whether line breaks for spaces, and nothing else, make lines of it.
fn can_be_folded(value: &Plain) -> bool {
    let Plain::Text(text) = value else { return false };
    let is_bad = |character: char| character.is_control() || (character.is_whitespace() && character != ' ');
    text.split(' ').all(|word| !word.is_empty()) && !text.contains(is_bad)
}

fn folded(text: &str, indent: usize, out: &mut String) {
    let mut line = " ".repeat(indent);
    for word in text.split(' ') {
        if line.len() > indent && line.len() + 1 + word.len() > WIDTH {
            out.push_str(&line);
            out.push('\n');
            line = " ".repeat(indent);
        }
        if line.len() > indent {
            line.push(' ');
        }
        line.push_str(word);
    }
    out.push_str(&line);
    out.push('\n');
}
