//! The README's table: between two markers, which nothing else writes.

use anyhow::{Context, Result, ensure};

const BEGIN: &str = "<!-- bench:begin -->";
const END: &str = "<!-- bench:end -->";

/// The text with this between its markers.
pub(crate) fn replaced(text: &str, table: &str) -> Result<String> {
    let (before, rest) = text.split_once(BEGIN).with_context(|| format!("it has no {BEGIN}"))?;
    let (_, after) = rest.split_once(END).with_context(|| format!("it has no {END} after {BEGIN}"))?;
    ensure!(!after.contains(BEGIN), "it has {BEGIN} twice");
    Ok(format!("{before}{BEGIN}\n{}\n{END}{after}", table.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_markers_changes() {
        let text = format!("# Title\n\n{BEGIN}\nold\n{END}\n\nmore\n");
        let replaced = replaced(&text, "| new |\n").unwrap();
        assert_eq!(replaced, format!("# Title\n\n{BEGIN}\n| new |\n{END}\n\nmore\n"));
        assert_eq!(super::replaced(&replaced, "| new |").unwrap(), replaced);
    }

    #[test]
    fn a_text_without_its_markers_is_not_touched() {
        let fault = |text: &str| replaced(text, "").unwrap_err().to_string();
        assert!(fault("nothing").contains(BEGIN));
        assert!(fault(BEGIN).contains(END));
        assert!(fault(&format!("{END}{BEGIN}")).contains(END));
        assert!(fault(&format!("{BEGIN}{END}{BEGIN}{END}")).contains("twice"));
    }

    #[test]
    fn the_projects_readme_has_its_markers() {
        assert!(replaced(include_str!("../../../README.md"), "").is_ok());
    }
}
