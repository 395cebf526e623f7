//! What faults do to hosts and their processes.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use squall_node::Watched;
use squall_proto::Text;
use tokio::sync::oneshot;

use super::{Stage, Started};
use crate::{
    actors::{Condition, Power},
    model::BROKER,
    scenario::Reads,
    target::RealBroker,
    trace::{Down, What},
    world::{
        StateId,
        disk::{Disk, Trouble, Unsynced},
        network,
    },
};

/// A host's process, its disk, and what is known of it.
pub(super) struct Process {
    name: String,
    pub(super) client_id: Option<Text>,
    pub(super) disk: Option<Disk>,
    /// The process of the machine that it is.
    pub(super) real: Option<Arc<dyn RealBroker>>,
    condition: Arc<Watched<Condition>>,
    /// The pauses that last until somebody ends them, and who waits for that.
    pauses: Mutex<Vec<(StateId, oneshot::Sender<u64>)>>,
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// What the next process finds of what the last one knew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::faults) enum Finds {
    /// What is written on its disk, if it has one.
    Written,
    /// Of what is written on its disk, if it has one, what was synced, and of the rest one of these.
    Synced(&'static [Unsynced]),
    /// All.
    All,
    /// Nothing.
    Nothing,
}

impl Process {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            client_id: None,
            disk: None,
            real: None,
            condition: Arc::new(Watched::new(Condition::default())),
            pauses: Mutex::default(),
        }
    }

    pub(super) fn power(&self, place: usize) -> Power {
        Power::new(place, self.name.clone(), Arc::clone(&self.condition))
    }

    fn condition(&self) -> Condition {
        self.condition.get()
    }

    /// Whether the next process takes up what this one knew.
    fn keeps(&self, finds: Finds) -> bool {
        match finds {
            Finds::Written | Finds::Synced(_) => {
                self.disk.is_some() || self.real.as_ref().is_some_and(|real| real.keeps())
            }
            Finds::All => true,
            Finds::Nothing => false,
        }
    }

    fn lose(&self, finds: Finds) {
        if let Some(real) = &self.real {
            real.kill();
            if finds == Finds::Nothing {
                real.forget();
            }
        }
        let Some(disk) = &self.disk else { return };
        match finds {
            Finds::Written | Finds::All => disk.process_ended(),
            Finds::Synced(unsynced) => disk.power_lost(unsynced),
            Finds::Nothing => disk.replace(),
        }
    }

    fn pauses(&self) -> MutexGuard<'_, Vec<(StateId, oneshot::Sender<u64>)>> {
        self.pauses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the pauses that last until somebody ends them. Says how many.
    fn resume(&self, place: usize) -> u64 {
        let mut ended = 0;
        for (pause, tell) in self.pauses().drain(..) {
            ended += 1;
            // Who no longer waits need not be told.
            _ = tell.send(self.end_pause(place, pause));
        }
        ended
    }

    fn end_pause(&self, place: usize, pause: StateId) -> u64 {
        network::with(|network| match network.resume(place, pause) {
            Some((touched, goes_on)) => {
                if goes_on {
                    self.real.iter().for_each(|real| real.resume());
                    let host = self.name.clone();
                    network.note(What::HostResumed { host });
                }
                touched
            }
            None => 0,
        })
    }

    fn note_up(&self, kept: bool) {
        let host = self.name.clone();
        network::with(|network| network.note(What::HostUp { host, kept }));
    }
}

/// Processes end and begin.
impl Stage {
    fn processes<'a>(&'a self, name: &str) -> impl Iterator<Item = (usize, &'a Process)> {
        let at = |place: &usize| self.processes.get(place).map(|process| (*place, process));
        self.places(name)
            .iter()
            .filter_map(at)
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// Ends the processes of a name without a word, until it is called again. Says how many processes and connections that were.
    pub(in crate::faults) fn crash(&self, name: &str, how: Down, finds: Finds) -> u64 {
        self.processes(name)
            .map(|(place, process)| Self::crash_at(place, process, how, finds))
            .sum()
    }

    fn crash_at(place: usize, process: &Process, how: Down, finds: Finds) -> u64 {
        let was_down = process.condition().is_down();
        let kept = process.keeps(finds);
        // It is told first, so that nothing runs any more that the rest would wake.
        process.condition.modify(|condition| {
            condition.crashes += 1;
            condition.crashes_ever += 1;
            // A process that ends again before it has begun leaves what the one before it left.
            condition.kept = kept && (condition.has_begun || condition.kept);
            condition.has_begun = false;
        });
        process.lose(finds);
        if was_down {
            return 0;
        }
        process.resume(place);
        let host = process.name.clone();
        network::with(|network| {
            network.forget_pauses(place);
            network.note(What::HostDown { host, how, kept });
            1 + match how {
                Down::PowerLost => network.power_off(place),
                Down::Stopped | Down::Crashed => network.reset_host(place),
            }
        })
    }

    /// Lets the processes of a name start again, unless something else keeps them down.
    pub(in crate::faults) fn start(&self, name: &str) {
        for (place, process) in self.processes(name) {
            let before = process.condition();
            if before.crashes == 1 {
                network::with(|network| network.power_on(place));
                if !before.has_stopped && before.stops == 0 {
                    process.note_up(before.kept);
                }
            }
            process.condition.modify(|condition| {
                condition.crashes = condition.crashes.saturating_sub(1);
            });
        }
    }

    /// Asks the processes of a name to end. Says how many ran.
    pub(in crate::faults) fn stop(&self, name: &str) -> u64 {
        let mut running = 0;
        for (_, process) in self.processes(name) {
            running += u64::from(!process.condition().is_down());
            process.condition.modify(|condition| condition.stops += 1);
        }
        running
    }

    /// Lets those start again that were asked to end; who has not ended yet does so first.
    pub(in crate::faults) fn start_stopped(&self, name: &str) {
        for (_, process) in self.processes(name) {
            let before = process.condition();
            let is_over = before.has_stopped || before.crashes_ever > 0 && !before.has_begun;
            if before.stops == 1 && is_over && before.crashes == 0 {
                process.note_up(before.kept);
            }
            process.condition.modify(|condition| {
                condition.stops = condition.stops.saturating_sub(1);
                condition.has_stopped &= condition.stops > 0;
            });
        }
    }
}

/// Processes stand still.
impl Stage {
    /// Pauses the processes of a name that run, for a time.
    pub(in crate::faults) fn pause(&self, name: &str) -> Started {
        let pauses: Vec<_> = self
            .pause_each(name)
            .map(|(place, _, pause)| (place, pause))
            .collect();
        Started::Heals(Box::new(move |stage| {
            let end = |(place, pause): &(usize, StateId)| {
                let process = stage.processes.get(place);
                process.map_or(0, |process| process.end_pause(*place, *pause))
            };
            pauses.iter().map(end).sum()
        }))
    }

    /// Pauses the processes of a name that run, until [`Stage::resume`] or their end.
    pub(in crate::faults) fn pause_until_resumed(&self, name: &str) -> Started {
        let pause = |(_, process, pause): (usize, &Process, StateId)| {
            let (tell, told) = oneshot::channel();
            process.pauses().push((pause, tell));
            told
        };
        Started::Ends(self.pause_each(name).map(pause).collect())
    }

    /// Ends the pauses of a name's processes that have no end of their own. Says how many.
    pub(in crate::faults) fn resume(&self, name: &str) -> u64 {
        self.processes(name)
            .map(|(place, process)| process.resume(place))
            .sum()
    }

    fn pause_each<'a>(&'a self, name: &str) -> impl Iterator<Item = (usize, &'a Process, StateId)> {
        let running = self
            .processes(name)
            .filter(|(_, process)| !process.condition().is_down());
        running.map(|(place, process)| {
            process.real.iter().for_each(|real| real.pause());
            let host = process.name.clone();
            let pause = network::with(|network| {
                network.note(What::HostPaused { host });
                network.pause(place)
            });
            (place, process, pause)
        })
    }
}

/// Disks, clocks, and what else is a host's.
impl Stage {
    /// Has the hosts of a name read slowly.
    pub(in crate::faults) fn read_slowly(&self, name: &str, reads: Reads) -> Started {
        let slow = |place: &usize| {
            (
                *place,
                network::with(|network| network.read_slowly(*place, reads)),
            )
        };
        let slow: Vec<_> = self.places(name).iter().map(slow).collect();
        Started::Heals(Box::new(move |_| {
            let end = |(place, slow): &(usize, StateId)| {
                network::with(|network| network.read_as_before(*place, *slow))
            };
            slow.iter().map(end).sum()
        }))
    }

    /// Has the wall clocks of a name's hosts jump. Says how many did.
    pub(in crate::faults) fn step_clock(&self, name: &str, by_ms: i64) -> u64 {
        for place in self.places(name) {
            network::with(|network| network.step_clock(*place, by_ms));
        }
        self.places(name).len() as u64
    }

    /// Something is wrong with the disks of a name's hosts, for a time.
    pub(in crate::faults) fn disk(&self, name: &str, trouble: Trouble) -> Started {
        let troubles: Vec<_> = self
            .disks(name)
            .map(|disk| (disk.clone(), disk.trouble(trouble, None).0))
            .collect();
        Started::Heals(Box::new(move |_| {
            troubles.iter().map(|(disk, trouble)| disk.heal(*trouble)).sum()
        }))
    }

    /// Something is wrong with the disks of a name's hosts, for so many operations of each.
    pub(in crate::faults) fn disk_operations(&self, name: &str, trouble: Trouble, next: u64) -> Started {
        let told = self.disks(name).map(|disk| disk.trouble(trouble, Some(next)).1);
        Started::Ends(told.collect())
    }

    /// Waits until all syncs of the disks of a name's hosts are done.
    pub(crate) async fn synced(&self, name: &str) {
        for disk in self.disks(name) {
            disk.synced().await;
        }
    }

    /// The disks of a name's hosts, of those that keep what they know on one.
    pub(crate) fn disks<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Disk> {
        self.processes(name)
            .filter_map(|(_, process)| process.disk.as_ref())
    }

    /// Has an administrator kick the clients of a name, or end their sessions. Says how many of them had a connection, or a session: none
    /// while the broker does not run.
    pub(in crate::faults) fn kick(&self, name: &str, ends_session: bool) -> u64 {
        if self
            .processes(BROKER)
            .any(|(_, process)| process.condition().is_down())
        {
            return 0;
        }
        let had_any = |client_id: &Text| {
            let had_any = if ends_session {
                self.administrator.end_session(client_id)
            } else {
                self.administrator.kick(client_id)
            };
            if had_any {
                let client_id = client_id.clone();
                network::with(|network| {
                    network.note(What::Kicked {
                        client_id,
                        ends_session,
                    });
                });
            }
            had_any
        };
        self.client_ids(name)
            .iter()
            .filter(|client_id| had_any(client_id))
            .count() as u64
    }

    /// Has an administrator keep the clients of a name out, whichever process of the broker they meet, until [`Stage::admit`].
    pub(in crate::faults) fn bar(&self, name: &str) {
        for client_id in self.client_ids(name) {
            self.administrator.bar(&client_id);
        }
    }

    /// Has an administrator let the clients of a name in again.
    pub(in crate::faults) fn admit(&self, name: &str) {
        for client_id in self.client_ids(name) {
            self.administrator.admit(&client_id);
        }
    }

    fn client_ids(&self, name: &str) -> Vec<Text> {
        let client_id = |(_, process): (usize, &Process)| process.client_id.clone();
        self.processes(name).filter_map(client_id).collect()
    }
}
