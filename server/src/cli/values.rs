//! How the values of flags are written.

use std::{fmt, net::IpAddr, num::NonZeroUsize, str::FromStr, time::Duration};

use tracing_subscriber::EnvFilter;

/// A duration such as `500ms` or `2m 30s`, above zero.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    let time = any_time(text)?;
    if time.is_zero() { Err("must be above zero".to_owned()) } else { Ok(time) }
}

/// As [`time()`], or `0`.
pub(super) fn any_time(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| format!("{error}, as in 500ms, 30s or 2m"))
}

/// A number above zero.
pub(super) fn number(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("there must be room for one".to_owned()),
        Ok(number) => Ok(number),
        Err(error) => Err(format!("not a number: {error}")),
    }
}

/// A number of threads.
pub(super) fn workers(text: &str) -> Result<NonZeroUsize, String> {
    const MAX: usize = 256;
    let number = text.parse().ok().filter(|number: &NonZeroUsize| number.get() <= MAX);
    number.ok_or_else(|| format!("not a number from 1 to {MAX}"))
}

/// A number of bytes above zero, also in KiB, MiB or GiB.
pub(super) fn bytes(text: &str) -> Result<usize, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return Err("not a number of bytes, as in 65536, 64KiB, 1MiB or 2GiB".to_owned()),
    };
    let bytes = number(digits.trim_end())?.checked_mul(unit);
    bytes.ok_or_else(|| "too large".to_owned())
}

/// The size of a message. Larger ones than 16 MiB no browser sends.
pub(super) fn message_bytes(text: &str) -> Result<u32, String> {
    const MAX: u32 = 16 * 1024 * 1024;
    let bytes = u32::try_from(bytes(text)?).ok().filter(|bytes| *bytes <= MAX);
    bytes.ok_or_else(|| "no more than 16MiB".to_owned())
}

/// The filter as it was written: a parsed [`EnvFilter`] cannot be cloned, as clap asks.
pub(super) fn log_filter(text: &str) -> Result<String, String> {
    EnvFilter::try_new(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

/// An address of this server, or a name that stands for some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    Address(IpAddr),
    Name(String),
}

impl FromStr for Host {
    type Err = String;

    /// Names are those of DNS (RFC 1123, 2.1); one that ends in a number would be an address gone wrong.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(address) = text.trim_matches(['[', ']']).parse() {
            return Ok(Self::Address(address));
        }
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let name = text.trim_end_matches('.');
        let ends_in_number =
            name.rsplit('.').next().is_some_and(|label| label.bytes().all(|byte| byte.is_ascii_digit()));
        if name.len() <= 253 && name.split('.').all(is_label) && !ends_in_number {
            Ok(Self::Name(name.to_ascii_lowercase()))
        } else {
            Err("neither an IP address, as in 192.0.2.1 or 2001:db8::1, nor a name, as in rtc.example.org"
                .to_owned())
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_may_have_a_unit() {
        for (text, expected) in
            [("1", Some(1)), ("64KiB", Some(65_536)), ("1 mib", Some(1 << 20)), ("2GiB", Some(2 << 30))]
        {
            assert_eq!(bytes(text).ok(), expected, "{text}");
        }
        for text in ["", "0", "KiB", "1kB", "1.5MiB", "-1", "99999999999999GiB"] {
            bytes(text).unwrap_err();
        }
        assert_eq!(message_bytes("16MiB"), Ok(16 << 20));
        message_bytes("16777217").unwrap_err();
    }

    #[test]
    fn a_host_is_an_address_or_a_name() {
        assert_eq!("192.0.2.1".parse(), Ok(Host::Address([192, 0, 2, 1].into())));
        assert!(matches!("2001:db8::1".parse(), Ok(Host::Address(_))));
        assert!(matches!("[2001:db8::1]".parse(), Ok(Host::Address(_))));
        assert_eq!("RTC.example.org.".parse(), Ok(Host::Name("rtc.example.org".to_owned())));
        assert_eq!("localhost".parse(), Ok(Host::Name("localhost".to_owned())));
        for text in ["", ".", "a..b", "-a", "a-", "a b", "192.0.2.256", "192.0.2", "https://a", "a:80", "ñ"]
        {
            text.parse::<Host>().unwrap_err();
        }
    }
}
