//! When a line was sent, as it stands in a record: RFC 3339, UTC, microseconds, always 27 bytes.
//! One width is what makes sorting and seeking work without reading numbers.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

/// A time of a record, `2013-02-03T00:00:00.000000Z`. Times order as their text does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time([u8; Time::BYTES]);

/// Where digits stand, and the highest that each pair may be; 99 for any.
const FORM: &[u8; Time::BYTES] = b"0000-00-00T00:00:00.000000Z";
const PAIRS: [(usize, u8); 5] = [(5, 12), (8, 31), (11, 23), (14, 59), (17, 60)];

impl Time {
    /// How long each is.
    pub const BYTES: usize = 27;

    /// Reads what begins with a time.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let bytes = *text.first_chunk::<{ Self::BYTES }>()?;
        let fits = |(byte, form): (&u8, &u8)| match form {
            b'0' => byte.is_ascii_digit(),
            form => byte == form,
        };
        let pair = |at: usize| (bytes[at] - b'0') * 10 + (bytes[at + 1] - b'0');
        let good = bytes.iter().zip(FORM).all(fits)
            && PAIRS.iter().all(|(at, most)| pair(*at) <= *most)
            && pair(5) > 0
            && pair(8) > 0;
        good.then_some(Self(bytes))
    }

    /// The present, by this machine's clock.
    #[must_use]
    pub fn now() -> Self {
        Self::from(Timestamp::now())
    }

    /// The moment; none on a day that is in no calendar.
    #[must_use]
    pub fn timestamp(&self) -> Option<Timestamp> {
        self.as_str().parse().ok()
    }

    /// The same as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).expect("it is made of ASCII")
    }

    /// So much earlier.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        self.moved(|timestamp| timestamp.checked_sub(duration).ok())
    }

    /// So much later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        self.moved(|timestamp| timestamp.checked_add(duration).ok())
    }

    /// Itself where the calendar ends.
    fn moved(self, by: impl FnOnce(Timestamp) -> Option<Timestamp>) -> Self {
        self.timestamp().and_then(by).map_or(self, Self::from)
    }

    /// Up to the second, as in `2013-02-03T00:00:00`.
    #[must_use]
    pub fn second(&self) -> &str {
        &self.as_str()[..19]
    }

    /// Up to the hour, as in `2013-02-03T00`.
    #[must_use]
    pub fn hour(&self) -> &str {
        &self.as_str()[..13]
    }
}

impl From<Timestamp> for Time {
    /// Cut to microseconds. Before the year 0 it is that year's beginning.
    fn from(timestamp: Timestamp) -> Self {
        let text = format!("{timestamp:.6}");
        Self::parse(text.as_bytes()).unwrap_or(Self(*b"0000-01-01T00:00:00.000000Z"))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_one_form_only() {
        let good = "2026-11-27T13:47:24.000001Z";
        let time = Time::parse(good.as_bytes()).expect("it is one");
        assert_eq!((time.as_str(), time.hour()), (good, "2026-11-27T13"));
        assert_eq!(Time::from(time.timestamp().expect("it is in the calendar")), time);
        for bad in [
            "",
            "2026-11-27T13:47:24.000001",
            "2026-11-27 13:47:24.000001Z",
            "2026-13-27T13:47:24.000001Z",
            "2026-00-27T13:47:24.000001Z",
            "2026-11-32T13:47:24.000001Z",
            "2026-11-27T24:47:24.000001Z",
            "2026-11-27T13:60:24.000001Z",
            "2026-11-27T13:47:24.00000xZ",
            "+026-11-27T13:47:24.000001Z",
        ] {
            assert_eq!(Time::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn times_move_over_midnight_and_stop_where_the_calendar_does() {
        let time = |text: &str| Time::parse(text.as_bytes()).expect("it is one");
        let midnight = time("2027-01-01T00:00:00.000000Z");
        assert_eq!(midnight.minus(Duration::from_micros(1)), time("2026-12-31T23:59:59.999999Z"));
        assert_eq!(midnight.plus(Duration::from_secs(1)), time("2027-01-01T00:00:01.000000Z"));
        let nowhere = time("2026-02-31T00:00:00.000000Z");
        assert_eq!(nowhere.plus(Duration::from_secs(1)), nowhere);
        let last = time("9999-12-31T23:59:59.999999Z");
        assert_eq!(last.plus(Duration::from_secs(1 << 40)), last);
    }
}
