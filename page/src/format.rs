//! Numbers and lengths as the page writes them, in both languages alike: a point before the decimals, a narrow
//! space before the unit.

/// The space between a number and its unit: narrow, and no line breaks at it.
const UNIT_SPACE: char = '\u{202f}';

/// A length of time in milliseconds: `0.42 ms`, `12.3 ms`, `140 ms`, `1.25 s`.
pub fn milliseconds(value: f64) -> String {
    let value = value.max(0.0);
    match value {
        ..1.0 => format!("{value:.2}{UNIT_SPACE}ms"),
        ..100.0 => format!("{value:.1}{UNIT_SPACE}ms"),
        ..1000.0 => format!("{value:.0}{UNIT_SPACE}ms"),
        _ => format!("{:.2}{UNIT_SPACE}s", value / 1000.0),
    }
}

/// A point in time in milliseconds since the start: `+12.3 ms`.
pub fn since_start(at: f64) -> String {
    if at < 1000.0 { format!("+{at:.1}{UNIT_SPACE}ms") } else { format!("+{}", milliseconds(at)) }
}

/// A time since the start as the `datetime` of a `<time>` element, a duration in seconds.
pub fn duration_attribute(at: f64) -> String {
    format!("PT{:.4}S", at / 1000.0)
}

/// A number of bytes: `512 B`, `1.2 kB`, `256 KiB`. Powers of two are written as such, because limits are often
/// set that way.
pub fn bytes(value: u32) -> String {
    match value {
        ..1000 => format!("{value}{UNIT_SPACE}B"),
        _ if value.is_multiple_of(1024 * 1024) => format!("{}{UNIT_SPACE}MiB", value / (1024 * 1024)),
        _ if value.is_multiple_of(1024) => format!("{}{UNIT_SPACE}KiB", value / 1024),
        _ => format!("{:.1}{UNIT_SPACE}kB", f64::from(value) / 1000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_about_three_digits() {
        for (value, text) in
            [(-0.1, "0.00 ms"), (0.418, "0.42 ms"), (12.34, "12.3 ms"), (140.2, "140 ms"), (1250.0, "1.25 s")]
        {
            assert_eq!(milliseconds(value).replace(UNIT_SPACE, " "), text);
        }
        assert_eq!(since_start(0.04).replace(UNIT_SPACE, " "), "+0.0 ms");
        assert_eq!(since_start(5210.0).replace(UNIT_SPACE, " "), "+5.21 s");
        assert_eq!(duration_attribute(12.3), "PT0.0123S");
    }

    #[test]
    fn bytes_are_binary_only_where_they_come_out_even() {
        for (value, text) in
            [(0, "0 B"), (999, "999 B"), (1234, "1.2 kB"), (262_144, "256 KiB"), (1_048_576, "1 MiB")]
        {
            assert_eq!(bytes(value).replace(UNIT_SPACE, " "), text);
        }
    }
}
