//! The format of a database, and the way from an older one to the newest.

use redb::{Database, ReadableDatabase as _, TableDefinition, TableError, WriteTransaction};

use crate::database::Trouble;

/// The newest format that this program knows.
pub(super) const FORMAT: u64 = 1 + STEPS.len() as u64;

/// From each format to the next: the first makes format 2 of format 1. What it changes is in the transaction of all of them.
const STEPS: [Step; 0] = [];

type Step = fn(&WriteTransaction) -> Result<(), Trouble>;

/// The format, under 0.
const META: TableDefinition<'_, u8, u64> = TableDefinition::new("meta");

/// The format of a database after it was brought to the newest, or a newer one; a new database has the newest.
pub(super) fn current(database: &Database) -> Result<u64, Trouble> {
    migrate(database, &STEPS)
}

/// The format that a database says it has; `None` where it is new.
pub(super) fn of(database: &Database) -> Result<Option<u64>, Trouble> {
    match database.begin_read()?.open_table(META) {
        Ok(meta) => Ok(meta.get(0)?.map(|format| format.value())),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// All steps from the format of the database on, in one transaction: a crash leaves the old format whole.
fn migrate(database: &Database, steps: &[Step]) -> Result<u64, Trouble> {
    let newest = 1 + steps.len() as u64;
    let format = of(database)?;
    if let Some(format) = format.filter(|format| *format >= newest) {
        return Ok(format);
    }
    let transaction = database.begin_write()?;
    if let Some(format) = format {
        let done = format.checked_sub(1).and_then(|done| usize::try_from(done).ok());
        let due = done.and_then(|done| steps.get(done..));
        for step in due.ok_or_else(|| Trouble::unreadable("the format"))? {
            step(&transaction)?;
        }
    }
    transaction.open_table(META)?.insert(0, newest)?;
    transaction.commit()?;
    Ok(newest)
}

#[cfg(test)]
mod tests {
    use redb::{ReadableTable as _, backends::InMemoryBackend};

    use super::*;

    const OLD: TableDefinition<'_, u64, &str> = TableDefinition::new("old");
    const NEW: TableDefinition<'_, u64, (&str, bool)> = TableDefinition::new("new");

    fn widen(transaction: &WriteTransaction) -> Result<(), Trouble> {
        let (old, mut new) = (transaction.open_table(OLD)?, transaction.open_table(NEW)?);
        for row in old.iter()? {
            let (key, value) = row?;
            new.insert(key.value(), (value.value(), true))?;
        }
        Ok(())
    }

    fn forget(transaction: &WriteTransaction) -> Result<(), Trouble> {
        transaction.delete_table(OLD)?;
        Ok(())
    }

    fn fail(_: &WriteTransaction) -> Result<(), Trouble> {
        Err(Trouble::unreadable("a row"))
    }

    fn of_format_1() -> Database {
        let database = Database::builder()
            .create_with_backend(InMemoryBackend::new())
            .unwrap();
        assert!(migrate(&database, &[]).is_ok_and(|format| format == 1));
        let transaction = database.begin_write().unwrap();
        transaction.open_table(OLD).unwrap().insert(7, "seven").unwrap();
        transaction.commit().unwrap();
        database
    }

    #[test]
    fn an_older_format_takes_all_steps_to_the_newest_once() {
        let database = of_format_1();
        for _ in 0..2 {
            assert!(migrate(&database, &[widen, forget]).is_ok_and(|format| format == 3));
            let transaction = database.begin_read().unwrap();
            let seven = transaction.open_table(NEW).unwrap().get(7).unwrap();
            assert_eq!(seven.unwrap().value(), ("seven", true));
            assert!(transaction.open_table(OLD).is_err());
        }
    }

    #[test]
    fn a_step_that_fails_leaves_the_older_format_whole() {
        let database = of_format_1();
        assert!(migrate(&database, &[widen, fail]).is_err());
        assert!(of(&database).is_ok_and(|format| format == Some(1)));
        assert!(database.begin_read().unwrap().open_table(NEW).is_err());
    }

    #[test]
    fn a_newer_format_is_left_as_it_is() {
        let database = of_format_1();
        assert!(migrate(&database, &[forget]).is_ok_and(|format| format == 2));
        assert!(migrate(&database, &[]).is_ok_and(|format| format == 2));
    }
}
