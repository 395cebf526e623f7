//! The command line of Squall.

fn main() {}
