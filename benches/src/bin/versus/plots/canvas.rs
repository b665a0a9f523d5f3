//! What the pictures have in common: paper, type, colours.

use anyhow::anyhow;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Ours: blue, which the colour-blind tell from grey and from orange (Okabe and Ito).
pub(crate) const OURS: RGBColor = RGBColor(0, 114, 178);
pub(crate) const OURS_LIGHT: RGBColor = RGBColor(140, 190, 222);
pub(crate) const PEER: RGBColor = RGBColor(118, 118, 118);
pub(crate) const PEER_LIGHT: RGBColor = RGBColor(190, 190, 190);
/// Limits and losses.
pub(crate) const WARN: RGBColor = RGBColor(213, 94, 0);
pub(crate) const INK: RGBColor = RGBColor(34, 34, 34);
pub(crate) const FAINT: RGBColor = RGBColor(100, 100, 100);
pub(crate) const GRID: RGBColor = RGBColor(228, 228, 228);

pub(crate) const WIDTH: i32 = 960;
/// Where names end and the axis begins.
pub(crate) const LEFT: i32 = 190;
const MARGIN: i32 = 24;
const FONT: &str = "sans-serif";

/// Pixels above the first row, and below the last.
pub(crate) const HEAD: i32 = 120;
pub(crate) const FOOT: i32 = 72;

/// Where a text stands to its point.
#[derive(Clone, Copy)]
pub(crate) enum Align {
    Left,
    Middle,
    Right,
}

/// How a text looks.
#[derive(Clone, Copy)]
pub(crate) struct Type {
    pub(crate) size: f64,
    pub(crate) bold: bool,
    pub(crate) colour: RGBColor,
}

pub(crate) const PLAIN: Type = Type { size: 14.0, bold: false, colour: INK };
pub(crate) const SMALL: Type = Type { size: 12.0, bold: false, colour: FAINT };
pub(crate) const OURS_TYPE: Type = Type { size: 14.0, bold: true, colour: OURS };

/// The fonts by which text is measured, since the machine may have none.
pub(crate) fn register_fonts() -> anyhow::Result<()> {
    for (style, bytes) in
        [(FontStyle::Normal, notosans::REGULAR_TTF), (FontStyle::Bold, notosans::BOLD_TTF)]
    {
        plotters::style::register_font(FONT, style, bytes)
            .map_err(|_| anyhow!("the font is not one"))?;
    }
    Ok(())
}

/// A picture that is being drawn.
pub(crate) struct Canvas<'a>(DrawingArea<SVGBackend<'a>, Shift>);

fn failed(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("cannot draw: {error}")
}

impl<'a> Canvas<'a> {
    /// A white sheet with a title and the source of the figures.
    pub(crate) fn new(
        svg: &'a mut String,
        height: i32,
        title: &str,
        subtitle: &str,
        source: &str,
    ) -> anyhow::Result<Self> {
        let area = SVGBackend::with_string(svg, (WIDTH as u32, height as u32)).into_drawing_area();
        area.fill(&WHITE).map_err(failed)?;
        let canvas = Self(area);
        let heading = Type { size: 21.0, bold: true, colour: INK };
        canvas.text(title, (MARGIN, 32), Align::Left, heading)?;
        canvas.text(subtitle, (MARGIN, 58), Align::Left, Type { size: 13.5, ..SMALL })?;
        canvas.text(source, (MARGIN, height - 20), Align::Left, SMALL)?;
        Ok(canvas)
    }

    /// A text whose middle is at this height.
    pub(crate) fn text(
        &self,
        text: &str,
        at: (i32, i32),
        align: Align,
        font: Type,
    ) -> anyhow::Result<()> {
        let style = if font.bold { FontStyle::Bold } else { FontStyle::Normal };
        let across = match align {
            Align::Left => HPos::Left,
            Align::Middle => HPos::Center,
            Align::Right => HPos::Right,
        };
        // The backend writes a font size that is 1.24 times smaller than what it is given.
        let style = (FONT, font.size * 1.24, style).into_font().color(&font.colour);
        let style = style.pos(Pos::new(across, VPos::Center));
        self.0.draw(&Text::new(text.to_owned(), at, style)).map_err(failed)
    }

    pub(crate) fn line(
        &self,
        from: (i32, i32),
        to: (i32, i32),
        colour: RGBColor,
        width: u32,
    ) -> anyhow::Result<()> {
        let line = PathElement::new(vec![from, to], colour.stroke_width(width));
        self.0.draw(&line).map_err(failed)
    }

    pub(crate) fn dashes(
        &self,
        x: i32,
        from: i32,
        to: i32,
        colour: RGBColor,
    ) -> anyhow::Result<()> {
        (from..to).step_by(7).try_for_each(|y| self.line((x, y), (x, (y + 4).min(to)), colour, 1))
    }

    pub(crate) fn rectangle(
        &self,
        from: (i32, i32),
        to: (i32, i32),
        colour: RGBColor,
    ) -> anyhow::Result<()> {
        self.0.draw(&Rectangle::new([from, to], colour.filled())).map_err(failed)
    }

    pub(crate) fn dot(&self, at: (i32, i32), radius: i32, colour: RGBColor) -> anyhow::Result<()> {
        self.0.draw(&Circle::new(at, radius, colour.filled())).map_err(failed)
    }

    pub(crate) fn finish(self) -> anyhow::Result<()> {
        self.0.present().map_err(failed)
    }
}
