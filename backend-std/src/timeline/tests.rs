use super::*;
use crate::clock::{ClockKind, monotonic_ns};

/// Three ticks last a nanosecond.
fn reading(ns: u64) -> Reading {
    let monotonic_ns = 5_000_000_000 + ns;
    let anchor = Anchor { ticks: 20_000_000_000 + 3 * ns, monotonic_ns, wall_ns: 0 };
    Reading { anchor, ticks: 300 }
}

fn counter() -> SystemClock {
    SystemClock::of_kind(ClockKind::Tsc)
}

fn measured() -> Timeline {
    let mut timeline = Timeline::start(counter(), reading(0));
    timeline.take(reading(LEAST_SPAN_NS));
    timeline
}

#[test]
fn a_reading_converts_to_itself() {
    let mut timeline = Timeline::new(SystemClock::detect());
    let start = monotonic_ns();
    while monotonic_ns() - start < 3 * LEAST_SPAN_NS {
        std::hint::spin_loop();
    }
    timeline.refresh();
    for knot in [timeline.last, timeline.newest] {
        let error = timeline.monotonic_ns(knot.ticks).abs_diff(knot.monotonic_ns);
        assert!(error < 1_000, "off by {error} ns");
    }
}

#[test]
fn readings_long_ago_still_convert_to_themselves() {
    let mut timeline = measured();
    let steps = (1..4 * KNOTS as u64).map(|step| LEAST_SPAN_NS + step * SPACING_NS);
    let readings: Vec<_> = steps.map(reading).collect();
    readings.iter().for_each(|reading| timeline.take(*reading));
    assert_eq!(timeline.knots.len(), KNOTS);
    // Those that are kept no more are on the same line here.
    for Anchor { ticks, monotonic_ns, .. } in readings.iter().map(|reading| reading.anchor) {
        assert!(timeline.monotonic_ns(ticks).abs_diff(monotonic_ns) <= 1);
    }
}

#[test]
fn stamps_from_anywhere_do_no_harm_and_keep_their_order() {
    let mut timeline = Timeline::new(SystemClock::detect());
    timeline.refresh();
    for timeline in [timeline, measured()] {
        let near = timeline.newest.ticks;
        let ticks = [0, 1, near - 1000, near, near + 1, near * 2, u64::MAX / 2, u64::MAX];
        let keys = ticks.map(|ticks| timeline.monotonic_ns(ticks));
        assert!(keys.is_sorted(), "{keys:?}");
    }
    assert_eq!(measured().monotonic_ns(0), 0, "before the clock began");
}

#[test]
fn spans_convert_as_the_timeline_does() {
    let mut timeline = measured();
    timeline.learn(Anchor { ticks: 19_000_000_000, monotonic_ns: 4_666_666_667, wall_ns: 0 });
    for step in 1..10 {
        // The clock is slewed a little.
        timeline.take(reading(LEAST_SPAN_NS + step * SPACING_NS + step * step * 100));
    }
    let mut now = Timeline::new(SystemClock::of_kind(ClockKind::Monotonic));
    now.refresh();
    for timeline in [timeline, now] {
        let knots = timeline.knots.iter().chain([&timeline.newest]);
        let near = knots.flat_map(|knot| [knot.ticks - 1, knot.ticks, knot.ticks + 1]);
        let stamps: Vec<_> = near.chain([0, 1, 1 << 60, u64::MAX - 1, u64::MAX]).collect();
        for &first in &stamps {
            for &most in &stamps {
                let Some(span) = timeline.span(first, most) else { continue };
                assert!(span.last() <= most);
                for &ticks in stamps.iter().filter(|ticks| (first..=span.last()).contains(ticks)) {
                    assert_eq!(span.monotonic_ns(ticks), timeline.monotonic_ns(ticks));
                }
            }
        }
        let newest = timeline.newest.ticks;
        assert_eq!(timeline.span(newest, newest + 9).map(|span| span.last()), Some(newest + 9));
    }
}

#[test]
fn a_rate_beyond_all_bounds_saturates() {
    let mut timeline = Timeline::start(counter(), reading(0));
    let mut far = reading(0);
    far.anchor.ticks += 1;
    far.anchor.monotonic_ns = u64::MAX;
    timeline.take(far);
    assert_eq!(timeline.monotonic_ns(u64::MAX), u64::MAX);
    assert_eq!(timeline.monotonic_ns(0), 0);
}

#[test]
fn a_counter_that_goes_back_is_followed() {
    let mut timeline = measured();
    let mut back = reading(2 * LEAST_SPAN_NS);
    back.anchor.ticks = 100;
    timeline.take(back);
    let start = back.anchor.monotonic_ns;
    assert_eq!(timeline.monotonic_ns(100), start);
    // At the rate of before until there is another.
    assert!(timeline.monotonic_ns(3_100).abs_diff(start + 1000) <= 1);
    back.anchor.ticks += 3000;
    back.anchor.monotonic_ns += 1000;
    timeline.take(back);
    assert_eq!(timeline.monotonic_ns(3_100), start + 1000);
}

#[test]
fn a_reading_of_the_same_tick_says_nothing() {
    let mut timeline = measured();
    let before = timeline.newest;
    let mut same = reading(LEAST_SPAN_NS);
    same.anchor.monotonic_ns += 20;
    timeline.take(same);
    assert_eq!(timeline.newest, before);
}

#[test]
fn an_earlier_reading_is_believed_if_it_fits() {
    let mut timeline = Timeline::start(counter(), reading(0));
    let front = timeline.last;
    let before = |ns| Anchor {
        ticks: front.ticks - 3 * ns,
        monotonic_ns: front.monotonic_ns - ns,
        wall_ns: 0,
    };
    timeline.learn(before(1000));
    assert_eq!(timeline.knots.len(), 1, "nothing was measured yet");
    timeline.take(reading(LEAST_SPAN_NS));
    let lie = Anchor { ticks: front.ticks / 2, ..before(1000) };
    timeline.learn(lie);
    assert_eq!(timeline.knots.len(), 1, "another rate");
    timeline.learn(before(1000));
    assert_eq!(timeline.monotonic_ns(front.ticks - 3000), front.monotonic_ns - 1000);
    assert_eq!(timeline.knots.len(), 2);
    timeline.learn(before(500));
    timeline.learn(reading(1000).anchor);
    assert_eq!(timeline.knots.len(), 2, "a later one says nothing new");
    timeline.learn(before(3_000_000_000));
    let long_ago = before(2_000_000_000);
    assert!(timeline.monotonic_ns(long_ago.ticks).abs_diff(long_ago.monotonic_ns) <= 1);
}

#[test]
fn the_wall_offset_stays_as_long_as_readings_agree() {
    let mut timeline = measured();
    let offset = timeline.wall_offset_ns();
    let mut next = reading(2 * LEAST_SPAN_NS);
    next.anchor.wall_ns = offset + next.anchor.monotonic_ns as i64 + 40;
    timeline.take(next);
    assert_eq!(timeline.wall_offset_ns(), offset, "no more than a reading may be off");
    next.anchor.wall_ns += 20;
    timeline.take(next);
    assert_eq!(timeline.wall_offset_ns(), offset + 60);
}
