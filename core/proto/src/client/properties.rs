use core::mem::discriminant;

use super::Misuse;
use crate::{Properties, Property, Version};

/// Whether the application may give these properties where `allowed` tells what may stand; only User Property stands twice.
pub(super) fn check(
    version: Version,
    properties: &Properties,
    allowed: impl Fn(&Property) -> bool,
) -> Result<(), Misuse> {
    if version == Version::V3_1_1 && !properties.is_empty() {
        return Err(Misuse::NeedsVersion5("properties"));
    }
    for (at, property) in properties.iter().enumerate() {
        let again = properties
            .iter()
            .take(at)
            .any(|earlier| discriminant(earlier) == discriminant(property));
        if !allowed(property) || (again && !matches!(property, Property::UserProperty(..))) {
            return Err(Misuse::PropertyNotAllowed);
        }
    }
    Ok(())
}
