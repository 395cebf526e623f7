//! The broker against its model: `script` is what clients do, `model` what the broker may and must do then, `owner` the owner
//! of the connections who holds the one to the other.

mod model;
mod owner;
mod script;

use self::{
    owner::Owner,
    script::{Script, World},
};
use crate::hold;

#[test]
fn whatever_clients_do_the_broker_does_what_the_standard_permits_and_owes() {
    hold::<Script, _>(300, 80, |script: &Script| Owner::new(World::from(script)));
}
