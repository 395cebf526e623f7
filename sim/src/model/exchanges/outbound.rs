use bytes::Bytes;
use squall_proto::Instant;

use super::Irregularity;
use crate::{
    model::{Wire, Wires},
    trace::{Side, WireId},
};

/// A message that this end sends.
#[derive(Debug)]
pub(crate) struct Outbound {
    pub(crate) payload: Bytes,
    pub(super) stage: Stage,
    /// The connection that the PUBLISH, or since then its PUBREL, was last sent on.
    pub(crate) wire: WireId,
    /// The connection that the PUBLISH was last sent on.
    pub(super) published_on: WireId,
    /// Its place among those that this end sent.
    pub(super) number: u64,
    /// PUBREL has been sent: PUBREC was taken for good.
    pub(super) is_released: bool,
    /// The process that its last acknowledgement reached has ended, and may not have kept it.
    pub(super) is_doubtful: bool,
}

/// ```text
/// Published --PUBACK--> Done
/// Published --PUBREC--> Received --PUBREL sent--> Released --PUBCOMP--> Done
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Published { exactly_once: bool },
    Received(Step),
    Released(Step),
    Done(Step),
}

/// When and on what connection a packet came or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) at: Instant,
    pub(super) wire: WireId,
}

impl Outbound {
    pub(crate) const fn is_unfinished(&self) -> bool {
        !matches!(self.stage, Stage::Done(_))
    }

    /// Whether it is PUBREL's turn, which waits for no quota.
    pub(crate) const fn is_past_publish(&self) -> bool {
        matches!(self.stage, Stage::Received(_) | Stage::Released(_))
    }

    /// What is missing.
    pub(crate) const fn awaits(&self) -> &'static str {
        match self.stage {
            Stage::Published { exactly_once: false } => "PUBACK",
            Stage::Published { exactly_once: true } => "PUBREC",
            Stage::Received(_) => "PUBREL",
            Stage::Released(_) => "PUBCOMP",
            Stage::Done(_) => "nothing",
        }
    }

    /// The client ends it by itself.
    pub(super) const fn give_up(&mut self) {
        let (at, wire) = (Instant::ZERO, self.wire);
        self.stage = Stage::Done(Step { at, wire });
    }

    /// Its PUBREL leaves.
    pub(super) fn release(&mut self, here: Step, wires: &Wires, side: Side) -> Result<(), Irregularity> {
        match self.stage {
            // [MQTT-4.4.0-1] 3.1.1 does not forbid it.
            Stage::Released(_) if self.wire == here.wire => Err(Irregularity::ResentWithoutReconnect),
            Stage::Done(step) if !self.is_doubtful && !step.may_be_unread(here, wires, side) => {
                Err(Irregularity::UnknownPubrel)
            }
            Stage::Received(step) | Stage::Released(step) | Stage::Done(step) => {
                self.stage = Stage::Released(step);
                self.wire = here.wire;
                (self.is_released, self.is_doubtful) = (true, false);
                Ok(())
            }
            Stage::Published { .. } => Err(Irregularity::UnknownPubrel),
        }
    }

    /// Whether the same message may be sent with the same Packet Identifier once more.
    pub(super) fn may_be_resent(
        &self,
        here: Step,
        dup: bool,
        wires: &Wires,
        side: Side,
    ) -> Result<(), Irregularity> {
        let is_doubtful = self.is_doubtful && !self.is_released;
        match self.stage {
            // [MQTT-4.4.0-1] 3.1.1 does not forbid it.
            Stage::Published { .. } if self.wire == here.wire => Err(Irregularity::ResentWithoutReconnect),
            // [MQTT-3.3.1-1] [v3 MQTT-3.3.1-1]
            Stage::Published { .. } if !dup => Err(Irregularity::NoDupOnResend),
            Stage::Done(step) if dup && !is_doubtful && !step.may_be_unread(here, wires, side) => {
                Err(Irregularity::ResentAcknowledged)
            }
            // [MQTT-4.3.3-6] [v3 MQTT-4.3.3-1]
            Stage::Received(step) | Stage::Released(step)
                if !is_doubtful && !step.may_be_unread(here, wires, side) =>
            {
                Err(Irregularity::ResentAcknowledged)
            }
            Stage::Received(_) | Stage::Released(_) if !dup => Err(Irregularity::NoDupOnResend),
            Stage::Published { .. } | Stage::Received(_) | Stage::Released(_) | Stage::Done(_) => Ok(()),
        }
    }
}

impl Step {
    /// Whether the acknowledgement reached the host but perhaps not its process: a reset threw it away, or the process had
    /// turned to another connection, `here`, at that very moment.
    fn may_be_unread(self, here: Self, wires: &Wires, side: Side) -> bool {
        let reached_it_with = self.wire != here.wire && self.at == here.at;
        let was_deaf = |wire: &Wire| side == Side::Broker && wires.was_left_unread(wire, self.at);
        let ended_with = |wire: &Wire| {
            wire.was_reset_at(side, self.at) || wire.was_left_at(side, self.at) || was_deaf(wire)
        };
        reached_it_with || wires.get(self.wire).is_some_and(ended_with)
    }
}
