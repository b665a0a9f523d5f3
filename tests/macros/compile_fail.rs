//! What does not compile, and what the compiler says about it.
//!
//! What it says changes a little from one version of Rust to the next, so the words are compared
//! with one version only. For another, run `TRYBUILD=overwrite cargo test --test macros
//! compile_fail`, read the difference, and name that version here.

use std::process::Command;

/// The version whose words `ui/*.stderr` have.
const VERSION: &str = "rustc 1.95.";

#[test]
fn what_is_wrong_is_said_where_it_is() {
    let rustc = std::env::var_os("RUSTC").unwrap_or("rustc".into());
    let version = Command::new(rustc).arg("--version").output().expect("rustc runs").stdout;
    let version = String::from_utf8_lossy(&version);
    if !version.starts_with(VERSION) {
        return println!("skipped: {version} may say it in other words than {VERSION}");
    }
    trybuild::TestCases::new().compile_fail("tests/macros/ui/*.rs");
}
