//! Each check against histories written by hand: one that it must pass and one that it must not.

mod durability;
mod exchanges;
mod handed;
mod history;
mod keep_alive;
mod limits;
mod listed;
mod memory;
mod messages;
mod moments;
mod pings;
mod sessions;
mod shared;
mod subscriptions;
mod wills;
