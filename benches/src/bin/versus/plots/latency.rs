//! How long a call takes: a range from the median to the slowest in a thousand, by subject.

use plotters::style::WHITE;

use super::canvas::{
    Align, Canvas, FAINT, FOOT, GRID, HEAD, INK, LEFT, OURS, OURS_TYPE, PEER, PLAIN, SMALL, Type,
    WARN, WIDTH,
};
use crate::report::{Latency, Report};
use crate::subject::{is_limit, is_ours};

const ROW: i32 = 30;
/// Room behind it for the last figures.
const RIGHT: i32 = WIDTH - 80;

/// Nanoseconds on a logarithmic axis.
#[derive(Clone, Copy)]
struct Axis {
    decades: (i32, i32),
}

impl Axis {
    /// Whole decades around all values.
    fn around(values: impl Iterator<Item = f64>) -> Self {
        let logs = values.filter(|value| *value > 0.0).map(f64::log10);
        let (least, most) =
            logs.fold((f64::MAX, f64::MIN), |(least, most), log| (least.min(log), most.max(log)));
        let first = least.floor() as i32;
        Self { decades: (first, (most.ceil() as i32).max(first + 1)) }
    }

    fn x(self, ns: f64) -> i32 {
        let (first, last) = self.decades;
        let share = (ns.log10() - f64::from(first)) / f64::from(last - first);
        LEFT + (share * f64::from(RIGHT - LEFT)).round() as i32
    }
}

/// `None` if no latency was measured.
pub(super) fn draw(report: &Report, source: &str) -> anyhow::Result<Option<String>> {
    let wanted = |row: &&Latency| row.threads == 1 && !is_limit(&row.name);
    let mut rows: Vec<&Latency> = report.latency.iter().filter(wanted).collect();
    if rows.is_empty() {
        return Ok(None);
    }
    rows.sort_by(|a, b| a.p50.total_cmp(&b.p50).then(a.in_burst.total_cmp(&b.in_burst)));
    // The longer way to the right has the higher text.
    let limits = [
        ("reading the clock", report.limits.clock_read_ns),
        ("copying 64 bytes", report.limits.copy64_ns),
    ];
    let values = rows.iter().flat_map(|row| [row.p50, row.p999]);
    let axis = Axis::around(values.chain(limits.map(|(_, ns)| ns)));

    let bottom = HEAD + ROW * rows.len() as i32;
    let mut svg = String::new();
    let title = "What a log call costs its caller";
    let subtitle = "One thread, bursts of 20 calls, 100 to 200 µs apart. A time includes one \
                    reading of the clock; the axis is logarithmic.";
    let canvas = Canvas::new(&mut svg, bottom + FOOT, title, subtitle, source)?;
    for decade in axis.decades.0..=axis.decades.1 {
        let ns = 10f64.powi(decade);
        canvas.line((axis.x(ns), HEAD - 8), (axis.x(ns), bottom), GRID, 1)?;
        canvas.text(&shown(ns), (axis.x(ns), bottom + 14), Align::Middle, SMALL)?;
    }
    for (index, (name, ns)) in limits.into_iter().enumerate() {
        let (x, y) = (axis.x(ns), HEAD - 14 - 14 * index as i32);
        canvas.dashes(x, y, bottom, WARN)?;
        let text = format!("{name}, {ns:.1} ns");
        canvas.text(&text, (x + 6, y - 2), Align::Left, Type { colour: WARN, ..SMALL })?;
    }
    legend(&canvas)?;
    for (index, row) in rows.into_iter().enumerate() {
        draw_row(&canvas, axis, row, HEAD + ROW * index as i32 + ROW / 2)?;
    }
    canvas.finish()?;
    Ok(Some(svg))
}

fn draw_row(canvas: &Canvas<'_>, axis: Axis, row: &Latency, y: i32) -> anyhow::Result<()> {
    let (font, colour) = if is_ours(&row.name) { (OURS_TYPE, OURS) } else { (PLAIN, PEER) };
    canvas.text(&row.name, (LEFT - 12, y), Align::Right, font)?;
    range(canvas, [row.p50, row.p90, row.p99, row.p999].map(|ns| axis.x(ns)), y, colour)?;
    let before = (axis.x(row.p50) - 10, y);
    let width = 7 * shown(row.p50).chars().count() as i32;
    // Over the lines of the limits.
    canvas.rectangle((before.0 - width, y - 8), (before.0, y + 8), WHITE)?;
    canvas.text(&shown(row.p50), before, Align::Right, Type { colour: INK, ..SMALL })?;
    let after = (axis.x(row.p999) + 8, y);
    canvas.text(&shown(row.p999), after, Align::Left, SMALL)
}

/// A dot at the median, ticks at the others.
fn range(
    canvas: &Canvas<'_>,
    [p50, p90, p99, p999]: [i32; 4],
    y: i32,
    colour: plotters::style::RGBColor,
) -> anyhow::Result<()> {
    canvas.line((p50, y), (p90, y), colour, 6)?;
    canvas.line((p90, y), (p99, y), colour, 3)?;
    canvas.line((p99, y), (p999, y), colour, 1)?;
    for (x, half) in [(p90, 6), (p99, 6), (p999, 4)] {
        canvas.line((x, y - half), (x, y + half), colour, 2)?;
    }
    canvas.dot((p50, y), 6, colour)
}

/// Explains the marks, at the upper right.
fn legend(canvas: &Canvas<'_>) -> anyhow::Result<()> {
    let marks = [RIGHT - 200, RIGHT - 120, RIGHT - 40, RIGHT + 40];
    range(canvas, marks, HEAD - 26, FAINT)?;
    for (x, name) in marks.into_iter().zip(["p50", "p90", "p99", "p99.9"]) {
        canvas.text(name, (x, HEAD - 42), Align::Middle, SMALL)?;
    }
    Ok(())
}

/// With a unit that fits.
fn shown(ns: f64) -> String {
    let (value, unit) = match ns {
        _ if ns >= 999_500.0 => (ns / 1e6, "ms"),
        _ if ns >= 999.5 => (ns / 1e3, "µs"),
        _ => (ns, "ns"),
    };
    let whole = value >= 9.95 || value == value.round();
    if whole { format!("{value:.0} {unit}") } else { format!("{value:.1} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_fit() {
        for (ns, text) in [
            (1.0, "1 ns"),
            (2.13, "2.1 ns"),
            (190.0, "190 ns"),
            (1322.0, "1.3 µs"),
            (2.01e6, "2.0 ms"),
        ] {
            assert_eq!(shown(ns), text);
        }
    }

    #[test]
    fn the_axis_has_whole_decades() {
        assert_eq!(Axis::around([2.1, 3_000_000.0].into_iter()).decades, (0, 7));
        assert_eq!(Axis::around([100.0, 100.0].into_iter()).decades, (2, 3));
    }
}
