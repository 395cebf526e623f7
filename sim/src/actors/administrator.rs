use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use squall_node::broker::Server;
use squall_proto::{Text, broker::Counts};

/// Does to clients what an administrator of our broker can, while it runs.
#[derive(Clone, Default)]
pub(crate) struct Administrator(Arc<Mutex<Option<Server>>>);

impl Administrator {
    /// The broker's process runs, with this server; or none does.
    pub(super) fn of(&self, server: Option<Server>) {
        *self.server() = server;
    }

    /// Closes a client's connection. Whether there was one.
    pub(crate) fn kick(&self, client_id: &Text) -> bool {
        self.server()
            .as_ref()
            .is_some_and(|server| server.kick(client_id))
    }

    /// Ends a client's session. Whether there was one.
    pub(crate) fn end_session(&self, client_id: &Text) -> bool {
        self.server()
            .as_ref()
            .is_some_and(|server| server.end_session(client_id))
    }

    /// Has a client refused, or no longer.
    pub(crate) fn bar(&self, client_id: &Text, barred: bool) {
        if let Some(server) = &*self.server() {
            if barred {
                server.bar(client_id);
            } else {
                server.admit(client_id);
            }
        }
    }

    /// How much the broker holds; `None`: none runs.
    pub(crate) fn counts(&self) -> Option<Counts> {
        self.server().as_ref().map(Server::counts)
    }

    fn server(&self) -> MutexGuard<'_, Option<Server>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Administrator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Administrator").finish_non_exhaustive()
    }
}
