//! Finding a time in a file by looking at a few places of it: times stand in order, but for a
//! little, which is what [`SLACK`](super::SLACK) is for.

use std::io::{self, Read, Seek, SeekFrom};

use memchr::{memchr_iter, memrchr_iter};

use crate::time::Time;

/// So much is looked at in one place.
const LOOK_BYTES: u64 = 4 << 10;
/// Nearer than this it is cheaper to read on than to look again.
const NEAR_BYTES: u64 = 64 << 10;
/// A file in whose first and last so many bytes no line begins is none of a record.
const LOOK_BYTES_MAX: u64 = 20 << 20;

/// Where a line begins from which on all lines of `since` or later stand: somewhat before the first
/// of them. 0 where there is none.
pub(super) fn start_of(file: &mut (impl Read + Seek), since: Time) -> io::Result<u64> {
    // A line of before `since` begins at `low`, or it is the file's beginning; none between `high`
    // and the end is of before it.
    let (mut low, mut high) = (0, file.seek(SeekFrom::End(0))?);
    while high - low > NEAR_BYTES {
        let middle = low + (high - low) / 2;
        match line_after(file, middle, high)? {
            Some((at, time)) if time < since => low = at,
            _ => high = middle,
        }
    }
    Ok(low)
}

/// The first line that begins after `from` and before `until`, damaged ones aside: where, and its
/// time.
fn line_after(
    file: &mut (impl Read + Seek),
    from: u64,
    until: u64,
) -> io::Result<Option<(u64, Time)>> {
    let mut wanted = LOOK_BYTES;
    loop {
        let len = wanted.min(until - from);
        let text = read_at(file, from, len)?;
        let found = memchr_iter(b'\n', &text).find_map(|end| {
            Time::parse(&text[end + 1..]).map(|time| (from + end as u64 + 1, time))
        });
        if found.is_some() || len == until - from || (text.len() as u64) < len {
            return Ok(found);
        }
        wanted *= 4;
    }
}

/// The times of the first and the last line.
pub(crate) fn times_of(file: &mut (impl Read + Seek)) -> io::Result<Option<(Time, Time)>> {
    let first = first_time_of(file)?;
    Ok(first.zip(last_time(file)?))
}

/// The time of the first line.
pub(super) fn first_time_of(file: &mut (impl Read + Seek)) -> io::Result<Option<Time>> {
    file.seek(SeekFrom::Start(0))?;
    first_time_in(file)
}

/// The time of the first line of what is read.
pub(super) fn first_time_in(text: &mut impl Read) -> io::Result<Option<Time>> {
    let mut read = Vec::new();
    let mut wanted = LOOK_BYTES;
    while wanted <= LOOK_BYTES_MAX {
        let more = text.by_ref().take(wanted - read.len() as u64).read_to_end(&mut read)?;
        if let Some(time) = first_in(&read) {
            return Ok(Some(time));
        }
        if more == 0 {
            return Ok(None);
        }
        wanted *= 4;
    }
    Ok(None)
}

fn first_in(text: &[u8]) -> Option<Time> {
    let begins = std::iter::once(0).chain(memchr_iter(b'\n', text).map(|end| end + 1));
    begins.into_iter().find_map(|begin| Time::parse(&text[begin..]))
}

/// The time of the last line.
pub(super) fn last_time(file: &mut (impl Read + Seek)) -> io::Result<Option<Time>> {
    let len = file.seek(SeekFrom::End(0))?;
    let mut wanted = LOOK_BYTES;
    loop {
        let from = len.saturating_sub(wanted);
        let text = read_at(file, from, len - from)?;
        let found = memrchr_iter(b'\n', &text).find_map(|end| Time::parse(&text[end + 1..]));
        if found.is_some() {
            return Ok(found);
        }
        if from == 0 {
            return Ok(Time::parse(&text));
        }
        if wanted > LOOK_BYTES_MAX {
            return Ok(None);
        }
        wanted *= 4;
    }
}

fn read_at(file: &mut (impl Read + Seek), at: u64, len: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(at))?;
    let mut text = Vec::new();
    file.take(len).read_to_end(&mut text)?;
    Ok(text)
}
