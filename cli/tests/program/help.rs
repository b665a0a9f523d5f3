//! Help texts, and what is said of arguments that cannot be.

use std::fs;

use crate::running::{Place, millpond, run, text};

#[test]
fn every_command_has_help_with_an_example_and_its_exit_codes() {
    for args in [
        &["--help"][..],
        &["serve", "--help"],
        &["pipe", "--help"],
        &["decode", "--help"],
        &["demo", "--help"],
    ] {
        let output = run(args);
        let help = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        let example = format!("millpond {}", args[0].trim_start_matches("--help"));
        let (_, examples) = help.split_once("Examples:\n").unwrap();
        assert!(examples.contains(&example), "{help}");
        assert!(help.contains("Exit codes:\n  0  "), "{help}");
        for line in help.lines() {
            assert!(line.chars().count() <= 80, "too long: {line}");
            assert!(!line.contains('\x1b'), "coloured: {line}");
        }
    }
    assert!(!text(&run(&["--help"]).stdout).contains("demo-worker"));
}

#[test]
fn the_version_is_told() {
    assert!(text(&run(&["--version"]).stdout).starts_with("millpond 0."));
}

/// Runs it and returns the one line that it says.
fn refused(args: &[&str], code: i32) -> String {
    let output = millpond(args).current_dir(std::env::temp_dir()).output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
    assert_eq!(said.lines().count(), 1, "{args:?}: {said}");
    assert!(said.starts_with("millpond: ") && said.is_ascii(), "{args:?}: {said}");
    assert!(output.stdout.is_empty());
    said
}

#[test]
fn arguments_that_cannot_be_get_one_line() {
    let place = Place::new();
    let path = place.path();
    let long = "x".repeat(129);
    let cases: [(&[&str], i32, &str); 17] = [
        (&["serve", "--file", "f", "--path"], 2, "a value is required for '--path <DIR>'"),
        (&["serve", "--path", &path], 2, "not provided: --file <FILE>; "),
        (&["serve", "--path", "", "--file", "f"], 2, "'--path <DIR>'"),
        (&["serve", "--path", &path, "--file", "f", "--level", "loud"], 2, "expected TRACE, "),
        (&["serve", "--path", &path, "--file", "f", "--format", "%(msg)s"], 2, "%(msg)s"),
        (&["serve", "--path", &path, "--file", "/"], 1, "found a folder; give the path of a"),
        (&["serve", "--path", "tcp://x", "--file", "f"], 1, "scheme `tcp` is not supported"),
        (&["pipe", "--path", &path], 2, "not provided: --name <NAME>; "),
        (&["pipe", "--path", &path, "--name", ""], 2, "expected 1 to 128 bytes"),
        (&["pipe", "--path", &path, "--name", &long], 2, "expected 1 to 128 bytes"),
        (&["pipe", "--path", &path, "--name", "a\nb"], 2, r#""a\nb" cannot be"#),
        (&["pipe", "--path", &path, "--name", "p", "--level", "5"], 2, "expected TRACE, "),
        (&["pipe", "--path", "/proc/version", "--name", "p"], 1, "/proc/version"),
        (&["demo", "--workers", "0"], 2, "'0' for '--workers <WORKERS>'"),
        (&["demo", "--workers", "2", "--kill", "3"], 2, "--kill 3 is more than there are"),
        (&["demo", "--path", "tcp://x"], 1, "scheme `tcp` is not supported"),
        (&["dmeo"], 2, "unrecognized subcommand 'dmeo'"),
    ];
    for (args, code, expected) in cases {
        let said = refused(args, code);
        assert!(said.contains(expected), "{args:?}: {said}");
    }
}

#[test]
fn a_directory_that_others_may_write_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;

    let place = Place::new();
    fs::create_dir(place.path()).unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let said = refused(&["pipe", "--path", &place.path(), "--name", "p"], 1);
    assert!(said.contains(&place.path()), "{said}");
}
