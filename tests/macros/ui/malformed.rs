use std::time::Duration;

use millpond::standard::Logger;
use millpond::{info, info_at};

fn main() {
    let log = Logger::new("app", Default::default(), vec![]).unwrap();
    let second = Duration::from_secs(1);
    info!();
    info!("no logger");
    info!(log);
    info!(log, log);
    info!(log, every: 3, once_per: second, "both");
    info!(log, target: "a", target: "b", "twice");
    info!(log, name: "a", "no such key");
    info!(log, "order {}", id = 1, 2);
    info!(log, "twice {id}", id = 1, id = 2);
    info!(log, "no comma" 1);
    info!(log, "no value", id = );
    info!(log, "an address {:p}", &log);
    info!(log, every: "3", "not a number");
    info_at!(log, "no stamp");
    info_at!(log, 1, every: 3, "both");
}
