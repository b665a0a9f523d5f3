//! A named pipe: the caller formats and writes, another process appends to a file.

use std::fs::File;
use std::io::{Read as _, Write as _};

use millpond_std::SystemClock;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::pipe::fcntl_setpipe_size;

use super::collected::{END, Line, file};
use crate::child::Control;
use crate::place::Place;
use crate::subject::{About, Files, Record, Subject};

pub(crate) struct Pipe {
    pipe: File,
    clock: SystemClock,
}

fn open_to_write(place: &Place) -> std::io::Result<File> {
    File::options().write(true).open(place.other("pipe"))
}

impl Subject for Pipe {
    const ABOUT: About = About {
        files: Files::Collected,
        ..About::new(
            "pipe",
            "a line formatted on the stack, one write(2) into a pipe of 1 MiB; a process reads 64 KiB \
             at a time and appends to a file",
        )
    };

    type Handle<'a> = &'a Self;

    fn open(place: &Place) -> anyhow::Result<Self> {
        Ok(Self { pipe: open_to_write(place)?, clock: SystemClock::detect() })
    }

    fn handle(&self) -> anyhow::Result<&Self> {
        Ok(self)
    }

    #[inline(always)]
    fn log(this: &mut &Self, record: Record, _: u64) {
        // Lines are shorter than PIPE_BUF, so writes are whole.
        let line = Line::new(this.clock.now(), record);
        let _ = (&this.pipe).write(line.bytes());
    }

    fn close(self) -> anyhow::Result<u64> {
        Ok(0)
    }

    fn collect(place: &Place, control: Control) -> anyhow::Result<u64> {
        let path = place.other("pipe");
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
        // For writing too, which does not wait for a writer to come.
        let mut pipe = File::options().read(true).write(true).open(&path)?;
        fcntl_setpipe_size(&pipe, 1 << 20)?;
        let mut last = open_to_write(place)?;
        let mut file = file(place)?;
        control.ready()?;
        std::thread::spawn(move || {
            let _ = control.wait_for_end();
            let _ = last.write_all(END);
        });
        let mut buffer = vec![0; 64 << 10];
        loop {
            let length = pipe.read(&mut buffer)?;
            if let Some(rest) = buffer[..length].strip_suffix(END) {
                file.write_all(rest)?;
                file.flush()?;
                return Ok(0);
            }
            file.write_all(&buffer[..length])?;
        }
    }
}
