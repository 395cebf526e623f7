//! Writes a tree as YAML again, and remembers what of it was written where in the file that it comes from.

use serde_saphyr::Location;

use super::tree::{Node, Value};

/// YAML made of a tree: a line a scalar, a key or a bracket.
pub(super) struct Emitted {
    pub(super) text: String,
    /// By line, where it comes from.
    lines: Vec<Location>,
}

impl Emitted {
    pub(super) fn of(root: &Node) -> Self {
        let mut emitted = Self {
            text: String::new(),
            lines: Vec::new(),
        };
        emitted.node(root, "");
        emitted
    }

    /// Where in the file it is written what stands at a place of the text.
    pub(super) fn origin(&self, place: Location) -> Option<Location> {
        let line = usize::try_from(place.line()).ok()?.checked_sub(1)?;
        self.lines.get(line).or_else(|| self.lines.last()).copied()
    }

    fn node(&mut self, node: &Node, after: &str) {
        match &node.value {
            Value::Map(entries) => {
                self.line("{", node.at);
                for (key, value) in entries {
                    self.line(&format!("{}:", quoted(&key.text)), key.at);
                    self.node(value, ",");
                }
                self.line(&format!("}}{after}"), node.at);
            }
            Value::List(items) => {
                self.line("[", node.at);
                for item in items {
                    self.node(item, ",");
                }
                self.line(&format!("]{after}"), node.at);
            }
            Value::Text(text) => self.line(&format!("{}{after}", quoted(text)), node.at),
            Value::Plain(text) => self.line(&format!("{text}{after}"), node.at),
            Value::Null => self.line(&format!("~{after}"), node.at),
        }
    }

    fn line(&mut self, text: &str, at: Location) {
        // Flow YAML wants its lines indented.
        self.text.push(' ');
        self.text.push_str(text);
        self.text.push('\n');
        self.lines.push(at);
    }
}

/// As a double-quoted scalar on one line.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            plain if !plain.is_control() && !matches!(plain, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                quoted.push(plain);
            }
            special => quoted.push_str(&format!("\\U{:08X}", u32::from(special))),
        }
    }
    quoted.push('"');
    quoted
}
