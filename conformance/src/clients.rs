//! The suite for clients: Squall is the server, and a driver tells the client under test what to do.
//!
//! In reading order:
//! * `case`: what a [`Case`] is; each file of `clients/sections/` is a section of the standard, [`SECTIONS`] lists them.
//! * `stage`: what a case sees, [`Stage`]: the driver, and the connections of the client.
//! * `driver`: the lines that tell the client what to do and say what became of it. `docs/CLIENTS.md` is their reference.
//! * `reaction`: what a client does about a server that breaks the standard.
//! * `launch`: how the client is started, [`Launch`]: whoever runs the suite knows.
//! * `suite`: [`run`]. [`select`](crate::select) and [`report`](crate::report) are those of brokers.
//!
//! A case takes what a server takes and no more: what the standard leaves to the client is no fault of it. Where a driver does not know
//! what a case asks for, the verdict is `unsupported`.

mod case;
mod driver;
mod launch;
mod reaction;
mod sections;
mod stage;
mod suite;

pub use self::{
    case::{Case, Levels},
    launch::{Launch, Launched, Launching},
    sections::SECTIONS,
    stage::Stage,
    suite::{answers, run},
};
