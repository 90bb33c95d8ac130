//! Whole numbers and times on the wire, with errors that say what would be right.

use std::fmt::Display;
use std::str::FromStr;

use jiff::Timestamp;

/// A whole number without a sign, as `T` has room for.
pub(crate) struct Number<T>(pub(crate) T);

macro_rules! number {
    ($($type:ty)+) => {$(
        impl FromStr for Number<$type> {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let number = digits(text).and_then(|text| text.parse().ok()).map(Self);
                number.ok_or_else(|| wanted(text, 0, <$type>::MAX))
            }
        }
    )+};
}
number!(u8 u16 u32 u64);

/// The text, if it is digits only: a sign means something else where one may stand.
pub(crate) fn digits(text: &str) -> Option<&str> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then_some(text)
}

pub(crate) fn wanted(text: &str, from: impl Display, to: impl Display) -> String {
    format!("{text:?} is no whole number from {from} to {to}")
}

/// A time as RFC 3339 has it.
pub(crate) struct Time(pub(crate) Timestamp);

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let time = text.parse().map(Self);
        time.map_err(|_| format!("{text:?} is no time such as 2026-11-27T10:42:00Z"))
    }
}
