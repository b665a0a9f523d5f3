//! What does not compile, and what the compiler says about it.
//!
//! What it says changes a little from one version of Rust to the next. Run
//! `TRYBUILD=overwrite cargo test --test macros compile_fail`, and read the difference.

#[test]
fn what_is_wrong_is_said_where_it_is() {
    trybuild::TestCases::new().compile_fail("tests/macros/ui/*.rs");
}
