//! The `millpond` program: a master for any program's workers, a worker for any program's output,
//! a reader of archives, and a demonstration that counts. Linux only.

#[cfg(target_os = "linux")]
mod cli;
#[cfg(target_os = "linux")]
mod decode;
#[cfg(target_os = "linux")]
mod demo;
#[cfg(target_os = "linux")]
mod exit;
#[cfg(target_os = "linux")]
mod pipe;
#[cfg(target_os = "linux")]
mod serve;

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    cli::run()
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("millpond: this program needs Linux; the standard logger of the library does not");
    ExitCode::FAILURE
}
