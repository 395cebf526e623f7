//! A panic in any task of a world fails its run, joined or not: what is spawned and forgotten cannot hide.

use std::{
    cell::{Cell, RefCell},
    panic::{self, PanicHookInfo},
    sync::Once,
};

thread_local! {
    static WATCHED: Cell<bool> = const { Cell::new(false) };
    static CAUGHT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// From here on the panics of this thread are kept, not printed.
pub(super) fn watch() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if WATCHED.get() {
                keep(info);
            } else {
                before(info);
            }
        }));
    });
    WATCHED.set(true);
    CAUGHT.set(None);
}

/// Ends the watch: the first panic there was, in words.
pub(super) fn caught() -> Option<String> {
    WATCHED.set(false);
    CAUGHT.take()
}

fn keep(info: &PanicHookInfo<'_>) {
    let file = info.location().map_or("", panic::Location::file);
    let within = of_registry(file);
    // The store makes errors of these; one that it did not would end the process that the database is in, which is seen too.
    if within.starts_with("redb-") {
        return;
    }
    CAUGHT.with_borrow_mut(|caught| {
        caught.get_or_insert_with(|| info.to_string().replace(file, within));
    });
}

/// A source file of a library from its name and version on, wherever this machine keeps it.
fn of_registry(file: &str) -> &str {
    let registry = file.split_once("/registry/src/");
    let within = registry.and_then(|(_, rest)| rest.split_once('/'));
    within.map_or(file, |(_, within)| within)
}
