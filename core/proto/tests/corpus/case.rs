//! One packet of the corpus: hex with a comment a field.

use std::{
    fs,
    path::{Path, PathBuf},
};

use squall_proto::Version;

/// A file of `tests/corpus/<packet>/`. Its first line is `# <version> <sender>: <what it shows>`; a second line that begins
/// with `# not canonical:` says why encoding gives other bytes. The rest is hex; `#` and what follows it on a line is comment.
pub(crate) struct Case {
    /// The folder.
    pub(crate) packet: String,
    /// The file's name without `.hex`.
    pub(crate) name: String,
    /// `None` before a CONNECT has told.
    pub(crate) version: Option<Version>,
    pub(crate) is_canonical: bool,
    pub(crate) bytes: Vec<u8>,
}

/// Every case, by folder and name.
pub(crate) fn all() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let folders = entries(&root).into_iter().filter(|path| path.is_dir());
    folders.flat_map(|folder| entries(&folder)).map(read).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
}

fn read(path: PathBuf) -> Case {
    let text = fs::read_to_string(&path).unwrap();
    let part = |part: Option<&std::ffi::OsStr>| part.unwrap().to_str().unwrap().to_owned();
    assert_eq!(path.extension().unwrap(), "hex", "{}", path.display());
    Case {
        packet: part(path.parent().unwrap().file_name()),
        name: part(path.file_stem()),
        version: version(&text).unwrap_or_else(|| panic!("{}: no version and sender", path.display())),
        is_canonical: !text.contains("\n# not canonical: "),
        bytes: bytes(&text).unwrap_or_else(|| panic!("{}: not hex", path.display())),
    }
}

/// What the first line says of the version; the outer `None` where the line says something else.
fn version(text: &str) -> Option<Option<Version>> {
    let (header, _) = text.strip_prefix("# ")?.split_once(": ")?;
    let (version, sender) = header.split_once(' ')?;
    ["client", "server"].contains(&sender).then_some(())?;
    match version {
        "3.1.1" => Some(Some(Version::V3_1_1)),
        "5.0" => Some(Some(Version::V5)),
        "unknown" => Some(None),
        _ => None,
    }
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let fields = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default());
    fields
        .flat_map(str::split_whitespace)
        .map(|byte| u8::from_str_radix(byte, 16).ok().filter(|_| byte.len() == 2))
        .collect()
}
