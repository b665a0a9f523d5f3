//! Everything against `format!`.

mod derived;
mod encode;
mod hostile;
mod messages;
mod specs;
