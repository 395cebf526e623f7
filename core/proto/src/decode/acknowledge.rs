use alloc::vec::Vec;

use super::reader::Reader;
use crate::{
    Ack, Auth, DecodeError, Disconnect, Properties, ReasonCode, Suback, Unsuback, Version, property::Place,
};

impl Reader {
    /// PUBACK, PUBREC, PUBREL or PUBCOMP: `place` says which.
    pub(super) fn ack(&mut self, version: Version, place: Place) -> Result<Ack, DecodeError> {
        let packet_id = self.packet_id()?;
        let (reason_code, properties) = self.reason(version, place)?;
        Ok(Ack {
            packet_id,
            reason_code,
            properties,
        })
    }

    pub(super) fn suback(&mut self, version: Version) -> Result<Suback, DecodeError> {
        let packet_id = self.packet_id()?;
        let properties = self.properties(version, Place::Suback)?;
        if self.is_empty() {
            return Err(DecodeError::EmptySuback);
        }
        let reason_codes = self.reason_codes(|reader| match version {
            // [v3 MQTT-3.9.3-2]
            Version::V3_1_1 => reader.code(ReasonCode::from_suback_return_code),
            Version::V5 => reader.reason_code(),
        })?;
        Ok(Suback {
            packet_id,
            reason_codes,
            properties,
        })
    }

    pub(super) fn unsuback(&mut self, version: Version) -> Result<Unsuback, DecodeError> {
        let packet_id = self.packet_id()?;
        let properties = self.properties(version, Place::Unsuback)?;
        let reason_codes = match version {
            Version::V3_1_1 => Vec::new(),
            Version::V5 if self.is_empty() => return Err(DecodeError::EmptyUnsuback),
            Version::V5 => self.reason_codes(Self::reason_code)?,
        };
        Ok(Unsuback {
            packet_id,
            reason_codes,
            properties,
        })
    }

    pub(super) fn disconnect(&mut self, version: Version) -> Result<Disconnect, DecodeError> {
        let (reason_code, properties) = self.reason(version, Place::Disconnect)?;
        Ok(Disconnect {
            reason_code,
            properties,
        })
    }

    /// AUTH, which 3.1.1 does not have.
    pub(super) fn auth(&mut self) -> Result<Auth, DecodeError> {
        if self.is_empty() {
            return Ok(Auth {
                reason_code: ReasonCode::Success,
                properties: Properties::new(),
            });
        }
        let reason_code = self.reason_code()?;
        // Unlike other packets AUTH has no form with a Reason Code alone.
        let properties = self.properties(Version::V5, Place::Auth)?;
        // [MQTT-4.12.0-5] [X5-3.15.2.2.2-1]
        if properties.authentication_method().is_none() {
            return Err(DecodeError::AuthWithoutMethod);
        }
        Ok(Auth {
            reason_code,
            properties,
        })
    }

    /// A Reason Code of 5.0 that the packet may have.
    // [MQTT-3.2.2-8] [MQTT-3.4.2-1] [MQTT-3.5.2-1] [MQTT-3.6.2-1] [MQTT-3.7.2-1] [MQTT-3.9.3-2] [MQTT-3.11.3-2]
    // [MQTT-3.14.2-1] [MQTT-3.15.2-1]
    pub(super) fn reason_code(&mut self) -> Result<ReasonCode, DecodeError> {
        let packet_type = self.packet_type();
        self.code(|value| ReasonCode::from_value(value).filter(|code| code.allowed_in(packet_type)))
    }

    /// A byte that `reason_code` knows.
    pub(super) fn code(
        &mut self,
        reason_code: impl FnOnce(u8) -> Option<ReasonCode>,
    ) -> Result<ReasonCode, DecodeError> {
        let position = self.position();
        let value = self.u8()?;
        reason_code(value).ok_or(DecodeError::ReasonCode(position, value))
    }

    /// All that is left.
    fn reason_codes(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<ReasonCode, DecodeError>,
    ) -> Result<Vec<ReasonCode>, DecodeError> {
        let mut reason_codes = Vec::new();
        while !self.is_empty() {
            reason_codes.push(read(self)?);
        }
        Ok(reason_codes)
    }

    /// A Reason Code and properties; Success and none where the packet ends before them, or in 3.1.1.
    fn reason(&mut self, version: Version, place: Place) -> Result<(ReasonCode, Properties), DecodeError> {
        if version == Version::V3_1_1 || self.is_empty() {
            return Ok((ReasonCode::Success, Properties::new()));
        }
        let reason_code = self.reason_code()?;
        if self.is_empty() {
            return Ok((reason_code, Properties::new()));
        }
        Ok((reason_code, self.properties(version, place)?))
    }
}
