use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use squall_node::broker::Server;
use squall_proto::{Text, broker::Counts};

/// Does to clients what an administrator of our broker can, while it runs; whom it refuses is configuration, and outlives it.
#[derive(Clone, Default)]
pub(crate) struct Administrator(Arc<Mutex<Administration>>);

#[derive(Default)]
struct Administration {
    /// `None`: no process runs.
    server: Option<Server>,
    /// Who is refused, and because of how many reasons: 0 for who was once.
    barred: BTreeMap<Text, u32>,
}

impl Administrator {
    /// The broker's process runs, with this server; or none does.
    pub(super) fn of(&self, server: Option<Server>) {
        let mut administration = self.administration();
        administration.server = server;
        for client_id in administration.barred.keys() {
            administration.configure(client_id);
        }
    }

    /// Closes a client's connection. Whether there was one.
    pub(crate) fn kick(&self, client_id: &Text) -> bool {
        let administration = self.administration();
        let server = administration.server.as_ref();
        server.is_some_and(|server| server.kick(client_id))
    }

    /// Ends a client's session. Whether there was one.
    pub(crate) fn end_session(&self, client_id: &Text) -> bool {
        let administration = self.administration();
        let server = administration.server.as_ref();
        server.is_some_and(|server| server.end_session(client_id))
    }

    /// Has a client refused, by this process and those after it, until [`Administrator::admit`] is called as often.
    pub(crate) fn bar(&self, client_id: &Text) {
        let mut administration = self.administration();
        *administration.barred.entry(client_id.clone()).or_default() += 1;
        administration.configure(client_id);
    }

    /// One reason less to have a client refused.
    pub(crate) fn admit(&self, client_id: &Text) {
        let mut administration = self.administration();
        if let Some(reasons) = administration.barred.get_mut(client_id) {
            *reasons = reasons.saturating_sub(1);
        }
        administration.configure(client_id);
    }

    /// How much the broker holds; `None`: none runs.
    pub(crate) fn counts(&self) -> Option<Counts> {
        self.administration().server.as_ref().map(Server::counts)
    }

    fn administration(&self) -> MutexGuard<'_, Administration> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Administration {
    /// The server that runs refuses a client, or does not.
    fn configure(&self, client_id: &Text) {
        let Some(server) = &self.server else { return };
        if self.barred.get(client_id).is_some_and(|reasons| *reasons > 0) {
            server.bar(client_id);
        } else {
            server.admit(client_id);
        }
    }
}

impl std::fmt::Debug for Administrator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Administrator").finish_non_exhaustive()
    }
}
