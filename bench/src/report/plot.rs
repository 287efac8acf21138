//! Plots as SVG: bars, one for each peer, of the quantities that matter most.

use std::{fs, path::Path};

use anyhow::{Result, anyhow};
use plotters::prelude::*;

use super::comparison::{Row, Section, find};

/// What is drawn: the file's name, by which offerer, what, and its number.
const PLOTS: [(&str, &str, &str, &str, u32); 8] = [
    ("click-to-open.svg", "Chromium", "connect", "click-p50", 0),
    ("round-trip.svg", "native", "round-trip", "p50", 0),
    ("cpu-per-message.svg", "native", "round-trip", "cpu-per-message", 0),
    ("echo.svg", "native", "echo", "megabytes-per-second", 16),
    ("echo-libwebrtc.svg", "libwebrtc in Node", "echo", "megabytes-per-second", 16),
    ("cpu-per-megabyte.svg", "native", "echo", "cpu-per-megabyte", 16),
    ("memory.svg", "native", "idle", "memory-per-connection", 0),
    ("connections.svg", "native", "rate", "connections-per-second", 0),
];

const WIDTH: u32 = 720;
const BAR: u32 = 28;
const OURS: RGBColor = RGBColor(0xc2, 0x41, 0x0c);
const OTHERS: RGBColor = RGBColor(0x64, 0x74, 0x8b);

/// Draws what was measured into the folder; the files' names and titles.
pub(crate) fn draw(
    folder: &Path,
    peers: &[(String, String)],
    sections: &[Section],
) -> Result<Vec<(String, String)>> {
    let mut drawn = Vec::new();
    for (file, offerer, measure, figure, number) in PLOTS {
        let Some(row) = find(sections, offerer, measure, figure, number) else { continue };
        let title = format!("{}, {} ({offerer})", row.quantity.label(number), row.quantity.unit);
        fs::write(folder.join(file), svg(&title, peers, row)?)?;
        drawn.push((file.to_owned(), title));
    }
    Ok(drawn)
}

/// A bar for each peer's median, and a line from its least to its most.
fn svg(title: &str, peers: &[(String, String)], row: &Row) -> Result<String> {
    let bars: Vec<_> =
        peers.iter().zip(&row.summaries).filter_map(|((name, _), it)| Some((name, (*it)?))).collect();
    let most = bars.iter().map(|(_, it)| it.most).fold(0.0, f64::max).max(f64::MIN_POSITIVE);
    let mut text = String::new();
    let height = 60 + BAR * u32::try_from(bars.len())?;
    {
        let area = SVGBackend::with_string(&mut text, (WIDTH, height)).into_drawing_area();
        area.fill(&WHITE).map_err(unplotted)?;
        let style = ("sans-serif", 15).into_font();
        area.draw_text(title, &style.clone().into_text_style(&area), (12, 12)).map_err(unplotted)?;
        let (left, width) = (130, f64::from(WIDTH - 240));
        #[allow(clippy::cast_possible_truncation, reason = "pixels")]
        let x = |value: f64| left + (value / most * width) as i32;
        for (index, (name, it)) in bars.iter().enumerate() {
            let top = 44 + i32::try_from(BAR)? * i32::try_from(index)?;
            let color = if index == 0 { OURS } else { OTHERS };
            let small = ("sans-serif", 13).into_font().into_text_style(&area);
            area.draw_text(name, &small, (12, top + 4)).map_err(unplotted)?;
            let bar = [(left, top), (x(it.median), top + 18)];
            area.draw(&Rectangle::new(bar, color.filled())).map_err(unplotted)?;
            let range = vec![(x(it.least), top + 9), (x(it.most), top + 9)];
            area.draw(&PathElement::new(range, BLACK)).map_err(unplotted)?;
            let value = format!("{:.4}", it.median);
            let value = &value[..value.len().min(6)];
            area.draw_text(value.trim_end_matches('.'), &small, (x(it.most) + 8, top + 4))
                .map_err(unplotted)?;
        }
        area.present().map_err(unplotted)?;
    }
    Ok(text)
}

fn unplotted(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("the plot cannot be drawn: {error}")
}
