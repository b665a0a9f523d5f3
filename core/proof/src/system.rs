//! The three things that a program needs of Linux: a place to start, to write and to end.
//!
//! # Safety
//!
//! Each block says which call it makes; the numbers are those of the kernel's
//! `arch/x86/entry/syscalls/syscall_64.tbl` and `include/uapi/asm-generic/unistd.h`.

use core::arch::{asm, global_asm};
use core::fmt;

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
compile_error!("this proof knows how to start and end on Linux, x86-64 and aarch64, only");

// The kernel enters with an aligned stack and no return address (System V ABI, "Process
// Initialization").
#[cfg(target_arch = "x86_64")]
global_asm!(
    ".globl _start",
    "_start:",
    "xor ebp, ebp",
    "call {main}",
    "ud2",
    main = sym crate::rust_main,
);
#[cfg(target_arch = "aarch64")]
global_asm!(
    ".globl _start",
    "_start:",
    "mov x29, xzr",
    "mov x30, xzr",
    "bl {main}",
    "brk #1",
    main = sym crate::rust_main,
);

#[cfg(target_arch = "x86_64")]
mod number {
    pub(super) const WRITE: usize = 1;
    pub(super) const EXIT_GROUP: usize = 231;
}
#[cfg(target_arch = "aarch64")]
mod number {
    pub(super) const WRITE: usize = 64;
    pub(super) const EXIT_GROUP: usize = 94;
}

/// # Safety
///
/// The system call must be sound with these arguments, whatever else is in the other registers.
unsafe fn call(number: usize, first: usize, second: usize, third: usize) -> isize {
    let result;
    // SAFETY: clobbers are declared as the kernel's calling convention has them; the rest is the
    // caller's promise.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number as isize => result,
            in("rdi") first,
            in("rsi") second,
            in("rdx") third,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    // SAFETY: as above.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!(
            "svc 0",
            in("x8") number,
            inlateout("x0") first as isize => result,
            in("x1") second,
            in("x2") third,
            options(nostack),
        );
    }
    result
}

/// The standard output.
pub(crate) struct Output;

impl fmt::Write for Output {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            // SAFETY: write(1, rest, length) only reads `rest`.
            let written = unsafe { call(number::WRITE, 1, rest.as_ptr() as usize, rest.len()) };
            match usize::try_from(written) {
                Ok(written) if written > 0 => rest = rest.get(written..).ok_or(fmt::Error)?,
                _ => return Err(fmt::Error),
            }
        }
        Ok(())
    }
}

/// Ends the program.
pub(crate) fn exit(status: usize) -> ! {
    // SAFETY: exit_group(status) touches no memory.
    unsafe { call(number::EXIT_GROUP, status, 0, 0) };
    unreachable!("exit_group does not return")
}
