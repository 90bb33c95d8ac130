//! Numbers and times in few characters.

/// A count in at most five characters: `999`, `12.3k`, `456M`. Thousands, as people count lines.
pub(super) fn count(number: u64) -> String {
    scaled(number, 1000, ["k", "M", "G", "T", "P", "E"])
}

/// Bytes in at most six characters: `999`, `12.3Ki`, `456Mi`. Powers of 1 024, as memory is
/// counted (IEC 80000-13).
pub(super) fn bytes(number: u64) -> String {
    scaled(number, 1024, ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"])
}

/// Rounded down, so that 1023.9 Ki does not become 1024 Ki.
fn scaled(number: u64, step: u64, names: [&str; 6]) -> String {
    if number < 1000 {
        return number.to_string();
    }
    let mut unit = step;
    let mut names = names.into_iter();
    let mut name = names.next().expect("there are some");
    // From a thousand of a unit on, the next one: 1 000 Ki is as wide as it is hard to read.
    while number / unit >= 1000
        && let Some(next) = names.next()
    {
        (unit, name) = (unit.saturating_mul(step), next);
    }
    let tenths = u128::from(number) * 10 / u128::from(unit);
    if tenths < 1000 {
        format!("{}.{}{name}", tenths / 10, tenths % 10)
    } else {
        format!("{}{name}", tenths / 10)
    }
}

/// A time in at most four characters, in the largest unit that it fills: `59s`, `3m`, `23h`,
/// `400d`.
pub(super) fn time(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// A time in its two largest units: `2h 3m`.
pub(super) fn long_time(seconds: u64) -> String {
    let rest = match seconds {
        0..60 => return time(seconds),
        60..3_600 => seconds % 60,
        3_600..86_400 => seconds % 3_600 / 60 * 60,
        _ => seconds % 86_400 / 3_600 * 3_600,
    };
    if rest == 0 { time(seconds) } else { format!("{} {}", time(seconds), time(rest)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_short_and_never_rounded_up() {
        for (number, shown) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1.0k"),
            (12_399, "12.3k"),
            (99_999, "99.9k"),
            (999_999, "999k"),
            (1_000_000, "1.0M"),
            (u64::MAX, "18.4E"),
        ] {
            assert_eq!(count(number), shown);
        }
    }

    #[test]
    fn bytes_go_by_1024() {
        for (number, shown) in [
            (999, "999"),
            (1_000, "0.9Ki"),
            (1_024, "1.0Ki"),
            (1_023_999, "999Ki"),
            (1_024_000, "0.9Mi"),
            (1 << 30, "1.0Gi"),
            (u64::MAX, "15.9Ei"),
        ] {
            assert_eq!(bytes(number), shown);
        }
    }

    #[test]
    fn times_show_what_matters() {
        for (seconds, short, long) in [
            (0, "0s", "0s"),
            (61, "1m", "1m 1s"),
            (7_200, "2h", "2h"),
            (7_320, "2h", "2h 2m"),
            (90_061, "1d", "1d 1h"),
        ] {
            assert_eq!((time(seconds).as_str(), long_time(seconds).as_str()), (short, long));
        }
    }
}
