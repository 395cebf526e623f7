use std::{
    io,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::authentication::{UserFile, UserFileError, Users};

/// Who may connect. Without any of it everybody may, and nobody's User Name and Password are looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Authentication {
    /// A file of users, as `squall passwd` writes it.
    pub users: Option<PathBuf>,
    /// Whether clients may connect that name nobody. If not said: only where there are no users.
    pub anonymous: Option<bool>,
}

/// Why nobody can be judged as the configuration says.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticationError {
    /// Neither users nor anonymous clients.
    #[error("nobody could connect: there are no users, and no anonymous clients")]
    Nobody,
    /// The file of users cannot be read.
    #[error("cannot read {}: {error}", file.display())]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The file of users is none.
    #[error(transparent)]
    Users(#[from] UserFileError),
}

impl Authentication {
    /// Reads the users; `None` where everybody may connect. `seed` is chance that nobody foresees.
    pub fn load(&self, seed: [u8; 32]) -> Result<Option<Users>, AuthenticationError> {
        match (&self.users, self.anonymous) {
            (None, None | Some(true)) => Ok(None),
            (None, Some(false)) => Err(AuthenticationError::Nobody),
            (Some(file), anonymous) => {
                let users = read(file)?;
                Ok(Some(Users::new(users, anonymous.unwrap_or(false), seed)))
            }
        }
    }
}

fn read(file: &Path) -> Result<UserFile, AuthenticationError> {
    let text = std::fs::read_to_string(file).map_err(|error| AuthenticationError::Unreadable {
        file: file.to_owned(),
        error,
    })?;
    Ok(UserFile::parse(&file.display().to_string(), &text)?)
}

impl AuthenticationError {
    /// What would be right.
    pub const fn mend(&self) -> &'static str {
        match self {
            Self::Nobody => "name a file of `users` under [authentication], or leave `anonymous` out",
            Self::Unreadable { .. } => "make the file with `squall passwd FILE USER`",
            Self::Users(error) => error.mend(),
        }
    }
}
