//! The simulated world: hosts with a TCP stack each, links between them that a seed decides, and virtual time.
//!
//! ```text
//! task --read, write--> socket --segments--> network --due, in order--> socket --wakes--> task
//!                                             | tap: the trace      ^ rules and cuts: the faults
//! ```
//!
//! In reading order: [`World`] and how it is driven (`driver`), what travels and when (`network`, `wire`, `link`), what is seen of
//! it (`tap`, `carrier`, `watch`, `lookout`), what tasks hold of it (`socket`, `host`, `tls`), and where chance comes from (`chance`).
//!
//! **Invariant:** nothing here asks a real socket or a real random source, nor a real clock unless the world passes in real time
//! ([`Clock::Real`]). Virtual time stands still while any task can run, and then jumps to the next segment or timer. Its grain is a
//! millisecond.

mod carrier;
mod chance;
pub(crate) mod disk;
mod driver;
mod host;
mod link;
mod lookout;
pub(crate) mod network;
mod ours;
mod panics;
mod pause;
mod simulate;
mod socket;
mod tap;
pub(crate) mod tls;
mod transport;
mod watch;
mod wire;

pub use driver::{Clock, World, WorldConfig};
pub use host::{Host, HostAcceptor, HostConnector};
pub use ours::OurBroker;
pub use simulate::{SimNet, simulate, simulate_with};
pub use socket::{HostRead, HostStream, HostWrite};
pub use transport::Transport;

pub(crate) use chance::generator;
pub(crate) use link::{Direction, Effect, Spikes};
pub(crate) use lookout::{Lookout, Wanted};
pub(crate) use network::StateId;
pub(crate) use pause::Pausable;
pub(crate) use simulate::watched;
pub(crate) use watch::{PlannedCut, Then, Watch};
