//! The frames, byte by byte, as docs/wire-format.md defines them.

/// In words of eight bytes, which is how frames are aligned.
#[rustfmt::skip]
pub(crate) const BYTES: [[u8; 8]; 25] = [
    [30, 0, 0, 0,   2, 2, 0, 0],  // length; kind (text), level (INFO), flags
    [1, 0, 0, 0, 0, 0, 0, 0],     // ticks
    [0, 0, 0, 0,   0, 0, 0, 0],   // sequence; call site
    *b"booted\0\0",

    [27, 0, 0, 0,   2, 1, 0, 0],  // text, DEBUG
    [2, 0, 0, 0, 0, 0, 0, 0],
    [1, 0, 0, 0,   0, 0, 0, 0],
    *b"one\0\0\0\0\0",

    [27, 0, 0, 0,   2, 1, 0, 0],  // text, DEBUG
    [3, 0, 0, 0, 0, 0, 0, 0],
    [2, 0, 0, 0,   0, 0, 0, 0],
    *b"two\0\0\0\0\0",

    [64, 0, 0, 0,   9, 0, 0, 0],  // gap, without a level
    [4, 0, 0, 0, 0, 0, 0, 0],
    [4, 0, 0, 0,   0, 0, 0, 0],
    [0; 8],                       // lost: TRACE,
    [0; 8],                       // DEBUG,
    [0; 8],                       // INFO,
    [1, 0, 0, 0, 0, 0, 0, 0],     // WARNING,
    [0; 8],                       // ERROR

    [37, 0, 0, 0,   2, 4, 0, 0],  // text, ERROR
    [4, 0, 0, 0, 0, 0, 0, 0],
    [4, 0, 0, 0,   0, 0, 0, 0],   // the sequence shows the loss
    *b"after th",
    *b"e gap\0\0\0",
];
