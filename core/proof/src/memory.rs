//! The four functions that compiled Rust expects somebody to provide; usually that is libc.
//!
//! # Safety
//!
//! They keep the contracts of the C functions of the same names, and rely on their callers to do
//! so too: every index is below `length`, for which the caller vouches.

/// C's `memcpy`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
    for i in 0..length {
        // SAFETY: see above.
        unsafe { *to.add(i) = *from.add(i) };
    }
    to
}

/// C's `memmove`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
    if (to as usize) < from as usize {
        // SAFETY: forwards, each byte is read before it is overwritten.
        return unsafe { memcpy(to, from, length) };
    }
    for i in (0..length).rev() {
        // SAFETY: see above.
        unsafe { *to.add(i) = *from.add(i) };
    }
    to
}

/// C's `memset`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, byte: i32, length: usize) -> *mut u8 {
    for i in 0..length {
        // SAFETY: see above.
        unsafe { *to.add(i) = byte as u8 };
    }
    to
}

/// C's `memcmp`, and so also a `bcmp`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(left: *const u8, right: *const u8, length: usize) -> i32 {
    for i in 0..length {
        // SAFETY: see above.
        let (left, right) = unsafe { (*left.add(i), *right.add(i)) };
        if left != right {
            return i32::from(left) - i32::from(right);
        }
    }
    0
}
