//! The client against its model: `script` is what its application, its server and its network do, `model` what the client may
//! and must do then, `owner` the owner of the connection who holds the one to the other.

mod model;
mod owner;
mod script;

use self::{owner::Owner, script::Script};
use crate::hold;

#[test]
fn whatever_a_server_does_the_client_does_what_the_standard_permits_and_owes() {
    hold::<Script, _>(300, 80, Owner::new);
}
