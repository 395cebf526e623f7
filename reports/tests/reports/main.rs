//! The renderers and readers of reports, all on the report that [`sample`] makes.

#[cfg(test)]
mod browser;
#[cfg(test)]
mod github;
#[cfg(test)]
mod html;
#[cfg(test)]
mod json;
#[cfg(test)]
mod junit;
#[cfg(test)]
mod markdown;
#[cfg(test)]
mod merge;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod spec;
#[cfg(test)]
mod terminal;
