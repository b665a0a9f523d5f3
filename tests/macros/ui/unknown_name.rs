use millpond::info;
use millpond::standard::Logger;

fn unknown(log: &Logger) {
    info!(log, "order {id}");
}

fn keyword(log: &Logger) {
    info!(log, "order {type}");
}

fn main() {}
