//! Records per second: a bar, or several, for each subject.

use super::canvas::{
    Align, Canvas, FOOT, GRID, HEAD, INK, LEFT, OURS, OURS_LIGHT, OURS_TYPE, PEER, PEER_LIGHT,
    PLAIN, SMALL, Type, WARN, WIDTH,
};
use crate::report::Flow;
use crate::subject::is_ours;

const BAR: i32 = 15;
const GAP: i32 = 13;
const RIGHT: i32 = WIDTH - 170;

/// A bar: millions of records per second.
pub(super) struct Bar {
    /// Which of the legend's colours.
    kind: usize,
    median: f64,
    range: [f64; 2],
    loses: bool,
}

impl Bar {
    pub(super) fn of(kind: usize, flow: &Flow) -> Self {
        let median = flow.records_per_second / 1e6;
        let range = flow.spread.get("records_per_second");
        let range = range.map_or([median; 2], |range| range.map(|value| value / 1e6));
        Self { kind, median, range, loses: flow.dropped > 0 }
    }
}

/// The bars of a subject.
pub(super) struct Row {
    pub(super) name: String,
    /// Stands behind the figure.
    note: &'static str,
    pub(super) bars: Vec<Bar>,
}

impl Row {
    pub(super) fn new(name: &str, note: &'static str, bar: Bar) -> Self {
        Self { name: name.to_owned(), note, bars: vec![bar] }
    }

    fn best(&self) -> f64 {
        self.bars.iter().map(|bar| bar.median).fold(0.0, f64::max)
    }
}

/// `None` if there are no rows.
pub(super) fn draw(
    title: &str,
    legend: &[&str],
    rows: &[Row],
    source: &str,
) -> anyhow::Result<Option<String>> {
    if rows.is_empty() {
        return Ok(None);
    }
    let mut rows: Vec<&Row> = rows.iter().collect();
    rows.sort_by(|a, b| b.best().total_cmp(&a.best()));
    let most = rows.iter().flat_map(|row| &row.bars).map(|bar| bar.range[1]).fold(0.1, f64::max);
    let step = step(most);
    let steps = (most / step).ceil();
    let x = |value: f64| LEFT + (value / (steps * step) * f64::from(RIGHT - LEFT)).round() as i32;

    let height = |row: &Row| BAR * row.bars.len() as i32 + GAP;
    let bottom = HEAD + rows.iter().map(|row| height(row)).sum::<i32>();
    let mut svg = String::new();
    let subtitle = "Million records per second, from the first call until the logger is closed; \
                    the thin line is the range of the rounds.";
    let canvas = Canvas::new(&mut svg, bottom + FOOT, title, subtitle, source)?;
    for index in 0..=steps as i32 {
        let value = f64::from(index) * step;
        canvas.line((x(value), HEAD - 8), (x(value), bottom), GRID, 1)?;
        let text = format!("{} M/s", (value * 100.0).round() / 100.0);
        canvas.text(&text, (x(value), bottom + 14), Align::Middle, SMALL)?;
    }
    draw_legend(&canvas, legend)?;
    let mut top = HEAD;
    for row in rows {
        let font = if is_ours(&row.name) { OURS_TYPE } else { PLAIN };
        let middle = top + height(row) / 2;
        canvas.text(&row.name, (LEFT - 12, middle), Align::Right, font)?;
        for (index, bar) in row.bars.iter().enumerate() {
            let from = top + GAP / 2 + BAR * index as i32;
            draw_bar(&canvas, bar, row, from, x)?;
        }
        top += height(row);
    }
    canvas.finish()?;
    Ok(Some(svg))
}

fn draw_bar(
    canvas: &Canvas<'_>,
    bar: &Bar,
    row: &Row,
    top: i32,
    x: impl Fn(f64) -> i32,
) -> anyhow::Result<()> {
    let middle = top + BAR / 2;
    let colour = colour(is_ours(&row.name), bar.kind);
    canvas.rectangle((LEFT, top + 1), (x(bar.median), top + BAR - 1), colour)?;
    let [least, most] = bar.range;
    canvas.line((x(least), middle), (x(most), middle), INK, 1)?;
    let mut text = format!("{:.2}", bar.median);
    if !row.note.is_empty() {
        text += &format!("  {}", row.note);
    }
    let mut font = Type { colour: INK, ..SMALL };
    if bar.loses {
        text += "  loses lines";
        font.colour = WARN;
    }
    canvas.text(&text, (x(bar.median.max(most)) + 8, middle), Align::Left, font)
}

fn colour(ours: bool, kind: usize) -> plotters::style::RGBColor {
    match (ours, kind) {
        (true, 0) => OURS,
        (true, _) => OURS_LIGHT,
        (false, 0) => PEER,
        (false, _) => PEER_LIGHT,
    }
}

/// Ours and theirs, by kind.
fn draw_legend(canvas: &Canvas<'_>, legend: &[&str]) -> anyhow::Result<()> {
    let y = HEAD - 32;
    for (kind, text) in legend.iter().enumerate() {
        let left = LEFT + 110 * kind as i32;
        canvas.rectangle((left, y - 6), (left + 12, y + 6), colour(true, kind))?;
        canvas.rectangle((left + 12, y - 6), (left + 24, y + 6), colour(false, kind))?;
        canvas.text(text, (left + 32, y), Align::Left, SMALL)?;
    }
    Ok(())
}

/// Between lines of the grid: about six of them, at round numbers.
fn step(most: f64) -> f64 {
    let rough = most / 6.0;
    let decade = 10f64.powf(rough.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|step| step * decade)
        .find(|step| *step >= rough)
        .unwrap_or(rough)
}

#[cfg(test)]
mod tests {
    #[test]
    fn steps_are_round() {
        for (most, step) in [(3.8, 1.0), (7.0, 2.0), (0.5, 0.1), (12.0, 2.0)] {
            let found = super::step(most);
            assert!((found - step).abs() < 1e-9, "{most}: {found}");
        }
    }
}
