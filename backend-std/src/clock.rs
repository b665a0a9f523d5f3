//! The clock that stamps records.

/// Where ticks come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ClockKind {
    /// Nanoseconds of the operating system's monotonic clock.
    Monotonic = 1,
    /// The processor's time-stamp counter (x86-64).
    Tsc = 2,
}

/// The cheapest clock that can be trusted here: the time-stamp counter where the Linux kernel
/// itself uses it as its clock source (so it is invariant and synchronised between cores), else
/// the monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemClock {
    kind: ClockKind,
}

impl SystemClock {
    /// Looks at what the kernel trusts.
    pub fn detect() -> Self {
        let kind = if kernel_trusts_tsc() { ClockKind::Tsc } else { ClockKind::Monotonic };
        Self { kind }
    }

    /// The monotonic clock, wherever this runs.
    pub const fn monotonic() -> Self {
        Self { kind: ClockKind::Monotonic }
    }

    /// Where its ticks come from.
    pub const fn kind(&self) -> ClockKind {
        self.kind
    }

    /// The time now, in ticks. About 10 ns for the time-stamp counter, 20 to 50 ns otherwise.
    #[inline(always)]
    pub fn now(&self) -> u64 {
        match self.kind {
            ClockKind::Tsc => tsc(),
            ClockKind::Monotonic => monotonic_ns(),
        }
    }
}

/// Reads the time-stamp counter. Not serialising: the stamp may be some instructions early or
/// late, which is less than the cost of making it exact.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
#[allow(unsafe_code)]
fn tsc() -> u64 {
    // SAFETY: every x86-64 processor has RDTSC, and it touches no memory.
    unsafe { core::arch::x86_64::_rdtsc() }
}

#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn tsc() -> u64 {
    monotonic_ns()
}

fn kernel_trusts_tsc() -> bool {
    cfg!(all(target_arch = "x86_64", target_os = "linux"))
        && std::fs::read_to_string(
            "/sys/devices/system/clocksource/clocksource0/current_clocksource",
        )
        .is_ok_and(|source| source.trim() == "tsc")
}

/// Nanoseconds of the monotonic clock, the same for all processes of a Unix machine.
#[cfg(unix)]
#[inline]
pub fn monotonic_ns() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// Nanoseconds since the first call in this process.
#[cfg(not(unix))]
pub fn monotonic_ns() -> u64 {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed().as_nanos() as u64
}
