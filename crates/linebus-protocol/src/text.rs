//! Which bytes may stand in a line: UTF-8 without control characters, TAB excepted.
//!
//! The check runs over whole reads at once: when every complete line in a read is clean, no line
//! needs to be looked at again. Control characters are those of C0 and C1 and DEL: C1's U+009B
//! alone can steer a terminal.

use memchr::{memchr, memchr_iter};

/// Whether `bytes` are ASCII without control characters other than TAB and LF: what nearly all
/// traffic is, and what needs no second look, wherever a read was cut.
#[must_use]
pub fn is_plain(bytes: &[u8]) -> bool {
    // Not 0 for what is neither 0x20 to 0x7E nor TAB or LF. Six operations without branches, so
    // that it compiles to SIMD; it is half of what looking at a line costs.
    let foreign = |byte: u8| {
        let not_visible = byte.wrapping_sub(b' ').saturating_sub(b'~' - b' ');
        let not_blank = byte.wrapping_sub(b'\t').saturating_sub(b'\n' - b'\t');
        not_visible.min(not_blank)
    };
    bytes.chunks(1024).all(|block| block.iter().fold(0, |any, byte| any | foreign(*byte)) == 0)
}

/// Whether `bytes` may stand in lines as they are: valid UTF-8, no control characters other than
/// TAB and LF. A CR or an IAC makes it false: those lines want a closer look.
#[must_use]
pub fn is_clean(bytes: &[u8]) -> bool {
    let control = |byte: &u8| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\n');
    is_plain(bytes)
        || !bytes.iter().any(control) && simdutf8::basic::from_utf8(bytes).is_ok() && !has_c1(bytes)
}

/// Whether valid UTF-8 holds U+0080 to U+009F, which are C2 80 to C2 9F.
fn has_c1(bytes: &[u8]) -> bool {
    memchr_iter(0xc2, bytes).any(|at| matches!(bytes.get(at + 1), Some(0x80..=0x9f)))
}

/// The text of one line, its end taken off, if it is fit to stand.
#[must_use]
pub fn check_line(line: &[u8]) -> Option<&str> {
    if is_clean(line) && memchr(b'\n', line).is_none() {
        simdutf8::basic::from_utf8(line).ok()
    } else {
        None
    }
}

/// Turns CR LF and CR NUL (what telnet's Return key sends, RFC 854) into LF, in place; returns
/// the new length. A CR at the very end stays, because its partner may still come.
#[must_use]
pub fn unify_line_ends(bytes: &mut [u8]) -> usize {
    let Some(mut to) = memchr(b'\r', bytes) else {
        return bytes.len();
    };
    let mut from = to;
    while from < bytes.len() {
        let mut byte = bytes[from];
        if byte == b'\r' && matches!(bytes.get(from + 1), Some(b'\n' | 0)) {
            byte = b'\n';
            from += 1;
        }
        bytes[to] = byte;
        to += 1;
        from += 1;
    }
    to
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_utf8_without_control_characters() {
        for good in ["", "a\tb", "zürich 🙂", "\u{a0}", "~", &"é".repeat(300)] {
            assert_eq!(check_line(good.as_bytes()), Some(good));
        }
        let bad: [&[u8]; 9] = [
            b"\0",
            b"a\x1b[2J",
            b"\x7f",
            b"a\rb",
            b"a\nb",
            b"\xff",
            b"\xc3",
            b"\xed\xa0\x80",
            "\u{9b}".as_bytes(),
        ];
        for bad in bad {
            assert_eq!(check_line(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn every_byte_value_is_judged_the_same_anywhere_in_a_block() {
        for byte in 0..=255u8 {
            for at in [0, 255, 256, 511] {
                let mut bytes = vec![b'x'; 512];
                bytes[at] = byte;
                let good = matches!(byte, b'\t' | b'\n' | 0x20..=0x7e);
                assert_eq!(is_clean(&bytes), good, "{byte:#x} at {at}");
            }
        }
    }

    #[test]
    fn line_ends_become_one() {
        let check = |input: &[u8], expected: &[u8]| {
            let mut bytes = input.to_vec();
            let len = unify_line_ends(&mut bytes);
            assert_eq!(&bytes[..len], expected);
        };
        check(b"a\r\nb\r\0c\n", b"a\nb\nc\n");
        check(b"a\r", b"a\r");
        check(b"a\rb\r\r\n", b"a\rb\r\n");
        check(b"\r\0\0", b"\n\0");
    }
}
