//! Rings whose producers write nonsense: only the producer's own records suffer.

use std::path::PathBuf;

use millpond_linux::MasterLogger;

use super::ring_file::{ATTEMPTED, DROPPED, FLUSH_REQUESTS, Forged, OWNER, STATE, Scribbler};
use super::support::{Lines, PATIENCE, Place, Process, eventually, master};
use super::{Healthy, check_books};

/// A master, a healthy worker, and a victim in a process of its own, which has logged one record
/// and waits.
struct Scene {
    place: Place,
    master: MasterLogger,
    lines: Lines,
    healthy: Healthy,
    victim: Process,
    ring: PathBuf,
    keeper: PathBuf,
}

impl Scene {
    fn new() -> Self {
        Self::with("victim")
    }

    fn with(role: &str) -> Self {
        let place = Place::new();
        let (master, lines) = master(&place.config());
        let mut healthy = Healthy::new(&place.config());
        healthy.check(&lines);
        let mut victim = Process::start(role, &place.config());
        victim.hears();
        lines.wait_for("victim: a good record");
        // The victim itself must not write any more.
        let pid = format!("-{}-", victim.child.id());
        let file = |prefix: &str| {
            let names = place.names(&[prefix]);
            let name = names.iter().find(|name| name.contains(&pid));
            place.pond().join(name.expect("the victim's file"))
        };
        let (ring, keeper) = (file("r-"), file("w-"));
        Self { place, master, lines, healthy, victim, ring, keeper }
    }

    fn scribbler(&self) -> Scribbler {
        Scribbler::open(&self.ring)
    }

    /// One line says so, and stays alone; everybody else is served; the victim's death is noticed
    /// and its ring is kept for inspection.
    fn must_be_quarantined(mut self, says: &str) {
        let line = self.lines.wait_for("quarantined a ring of victim: ");
        assert!(line.contains(says), "{says:?} is not in {line:?}");
        for _ in 0..5 {
            self.healthy.check(&self.lines);
        }
        self.victim.kill();
        self.lines.wait_for("Worker victim is dead: pid ");
        eventually("it is set aside", || self.place.names(&["quarantine-"]) == ["quarantine-1"]);
        assert!(!self.ring.exists());
        self.healthy.check(&self.lines);
        assert_eq!(self.lines.count("quarantined a ring"), 1);
        self.master.shutdown().unwrap();
    }

    /// Nothing is wrong with the ring as such.
    fn must_be_served(mut self) {
        self.healthy.check(&self.lines);
        self.victim.kill();
        self.lines.wait_for("Worker victim is dead: pid ");
        eventually("its files are removed", || !self.ring.exists() && !self.keeper.exists());
        self.healthy.check(&self.lines);
        assert_eq!(self.lines.count("quarantined a ring"), 0, "{:#?}", self.lines.all());
        self.master.shutdown().unwrap();
    }
}

#[test]
fn a_tail_that_is_not_aligned() {
    let scene = Scene::new();
    let mut scribbler = scene.scribbler();
    scribbler.set_tail(scribbler.tail + 4);
    scene.must_be_quarantined("is impossible for a reader at");
}

#[test]
fn a_tail_that_is_too_far_ahead() {
    let scene = Scene::new();
    let mut scribbler = scene.scribbler();
    scribbler.set_tail(scribbler.tail.wrapping_add(1 << 30));
    scene.must_be_quarantined("is impossible for a reader at");
}

#[test]
fn a_tail_that_goes_back() {
    let scene = Scene::new();
    scene.scribbler().set_tail(0);
    scene.must_be_quarantined("is impossible for a reader at");
}

#[test]
fn a_frame_that_is_too_short() {
    let scene = Scene::new();
    scene.scribbler().publish(&Forged { length: Some(3), ..Forged::text("x") });
    scene.must_be_quarantined("has the impossible length 3");
}

#[test]
fn a_frame_that_is_longer_than_any() {
    let scene = Scene::new();
    scene.scribbler().publish(&Forged { length: Some(u32::MAX), ..Forged::text("x") });
    scene.must_be_quarantined("has the impossible length 4294967295");
}

#[test]
fn a_frame_that_reaches_beyond_the_tail() {
    let scene = Scene::new();
    scene.scribbler().publish(&Forged { length: Some(4000), ..Forged::text("x") });
    scene.must_be_quarantined("has the impossible length 4000");
}

#[test]
fn noise_where_frames_should_be() {
    let scene = Scene::new();
    let noise: Vec<u8> =
        (0..4096u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
    scene.scribbler().publish_bytes(&noise);
    scene.must_be_quarantined("has the impossible length");
}

#[test]
fn what_came_before_the_fault_is_delivered() {
    let scene = Scene::new();
    let mut scribbler = scene.scribbler();
    scribbler.publish(&Forged::text("just before"));
    scribbler.publish(&Forged { length: Some(0), ..Forged::text("x") });
    scene.lines.wait_for("victim: just before");
    scene.must_be_quarantined("has the impossible length 0");
}

/// The process itself may be sound: its ring was spoilt, it finds that out, and takes another.
#[test]
fn a_living_owner_goes_on_in_another_ring() {
    let mut scene = Scene::with("goes on");
    scene.scribbler().publish(&Forged { length: Some(0), ..Forged::text("x") });
    scene.lines.wait_for("quarantined a ring of victim: ");
    scene.victim.release();
    scene.victim.hears();
    scene.lines.wait_for("victim: number 999");
    scene.must_be_quarantined("has the impossible length 0");
}

#[test]
fn frames_of_every_kind_and_level() {
    let mut scene = Scene::new();
    let mut scribbler = scene.scribbler();
    for kind in 0..=255 {
        // As padding it would have to take all that is left before the end.
        if kind != 1 {
            scribbler.publish(&Forged { kind, level: kind, ..Forged::text("some bytes or other") });
        }
        if kind % 16 == 0 {
            scene.healthy.check(&scene.lines);
        }
    }
    scribbler.publish(&Forged::text("the last one"));
    scene.lines.wait_for("victim: the last one");
    scene.must_be_served();
}

#[test]
fn records_that_cannot_be_understood_are_counted_and_said_once() {
    let mut scene = Scene::new();
    let mut scribbler = scene.scribbler();
    for _ in 0..20 {
        // "Bytes follow", but not even their length is there.
        scribbler.publish(&Forged { flags: 1 << 4, ..Forged::text("") });
        scene.healthy.check(&scene.lines);
    }
    scribbler.publish(&Forged::text("the last one"));
    scene.lines.wait_for("victim: the last one");
    let line = scene.lines.wait_for("left out a record of victim");
    assert!(line.starts_with("MASTER: "), "{line}");
    assert_eq!(scene.lines.count("left out"), 1);
    assert_eq!(scene.master.report().unwrap().total.quarantined, 20);
    scene.must_be_served();
}

#[test]
fn every_flag_there_is() {
    let mut scene = Scene::new();
    let mut scribbler = scene.scribbler();
    for bits in 0..=u8::MAX {
        let payload = [bits; 40].to_vec();
        scribbler.publish(&Forged { flags: bits.into(), ..Forged::text("") });
        scribbler.publish(&Forged { flags: bits.into(), payload, ..Forged::text("") });
        if bits % 16 == 0 {
            scene.healthy.check(&scene.lines);
        }
    }
    scribbler.publish(&Forged::text("the last one"));
    scene.lines.wait_for("the last one");
    scene.must_be_served();
}

#[test]
fn stamps_from_anywhere() {
    let mut scene = Scene::new();
    let mut scribbler = scene.scribbler();
    for (number, ticks) in [u64::MAX, 0, 1, u64::MAX / 2, u64::MAX / 2 + 1].into_iter().enumerate()
    {
        scribbler.publish(&Forged { ticks, ..Forged::text(&format!("stamp {number}")) });
        let line = scene.lines.wait_for_line(&format!("victim: stamp {number}"));
        assert!(line.late, "{line:?}");
        scene.healthy.check(&scene.lines);
        let healthy = scene.lines.wait_for_line(&format!("healthy: {}", number + 1));
        assert!(!healthy.late, "{healthy:?}");
    }
    scribbler.publish(&Forged::text("an honest one"));
    let line = scene.lines.wait_for_line("victim: an honest one");
    assert!(!line.late, "{line:?}");
    scene.must_be_served();
}

#[test]
fn counters_of_any_value() {
    let mut scene = Scene::new();
    let scribbler = scene.scribbler();
    scribbler.write(ATTEMPTED, &[0xff; 8]);
    scribbler.write(DROPPED, &[0xff; 48]);
    scribbler.write(FLUSH_REQUESTS, &[0xff; 4]);
    scene.healthy.check(&scene.lines);
    let report = scene.master.report().unwrap();
    assert_eq!(report.total.attempted, u64::MAX);
    assert!(report.to_string().contains(" delivered"), "{report}");
    scene.must_be_served();
}

/// A wish to flush that never ends costs the collector nothing and the others nothing.
#[test]
fn flush_requests_without_end() {
    let mut scene = Scene::new();
    let mut scribbler = scene.scribbler();
    for request in 0..200u32 {
        scribbler.write(FLUSH_REQUESTS, &request.to_ne_bytes());
        scribbler.publish(&Forged::text("please"));
    }
    scene.healthy.check(&scene.lines);
    scene.master.flush(PATIENCE).unwrap();
    scene.must_be_served();
}

/// The owner word is the kernel's evidence; where it was overwritten, the process still tells.
#[test]
fn an_owner_word_that_names_somebody_else() {
    for word in [0u32, 1, std::process::id()] {
        let mut scene = Scene::new();
        Scribbler::open(&scene.keeper).write(OWNER, &word.to_ne_bytes());
        scene.healthy.check(&scene.lines);
        scene.must_be_served();
    }
}

#[test]
fn heartbeats_that_promise_anything() {
    const HEARTBEAT: u8 = 6;
    let mut scene = Scene::new();
    let mut scribbler = Scribbler::open(&scene.keeper);
    for next in [0, 1, u64::MAX / 2, u64::MAX] {
        let payload = [next, u64::MAX].map(u64::to_le_bytes).concat();
        scribbler.publish(&Forged { kind: HEARTBEAT, payload, ..Forged::text("") });
        scribbler.publish(&Forged { kind: HEARTBEAT, ..Forged::text("short") });
        scene.healthy.check(&scene.lines);
    }
    scene.must_be_served();
}

/// Says that it ended, and lives and writes on: it is removed, nobody else is.
#[test]
fn a_ring_that_says_it_is_closed() {
    let mut scene = Scene::new();
    scene.scribbler().write(STATE, &1u32.to_ne_bytes());
    eventually("it is removed", || !scene.ring.exists());
    scene.healthy.check(&scene.lines);
    scene.victim.kill();
    scene.lines.wait_for("Worker victim is dead");
    check_books(&scene.master);
}
