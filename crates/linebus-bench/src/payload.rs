//! Payloads: eight digits that number the message, then letters up to the size asked for.
//!
//! The number lets a receiver tell which message it got. Plain ASCII is what buses mostly carry and what UTF-8 checks
//! are quickest with; a server without such checks is not slower for it.

/// How many digits carry the number. Payloads are never shorter.
pub(crate) const NUMBER_DIGITS: usize = 8;

/// How many messages can be told apart: 10 to the power of [`NUMBER_DIGITS`].
pub(crate) const NUMBERS: u64 = 100_000_000;

/// Payload `number` of `length` bytes; `length` is at least [`NUMBER_DIGITS`].
pub(crate) fn build(number: u64, length: usize) -> Vec<u8> {
    let mut payload = vec![0; length];
    for (place, letter) in payload.iter_mut().zip((b'a'..=b'z').cycle()) {
        *place = letter;
    }
    write_number(number, &mut payload);
    payload
}

/// Overwrites the number at the start of a payload.
pub(crate) fn write_number(number: u64, payload: &mut [u8]) {
    let mut rest = number % NUMBERS;
    for place in payload[..NUMBER_DIGITS].iter_mut().rev() {
        *place = b'0' + u8::try_from(rest % 10).expect("a digit fits a byte");
        rest /= 10;
    }
}

/// The number at the start of a payload, if there is one.
pub(crate) fn number(payload: &[u8]) -> Option<u64> {
    let digits = payload.get(..NUMBER_DIGITS)?;
    digits.iter().try_fold(0, |number, digit| {
        digit.is_ascii_digit().then(|| number * 10 + u64::from(digit - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payload_has_the_length_asked_for_and_carries_its_number() {
        let payload = build(1_234, 16);
        assert_eq!(payload, b"00001234ijklmnop");
        assert_eq!(number(&payload), Some(1_234));
    }

    #[test]
    fn letters_or_too_few_digits_are_no_number() {
        assert_eq!(number(b"0000x234"), None);
        assert_eq!(number(b"0000123"), None);
    }
}
