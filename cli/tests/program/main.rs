//! The program as its users have it: real processes.
#![cfg(target_os = "linux")]

mod decode;
mod demo;
mod help;
mod input;
mod pipe;
mod running;
mod serve;
