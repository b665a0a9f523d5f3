//! An SVG as PNG, with a font that is brought along: the machine may have none.

use std::sync::Arc;

use anyhow::Context as _;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

/// Pixels for one unit, for sharp text on dense screens.
const SCALE: f32 = 2.0;

/// Renders an SVG.
pub(crate) fn of(svg: &str) -> anyhow::Result<Vec<u8>> {
    let mut options = Options::default();
    let fonts = Arc::make_mut(&mut options.fontdb);
    fonts.load_font_data(notosans::REGULAR_TTF.to_vec());
    fonts.load_font_data(notosans::BOLD_TTF.to_vec());
    fonts.set_sans_serif_family("Noto Sans");
    let tree = Tree::from_str(svg, &options).context("our own SVG is not one")?;
    let size = tree.size().to_int_size().scale_by(SCALE).context("the picture is too large")?;
    let mut pixels = Pixmap::new(size.width(), size.height()).context("no room for a picture")?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
    pixels.encode_png().context("cannot encode a PNG")
}
