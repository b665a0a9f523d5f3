//! The clock that stamps records.
//!
//! # Safety
//!
//! The unsafe code reads the processor's counter: one instruction that touches no memory.

/// Where ticks come from. The numbers are those of ring files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ClockKind {
    /// Nanoseconds of the operating system's monotonic clock.
    Monotonic = 1,
    /// The processor's time-stamp counter (x86-64).
    Tsc = 2,
    /// The processor's virtual counter, CNTVCT_EL0 (aarch64).
    Cntvct = 3,
}

/// The cheapest clock that can be trusted here: the processor's counter where the Linux kernel
/// itself uses it as its clock source (so it is invariant and synchronised between cores), else
/// the monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemClock {
    kind: ClockKind,
}

impl SystemClock {
    /// Looks at what the kernel trusts.
    pub fn detect() -> Self {
        let source = match cfg!(target_os = "linux") {
            true => std::fs::read_to_string(CLOCK_SOURCE).unwrap_or_default(),
            false => String::new(),
        };
        Self::of_source(source.trim())
    }

    /// The monotonic clock, wherever this runs.
    pub const fn monotonic() -> Self {
        Self { kind: ClockKind::Monotonic }
    }

    /// A clock that stamps like this, whether or not this machine has one.
    #[cfg(test)]
    pub(crate) const fn of_kind(kind: ClockKind) -> Self {
        Self { kind }
    }

    /// The clock to use on a kernel that uses this clock source.
    fn of_source(source: &str) -> Self {
        match NATIVE {
            Some((kind, name)) if name == source => Self { kind },
            _ => Self::monotonic(),
        }
    }

    /// Where its ticks come from.
    pub const fn kind(&self) -> ClockKind {
        self.kind
    }

    /// Whether its ticks are those of the processor's counter, that is, what [`native_ticks`]
    /// returns. Does not change as long as the clock lives.
    #[inline(always)]
    pub const fn is_native_counter(&self) -> bool {
        !matches!(self.kind, ClockKind::Monotonic)
    }

    /// The time now, in ticks. About 10 ns for the processor's counter, 20 to 50 ns otherwise.
    #[inline(always)]
    pub fn now(&self) -> u64 {
        if self.is_native_counter() { native_ticks() } else { monotonic_ns() }
    }
}

const CLOCK_SOURCE: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";

/// The counter of this architecture, and what the kernel calls it as a clock source.
///
/// That name is all that is looked at. A kernel that uses a counter computes its own time from it,
/// so it gives up one that is not invariant: on x86 `unsynchronized_tsc()` and the cpufreq notifier
/// in `arch/x86/kernel/tsc.c` mark a TSC that is not constant as unstable, `tsc_check_state()` in
/// `drivers/acpi/processor_idle.c` one that halts in idle, and the watchdog one that strays. The
/// processor's flags would say less: hypervisors hide them from kernels that know better.
#[cfg(target_arch = "x86_64")]
const NATIVE: Option<(ClockKind, &str)> = Some((ClockKind::Tsc, "tsc"));
#[cfg(target_arch = "aarch64")]
const NATIVE: Option<(ClockKind, &str)> = Some((ClockKind::Cntvct, "arch_sys_counter"));
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const NATIVE: Option<(ClockKind, &str)> = None;

/// Reads the processor's counter, trusted or not: the ticks of a clock for which
/// [`SystemClock::is_native_counter`] holds. Where there is no such counter, monotonic
/// nanoseconds.
///
/// Not serialising: the stamp may be some instructions early or late, which is less than the cost
/// of making it exact.
#[inline(always)]
pub fn native_ticks() -> u64 {
    counter()
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
#[allow(unsafe_code)]
fn counter() -> u64 {
    // SAFETY: every x86-64 processor has RDTSC, and it touches no memory. Where the kernel was
    // asked to forbid it (PR_SET_TSC), it ends the process; so does clock_gettime then.
    unsafe { core::arch::x86_64::_rdtsc() }
}

#[cfg(target_arch = "aarch64")]
#[inline(always)]
#[allow(unsafe_code)]
fn counter() -> u64 {
    let ticks: u64;
    // SAFETY: every aarch64 processor has CNTVCT_EL0, and reading it touches neither memory nor
    // flags. Programs may read it: the kernel's own vDSO does so in the program's name, and a
    // kernel that has to work around a faulty counter traps the read and answers it itself
    // (`cntvct_read_handler` in `arch/arm64/kernel/traps.c`).
    unsafe {
        core::arch::asm!(
            "mrs {ticks}, cntvct_el0",
            ticks = out(reg) ticks,
            options(nomem, nostack, preserves_flags),
        );
    }
    ticks
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
#[inline(always)]
fn counter() -> u64 {
    monotonic_ns()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_counter_that_the_kernel_uses_is_trusted() {
        for source in ["", "hpet", "acpi_pm", "kvm-clock", "tsc-early", "jiffies", "TSC", "tsc "] {
            assert_eq!(SystemClock::of_source(source), SystemClock::monotonic(), "{source}");
        }
        let Some((kind, name)) = NATIVE else { return };
        let native = SystemClock::of_source(name);
        assert_eq!((native.kind(), native.is_native_counter()), (kind, true));
        assert!(!SystemClock::monotonic().is_native_counter());
    }

    #[test]
    fn each_architecture_has_its_counter() {
        let of = |source| SystemClock::of_source(source).kind();
        let expected = match std::env::consts::ARCH {
            "x86_64" => (ClockKind::Tsc, ClockKind::Monotonic),
            "aarch64" => (ClockKind::Monotonic, ClockKind::Cntvct),
            _ => (ClockKind::Monotonic, ClockKind::Monotonic),
        };
        assert_eq!((of("tsc"), of("arch_sys_counter")), expected);
    }

    #[test]
    fn clocks_go_forward() {
        for clock in [SystemClock::detect(), SystemClock::monotonic()] {
            let before = clock.now();
            let start = monotonic_ns();
            while monotonic_ns() < start + 1_000_000 {
                std::hint::spin_loop();
            }
            assert!(clock.now() > before, "{clock:?}");
        }
    }
}
