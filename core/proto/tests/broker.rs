//! The broker's state machine, driven in memory: what it sends and closes when clients do this and that.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that is wrong about a list, a result or a packet should stop there"
)]

#[path = "broker/table.rs"]
mod table;

#[path = "broker/administer.rs"]
mod administer;
#[path = "broker/aliases.rs"]
mod aliases;
#[path = "broker/authenticate.rs"]
mod authenticate;
#[path = "broker/bounds.rs"]
mod bounds;
#[path = "broker/connect.rs"]
mod connect;
#[path = "broker/crash.rs"]
mod crash;
#[path = "broker/expiry.rs"]
mod expiry;
#[path = "broker/field.rs"]
mod field;
#[path = "broker/itself.rs"]
mod itself;
#[path = "broker/keep_alive.rs"]
mod keep_alive;
#[path = "broker/limits.rs"]
mod limits;
#[path = "broker/paths.rs"]
mod paths;
#[path = "broker/publish.rs"]
mod publish;
#[path = "broker/reasons.rs"]
mod reasons;
#[path = "broker/restore.rs"]
mod restore;
#[path = "broker/resume.rs"]
mod resume;
#[path = "broker/retained.rs"]
mod retained;
#[path = "broker/rules.rs"]
mod rules;
#[path = "broker/shared.rs"]
mod shared;
#[path = "broker/stalled.rs"]
mod stalled;
#[path = "broker/stowed.rs"]
mod stowed;
#[path = "broker/subscribe.rs"]
mod subscribe;
#[path = "broker/told.rs"]
mod told;
#[path = "broker/violations.rs"]
mod violations;
#[path = "broker/will.rs"]
mod will;
#[path = "broker/will_sweep.rs"]
mod will_sweep;
