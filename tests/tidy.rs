//! Rules of the house that no compiler checks. Each test lists every place that breaks its rule.

#[cfg(test)]
mod tree {
    //! The files of the repository.

    use std::fs;
    use std::path::{Path, PathBuf};

    /// A file of ours, with its path from the root.
    pub(crate) struct Source {
        pub(crate) path: PathBuf,
        pub(crate) text: String,
    }

    impl Source {
        /// The lines that hold any of these, as `path:line: what`.
        pub(crate) fn lines_with(&self, wanted: &[&str]) -> Vec<String> {
            let hits = self.text.lines().enumerate().filter_map(|(nth, line)| {
                let what = wanted.iter().find(|what| line.contains(**what))?;
                Some(format!("{}:{}: {what}", self.path.display(), nth + 1))
            });
            hits.collect()
        }
    }

    pub(crate) fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR"))
    }

    /// Every Rust file of the repository except this one.
    pub(crate) fn sources() -> Vec<Source> {
        let mut found = Vec::new();
        walk(root(), &mut found);
        let sources: Vec<_> = found
            .into_iter()
            .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
            .filter(|path| !path.ends_with("tests/tidy.rs"))
            .map(|path| Source {
                text: fs::read_to_string(&path).unwrap(),
                path: path.strip_prefix(root()).unwrap().to_path_buf(),
            })
            .collect();
        assert!(
            sources
                .iter()
                .any(|source| source.path == Path::new("src/main.rs")),
            "the walk finds nothing"
        );
        sources
    }

    pub(crate) fn walk(directory: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            // What a build put there, and what is no source.
            if path.join("CACHEDIR.TAG").exists() || name.starts_with('.') {
                continue;
            }
            if path.is_dir() {
                walk(&path, found)
            } else {
                found.push(path)
            }
        }
    }
}

#[cfg(test)]
mod modules {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::tree::{root, sources};

    /// A file that no list names is not compiled: its fault, check or case would silently not exist.
    #[test]
    fn every_file_is_named_by_the_module_above_it() {
        let orphans: Vec<_> = sources()
            .iter()
            .filter(|source| source.path.components().any(|part| part.as_os_str() == "src"))
            .filter_map(|source| {
                let stem = source.path.file_stem().unwrap().to_str().unwrap();
                let parent = parent(&source.path)?;
                let named = fs::read_to_string(root().join(&parent)).is_ok_and(|text| names(&text, stem));
                (!named).then(|| format!("{} is not named in {}", source.path.display(), parent.display()))
            })
            .collect();
        assert!(orphans.is_empty(), "{orphans:#?}");
    }

    /// The file that must name this one; `None` for the roots of crates.
    fn parent(path: &Path) -> Option<PathBuf> {
        let directory = path.parent().unwrap();
        let in_root = directory.ends_with("src");
        if directory.ends_with("src/bin")
            || (in_root && (path.ends_with("lib.rs") || path.ends_with("main.rs")))
        {
            return None;
        }
        if !in_root {
            return Some(directory.with_extension("rs"));
        }
        let library = directory.join("lib.rs");
        Some(if root().join(&library).exists() {
            library
        } else {
            directory.join("main.rs")
        })
    }

    /// `mod name;`, or an entry of a list: `name: Type`, `.. in name`, or the name alone.
    fn names(text: &str, module: &str) -> bool {
        let entry = |line: &str| {
            let line = line.trim().trim_end_matches([',', ';']);
            line == module
                || line.starts_with(&format!("{module}:"))
                || line.ends_with(&format!("mod {module}"))
                || line.ends_with(&format!(" in {module}"))
        };
        text.lines().any(entry)
    }

    #[test]
    fn no_module_is_named_for_what_it_is_not_about() {
        const SAY_NOTHING: [&str; 5] = ["utils", "common", "helpers", "types", "manager"];
        let named: Vec<_> = sources()
            .into_iter()
            .map(|source| source.path)
            .filter(|path| {
                path.with_extension("")
                    .iter()
                    .any(|part| SAY_NOTHING.iter().any(|name| part == *name))
            })
            .collect();
        assert!(named.is_empty(), "{named:#?}");
    }

    #[test]
    fn a_module_with_children_is_a_file_beside_their_directory() {
        let found: Vec<_> = sources()
            .into_iter()
            .map(|source| source.path)
            .filter(|path| path.ends_with("mod.rs"))
            .collect();
        assert!(found.is_empty(), "{found:#?}");
    }

    #[test]
    fn a_library_root_is_a_map_and_holds_no_code() {
        const CODE: [&str; 9] = [
            "fn ",
            "struct ",
            "enum ",
            "impl",
            "trait ",
            "const ",
            "static ",
            "type ",
            "macro_rules",
        ];
        let code: Vec<_> = sources()
            .iter()
            .filter(|source| source.path.ends_with("src/lib.rs"))
            .flat_map(|source| {
                let lines = source.text.lines().filter(|line| {
                    let item = line.trim_start_matches("pub ").trim_start_matches("pub(crate) ");
                    CODE.iter().any(|word| item.starts_with(word))
                });
                lines
                    .map(|line| format!("{}: {line}", source.path.display()))
                    .collect::<Vec<_>>()
            })
            .collect();
        assert!(code.is_empty(), "{code:#?}");
    }
}

#[cfg(test)]
mod text {
    use super::tree::sources;

    const LINES_MAX: usize = 800;

    #[test]
    fn no_file_is_too_long_to_read() {
        let long: Vec<_> = sources()
            .iter()
            .map(|source| (source.path.clone(), source.text.lines().count()))
            .filter(|(_, lines)| *lines > LINES_MAX)
            .collect();
        assert!(long.is_empty(), "{long:#?}");
    }

    #[test]
    fn every_test_runs_and_nothing_is_left_for_later() {
        let found: Vec<_> = sources()
            .iter()
            .flat_map(|source| {
                source.lines_with(&["#[ignore", "todo!(", "unimplemented!(", "// TODO", "FIXME"])
            })
            .collect();
        assert!(found.is_empty(), "{found:#?}");
    }

    #[test]
    fn a_lint_is_lifted_only_where_it_would_speak_and_with_a_reason() {
        let found: Vec<_> = sources()
            .iter()
            .flat_map(|source| source.lines_with(&["#[allow(", "#![allow("]))
            .collect();
        assert!(found.is_empty(), "use #[expect(.., reason = \"..\")]: {found:#?}");
    }

    /// Without it tokio draws the branch to poll first from a generator of its own, and no run repeats.
    #[test]
    fn every_select_is_biased() {
        let found: Vec<_> = sources()
            .iter()
            .flat_map(|source| {
                let lines: Vec<_> = source.text.lines().collect();
                let unbiased = |(nth, pair): (usize, &[&str])| match pair {
                    [select, first] if select.contains("select! {") && first.trim() != "biased;" => {
                        Some(format!("{}:{}", source.path.display(), nth + 1))
                    }
                    _ => None,
                };
                lines
                    .windows(2)
                    .enumerate()
                    .filter_map(unbiased)
                    .collect::<Vec<_>>()
            })
            .collect();
        assert!(found.is_empty(), "{found:#?}");
    }
}

#[cfg(test)]
mod files {
    use super::tree::{root, walk};

    #[test]
    fn scenarios_are_yaml_and_nothing_else() {
        let mut found = Vec::new();
        walk(&root().join("scenarios"), &mut found);
        assert!(!found.is_empty(), "there are no scenarios");
        found.retain(|path| path.extension().is_none_or(|extension| extension != "yaml"));
        assert!(found.is_empty(), "{found:#?}");
    }
}

#[cfg(test)]
mod dependencies {
    use std::collections::{BTreeMap, BTreeSet};
    use std::process::Command;

    use super::tree::root;

    /// What each package's shipped code may know of ours. Its tests may know more, as long as nothing goes in a circle.
    const MAY_KNOW: [(&str, &[&str]); 6] = [
        (
            "squall",
            &[
                "squall-conformance",
                "squall-node",
                "squall-proto",
                "squall-reports",
                "squall-sim",
            ],
        ),
        ("squall-conformance", &["squall-proto", "squall-reports"]),
        ("squall-node", &["squall-proto"]),
        ("squall-proto", &[]),
        ("squall-reports", &[]),
        ("squall-sim", &["squall-node", "squall-proto", "squall-reports"]),
    ];

    #[test]
    fn dependencies_point_one_way() {
        let packages = packages();
        let names: BTreeSet<_> = packages.keys().map(String::as_str).collect();
        assert_eq!(names, MAY_KNOW.iter().map(|(name, _)| *name).collect());
        for (name, allowed) in MAY_KNOW {
            let known: BTreeSet<_> = packages[name].iter().map(String::as_str).collect();
            let too_much: Vec<_> = known.iter().filter(|known| !allowed.contains(known)).collect();
            assert!(too_much.is_empty(), "{name} knows {too_much:?}");
        }
    }

    #[test]
    fn the_state_machines_know_no_runtime() {
        let tree = cargo(&[
            "tree",
            "--package",
            "squall-proto",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--locked",
        ]);
        assert!(tree.starts_with("squall-proto"), "{tree}");
        let io: Vec<_> = tree
            .lines()
            .filter(|line| {
                ["tokio", "mio", "socket2", "getrandom", "rand", "libc"]
                    .iter()
                    .any(|name| line.split(' ').next() == Some(name))
            })
            .collect();
        assert!(io.is_empty(), "{io:#?}");
    }

    /// Each package of the workspace with the packages of ours that its shipped code depends on.
    fn packages() -> BTreeMap<String, Vec<String>> {
        let metadata = cargo(&["metadata", "--no-deps", "--format-version", "1", "--locked"]);
        let metadata: serde_json::Value = serde_json::from_str(&metadata).unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let list = |value: &serde_json::Value| value.as_array().unwrap().clone();
        let ours = |package: &serde_json::Value| {
            let shipped = list(&package["dependencies"])
                .into_iter()
                .filter(|dependency| dependency["kind"].is_null());
            shipped
                .map(|dependency| text(&dependency["name"]))
                .filter(|name| name.starts_with("squall"))
                .collect()
        };
        list(&metadata["packages"])
            .iter()
            .map(|package| (text(&package["name"]), ours(package)))
            .collect()
    }

    fn cargo(arguments: &[&str]) -> String {
        let output = Command::new(env!("CARGO"))
            .args(arguments)
            .arg("--offline")
            .current_dir(root())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }
}
