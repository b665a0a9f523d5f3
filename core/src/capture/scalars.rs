//! Arguments of a fixed length.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::time::Duration;

use super::{Argument, Shape, Signature, Sink, code};

/// The number in a thread's `ThreadId`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThreadNumber(pub u64);

macro_rules! scalar {
    ($($type:ty, $code:ident, $length:literal, $value:ident => $bytes:expr;)+) => {$(
        impl Argument for $type {
            const SHAPE: Shape = Shape::of_code(code::$code);
            const FIXED: u32 = $length;
            const TEXTS: u32 = 0;
            const IS_FORMATTED: bool = false;

            fn describe(signature: &mut Signature) {
                signature.code(code::$code);
            }

            #[inline(always)]
            fn length(self) -> u32 {
                $length
            }

            #[inline(always)]
            fn put<S: Sink>(self, sink: &mut S) {
                let $value = self;
                let bytes: [u8; $length] = $bytes;
                sink.put(&bytes);
            }
        }
    )+};
}

scalar! {
    bool, BOOL, 1, it => [it as u8];
    char, CHAR, 4, it => (it as u32).to_le_bytes();
    i8, I8, 1, it => it.to_le_bytes();
    i16, I16, 2, it => it.to_le_bytes();
    i32, I32, 4, it => it.to_le_bytes();
    i64, I64, 8, it => it.to_le_bytes();
    i128, I128, 16, it => it.to_le_bytes();
    u8, U8, 1, it => it.to_le_bytes();
    u16, U16, 2, it => it.to_le_bytes();
    u32, U32, 4, it => it.to_le_bytes();
    u64, U64, 8, it => it.to_le_bytes();
    u128, U128, 16, it => it.to_le_bytes();
    f32, F32, 4, it => it.to_le_bytes();
    f64, F64, 8, it => it.to_le_bytes();
    Ipv4Addr, IPV4, 4, it => it.octets();
    Ipv6Addr, IPV6, 16, it => it.octets();
    IpAddr, IP, 17, it => ip_bytes(it);
    Duration, DURATION, 12, it => duration_bytes(it);
    ThreadNumber, THREAD, 8, it => it.0.to_le_bytes();
}

fn ip_bytes(address: IpAddr) -> [u8; 17] {
    let mut bytes = [0; 17];
    match address {
        IpAddr::V4(address) => {
            bytes[0] = 4;
            bytes[1..5].copy_from_slice(&address.octets());
        }
        IpAddr::V6(address) => {
            bytes[0] = 6;
            bytes[1..].copy_from_slice(&address.octets());
        }
    }
    bytes
}

#[inline(always)]
fn duration_bytes(duration: Duration) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[..8].copy_from_slice(&duration.as_secs().to_le_bytes());
    bytes[8..].copy_from_slice(&duration.subsec_nanos().to_le_bytes());
    bytes
}
