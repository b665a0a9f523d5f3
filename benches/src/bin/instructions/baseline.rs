//! What was counted before, and whether it has grown.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// How much a figure may grow, in percent.
const TOLERANCE: f64 = 5.0;

/// A figure, and what it was.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) now: f64,
    pub(crate) baseline: Option<f64>,
    #[serde(skip)]
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Instructions,
    Bytes,
}

/// The file.
#[derive(Default, Serialize, Deserialize)]
struct Baseline {
    /// Instructions per call.
    instructions: BTreeMap<String, f64>,
    /// Bytes that one more call adds to `.text`.
    text_bytes: BTreeMap<String, f64>,
}

impl Baseline {
    fn of(&self, kind: Kind) -> &BTreeMap<String, f64> {
        match kind {
            Kind::Instructions => &self.instructions,
            Kind::Bytes => &self.text_bytes,
        }
    }
}

impl Figure {
    pub(crate) fn of_instructions(name: &str, now: f64) -> Self {
        Self { name: name.to_owned(), now, baseline: None, kind: Kind::Instructions }
    }

    pub(crate) fn of_bytes(name: &str, now: f64) -> Self {
        Self { name: name.to_owned(), now, baseline: None, kind: Kind::Bytes }
    }

    fn has_grown(&self) -> bool {
        // Small figures may change by one instruction.
        self.baseline.is_some_and(|before| self.now > before * (1.0 + TOLERANCE / 100.0) + 0.5)
    }
}

/// All figures beside the baseline.
#[derive(Serialize)]
pub(crate) struct Verdict {
    instructions: Vec<Figure>,
    text_bytes: Vec<Figure>,
}

/// Writes the baseline.
pub(crate) fn save(path: &Path, figures: &[Figure]) -> anyhow::Result<()> {
    let of = |kind| {
        let figures = figures.iter().filter(|figure| figure.kind == kind);
        figures.map(|figure| (figure.name.clone(), figure.now)).collect()
    };
    let baseline = Baseline { instructions: of(Kind::Instructions), text_bytes: of(Kind::Bytes) };
    let text = serde_json::to_string_pretty(&baseline)? + "\n";
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// Puts what was counted beside the baseline.
pub(crate) fn compare(path: &Path, figures: Vec<Figure>) -> anyhow::Result<Verdict> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read {}; make it by --update", path.display()))?;
    let baseline: Baseline = serde_json::from_str(&text)
        .with_context(|| format!("{} is no baseline; make one by --update", path.display()))?;
    let figures = figures.into_iter().map(|figure| Figure {
        baseline: baseline.of(figure.kind).get(&figure.name).copied(),
        ..figure
    });
    let (instructions, text_bytes) = figures.partition(|figure| figure.kind == Kind::Instructions);
    Ok(Verdict { instructions, text_bytes })
}

impl Verdict {
    /// The figures that have grown too much.
    pub(crate) fn grown(&self) -> Vec<&Figure> {
        let all = self.instructions.iter().chain(&self.text_bytes);
        all.filter(|figure| figure.has_grown()).collect()
    }

    pub(crate) fn list(figures: &[&Figure]) -> String {
        let names = figures.iter().map(|figure| format!("`{}`", figure.name));
        names.collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (title, figures) in [
            ("instructions of a call", &self.instructions),
            ("bytes of .text for one more call with three arguments", &self.text_bytes),
        ] {
            writeln!(f, "{title}")?;
            for figure in figures {
                let baseline = match figure.baseline {
                    Some(before) => format!("baseline {before:>7.1}"),
                    None => "not in the baseline".to_owned(),
                };
                let grown = if figure.has_grown() { "  GROWN" } else { "" };
                writeln!(f, "  {:<28} {:>7.1}   {baseline}{grown}", figure.name, figure.now)?;
            }
        }
        Ok(())
    }
}
