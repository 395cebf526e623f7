use alloc::vec::Vec;

use super::{Event, Failure, Misuse, Output, Subscription, Ticket, Unsubscription, connection::Connection};
use crate::{Packet, PacketId, RetainHandling, Subscribe};

/// Something the server answers with SUBACK or UNSUBACK.
#[derive(Debug)]
pub(super) enum Request {
    Subscribe(Ticket, Subscription),
    Unsubscribe(Ticket, Unsubscription),
    /// The client's own, to renew what it was granted.
    Resubscribe {
        /// As the application asked for it.
        subscription: Subscription,
        /// Whether the server may have it already, and need not send retained messages again.
        may_exist: bool,
    },
}

impl Request {
    pub(super) fn packet(&self, packet_id: PacketId) -> Packet {
        match self {
            Self::Subscribe(_, subscription) => subscription.packet(packet_id),
            Self::Unsubscribe(_, unsubscription) => unsubscription.packet(packet_id),
            Self::Resubscribe {
                subscription,
                may_exist,
            } => renewal(subscription, *may_exist, packet_id),
        }
    }

    pub(super) fn permitted(&self, connection: &Connection, packet: &Packet) -> Result<(), Misuse> {
        match self {
            Self::Subscribe(_, subscription) | Self::Resubscribe { subscription, .. } => {
                connection.permits_subscription(subscription, packet)
            }
            Self::Unsubscribe(..) => connection.permits_size(packet),
        }
    }

    /// A renewal of several subscriptions as one of each; the request itself where it is of one, or was asked for as it is.
    pub(super) fn apart(self) -> Result<Vec<Self>, Self> {
        match self {
            Self::Resubscribe {
                subscription,
                may_exist,
            } if subscription.filters.len() > 1 => {
                let properties = subscription.properties;
                let one = |filter| Self::Resubscribe {
                    subscription: Subscription {
                        filters: [filter].into(),
                        properties: properties.clone(),
                    },
                    may_exist,
                };
                Ok(subscription.filters.into_iter().map(one).collect())
            }
            Self::Subscribe(..) | Self::Unsubscribe(..) | Self::Resubscribe { .. } => Err(self),
        }
    }

    pub(super) fn fail(self, misuse: Misuse, out: &mut impl Output) {
        let result = Err(Failure::Misuse(misuse));
        match self {
            Self::Subscribe(ticket, _) => out.event(Event::Subscribed { ticket, result }),
            Self::Unsubscribe(ticket, _) => out.event(Event::Unsubscribed { ticket, result }),
            Self::Resubscribe { subscription, .. } => {
                for (filter, _) in subscription.filters {
                    let reason_code = misuse.reason_code();
                    out.event(Event::SubscriptionLost { filter, reason_code });
                }
            }
        }
    }
}

/// Asks for retained messages once: Retain Handling 1 where the application said 0 and the server may have the subscription.
fn renewal(subscription: &Subscription, may_exist: bool, packet_id: PacketId) -> Packet {
    let filters = subscription.filters.iter().map(|(filter, options)| {
        let mut options = *options;
        if may_exist && options.retain_handling == RetainHandling::Send {
            options.retain_handling = RetainHandling::SendIfNew;
        }
        (filter.clone(), options)
    });
    Packet::Subscribe(Subscribe {
        packet_id,
        filters: filters.collect(),
        properties: subscription.properties.clone(),
    })
}
