//! What lies between the hosts. In reading order: this file (when segments are collected and delivered, and what faults ask for),
//! `observe` (what is seen of them), `transit` (their way), `rules` (what begins and ends with a rule of a fault), `cut` (what vanishes
//! and what is made up), `machines` (what happens to hosts).

mod cut;
mod machines;
mod observe;
mod rules;
mod transit;

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    mem,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use squall_proto::{Instant, Packet};
use tokio::{
    sync::Notify,
    time::{self, Sleep},
};
use turmoil_net::{EnterGuard, Packet as Datagram, TcpSegment, Transport};

pub(crate) use self::machines::StateId;
use self::{
    machines::Machines,
    transit::{Delivered, sequence_length},
};
use super::{
    link::{Links, Way},
    lookout::{Lookout, Lookouts},
    watch::{Watch, Watches},
    wire::{Wires, peer},
};
use crate::{
    span::SpanRange,
    trace::{Event, Side, Trace, What, WireId},
};

thread_local! {
    static NETWORK: RefCell<Option<Network>> = const { RefCell::new(None) };
    /// Something was done to a socket since segments were last collected.
    static TOUCHED: Cell<bool> = const { Cell::new(false) };
}

/// What lies between the hosts of this thread's world.
pub(crate) struct Network {
    guard: EnterGuard,
    began: time::Instant,
    /// What time it is, once somebody has asked since it last moved on.
    now: Cell<Option<Instant>>,
    hosts: Vec<Named>,
    pub(super) wires: Wires,
    links: Links,
    watches: Watches,
    lookouts: Lookouts,
    machines: Machines,
    /// What is under way, by when it arrives and then by when it was sent.
    due: BTreeMap<(Instant, u64), Box<Flight>>,
    next_flight: u64,
    /// Room for what hosts send, between two collections.
    sent: Vec<Datagram>,
    resets: Vec<(WireId, Side)>,
    /// Sockets, by their own address and the other end's, that their kernels are to forget.
    forgotten: Vec<(SocketAddr, SocketAddr)>,
    /// Closed by their processes since segments were last collected.
    let_go: Vec<(WireId, Side)>,
    timer: Option<Pin<Box<Sleep>>>,
    trace: Trace,
    /// When a fault was last over, or one of several cuts of it.
    mended: Instant,
    /// How many events a run may have, and who is told when it has them.
    bound: (usize, Rc<Notify>),
    /// When a packet was last sent, pings apart, or a connection began or ended.
    busy: Instant,
}

/// A host's name and address.
pub(super) struct Named {
    pub(super) name: String,
    pub(super) address: IpAddr,
}

struct Flight {
    wire: WireId,
    from: Side,
    segment: TcpSegment,
    way: Way,
    /// Tasks may read it before the next one arrives.
    alone: bool,
}

/// Nothing due: look again in a day.
const FAR: Duration = Duration::from_secs(86_400);
/// Events that there is room for from the beginning: few runs have more.
const EVENTS: usize = 1024;
/// The grain of virtual time.
const TICK: Duration = Duration::from_millis(1);

/// Puts a network between the hosts of this thread.
pub(super) fn install(guard: EnterGuard, hosts: Vec<Named>, seed: u64, latency: SpanRange, loss_percent: u8) {
    let network = Network {
        guard,
        began: time::Instant::now(),
        now: Cell::default(),
        hosts,
        wires: Wires::default(),
        links: Links::new(seed, latency, loss_percent),
        watches: Watches::default(),
        lookouts: Lookouts::default(),
        machines: Machines::default(),
        due: BTreeMap::new(),
        next_flight: 0,
        sent: Vec::new(),
        resets: Vec::new(),
        forgotten: Vec::new(),
        let_go: Vec::new(),
        timer: None,
        trace: Trace {
            events: Vec::with_capacity(EVENTS),
        },
        mended: Instant::ZERO,
        bound: (usize::MAX, Rc::default()),
        busy: Instant::ZERO,
    };
    NETWORK.set(Some(network));
    TOUCHED.set(false);
}

/// Takes the network away, and with it every host's kernel. Sockets are gone before.
pub(super) fn uninstall() {
    drop(NETWORK.take());
}

/// This thread's network.
///
/// # Panics
///
/// Where there is none: outside [`super::World::block_on`].
pub(crate) fn with<R>(f: impl FnOnce(&mut Network) -> R) -> R {
    NETWORK.with_borrow_mut(|network| f(network.as_mut().expect("this thread runs a world")))
}

/// A socket was used: what its kernel has to send is collected before time moves on.
pub(super) fn touch() {
    TOUCHED.set(true);
}

/// Called whenever no task can run: moves what the hosts sent, before time moves on.
pub(super) fn settle() {
    NETWORK.with_borrow_mut(|network| {
        if let Some(network) = network {
            if TOUCHED.replace(false) {
                network.collect();
                network.arm();
            }
            network.now.set(None);
        }
    });
}

impl Network {
    /// Virtual time since the world began.
    pub(crate) fn now(&self) -> Instant {
        self.now.get().unwrap_or_else(|| {
            let now = Instant::ZERO + self.began.elapsed();
            self.now.set(Some(now));
            now
        })
    }

    /// Writes down what happened just now.
    pub(crate) fn note(&mut self, what: What) {
        let at = self.now();
        if is_busy(&what) {
            self.busy = at;
        }
        if let What::Application { client, told } = &what {
            self.lookouts.see(client, told);
        }
        if let What::FaultEnded { .. } = &what {
            self.mended = at;
        }
        self.trace.events.push(Event { at, what });
        let (events_max, full) = &self.bound;
        if self.trace.events.len() == *events_max {
            full.notify_one();
        }
    }

    /// What comes back is told when the trace has so many events. Nothing is held back then: it is for the listener to end the run.
    pub(crate) fn bound(&mut self, events_max: usize) -> Rc<Notify> {
        self.bound = (events_max, Rc::default());
        Rc::clone(&self.bound.1)
    }

    /// Looks out for what a client tells its application.
    pub(crate) fn look_out(&mut self, lookout: Lookout) {
        self.lookouts.add(lookout);
    }

    /// How long no fault has ended, nor one of several cuts of it.
    pub(crate) fn undisturbed_for(&self) -> Duration {
        self.now() - self.mended
    }

    /// How long nothing has happened on any wire, pings apart, and nothing was under way. Zero while anything is.
    pub(crate) fn quiet_for(&self) -> Duration {
        let settled = self.due.is_empty() && self.wires.iter().all(|(_, wire)| wire.is_settled());
        if settled {
            self.now() - self.busy
        } else {
            Duration::ZERO
        }
    }

    /// The history up to now.
    pub(crate) const fn trace(&self) -> &Trace {
        &self.trace
    }

    pub(super) fn take_trace(&mut self) -> Trace {
        self.tell_unread();
        mem::take(&mut self.trace)
    }

    /// The driver's turn: delivers what is due and says when it wants the next turn.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) {
        // Real time moves on while tasks run, and the timer with it.
        self.now.set(None);
        match self.deliver_due() {
            Delivered::Nothing => {}
            Delivered::All => touch(),
            Delivered::OneAlone => {
                touch();
                cx.waker().wake_by_ref();
            }
        }
        self.timer.get_or_insert_with(|| Box::pin(time::sleep(FAR)));
        self.arm();
        if let Some(timer) = &mut self.timer
            && let Poll::Ready(()) = timer.as_mut().poll(cx)
        {
            cx.waker().wake_by_ref();
        }
    }

    pub(super) fn stop(&mut self) {
        self.timer = None;
    }

    /// Sets the driver's timer to the next arrival.
    fn arm(&mut self) {
        let Some(timer) = &mut self.timer else { return };
        match self.due.first_key_value() {
            Some(((at, _), _)) => {
                let next = self.began + at.saturating_since(Instant::ZERO);
                if timer.deadline() != next {
                    timer.as_mut().reset(next);
                }
            }
            None if timer.is_elapsed() => timer.as_mut().reset(time::Instant::now() + FAR),
            None => {}
        }
    }

    fn collect(&mut self) {
        let mut sent = mem::take(&mut self.sent);
        loop {
            self.guard.egress_all(&mut sent);
            for datagram in sent.drain(..) {
                self.take(datagram);
            }
            for (local, remote) in mem::take(&mut self.forgotten) {
                self.forget_socket(local, remote);
            }
            for (wire, side) in mem::take(&mut self.resets) {
                self.reset(wire, side);
            }
            match self.deliver_due() {
                Delivered::All => {}
                Delivered::Nothing => break,
                // The driver's next turn, and the next collection, are after the tasks have had theirs.
                Delivered::OneAlone => {
                    touch();
                    break;
                }
            }
        }
        self.sent = sent;
        for (wire, by) in mem::take(&mut self.let_go) {
            self.note_let_go(wire, by);
        }
    }

    /// A segment leaves its host.
    fn take(&mut self, datagram: Datagram) {
        let Transport::Tcp(mut segment) = datagram.payload else {
            return;
        };
        let from = SocketAddr::new(datagram.src, segment.src_port);
        let to = SocketAddr::new(datagram.dst, segment.dst_port);
        if segment.flags.syn && !segment.flags.ack {
            self.open(from, to);
        }
        let Some((wire, from)) = self.wires.find(from, to) else {
            return;
        };
        if self.wires.lane(wire, from).is_gone {
            return; // Its host lost power first.
        }
        let cut = self.observe(wire, from, &segment.payload);
        let lane = self.wires.lane(wire, from);
        lane.next_seq = segment.seq.wrapping_add(sequence_length(&segment));
        if lane.resetting && mem::take(&mut segment.flags.fin) && segment.payload.is_empty() {
            return;
        }
        self.note_close(wire, from, &segment);
        if let Some(mode) = self.wires.wire(wire).cut {
            self.swallow(wire, from, &segment, mode);
        } else if let Some(cut) = cut {
            self.cut(wire, from, segment, cut);
        } else {
            self.transmit(wire, from, segment);
        }
    }

    fn name(&self, host: usize) -> &str {
        self.hosts.get(host).map_or("", |host| &host.name)
    }
}

/// What faults and steps do to the network.
impl Network {
    /// The connection between two addresses, which side `local` is, and the place of its host.
    pub(super) fn find(&mut self, local: SocketAddr, remote: SocketAddr) -> Option<(WireId, Side, usize)> {
        let (wire, side) = self.wires.find(local, remote)?;
        Some((wire, side, *self.wires.wire(wire).host.of(side)))
    }

    /// The task at this side has taken so many bytes of what arrived.
    pub(super) fn read(&mut self, wire: WireId, side: Side, bytes: usize) {
        let lane = self.wires.lane(wire, peer(side));
        lane.read += bytes as u64;
        while let Some((ends, _)) = lane.unread.front()
            && *ends <= lane.read
        {
            lane.unread.pop_front();
        }
    }

    /// The process of a host dies: every connection of it is reset. Says how many.
    pub(crate) fn reset_host(&mut self, host: usize) -> u64 {
        let alive: Vec<_> = self
            .wires
            .iter()
            .flat_map(|(id, wire)| [Side::Client, Side::Broker].map(|side| (id, wire, side)))
            .filter(|(_, wire, side)| *wire.host.of(*side) == host && wire.lane.of(*side).is_alive())
            // A SYN that is still under way finds whoever listens when it arrives.
            .filter(|(_, wire, side)| *side == Side::Client || wire.lane.of(*side).has_sent())
            .map(|(id, _, side)| (id, side))
            .collect();
        for (wire, side) in &alive {
            self.reset_side(*wire, *side);
        }
        alive.len() as u64
    }

    /// The process has closed its socket, or its half that writes.
    pub(super) fn let_go(&mut self, wire: WireId, side: Side) {
        self.let_go.push((wire, side));
    }

    /// The socket is closed with data unread, or its process has died: it is reset as soon as what was sent is out.
    pub(crate) fn reset_side(&mut self, wire: WireId, side: Side) {
        self.wires.lane(wire, side).resetting = true;
        self.resets.push((wire, side));
        touch();
    }

    pub(crate) fn watch(&mut self, watch: Watch) {
        self.watches.add(watch);
    }
}

/// A ping keeps a connection alive and moves nothing on.
const fn is_busy(what: &What) -> bool {
    match what {
        What::Sent { packet, .. } => !matches!(packet, Packet::Pingreq | Packet::Pingresp),
        What::Opened { .. }
        | What::Bytes { .. }
        | What::Malformed { .. }
        | What::Closed { .. }
        | What::LetGo { .. }
        | What::Ended { .. }
        | What::Application { .. } => true,
        What::Arrived { .. }
        | What::Unread { .. }
        | What::HostDown { .. }
        | What::HostUp { .. }
        | What::Kicked { .. }
        | What::HostPaused { .. }
        | What::HostResumed { .. }
        | What::FaultBegan { .. }
        | What::FaultEnded { .. }
        | What::Step { .. }
        | What::Missed { .. }
        | What::Held(_)
        | What::Healed => false,
    }
}
