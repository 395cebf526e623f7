use std::{collections::BTreeMap, fmt, fs::File, io, os::unix::fs::FileExt as _};

use parking_lot::Mutex;
use redb::StorageBackend;

/// A file that is looked at and left as it is: what is written to it stays in memory.
pub(crate) struct Overlay {
    file: File,
    state: Mutex<State>,
}

struct State {
    len: u64,
    /// What there was of the file when it was opened and not cut off since.
    file_len: u64,
    /// By number.
    pages: BTreeMap<u64, Box<[u8; PAGE]>>,
}

const PAGE: usize = 4096;

impl Overlay {
    pub(crate) fn new(file: File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        let state = Mutex::new(State {
            len,
            file_len: len,
            pages: BTreeMap::new(),
        });
        Ok(Self { file, state })
    }

    /// A page as it stands.
    fn page(&self, state: &State, number: u64) -> io::Result<Box<[u8; PAGE]>> {
        if let Some(page) = state.pages.get(&number) {
            return Ok(page.clone());
        }
        let mut page = Box::new([0; PAGE]);
        let at = number * PAGE as u64;
        let len = usize::try_from(state.file_len.saturating_sub(at)).map_or(PAGE, |len| len.min(PAGE));
        if let Some(from_file) = page.get_mut(..len) {
            self.file.read_exact_at(from_file, at)?;
        }
        Ok(page)
    }
}

impl StorageBackend for Overlay {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state.lock().len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state.lock();
        if offset.saturating_add(out.len() as u64) > state.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut done = 0;
        while let Some(rest) = out.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let (number, within) = place(offset + done as u64);
            let page = self.page(&state, number)?;
            let from = page.get(within..).unwrap_or_default();
            let len = from.len().min(rest.len());
            for (to, byte) in rest.iter_mut().zip(from) {
                *to = *byte;
            }
            done += len;
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state.lock();
        state.len = len;
        state.file_len = state.file_len.min(len);
        let (last, _) = place(len);
        state.pages.retain(|number, _| *number <= last);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.state.lock();
        let mut done = 0;
        while let Some(rest) = data.get(done..).filter(|rest| !rest.is_empty()) {
            let (number, within) = place(offset + done as u64);
            let mut page = self.page(&state, number)?;
            let to = page.get_mut(within..).unwrap_or_default();
            let len = to.len().min(rest.len());
            for (to, byte) in to.iter_mut().zip(rest) {
                *to = *byte;
            }
            state.pages.insert(number, page);
            done += len;
        }
        Ok(())
    }
}

/// The page of a byte, and where in it.
fn place(offset: u64) -> (u64, usize) {
    let page = PAGE as u64;
    (offset / page, usize::try_from(offset % page).unwrap_or(0))
}

impl fmt::Debug for Overlay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Overlay").finish_non_exhaustive()
    }
}
