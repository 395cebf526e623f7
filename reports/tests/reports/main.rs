//! The renderers and readers of reports, all on the report that [`sample`] makes.

mod json;
mod junit;
mod merge;
mod sample;
mod spec;
mod terminal;
