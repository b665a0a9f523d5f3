use millpond::{Capture, info};
use millpond::standard::Logger;

#[derive(Debug)]
struct Order(u8);

fn not_captured(log: &Logger, order: &Order) {
    info!(log, "{:?}", order);
    info!(log, "as a field", order = Order(1));
}

fn not_shown(log: &Logger, order: &Order) {
    info!(log, "{}", %order);
}

fn not_numeric(log: &Logger) {
    info!(log, "{:x}", "text");
}

#[derive(Capture)]
struct Holds {
    number: u8,
    order: Order,
}

fn main() {}
