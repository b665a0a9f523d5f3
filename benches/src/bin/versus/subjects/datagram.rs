//! A Unix datagram socket, as syslog has it: the caller formats and sends, another process appends
//! to a file.

use std::io::Write as _;
use std::os::unix::net::UnixDatagram;

use millpond_std::SystemClock;

use super::collected::{END, Line, file};
use crate::child::Control;
use crate::place::Place;
use crate::subject::{About, Files, Record, Subject};

pub(crate) struct Datagram {
    socket: UnixDatagram,
    clock: SystemClock,
}

fn connect(place: &Place) -> std::io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(place.other("socket"))?;
    Ok(socket)
}

impl Subject for Datagram {
    const ABOUT: About = About {
        files: Files::Collected,
        ..About::new(
            "unix-datagram",
            "a line formatted on the stack, one blocking send(2); a process receives and appends to a \
             file through a buffer of 64 KiB",
        )
    };

    type Handle<'a> = &'a Self;

    fn open(place: &Place) -> anyhow::Result<Self> {
        Ok(Self { socket: connect(place)?, clock: SystemClock::detect() })
    }

    fn handle(&self) -> anyhow::Result<&Self> {
        Ok(self)
    }

    #[inline(always)]
    fn log(this: &mut &Self, record: Record, _: u64) {
        let line = Line::new(this.clock.now(), record);
        let _ = this.socket.send(line.bytes());
    }

    fn close(self) -> anyhow::Result<u64> {
        Ok(0)
    }

    fn collect(place: &Place, control: Control) -> anyhow::Result<u64> {
        let socket = UnixDatagram::bind(place.other("socket"))?;
        let last = connect(place)?;
        let mut file = file(place)?;
        control.ready()?;
        std::thread::spawn(move || {
            let _ = control.wait_for_end();
            let _ = last.send(END);
        });
        let mut buffer = [0; 256];
        loop {
            let length = socket.recv(&mut buffer)?;
            if &buffer[..length] == END {
                file.flush()?;
                return Ok(0);
            }
            file.write_all(&buffer[..length])?;
        }
    }
}
