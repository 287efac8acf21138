//! Figures as Markdown.

use std::{fmt::Display, time::Duration};

/// A table that is printed row by row.
#[derive(Debug)]
pub(crate) struct Table {
    columns: usize,
}

impl Table {
    /// Prints the head.
    pub(crate) fn new(columns: &[&str]) -> Self {
        println!("| {} |", columns.join(" | "));
        println!("|{}", "---|".repeat(columns.len()));
        Self { columns: columns.len() }
    }

    /// Prints a row; missing cells stay empty.
    pub(crate) fn row(&self, cells: &[&dyn Display]) {
        let mut cells: Vec<String> = cells.iter().map(ToString::to_string).collect();
        cells.resize(self.columns, String::new());
        println!("| {} |", cells.join(" | "));
    }
}

/// Milliseconds with two digits.
pub(crate) fn millis(microseconds: u64) -> String {
    format!("{:.2} ms", Duration::from_micros(microseconds).as_secs_f64() * 1e3)
}

/// Seconds with two digits.
pub(crate) fn seconds(duration: Duration) -> String {
    format!("{:.2} s", duration.as_secs_f64())
}

/// KiB as MiB.
pub(crate) fn mib(kib: u64) -> String {
    format!("{}.{} MiB", kib / 1024, kib % 1024 * 10 / 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_carry_their_units() {
        assert_eq!(millis(1234), "1.23 ms");
        assert_eq!(seconds(Duration::from_millis(61_500)), "61.50 s");
        assert_eq!(mib(1536), "1.5 MiB");
    }
}
