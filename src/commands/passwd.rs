//! `squall passwd`: the users of a broker.

use std::{
    fs,
    io::{self, IsTerminal as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use rand::{TryRng as _, rngs::SysRng};
use squall_node::authentication::{UserFile, Verifier};

use crate::exit::{Exit, Misuse};

/// Add a user to a broker's file of users, change a password, or take a user out
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  squall passwd users alice                        asks for the password, and makes the file if there is none
  pass show mqtt/alice | squall passwd users alice
  squall passwd users alice --delete

The file holds salted keys of SCRAM-SHA-256, never a password. A broker reads it when it starts; squall.toml names it:

  [authentication]
  users = \"users\"")]
pub(crate) struct Args {
    /// The file of users
    file: PathBuf,
    /// The user's name
    user: String,
    /// Take the user out
    #[arg(short = 'D', long)]
    delete: bool,
    /// How many times the password is hashed: more make it harder to guess, and a login slower
    #[arg(
        long,
        value_name = "N",
        default_value_t = Verifier::ITERATIONS,
        value_parser = clap::value_parser!(u32).range(4096..=i64::from(Verifier::ITERATIONS_MAX)),
        conflicts_with = "delete"
    )]
    iterations: u32,
}

pub(crate) fn run(args: &Args) -> Result<Exit, anyhow::Error> {
    let name = args.file.display().to_string();
    let mut users = read(&args.file, args.delete)?;
    if args.delete {
        if !users.remove(&args.user) {
            let problem = format!("{name} has no user `{}`", args.user);
            return Err(Misuse::new(problem, "names are told apart by case").into());
        }
    } else {
        let mut salt = vec![0; 16];
        SysRng.try_fill_bytes(&mut salt)?;
        let verifier = Verifier::new(password(&args.user)?.as_bytes(), salt, args.iterations);
        users
            .set(&args.user, verifier)
            .map_err(|error| Misuse::new(error, "choose another name"))?;
    }
    write(&args.file, &users.to_string()).with_context(|| format!("cannot write {name}"))?;
    Ok(Exit::Held)
}

/// The users there are; none where there is no file yet, unless one `must_exist`.
fn read(file: &Path, must_exist: bool) -> Result<UserFile, Misuse> {
    let name = file.display().to_string();
    match fs::read_to_string(file) {
        Ok(text) => UserFile::parse(&name, &text).map_err(|error| Misuse::new(&error, error.mend())),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !must_exist => Ok(UserFile::default()),
        Err(error) => Err(Misuse::new(
            format!("cannot read {name}: {error}"),
            "the first argument is a file of users",
        )),
    }
}

/// Asked for twice at a terminal; otherwise the first line of standard input.
fn password(user: &str) -> Result<String, anyhow::Error> {
    let password = if io::stdin().is_terminal() {
        let password = rpassword::prompt_password(format!("Password of {user}: "))?;
        if rpassword::prompt_password("The same again: ")? != password {
            return Err(Misuse::new("the passwords differ", "type the same twice").into());
        }
        password
    } else {
        let mut line = String::new();
        io::stdin().read_line(&mut line)?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    };
    if password.is_empty() {
        return Err(Misuse::new("the password is empty", "type one, or pipe a line with one").into());
    }
    Ok(password)
}

/// Writes the file whole or not at all; only its owner may read it, as somebody could guess passwords from it.
fn write(file: &Path, text: &str) -> io::Result<()> {
    let mut new = file.as_os_str().to_owned();
    new.push(".new");
    let mut options = fs::OpenOptions::new();
    let mut written = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)?;
    if let Ok(old) = fs::metadata(file) {
        written.set_permissions(old.permissions())?;
    }
    written.write_all(text.as_bytes())?;
    written.sync_all()?;
    fs::rename(new, file)
}
