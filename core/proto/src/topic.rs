use core::{fmt, ops::Deref};

use bytes::Bytes;

use crate::{Text, TextError};

/// A Topic Name: not empty, no wildcard characters. Cloning shares the bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicName(Text);

/// A Topic Filter: not empty, wildcards only where they may stand, `$share/{ShareName}/{filter}` well formed where it is that of
/// a shared subscription.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicFilter {
    text: Text,
    /// Where what topics are matched with begins: after `$share/{ShareName}/`, otherwise 0.
    levels_at: u16,
}

/// Why a string is no Topic Name or Topic Filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    /// Not a legal string in the first place.
    #[error(transparent)]
    Text(#[from] TextError),
    /// A Topic Name or Topic Filter has at least one character.
    #[error("the topic is empty")]
    Empty,
    /// `+` or `#` in a Topic Name.
    #[error("a topic name contains a wildcard character")]
    WildcardInName,
    /// `#` not alone in the last level.
    #[error("`#` must be alone in the last level of a topic filter")]
    MultiLevelWildcard,
    /// `+` shares its level with other characters.
    #[error("`+` must be alone in its level of a topic filter")]
    SingleLevelWildcard,
    /// `$share/` without a ShareName.
    #[error("`$share/` is not followed by a share name")]
    EmptyShareName,
    /// `+` or `#` in a ShareName.
    #[error("a share name contains a wildcard character")]
    WildcardInShareName,
    /// `$share/{ShareName}` without a Topic Filter after it.
    #[error("`$share/` and the share name are not followed by a topic filter")]
    ShareWithoutFilter,
}

impl TopicName {
    /// Copies `topic`.
    pub fn new(topic: &str) -> Result<Self, TopicError> {
        Self::from_text(Text::new(topic)?)
    }

    /// Takes the bytes without copying them.
    pub fn from_bytes(bytes: Bytes) -> Result<Self, TopicError> {
        Self::from_text(Text::from_bytes(bytes)?)
    }

    /// Takes a string without copying it.
    // [MQTT-3.3.2-2] [MQTT-4.7.0-1] [MQTT-4.7.3-1] [v3 MQTT-3.3.2-2] [v3 MQTT-4.7.1-1] [v3 MQTT-4.7.3-1]
    pub fn from_text(text: Text) -> Result<Self, TopicError> {
        if text.is_empty() {
            return Err(TopicError::Empty);
        }
        // Without a way out in the middle this is a few instructions for sixteen bytes.
        let is_wildcard = |byte: &u8| matches!(byte, b'+' | b'#');
        if text
            .bytes()
            .iter()
            .fold(false, |any, byte| any | is_wildcard(byte))
        {
            return Err(TopicError::WildcardInName);
        }
        Ok(Self(text))
    }

    /// The same in bytes of its own, which keep no larger buffer alive.
    pub fn detached(&self) -> Self {
        Self(self.0.detached())
    }

    /// The bytes, shared with whatever they were cut from.
    pub fn bytes(&self) -> &Bytes {
        self.0.bytes()
    }

    /// The string.
    pub const fn text(&self) -> &Text {
        &self.0
    }
}

impl TopicFilter {
    /// Copies `filter`, which is read as 5.0 has it.
    pub fn new(filter: &str) -> Result<Self, TopicError> {
        Self::from_text(Text::new(filter)?)
    }

    /// Takes the bytes without copying them; they are read as 5.0 has it.
    pub fn from_bytes(bytes: Bytes) -> Result<Self, TopicError> {
        Self::from_text(Text::from_bytes(bytes)?)
    }

    /// Takes a string without copying it. As 5.0 has it, one that begins with `$share/` is a shared subscription's.
    pub fn from_text(text: Text) -> Result<Self, TopicError> {
        if text.is_empty() {
            return Err(TopicError::Empty);
        }
        let levels = match text.strip_prefix(SHARE) {
            Some(shared) => filter_of_share(shared)?,
            None => text.as_str(),
        };
        check_wildcards(levels)?;
        let levels_at =
            u16::try_from(text.len() - levels.len()).map_err(|_| TextError::TooLong(text.len()))?;
        Ok(Self { text, levels_at })
    }

    /// Takes a string without copying it. As 3.1.1 has it, `$share/` at its beginning is a level like any other.
    pub fn not_shared(text: Text) -> Result<Self, TopicError> {
        if text.is_empty() {
            return Err(TopicError::Empty);
        }
        check_wildcards(&text)?;
        Ok(Self { text, levels_at: 0 })
    }

    /// The ShareName of a shared subscription's filter.
    pub fn share_name(&self) -> Option<&str> {
        let end = usize::from(self.levels_at).checked_sub(1)?;
        self.text.get(SHARE.len()..end)
    }

    /// What topics are matched with: the filter without the `$share/{ShareName}/` of a shared subscription.
    pub fn levels(&self) -> &str {
        self.text.get(usize::from(self.levels_at)..).unwrap_or_default()
    }

    /// Whether `+` or `#` stands in it.
    pub fn has_wildcard(&self) -> bool {
        self.levels().bytes().any(|byte| matches!(byte, b'+' | b'#'))
    }

    /// Whether the filter matches `topic`, by comparing level by level. Brokers with many filters use a
    /// [`SubscriptionTree`](crate::SubscriptionTree).
    // [MQTT-4.7.2-1] [v3 MQTT-4.7.2-1] A leading wildcard does not match a topic that begins with `$`.
    pub fn matches(&self, topic: &TopicName) -> bool {
        let filter = self.levels();
        if topic.starts_with('$') && filter.starts_with(['+', '#']) {
            return false;
        }
        let mut levels = topic.split('/');
        for wanted in filter.split('/') {
            if wanted == "#" {
                return true;
            }
            match levels.next() {
                Some(level) if wanted == "+" || wanted == level => {}
                Some(_) | None => return false,
            }
        }
        levels.next().is_none()
    }

    /// The same in bytes of its own, which keep no larger buffer alive.
    pub(crate) fn detached(&self) -> Self {
        Self {
            text: self.text.detached(),
            levels_at: self.levels_at,
        }
    }

    /// The bytes, shared with whatever they were cut from.
    pub fn bytes(&self) -> &Bytes {
        self.text.bytes()
    }

    /// The string.
    pub const fn text(&self) -> &Text {
        &self.text
    }
}

/// What the Topic Filter of a shared subscription begins with.
const SHARE: &str = "$share/";

// [MQTT-4.8.2-1] [MQTT-4.8.2-2]
fn filter_of_share(shared: &str) -> Result<&str, TopicError> {
    let (name, levels) = shared.split_once('/').unwrap_or((shared, ""));
    if name.is_empty() {
        Err(TopicError::EmptyShareName)
    } else if name.contains(['+', '#']) {
        Err(TopicError::WildcardInShareName)
    } else if levels.is_empty() {
        Err(TopicError::ShareWithoutFilter)
    } else {
        Ok(levels)
    }
}

// [MQTT-4.7.1-1] [MQTT-4.7.1-2] [v3 MQTT-4.7.1-2] [v3 MQTT-4.7.1-3]
fn check_wildcards(filter: &str) -> Result<(), TopicError> {
    let mut levels = filter.split('/').peekable();
    while let Some(level) = levels.next() {
        if level.contains('#') && (level != "#" || levels.peek().is_some()) {
            return Err(TopicError::MultiLevelWildcard);
        }
        if level.contains('+') && level != "+" {
            return Err(TopicError::SingleLevelWildcard);
        }
    }
    Ok(())
}

macro_rules! text_like {
    ($($name:ident),*) => {$(
        impl Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                self.text().as_str()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.text(), f)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self.text(), f)
            }
        }
    )*};
}

text_like!(TopicName, TopicFilter);

#[cfg(test)]
mod tests;
