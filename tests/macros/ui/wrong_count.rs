use millpond::info;
use millpond::standard::Logger;

fn too_few(log: &Logger) {
    info!(log, "{} and {}", 1);
}

fn too_many(log: &Logger, name: &str) {
    info!(log, "{}", 1, name.len() + 2);
}

fn broken(log: &Logger) {
    info!(log, "order {", 1);
}

fn width(log: &Logger, width: u32) {
    info!(log, "{:width$}", 1);
}

fn main() {}
