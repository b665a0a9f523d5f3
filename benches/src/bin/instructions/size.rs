//! How many bytes one more call adds to the code of a program.

use anyhow::Context as _;
use object::{Object as _, ObjectSymbol as _};

use crate::cases;

/// Calls by which the functions differ.
const CALLS: f64 = 100.0;

/// Bytes that one more call with three arguments adds to `.text`, by what logs.
pub(crate) fn per_call() -> anyhow::Result<[(&'static str, f64); 2]> {
    let _ = cases::sized();
    let program = std::fs::read(std::env::current_exe()?)?;
    let program = object::File::parse(&*program).context("cannot read this program's file")?;
    let size = |function: &str| {
        // Mangled: the name with its length before it.
        let name = format!("{}{function}17h", function.len());
        let mut symbols = program.symbols().filter(|s| s.name().is_ok_and(|n| n.contains(&name)));
        let symbol = symbols.next().with_context(|| format!("no symbol of {function}"))?;
        anyhow::Ok(symbol.size() as f64)
    };
    let base = size("sized_1")?;
    Ok([
        ("producer", (size("sized_producer")? - base) / CALLS),
        ("logger", (size("sized_logger")? - base) / CALLS),
    ])
}
