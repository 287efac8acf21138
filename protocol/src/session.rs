//! The name of a session.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The name of a session: 128 random bits, written as 32 hexadecimal digits. Whoever knows it may end the
/// session, so it is drawn at random and never counted up.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId([u8; 16]);

impl SessionId {
    /// How many digits it has.
    pub(crate) const DIGITS: usize = 32;

    /// The id made of these 16 bytes, which the caller draws from a cryptographic source.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl SessionId {
    /// The first 8 digits, which tell sessions apart in a log without giving anybody power over them.
    pub fn prefix(&self) -> String {
        let mut digits = self.digits();
        digits.truncate(8);
        digits
    }

    /// All digits, as [`Display`](fmt::Display) gives them.
    pub fn digits(&self) -> String {
        let mut digits = String::with_capacity(Self::DIGITS);
        for byte in self.0 {
            for value in [byte >> 4, byte & 15] {
                digits.push(char::from(if value < 10 { b'0' + value } else { b'a' - 10 + value }));
            }
        }
        digits
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.digits())
    }
}

/// Its [prefix](SessionId::prefix): what is printed to look for a fault ends in logs.
impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.prefix())
    }
}

/// The text is not a session id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a session id is 32 lower-case hexadecimal digits")]
pub struct SessionIdError;

impl FromStr for SessionId {
    type Err = SessionIdError;

    fn from_str(text: &str) -> Result<Self, SessionIdError> {
        let digit = |digit| match digit {
            b'0'..=b'9' => Ok(digit - b'0'),
            b'a'..=b'f' => Ok(digit - b'a' + 10),
            _ => Err(SessionIdError),
        };
        if text.len() != Self::DIGITS {
            return Err(SessionIdError);
        }
        let mut bytes = [0; 16];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for SessionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SessionId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_back_as_it_was_written() {
        let id = SessionId::from_bytes(*b"\x00\x01\xfe\xff0123456789ab");
        assert_eq!(id.to_string(), "0001feff303132333435363738396162");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.prefix(), "0001feff");
        assert_eq!(format!("{id:?}"), "0001feff", "a log gives nobody power over the session");
    }

    #[test]
    fn anything_but_32_lower_case_digits_is_refused() {
        for text in
            ["", "0", "0001FEFF303132333435363738396162", "0001feff30313233343536373839616", "ñ", "../etc"]
        {
            assert_eq!(text.parse::<SessionId>(), Err(SessionIdError), "{text:?}");
        }
    }
}
