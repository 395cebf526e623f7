use squall_proto::{Text, broker::Administration};

use super::Server;

/// What an administrator does to the client of a Client Identifier.
impl Server {
    /// Closes its connection, in 5.0 with 0x98 (Administrative action). Its Will and its session take their course, and it may connect
    /// again. Whether there was a connection.
    pub fn kick(&self, client_id: &Text) -> bool {
        self.shared
            .administer(Administration::Kick(client_id.clone()))
            .was_connected
    }

    /// Ends its session, and closes its connection as [`Server::kick`] does. A Will that waits is published. Whether there was a
    /// session.
    pub fn end_session(&self, client_id: &Text) -> bool {
        self.shared
            .administer(Administration::EndSession(client_id.clone()))
            .had_session
    }

    /// Refuses its CONNECT from now on, with 0x87 (Not authorized; 3.1.1: 0x05). A connection that it has goes on. Held in memory, until
    /// [`Server::admit`].
    pub fn bar(&self, client_id: &Text) {
        self.shared.administer(Administration::Bar(client_id.clone()));
    }

    /// Refuses its CONNECT no more. Whether it was barred.
    pub fn admit(&self, client_id: &Text) -> bool {
        self.shared
            .administer(Administration::Admit(client_id.clone()))
            .was_barred
    }
}
