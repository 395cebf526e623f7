/// A database that works on a thread where it may block.
#[derive(Debug)]
pub(crate) struct Blocking<D> {
    /// `None` while it works, and for ever where that was given up.
    database: Option<D>,
}

impl<D: Send + 'static> Blocking<D> {
    pub(crate) const fn new(database: D) -> Self {
        Self {
            database: Some(database),
        }
    }

    /// The database; `None` where earlier work did not come to an end: what that came to is known only when the file is opened again.
    pub(crate) const fn get(&mut self) -> Option<&mut D> {
        self.database.as_mut()
    }

    /// Has it work. `None` as in [`Blocking::get`], or where the work panicked.
    pub(crate) async fn run<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut D) -> T + Send + 'static,
    ) -> Option<T> {
        let mut database = self.database.take()?;
        #[expect(
            clippy::disallowed_methods,
            reason = "a disk blocks, and nobody in a world has a file: the order of threads decides nothing there"
        )]
        let worked = tokio::task::spawn_blocking(move || {
            let result = work(&mut database);
            (result, database)
        });
        let (result, database) = worked.await.ok()?;
        self.database = Some(database);
        Some(result)
    }
}

/// What is said of a database that [`Blocking`] has not.
pub(crate) const INTERRUPTED: &str = "earlier work on it did not come to an end";
