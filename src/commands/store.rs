//! `squall store`: what a broker keeps, looked at while no broker runs.

mod json;

use std::{
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
};

use squall_node::broker::{Inspection, StoreError, Totals};

use super::broker::STORE;
use crate::{
    exit::{Exit, Misuse},
    output,
};

/// Look at what a broker has kept: whether it is whole, and all that is in it
#[derive(Debug, clap::Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "\
Examples:
  squall store check /var/lib/squall                    is it whole, and how much is in it?
  squall store export /var/lib/squall > kept.jsonl      all of it, a line of JSON each, as far as it can be read
  squall store export broker.redb | jq 'select(.type == \"message\") | .topic'

The file is left as it is. No broker may use it meanwhile."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Say whether a store is whole, and how much is in it: ends with 0, or with 1 if it is damaged
    #[command(after_help = "\
Examples:
  squall store check /var/lib/squall
  squall store check broker.redb

All of the file is compared with its checksums, and each row is read.")]
    Check(Place),
    /// Print all that can be read of a store, a line of JSON each; of a damaged one as far as that goes, then with 1
    #[command(after_help = "\
Examples:
  squall store export /var/lib/squall > kept.jsonl
  squall store export broker.redb | jq 'select(.type == \"delivery\" and .session == 7)'

Lines name sessions, messages and deliveries by numbers. `payload` is text; where it is none there is `payload_base64`.
Moments are microseconds since 1970, by the clock of the broker. What cannot be read has a line `\"type\":\"unreadable\"`.")]
    Export(Place),
}

#[derive(Debug, clap::Args)]
struct Place {
    /// The data directory of a broker, or the file in it
    #[arg(value_name = "DIR|FILE")]
    place: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<Exit, anyhow::Error> {
    match &args.what {
        What::Check(place) => check(&place.file()?),
        What::Export(place) => export(&place.file()?),
    }
}

impl Place {
    fn file(&self) -> Result<PathBuf, Misuse> {
        let file = if self.place.is_dir() {
            self.place.join(STORE)
        } else {
            self.place.clone()
        };
        if file.exists() {
            return Ok(file);
        }
        let mend = "name the data directory of a broker, or the file broker.redb in it";
        Err(Misuse::new(format!("there is no {}", file.display()), mend))
    }
}

fn check(file: &Path) -> Result<Exit, anyhow::Error> {
    let checked = Inspection::open(file).and_then(|mut store| {
        let totals = store.check()?;
        Ok((store.format(), totals))
    });
    let (text, exit) = match checked {
        Ok((format, totals)) => (whole(file, format, totals), Exit::Held),
        Err(error @ StoreError::Damaged { .. }) => (format!("{error}\n{}\n", error.mend()), Exit::NotHeld),
        Err(error) => return Err(trouble(error)),
    };
    let _ = output::print(&text)?;
    Ok(exit)
}

fn whole(file: &Path, format: Option<u64>, totals: Totals) -> String {
    let format = format.map_or_else(
        || "nothing kept yet".to_owned(),
        |format| format!("format {format}"),
    );
    let Totals {
        sessions,
        subscriptions,
        wills,
        deliveries,
        messages,
        retained,
    } = totals;
    format!(
        "{} is whole: {format}\n\
         sessions       {sessions}\n\
         subscriptions  {subscriptions}\n\
         Wills          {wills}\n\
         deliveries     {deliveries}\n\
         messages       {messages}\n\
         retained       {retained}\n",
        file.display()
    )
}

fn export(file: &Path) -> Result<Exit, anyhow::Error> {
    let store = match Inspection::open(file) {
        Ok(store) => store,
        Err(error @ StoreError::Damaged { .. }) => {
            let _ = output::print(&json::unreadable(&error.to_string()))?;
            return Ok(Exit::NotHeld);
        }
        Err(error) => return Err(trouble(error)),
    };
    let mut out = BufWriter::new(io::stdout().lock());
    let (mut unreadable, mut written) = (Vec::new(), Ok(()));
    store.each(
        &mut |record| {
            if written.is_ok() {
                written = out.write_all(json::line(record).as_bytes());
            }
        },
        &mut |why| unreadable.push(why),
    );
    for why in &unreadable {
        written = written.and_then(|()| out.write_all(json::unreadable(why).as_bytes()));
    }
    match written.and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) if unreadable.is_empty() => Ok(Exit::Held),
        Ok(()) | Err(_) => Ok(Exit::NotHeld),
    }
}

/// Why a store cannot be looked at at all.
fn trouble(error: StoreError) -> anyhow::Error {
    match error {
        StoreError::InUse(path) => {
            let problem = format!("{} is used by a broker", path.display());
            Misuse::new(problem, "stop it first, or look at a copy").into()
        }
        StoreError::Newer { .. } => {
            let mend = error.mend();
            Misuse::new(error, mend).into()
        }
        other @ (StoreError::Damaged { .. } | StoreError::Failed { .. } | _) => anyhow::Error::new(other),
    }
}
