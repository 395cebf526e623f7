//! Standard output and standard error: colours only where they are wanted, and no complaint when the reader has gone.

use std::io::{self, IsTerminal as _, Write as _};

use anstream::ColorChoice;

/// Whether somebody still reads standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a command that goes on printing for ever must end when its reader has gone"]
pub(crate) enum Reader {
    /// It took the text.
    Listening,
    /// It closed the pipe (`| head`): what is printed from here on is lost, the work's verdict is not.
    Gone,
}

/// Prints text that may hold colours to standard output; they are removed where nobody would see them.
pub(crate) fn print(text: &str) -> io::Result<Reader> {
    let mut out = anstream::stdout();
    reader(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// Prints bytes to standard output as they are.
pub(crate) fn print_raw(bytes: &[u8]) -> io::Result<Reader> {
    let mut out = io::stdout();
    reader(out.write_all(bytes).and_then(|()| out.flush()))
}

/// Prints text that may hold colours to standard error. Whoever closed it does not want to know.
pub(crate) fn complain(text: &str) {
    let _ = anstream::stderr().write_all(text.as_bytes());
}

/// Whether what is printed to standard output may be coloured: a terminal, `NO_COLOR` and `CLICOLOR_FORCE` decide.
pub(crate) fn colours() -> bool {
    anstream::AutoStream::choice(&io::stdout()) != ColorChoice::Never
}

/// Whether a person watches standard error, so that a progress bar there is a help.
pub(crate) fn watched() -> bool {
    io::stderr().is_terminal()
}

fn reader(result: io::Result<()>) -> io::Result<Reader> {
    match result {
        Ok(()) => Ok(Reader::Listening),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_no_error_and_a_full_disk_is_one() {
        assert_eq!(
            reader(Err(io::ErrorKind::BrokenPipe.into())).unwrap(),
            Reader::Gone
        );
        assert!(reader(Err(io::ErrorKind::StorageFull.into())).is_err());
    }
}
