//! Two scenarios that must deliver the same, as one file says them: `paths`, what they have in common once, and a `$parameter`
//! where they differ.

use super::{Plain, Same, Scenario};

impl Plain {
    /// A scenario with the one that it is compared with, each as it is by itself.
    pub(super) fn pair(scenario: &Scenario, reference: &Scenario) -> Self {
        let mut table = Table::default();
        let body = table.merge(&Self::lean(reference), &Self::lean(scenario), "what");
        let [first, second] = names(reference, scenario);
        let row = |side: fn(&Parameter) -> &Option<Self>| {
            let value = |it: &Parameter| Some((it.name.clone(), side(it).clone()?));
            Self::Map(table.0.iter().filter_map(value).collect())
        };
        let paths = Self::Map(vec![(first, row(|it| &it.first)), (second, row(|it| &it.second))]);
        let mut entries = match body {
            Self::Map(entries) => entries,
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::List(_) => Vec::new(),
        };
        // Behind `name` and `why`.
        entries.insert(entries.len().min(2), ("paths".to_owned(), paths));
        if let Some(same) = scenario.same.as_ref().filter(|same| **same != Same::default()) {
            entries.push(("same".to_owned(), Self::of(same)));
        }
        Self::Map(entries)
    }
}

/// What the paths are called: as the variants were, in words that a path's name may have.
fn names(reference: &Scenario, scenario: &Scenario) -> [String; 2] {
    let plain = |variant: &str| variant.replace([',', '='], " ").replace('"', "");
    let names = [plain(&reference.variant), plain(&scenario.variant)];
    let [first, second] = &names;
    if first == second || names.iter().any(|name| name.trim().is_empty()) {
        ["first", "second"].map(str::to_owned)
    } else {
        names
    }
}

/// Where they differ.
#[derive(Default)]
struct Table(Vec<Parameter>);

struct Parameter {
    name: String,
    first: Option<Plain>,
    second: Option<Plain>,
}

impl Table {
    /// What both say, with parameters where they differ. `what` is what a parameter would be called.
    fn merge(&mut self, first: &Plain, second: &Plain, what: &str) -> Plain {
        if first == second {
            return first.clone();
        }
        match (first, second) {
            (Plain::Map(ours), Plain::Map(theirs)) => match side_by_side(ours, theirs) {
                Some(entries) => self.map(entries),
                None => self.parameter(Some(first), Some(second), what),
            },
            (Plain::List(ours), Plain::List(theirs)) if !has_list(ours) && !has_list(theirs) => {
                self.list(ours, theirs, what)
            }
            _ => self.parameter(Some(first), Some(second), what),
        }
    }

    fn map(&mut self, entries: Vec<Beside<'_>>) -> Plain {
        let merged = entries.into_iter().map(|(key, first, second)| {
            let value = match (first, second) {
                (Some(first), Some(second)) => self.merge(first, second, key),
                (first, second) => self.parameter(first, second, key),
            };
            (key.to_owned(), value)
        });
        Plain::Map(merged.collect())
    }

    /// What is the same at the beginning and at the end, and what differs in between: item by item if there are equally many, or as
    /// long as they are alike, and the rest of it at once.
    fn list(&mut self, first: &[Plain], second: &[Plain], what: &str) -> Plain {
        let same = |(one, other): &(&Plain, &Plain)| one == other;
        let begin = first.iter().zip(second).take_while(same).count();
        let (ours, theirs) = (first.split_at(begin), second.split_at(begin));
        let end = ours
            .1
            .iter()
            .rev()
            .zip(theirs.1.iter().rev())
            .take_while(same)
            .count();
        let middle = |items: &[Plain]| {
            items
                .get(..items.len() - end)
                .map(<[Plain]>::to_vec)
                .unwrap_or_default()
        };
        let (one, other) = (middle(ours.1), middle(theirs.1));
        let is_as_long = one.len() == other.len();
        let is_alike = |(one, other): &(&Plain, &Plain)| is_as_long || are_alike(one, other);
        let alike = one.iter().zip(&other).take_while(is_alike).count();
        let mut items = ours.0.to_vec();
        let item = what.strip_suffix('s').unwrap_or(what);
        items.extend(
            one.iter()
                .zip(&other)
                .take(alike)
                .map(|(one, other)| self.item(one, other, item)),
        );
        if !is_as_long {
            let is_one = one.len().max(other.len()) == alike + 1;
            let (one, other) = (rest(&one, alike), rest(&other, alike));
            items.push(self.parameter(one.as_ref(), other.as_ref(), if is_one { item } else { what }));
        }
        items.extend(first.iter().skip(first.len() - end).cloned());
        Plain::List(items)
    }

    fn item(&mut self, first: &Plain, second: &Plain, what: &str) -> Plain {
        if are_alike(first, second) {
            self.merge(first, second, what)
        } else {
            self.parameter(Some(first), Some(second), what)
        }
    }

    /// A parameter of these values: one that there is, or a new one.
    fn parameter(&mut self, first: Option<&Plain>, second: Option<&Plain>, what: &str) -> Plain {
        let (first, second) = (first.cloned(), second.cloned());
        let known = self.0.iter().find(|it| it.first == first && it.second == second);
        let name = match known {
            Some(known) => known.name.clone(),
            None => {
                let name = self.free_name(what);
                self.0.push(Parameter {
                    name: name.clone(),
                    first,
                    second,
                });
                name
            }
        };
        Plain::Text(format!("${name}"))
    }

    /// One that no other parameter has: `at`, `at_2`.
    fn free_name(&self, what: &str) -> String {
        let word: String = what
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() {
                    c.to_ascii_lowercase()
                } else {
                    '_'
                }
            })
            .collect();
        let begins_well = word.starts_with(|first: char| first.is_ascii_lowercase());
        // These mean something else.
        let word = match word.as_str() {
            "name" | "n" | "share" => format!("the_{word}"),
            _ if begins_well => word,
            _ => "value".to_owned(),
        };
        let is_free = |name: &String| self.0.iter().all(|known| known.name != *name);
        let numbered = (2_usize..).map(|number| format!("{word}_{number}"));
        let mut names = std::iter::once(word.clone()).chain(numbered);
        names.find(is_free).unwrap_or(word)
    }
}

/// What one of two lists has more; one item is put in as it is.
fn rest(items: &[Plain], alike: usize) -> Option<Plain> {
    match items.split_at_checked(alike)?.1 {
        [] => None,
        [one] => Some(one.clone()),
        several => Some(Plain::List(several.to_vec())),
    }
}

/// Whether two items say one thing with differences: a step that does the same to another, or with a time.
fn are_alike(first: &Plain, second: &Plain) -> bool {
    let (ours, theirs) = (first.keys(), second.keys());
    let within = |few: &[String], many: &[String]| few.iter().all(|key| many.contains(key));
    first.is_branch() && second.is_branch() && (within(&ours, &theirs) || within(&theirs, &ours))
}

fn has_list(items: &[Plain]) -> bool {
    // In place of an item, a parameter that is a list would be put in item by item.
    items.iter().any(|item| matches!(item, Plain::List(_)))
}

/// A key with what the two say of it, one of which may say nothing.
type Beside<'a> = (&'a str, Option<&'a Plain>, Option<&'a Plain>);

/// The entries of both, in the order of both; `None`: there is no such order.
fn side_by_side<'a>(first: &'a [(String, Plain)], second: &'a [(String, Plain)]) -> Option<Vec<Beside<'a>>> {
    let mut entries: Vec<Beside<'a>> = Vec::new();
    let mut rest = second.iter();
    for (key, value) in first {
        if !second.iter().any(|(known, _)| known == key) {
            entries.push((key, Some(value), None));
            continue;
        }
        loop {
            let (other, theirs) = rest.next()?;
            if other == key {
                entries.push((key, Some(value), Some(theirs)));
                break;
            }
            entries.push((other, None, Some(theirs)));
        }
    }
    entries.extend(rest.map(|(key, value)| (key.as_str(), None, Some(value))));
    // A key of both that was met early stands there twice.
    let is_once = |key: &str| entries.iter().filter(|(known, ..)| *known == key).count() == 1;
    entries.iter().all(|(key, ..)| is_once(key)).then_some(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r##"
name: two ways
why: w
paths:
  live: { at: 0s, extra: [] }
  late: { at: 2s, transport: tls, extra: [ { kick: { client: sub } }, { note: x } ] }
versions: [5.0]
clients:
  pub: { transport: $transport }
  sub: { transport: $transport, session: persistent }
steps:
  - { at: $at, subscribe: { client: sub, filters: { "$share/g/t": 1 } } }
  - $extra
  - { at: 3s, partition: { groups: [[broker], [sub]], for: 1s } }
same: { to: [sub], ignoring: [copies] }
"##;

    fn last(text: &str) -> Scenario {
        let mut all =
            Scenario::parse_all("pair.yaml", text).unwrap_or_else(|error| panic!("{error:?}\n{text}"));
        assert_eq!(all.len(), 2);
        all.pop().expect("there are two")
    }

    #[test]
    fn a_pair_is_written_as_paths_that_read_as_the_same_pair() {
        let pair = last(FILE);
        assert!(pair.reference.is_some());
        let yaml = pair.to_yaml();
        assert_eq!(last(&yaml), pair, "{yaml}");
        insta::assert_snapshot!(yaml);
    }

    #[test]
    fn what_differs_in_a_list_of_lists_differs_as_a_whole() {
        let text = FILE.replace("groups: [[broker], [sub]]", "groups: $groups");
        let text = text.replace("{ at: 0s,", "{ at: 0s, groups: [[broker], [sub]],");
        let text = text.replace("{ at: 2s,", "{ at: 2s, groups: [[broker], [sub, pub]],");
        let pair = last(&text);
        let yaml = pair.to_yaml();
        assert_eq!(last(&yaml), pair, "{yaml}");
    }
}
