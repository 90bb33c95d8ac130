//! The one pass over what was read: is it plain, and where do its lines end. Everything after it
//! asks the positions found here instead of looking for the next LF, which depends on the last
//! one and keeps a processor waiting.

use fearless_simd::{Level, Simd, dispatch, prelude::*, u8x64};

/// Bytes that are looked at together: a bit of a word each.
const BLOCK: usize = 64;

/// Fills `ends` with where each line of `bytes` ends, its LF included: the first bytes of the next
/// ones. Those before `from` were looked at earlier and have no LF.
///
/// Returns whether what begins at `from` is plain, as [`is_plain`](crate::text::is_plain) has it.
/// `bytes` are at most 4 GiB.
pub fn scan(bytes: &[u8], from: usize, ends: &mut Vec<u32>) -> bool {
    dispatch!(Level::new(), simd => scan_blocks(simd, bytes, from, ends))
}

/// The same with what the processor can.
#[inline(always)]
fn scan_blocks<S: Simd>(simd: S, bytes: &[u8], from: usize, ends: &mut Vec<u32>) -> bool {
    ends.clear();
    let (blocks, rest) = bytes[from..].as_chunks::<BLOCK>();
    let mut is_plain = true;
    let mut at = u32::try_from(from).expect("a read is far shorter");
    for block in blocks {
        is_plain &= scan_block(simd, block, at, ends);
        at += BLOCK as u32;
    }
    // What an LF in its place would not change.
    let mut last = [b' '; BLOCK];
    last[..rest.len()].copy_from_slice(rest);
    scan_block(simd, &last, at, ends) && is_plain
}

/// The same for the block at `at`.
#[inline(always)]
fn scan_block<S: Simd>(simd: S, block: &[u8; BLOCK], at: u32, ends: &mut Vec<u32>) -> bool {
    let bytes = u8x64::from_slice(simd, block);
    let lf = bytes.simd_eq(b'\n');
    // What is below a blank wraps around and is too large, too.
    let visible = (bytes - b' ').simd_lt(0x7f - b' ');
    let mut left = lf.to_bitmask();
    while left != 0 {
        ends.push(at + left.trailing_zeros() + 1);
        left &= left - 1;
    }
    // A TAB is rare enough for a second look.
    (visible | lf).all_true() || crate::text::is_plain(block)
}

#[cfg(test)]
mod tests {
    use arbtest::arbtest;

    use super::*;
    use crate::text::is_plain;

    #[test]
    fn a_scan_finds_what_looking_at_each_byte_finds() {
        arbtest(|random| {
            let mut bytes: Vec<u8> = random.arbitrary()?;
            // Mostly what lines are made of.
            for byte in &mut bytes {
                let usual = random.choose(b"aZ ~\t\n\n")?;
                if random.ratio(9, 10)? {
                    *byte = *usual;
                }
            }
            let from = random.choose_index(bytes.len() + 1).unwrap_or(0);
            for byte in &mut bytes[..from] {
                *byte = b'x';
            }
            let mut ends = vec![7];
            assert_eq!(scan(&bytes, from, &mut ends), is_plain(&bytes[from..]));
            let expected = (1..=bytes.len()).filter(|end| bytes[end - 1] == b'\n');
            assert!(ends.iter().map(|end| *end as usize).eq(expected));
            Ok(())
        });
    }

    #[test]
    fn every_byte_value_is_judged_anywhere_in_a_block() {
        for byte in 0..=255 {
            for at in 0..2 * BLOCK {
                let mut bytes = [b'x'; 2 * BLOCK + 3];
                bytes[at] = byte;
                assert_eq!(scan(&bytes, 0, &mut Vec::new()), is_plain(&[byte]), "{byte:#x}");
            }
        }
    }
}
