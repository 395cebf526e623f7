use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    mem,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use squall_proto::{Instant, Packet};
use tokio::time::{self, Sleep};
use turmoil_net::{EnterGuard, Packet as Datagram, TcpSegment, Transport};

use super::{
    cut::CutHere,
    link::{Direction, Effect, Links, RuleId, retransmission},
    watch::{Then, Watch, Watches},
    wire::{Held, Sides, Wires, peer},
};
use crate::{
    span::SpanRange,
    trace::{End, Event, Side, Trace, What, WireId},
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
    hosts: Vec<Named>,
    pub(super) wires: Wires,
    links: Links,
    watches: Watches,
    /// What is under way, by when it arrives and then by when it was sent.
    due: BTreeMap<(Instant, u64), Flight>,
    next_flight: u64,
    resets: Vec<(WireId, Side)>,
    timer: Option<Pin<Box<Sleep>>>,
    trace: Trace,
    /// When a packet was last sent, pings apart, or a connection began or ended.
    busy: Instant,
}

/// A host's name and address.
pub(super) struct Named {
    pub(super) name: String,
    pub(super) address: std::net::IpAddr,
}

struct Flight {
    wire: WireId,
    from: Side,
    segment: TcpSegment,
}

/// Nothing due: look again in a day.
const FAR: Duration = Duration::from_secs(86_400);
/// The grain of virtual time.
const TICK: Duration = Duration::from_millis(1);

/// Puts a network between the hosts of this thread.
pub(super) fn install(guard: EnterGuard, hosts: Vec<Named>, seed: u64, latency: SpanRange, loss_percent: u8) {
    let network = Network {
        guard,
        began: time::Instant::now(),
        hosts,
        wires: Wires::default(),
        links: Links::new(seed, latency, loss_percent),
        watches: Watches::default(),
        due: BTreeMap::new(),
        next_flight: 0,
        resets: Vec::new(),
        timer: None,
        trace: Trace::default(),
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
    if TOUCHED.replace(false) {
        NETWORK.with_borrow_mut(|network| {
            if let Some(network) = network {
                network.collect();
                network.arm();
            }
        });
    }
}

impl Network {
    /// Virtual time since the world began.
    pub(crate) fn now(&self) -> Instant {
        Instant::ZERO + self.began.elapsed()
    }

    /// Writes down what happened just now.
    pub(crate) fn note(&mut self, what: What) {
        let at = self.now();
        if is_busy(&what) {
            self.busy = at;
        }
        self.trace.events.push(Event { at, what });
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
        mem::take(&mut self.trace)
    }

    /// The driver's turn: delivers what is due and says when it wants the next turn.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) {
        if self.deliver_due() {
            touch();
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
        let mut sent = Vec::new();
        loop {
            self.guard.egress_all(&mut sent);
            for datagram in sent.drain(..) {
                self.take(datagram);
            }
            for (wire, side) in mem::take(&mut self.resets) {
                self.reset(wire, side);
            }
            if !self.deliver_due() {
                break;
            }
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

    fn open(&mut self, client: SocketAddr, broker: SocketAddr) {
        let host_of = |address: SocketAddr| self.hosts.iter().position(|host| host.address == address.ip());
        let (Some(client_host), Some(broker_host)) = (host_of(client), host_of(broker)) else {
            return;
        };
        let host = Sides {
            client: client_host,
            broker: broker_host,
        };
        let wire = self.wires.open(Sides { client, broker }, host);
        let client = self.name(client_host).to_owned();
        self.note(What::Opened { wire, client });
    }

    /// Decodes what a segment carries, and finds where a fault cuts it.
    fn observe(&mut self, wire: WireId, from: Side, payload: &Bytes) -> Option<CutHere> {
        if payload.is_empty() {
            return None;
        }
        let tap = &mut self.wires.lane(wire, from).tap;
        let begins = tap.taken();
        tap.take(payload);
        let mut cut = None;
        while let Some(next) = self.wires.lane(wire, from).tap.next() {
            match next {
                Err(error) => self.note(What::Malformed { wire, from, error }),
                Ok(seen) => {
                    let packet = seen.packet.clone();
                    self.note(What::Sent { wire, from, packet });
                    cut = cut.or_else(|| self.matched(wire, from, &seen, begins));
                    let connection = self.wires.wire(wire);
                    if let Packet::Connect(connect) = &seen.packet {
                        connection.lane.broker.tap.learn(connect.version);
                    }
                    let lane = connection.lane.of_mut(from);
                    lane.arriving.push_back((seen.ends, seen.packet));
                }
            }
        }
        cut
    }

    /// Tells who waits for a packet, or finds the cut at it.
    fn matched(&mut self, wire: WireId, from: Side, seen: &super::tap::Seen, begins: u64) -> Option<CutHere> {
        let connection = self.wires.wire(wire);
        if connection.cut.is_some() {
            return None;
        }
        let client = connection.host.client;
        let mut cut = None;
        for then in self.watches.seen(client, from, seen.packet.packet_type()) {
            match then {
                // Who no longer waits need not be told.
                Then::Tell(waiting) => _ = waiting.send(()),
                Then::Cut {
                    step,
                    what,
                    side,
                    mode,
                    tell,
                } => {
                    _ = tell.send(());
                    cut = cut.or(Some(CutHere::new(seen, begins, side, mode)));
                    self.note(What::FaultBegan { step, what });
                    self.note(What::FaultEnded { step, touched: 1 });
                }
            }
        }
        cut
    }

    fn note_close(&mut self, wire: WireId, by: Side, segment: &TcpSegment) {
        let lane = self.wires.lane(wire, by);
        if let Some(how) = end_of(segment)
            && !mem::replace(&mut lane.closed, true)
        {
            self.note(What::Closed { wire, by, how });
        }
    }

    /// Sends a segment on its way, or lets it wait.
    pub(super) fn transmit(&mut self, wire: WireId, from: Side, segment: TcpSegment) {
        let since = self.now();
        let direction = self.direction(wire, from);
        let stopped = self.links.stopped(direction);
        let lane = self.wires.lane(wire, from);
        if stopped == Some(Effect::Block) && segment.flags.rst {
            return;
        }
        if stopped.is_some() || !lane.held.is_empty() {
            lane.held.push_back(Held { since, segment });
        } else {
            self.fly(wire, from, segment, since);
        }
    }

    /// Sends a segment on its way at `departs`.
    fn fly(&mut self, wire: WireId, from: Side, segment: TcpSegment, departs: Instant) {
        let lossy = sequence_length(&segment) > 0;
        let direction = self.direction(wire, from);
        let delay = self.links.delay(direction, lossy, segment.flags.syn);
        let lane = self.wires.lane(wire, from);
        let mut arrives = lane.last_arrival.max(departs + delay);
        if segment.flags.rst {
            // An RST takes what the receiver has not read. Nobody is so slow that data of the moment before are lost to it.
            arrives = arrives.max(lane.last_arrival + TICK);
        }
        lane.last_arrival = arrives;
        self.due
            .insert((arrives, self.next_flight), Flight { wire, from, segment });
        self.next_flight += 1;
    }

    fn deliver_due(&mut self) -> bool {
        let now = self.now();
        let mut any = false;
        while let Some(entry) = self.due.first_entry()
            && entry.key().0 <= now
        {
            let flight = entry.remove();
            self.deliver(flight);
            any = true;
        }
        any
    }

    fn deliver(&mut self, Flight { wire, from, segment }: Flight) {
        let connection = self.wires.wire(wire);
        let to = peer(from);
        let (src, dst) = (connection.address.of(from).ip(), connection.address.of(to).ip());
        let nobody_there = connection.lane.of(to).resetting || connection.lane.of(to).was_reset;
        let lane = connection.lane.of_mut(from);
        lane.arrived += segment.payload.len() as u64;
        let whole = lane.arriving.partition_point(|(ends, _)| *ends <= lane.arrived);
        let packets: Vec<_> = lane.arriving.drain(..whole).collect();
        if !nobody_there {
            for (_, packet) in packets {
                self.note(What::Arrived { wire, from, packet });
            }
            self.note_end(wire, to, &segment);
        }
        self.hand_over(src, dst, segment);
    }

    fn note_end(&mut self, wire: WireId, at: Side, segment: &TcpSegment) {
        let lane = self.wires.lane(wire, at);
        let Some(how) = end_of(segment) else { return };
        if how == End::Reset {
            lane.was_reset = true;
            lane.held.clear();
        }
        if !mem::replace(&mut lane.ended, true) {
            self.note(What::Ended { wire, at, how });
        }
    }

    pub(super) fn hand_over(&self, src: std::net::IpAddr, dst: std::net::IpAddr, segment: TcpSegment) {
        self.guard.deliver(Datagram {
            src,
            dst,
            ttl: 64,
            payload: Transport::Tcp(segment),
        });
    }

    fn direction(&mut self, wire: WireId, from: Side) -> Direction {
        let host = self.wires.wire(wire).host;
        (*host.of(from), *host.of(peer(from)))
    }

    fn name(&self, host: usize) -> &str {
        self.hosts.get(host).map_or("", |host| &host.name)
    }
}

/// What faults and steps do to the network.
impl Network {
    /// The connection between two addresses, and which side `local` is.
    pub(super) fn find(&self, local: SocketAddr, remote: SocketAddr) -> Option<(WireId, Side)> {
        self.wires.find(local, remote)
    }

    /// The task at this side has taken so many bytes of what arrived.
    pub(super) fn read(&mut self, wire: WireId, side: Side, bytes: usize) {
        self.wires.lane(wire, peer(side)).read += bytes as u64;
    }

    /// The process of a host dies: every connection of it is reset. Says how many.
    pub(crate) fn reset_host(&mut self, host: usize) -> u64 {
        let alive: Vec<_> = self
            .wires
            .iter()
            .flat_map(|(id, wire)| [Side::Client, Side::Broker].map(|side| (id, wire, side)))
            .filter(|(_, wire, side)| *wire.host.of(*side) == host && wire.lane.of(*side).is_alive())
            .map(|(id, _, side)| (id, side))
            .collect();
        for (wire, side) in &alive {
            self.reset_side(*wire, *side);
        }
        alive.len() as u64
    }

    /// The socket is closed with data unread, or its process has died: it is reset as soon as what was sent is out.
    pub(super) fn reset_side(&mut self, wire: WireId, side: Side) {
        self.wires.lane(wire, side).resetting = true;
        self.resets.push((wire, side));
        touch();
    }

    /// From now on these directions are so.
    pub(crate) fn add_rule(&mut self, on: Vec<Direction>, effect: Effect) -> RuleId {
        self.links.add(on, effect)
    }

    /// Ends a rule, lets go what waited for it, and says how many segments it touched.
    pub(crate) fn remove_rule(&mut self, rule: RuleId) -> u64 {
        let Some((effect, on, touched)) = self.links.remove(rule) else {
            return 0;
        };
        if matches!(effect, Effect::Block | Effect::Hold) {
            for direction in on {
                self.release(direction, effect);
            }
        }
        touched
    }

    pub(crate) fn watch(&mut self, watch: Watch) {
        self.watches.add(watch);
    }

    /// Lets go what waits in a direction, each connection at its own time.
    fn release(&mut self, direction: Direction, effect: Effect) {
        if self.links.is_stopped(direction) {
            return;
        }
        let waiting: Vec<_> = self
            .wires
            .iter()
            .flat_map(|(id, wire)| [Side::Client, Side::Broker].map(|from| (id, wire, from)))
            .filter(|(_, wire, from)| (*wire.host.of(*from), *wire.host.of(peer(*from))) == direction)
            .filter(|(_, wire, from)| !wire.lane.of(*from).held.is_empty())
            .map(|(id, _, from)| (id, from))
            .collect();
        for (wire, from) in waiting {
            self.release_lane(wire, from, effect);
        }
        touch();
        self.arm();
    }

    fn release_lane(&mut self, wire: WireId, from: Side, effect: Effect) {
        let now = self.now();
        let held = mem::take(&mut self.wires.lane(wire, from).held);
        let Some(first) = held.front() else { return };
        let syn = first.segment.flags.syn;
        if syn && !self.still_connecting(wire, from) {
            return; // Whoever gave up sends no SYN again.
        }
        let departs = match effect {
            Effect::Block => {
                // Only what moves the sequence number on is sent again; acknowledgements come along with it.
                let again = held.iter().find(|held| sequence_length(&held.segment) > 0);
                retransmission(again.unwrap_or(first).since, now, syn)
            }
            Effect::Hold | Effect::Latency(_) | Effect::Loss(_) => now,
        };
        for Held { segment, .. } in held {
            self.fly(wire, from, segment, departs);
        }
    }

    /// Whether the kernel of this side still has the socket in its handshake.
    fn still_connecting(&mut self, wire: WireId, side: Side) -> bool {
        let local = *self.wires.wire(wire).address.of(side);
        let remote = *self.wires.wire(wire).address.of(peer(side));
        turmoil_net::netstat(local.ip())
            .entries
            .iter()
            .any(|socket| socket.local == local && socket.peer == Some(remote))
    }
}

/// A ping keeps a connection alive and moves nothing on.
const fn is_busy(what: &What) -> bool {
    match what {
        What::Sent { packet, .. } => !matches!(packet, Packet::Pingreq | Packet::Pingresp),
        What::Opened { .. } | What::Malformed { .. } | What::Closed { .. } | What::Ended { .. } => true,
        What::Arrived { .. }
        | What::HostDown { .. }
        | What::HostUp { .. }
        | What::FaultBegan { .. }
        | What::FaultEnded { .. }
        | What::Step { .. }
        | What::Healed => false,
    }
}

fn end_of(segment: &TcpSegment) -> Option<End> {
    if segment.flags.rst {
        Some(End::Reset)
    } else if segment.flags.fin {
        Some(End::Fin)
    } else {
        None
    }
}

/// How far a segment moves its sender's sequence number on. What does not move it is never sent again.
fn sequence_length(segment: &TcpSegment) -> u32 {
    let payload = u32::try_from(segment.payload.len()).expect("a segment fits its MTU");
    payload + u32::from(segment.flags.syn) + u32::from(segment.flags.fin)
}
