//! Whether two lists of arguments have the same types, as a number known at compile time.

use super::code::SIMPLE;

/// Bits of a shape.
const BITS: u32 = 40;
/// Bits of one simple type in the shape of a list.
const BITS_EACH: u32 = 5;
/// So many simple types make a list whose shape is exact.
const MOST: usize = 7;
/// Marks a shape that is a hash.
const HASHED: u64 = 1 << (BITS - 1);

/// The types of a call's arguments in 40 bits.
///
/// A static inside a generic function is one place for all types that the function is used with, so
/// a call has to check that what the static knows is about its own types: this is what it compares.
/// Lists of up to seven types that are one [code](super::code) each have shapes of their own. Longer
/// and nested ones are hashed: that two which meet at one call site agree by accident has a
/// probability of 1 in 5 · 10^11.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape(u64);

impl Shape {
    /// No arguments.
    pub const EMPTY: Shape = Shape(0);

    /// The shape of a type that is one code.
    ///
    /// # Panics
    ///
    /// At compile time, if it is not.
    pub const fn of_code(code: u8) -> Shape {
        let mut at = 0;
        while at < SIMPLE.len() {
            if SIMPLE[at] == code {
                return Shape(at as u64 + 1);
            }
            at += 1;
        }
        panic!("not the code of a simple type");
    }

    /// The shape of several types in a row.
    pub const fn of_list(shapes: &[Shape]) -> Shape {
        // Groups may stand in groups: what counts is the types in a row, not how they are grouped.
        let mut all = Shape::EMPTY;
        let mut at = 0;
        while at < shapes.len() {
            all = all.then(shapes[at]);
            at += 1;
        }
        all
    }

    /// This list and then `next`.
    const fn then(self, next: Shape) -> Shape {
        if self.0 & HASHED == 0 && next.0 & HASHED == 0 {
            let (mine, more) = (self.count(), next.count());
            if mine + more <= MOST {
                return Shape(self.0 | next.0 << (mine as u32 * BITS_EACH));
            }
        }
        self.hashed_with(&next.0.to_le_bytes())
    }

    /// The shape of a type that is made of others, or of a name and others.
    pub const fn hashed_with(self, more: &[u8]) -> Shape {
        // FNV-1a (Fowler, Noll, Vo; RFC 9923), folded to what is free.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ self.0;
        let mut at = 0;
        while at < more.len() {
            hash = (hash ^ more[at] as u64).wrapping_mul(0x0000_0100_0000_01b3);
            at += 1;
        }
        hash ^= hash >> 32;
        hash = hash.wrapping_mul(0x0000_0100_0000_01b3);
        Shape(HASHED | (hash >> (64 - BITS + 1)))
    }

    /// As a number of 40 bits.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// The shape whose [`Shape::bits`] these are.
    pub(super) const fn bytes(self) -> [u8; 8] {
        self.0.to_le_bytes()
    }

    /// How many simple types an exact shape has.
    const fn count(self) -> usize {
        (64 - self.0.leading_zeros()).div_ceil(BITS_EACH) as usize
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::collections::HashMap;
    use std::vec::Vec;

    use super::*;

    fn simple() -> impl Iterator<Item = Shape> + Clone {
        SIMPLE.iter().map(|code| Shape::of_code(*code))
    }

    #[test]
    fn short_lists_of_simple_types_have_shapes_of_their_own() {
        let mut seen = HashMap::new();
        let mut lists: Vec<Vec<Shape>> = [Vec::new()].into();
        for list in simple().map(|a| [a].into()) {
            lists.push(list);
        }
        for a in simple() {
            for b in simple() {
                lists.push([a, b].into());
                lists.extend(simple().map(|c| [a, b, c].into()));
            }
        }
        lists.extend(simple().map(|a| [a; 7].into()));
        for list in lists {
            let shape = Shape::of_list(&list);
            assert!(shape.bits() & HASHED == 0);
            assert_eq!(seen.insert(shape.bits(), list.clone()), None, "{list:?}");
        }
    }

    #[test]
    fn grouping_makes_no_difference() {
        let all: Vec<Shape> = simple().take(5).collect();
        let (head, tail) = all.split_at(2);
        let grouped = [Shape::of_list(head), Shape::of_list(tail)];
        assert_eq!(Shape::of_list(&grouped), Shape::of_list(&all));
    }

    #[test]
    fn longer_lists_are_hashed_into_40_bits() {
        let mut seen = HashMap::new();
        for length in 8..200 {
            for shape in simple() {
                let list = std::vec![shape; length];
                let shape = Shape::of_list(&list);
                assert!(shape.bits() & HASHED != 0 && shape.bits() >> BITS == 0);
                assert_eq!(seen.insert(shape.bits(), (shape, length)), None);
            }
        }
    }
}
