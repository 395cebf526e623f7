use super::reader::Reader;
use crate::{Connack, Connect, DecodeError, Qos, ReasonCode, Version, Will, property::Place};

impl Reader {
    /// The protocol name and level that a CONNECT begins with.
    // [MQTT-3.1.2-1] [MQTT-3.1.2-2] [v3 MQTT-3.1.2-1] [v3 MQTT-3.1.2-2]
    pub(super) fn protocol(&mut self) -> Result<Version, DecodeError> {
        let name = self.binary()?;
        let level = self.u8()?;
        match (&*name, level) {
            (b"MQTT", level) => {
                Version::from_level(level).ok_or(DecodeError::UnsupportedProtocolLevel(level))
            }
            // The protocol of version 3.1.
            (b"MQIsdp", 3) => Err(DecodeError::UnsupportedProtocolLevel(level)),
            (_, _) => Err(DecodeError::ProtocolName),
        }
    }

    /// What follows the protocol level.
    // [MQTT-3.1.3-1] [v3 MQTT-3.1.3-1] The fields come in this order.
    pub(super) fn connect(&mut self, version: Version) -> Result<Connect, DecodeError> {
        let flags = ConnectFlags::new(version, self.u8()?)?;
        let keep_alive = self.u16()?;
        let properties = self.properties(version, Place::Connect)?;
        // [MQTT-3.1.3-3] [MQTT-3.1.3-4] [v3 MQTT-3.1.3-3] [v3 MQTT-3.1.3-4]
        let client_id = self.text()?;
        // [MQTT-3.1.2-9] [v3 MQTT-3.1.2-9]
        let will = flags
            .will
            .map(|(qos, retain)| self.will(version, qos, retain))
            .transpose()?;
        // [MQTT-3.1.2-16] [MQTT-3.1.2-17] [MQTT-3.1.3-12] [v3 MQTT-3.1.2-18] [v3 MQTT-3.1.2-19] [v3 MQTT-3.1.3-11]
        let user_name = flags.user_name.then(|| self.text()).transpose()?;
        // [MQTT-3.1.2-18] [MQTT-3.1.2-19] [v3 MQTT-3.1.2-20] [v3 MQTT-3.1.2-21]
        let password = flags.password.then(|| self.binary()).transpose()?;
        Ok(Connect {
            version,
            clean_start: flags.clean_start,
            keep_alive,
            client_id,
            will,
            user_name,
            password,
            properties,
        })
    }

    // [MQTT-3.1.3-11] [v3 MQTT-3.1.3-10]
    fn will(&mut self, version: Version, qos: Qos, retain: bool) -> Result<Will, DecodeError> {
        let properties = self.properties(version, Place::Will)?;
        let topic = self.topic_name()?;
        let payload = self.binary()?;
        Ok(Will {
            topic,
            payload,
            qos,
            retain,
            properties,
        })
    }

    pub(super) fn connack(&mut self, version: Version) -> Result<Connack, DecodeError> {
        let flags = self.u8()?;
        // [MQTT-3.2.2-1]
        if flags > 1 {
            return Err(DecodeError::ConnackReservedFlags(flags));
        }
        let session_present = flags == 1;
        let reason_code = match version {
            Version::V3_1_1 => self.code(ReasonCode::from_connect_return_code)?,
            Version::V5 => self.reason_code()?,
        };
        // [MQTT-3.2.2-6] [v3 MQTT-3.2.2-4]
        if session_present && reason_code != ReasonCode::Success {
            return Err(DecodeError::SessionPresentOnRefusal);
        }
        Ok(Connack {
            session_present,
            reason_code,
            properties: self.properties(version, Place::Connack)?,
        })
    }
}

/// The Connect Flags.
struct ConnectFlags {
    clean_start: bool,
    /// Will QoS and Will Retain.
    will: Option<(Qos, bool)>,
    user_name: bool,
    password: bool,
}

impl ConnectFlags {
    fn new(version: Version, flags: u8) -> Result<Self, DecodeError> {
        let bit = |number: u8| flags >> number & 1 == 1;
        // [MQTT-3.1.2-3] [v3 MQTT-3.1.2-3] [X5-3.1.2.3-1]
        if bit(0) {
            return Err(DecodeError::ConnectReservedFlag);
        }
        let (user_name, password) = (bit(7), bit(6));
        // [v3 MQTT-3.1.2-22]
        if version == Version::V3_1_1 && password && !user_name {
            return Err(DecodeError::PasswordWithoutUserName);
        }
        Ok(Self {
            clean_start: bit(1),
            will: will_flags(bit(2), flags >> 3 & 3, bit(5))?,
            user_name,
            password,
        })
    }
}

fn will_flags(will: bool, qos: u8, retain: bool) -> Result<Option<(Qos, bool)>, DecodeError> {
    // [MQTT-3.1.2-12] [v3 MQTT-3.1.2-14] [X5-3.1.2.6-1]
    let qos = Qos::from_value(qos).ok_or(DecodeError::WillQosThree)?;
    if will {
        return Ok(Some((qos, retain)));
    }
    // [MQTT-3.1.2-11] [v3 MQTT-3.1.2-11] [v3 MQTT-3.1.2-13]
    if qos != Qos::AtMostOnce {
        return Err(DecodeError::WillQosWithoutWill);
    }
    // [MQTT-3.1.2-13] [v3 MQTT-3.1.2-15]
    if retain {
        return Err(DecodeError::WillRetainWithoutWill);
    }
    Ok(None)
}
