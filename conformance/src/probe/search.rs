//! The largest number that fits.

/// Looks for it: doubles what fits, and then halves what is left.
pub(super) struct Search {
    fits: u32,
    /// The smallest known not to fit.
    beyond: Option<u32>,
    limit: u32,
    /// What it means that `limit` fits.
    at_limit: &'static str,
}

impl Search {
    /// `fits` does, and nobody looks further than to `limit`.
    pub(super) const fn between(fits: u32, limit: u32) -> Self {
        Self {
            fits,
            beyond: None,
            limit,
            at_limit: " or more",
        }
    }

    /// `fits` does, and the standard knows no more than `limit`.
    pub(super) const fn within(fits: u32, limit: u32) -> Self {
        Self {
            at_limit: ", all there can be",
            ..Self::between(fits, limit)
        }
    }

    /// What to try next; `None` when it has been found.
    pub(super) fn next(&self) -> Option<u32> {
        match self.beyond {
            Some(beyond) if beyond - self.fits <= 1 => None,
            Some(beyond) => Some(self.fits + (beyond - self.fits) / 2),
            None if self.fits == self.limit => None,
            None => Some(self.fits.saturating_mul(2).min(self.limit)),
        }
    }

    /// Whether what was tried fitted.
    pub(super) const fn note(&mut self, tried: u32, fits: bool) {
        match fits {
            true => self.fits = tried,
            false => self.beyond = Some(tried),
        }
    }

    /// The largest that fits, and what is beyond if that is the limit.
    pub(super) fn found(&self) -> String {
        match self.beyond {
            Some(_) => self.fits.to_string(),
            None => format!("{}{}", self.fits, self.at_limit),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Search;

    fn found(largest: u32) -> String {
        let mut search = Search::between(16, 1000);
        while let Some(tried) = search.next() {
            search.note(tried, tried <= largest);
        }
        search.found()
    }

    #[test]
    fn the_largest_that_fits_is_found() {
        assert_eq!(found(16), "16");
        assert_eq!(found(17), "17");
        assert_eq!(found(512), "512");
        assert_eq!(found(999), "999");
        assert_eq!(found(1000), "1000 or more");
        assert_eq!(found(u32::MAX), "1000 or more");
    }
}
