//! `iceoryx2`: 64 bytes from process to process without a copy. No logger, but what one could be
//! built on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use std::io::Write as _;

use iceoryx2::port::publisher::Publisher;
use iceoryx2::prelude::*;
use iceoryx2::service::port_factory::publish_subscribe::PortFactory;
use millpond_std::SystemClock;

use super::collected::{file, write_line};
use crate::child::Control;
use crate::place::Place;
use crate::subject::{About, Files, Record, Subject};

/// Stamp, producer, number, price; the rest is room for text.
type Payload = [u64; 8];

/// Ports belong to a thread, so each thread makes its own.
pub(crate) struct Iceoryx(Place);

/// What a thread publishes with; the node and the service have to live as long.
pub(crate) struct Sender {
    publisher: Publisher<ipc::Service, Payload, ()>,
    clock: SystemClock,
    _service: PortFactory<ipc::Service, Payload, ()>,
    _node: Node<ipc::Service>,
}

fn service(
    place: &Place,
) -> anyhow::Result<(Node<ipc::Service>, PortFactory<ipc::Service, Payload, ()>)> {
    set_log_level(LogLevel::Error);
    let node = NodeBuilder::new().create::<ipc::Service>()?;
    let service = node
        .service_builder(&place.unique_name().as_str().try_into()?)
        .publish_subscribe::<Payload>()
        .max_publishers(place.producers as usize)
        .max_subscribers(1)
        .max_nodes(place.producers as usize + 1)
        .subscriber_max_buffer_size(4096)
        .history_size(0)
        .enable_safe_overflow(false)
        .open_or_create()?;
    Ok((node, service))
}

impl Subject for Iceoryx {
    const ABOUT: About = About {
        files: Files::Collected,
        ..About::new(
            "iceoryx2",
            "iceoryx2 0.10, publish-subscribe, 64 bytes, loan_uninit and send, buffer of 4096 \
             samples, waits when it is full; a process formats and appends to a file, and sleeps \
             100 us when nothing has come",
        )
    };

    type Handle<'a> = Sender;

    fn open(place: &Place) -> anyhow::Result<Self> {
        Ok(Self(place.clone()))
    }

    fn handle(&self) -> anyhow::Result<Sender> {
        let (node, service) = service(&self.0)?;
        let publisher = service.publisher_builder();
        let publisher =
            publisher.backpressure_strategy(BackpressureStrategy::RetryUntilDelivered).create()?;
        Ok(Sender { publisher, clock: SystemClock::detect(), _service: service, _node: node })
    }

    #[inline(always)]
    fn log(sender: &mut Sender, record: Record, _: u64) {
        let Record { producer, number, price } = record;
        let payload = [sender.clock.now(), producer as u64, number, price.to_bits(), 0, 0, 0, 0];
        if let Ok(sample) = sender.publisher.loan_uninit() {
            let _ = sample.write_payload(payload).send();
        }
    }

    fn close(self) -> anyhow::Result<u64> {
        Ok(0)
    }

    fn collect(place: &Place, control: Control) -> anyhow::Result<u64> {
        let (_node, service) = service(place)?;
        let subscriber = service.subscriber_builder().buffer_size(4096).create()?;
        let mut file = file(place)?;
        control.ready()?;
        let over = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&over);
        std::thread::spawn(move || {
            let _ = control.wait_for_end();
            over.store(true, Ordering::Release);
        });
        loop {
            // Before looking: what was sent before the end is seen after it.
            let last = is_over.load(Ordering::Acquire);
            let mut came = false;
            while let Some(sample) = subscriber.receive()? {
                came = true;
                let [stamp, producer, number, price, ..] = *sample;
                let price = f64::from_bits(price);
                let record = Record { producer: producer as i32, number, price };
                write_line(&mut file, stamp, record)?;
            }
            if last && !came {
                file.flush()?;
                return Ok(0);
            }
            if !came {
                std::thread::sleep(Duration::from_micros(100));
            }
        }
    }
}
