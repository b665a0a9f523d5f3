use std::fmt;

use millpond::{Capture, info};
use millpond::standard::Logger;

#[derive(Capture, Debug)]
struct Order(u8);

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

fn displayed(log: &Logger, order: &Order) {
    info!(log, "{order:?} is fine");
    info!(log, "{} is fine", %order);
    info!(log, "{} is not", order);
    info!(log, "{order} is not");
}

fn main() {}
