//! Whatever is pushed, written in parts and cut: what comes out is a beginning of what went in,
//! up to the end of a line, then perhaps one goodbye; and the count is right at every moment.

use arbtest::arbitrary::Result;
use arbtest::arbtest;

use super::*;
use crate::lines::Kept;

const LIMITS: Limits = Limits {
    line_bytes_max: 64,
    joins_max: 1,
    outbox_soft_bytes: 100,
    outbox_hard_bytes: 1_000,
    drain_ms: 10,
    sessions_bytes_max: 10_000,
    ..Limits::DEFAULT
};
const BYE: &[u8] = b"bye slow you read too slowly\n";

/// What a link would do with an outbox, in pieces, so that things can happen in between.
struct Link {
    outbox: Outbox,
    /// Everything that was pushed, and everything that was written.
    pushed: Vec<u8>,
    written: Vec<u8>,
    /// A chunk, or lines that are written directly, on their way.
    chunk: Option<(Chunk, usize)>,
    direct: Option<Vec<u8>>,
    cut: bool,
}

/// Lines that others may wait for, too.
fn shared<'a>(bytes: &'a [u8], kept: &'a Kept) -> Lines<'a> {
    Lines::one(bytes).kept_in(kept)
}

impl Link {
    /// Nothing is on its way, so that the next can be.
    fn is_free(&self) -> bool {
        self.chunk.is_none() && self.direct.is_none()
    }

    fn finish(&mut self, count: impl Fn(usize) -> usize) {
        if let Some((chunk, head)) = self.chunk.take() {
            let count = count(chunk.len() - head);
            self.written.extend_from_slice(&chunk[head..head + count]);
            self.outbox.put_back(chunk, head, count, &LIMITS);
        }
        if let Some(lines) = self.direct.take() {
            let count = count(lines.len());
            self.written.extend_from_slice(&lines[..count]);
            self.outbox.push_rest(shared(&lines, &Kept::new()), count, &LIMITS, Duration::ZERO);
        }
    }

    /// Bytes that were pushed and are neither written nor thrown away, goodbye included.
    #[track_caller]
    fn check_count(&self) {
        let waiting: usize = self.outbox.chunks.iter().map(|chunk| chunk.len()).sum();
        let away = self.chunk.as_ref().map_or(0, |(chunk, head)| chunk.len() - head);
        assert_eq!(self.outbox.queued(), waiting - self.outbox.head + away);
        if self.cut && self.is_free() {
            let waits =
                self.outbox.chunks.iter().flat_map(|chunk| chunk.iter()).skip(self.outbox.head);
            let lines = waits.filter(|byte| **byte == b'\n').count();
            assert!(lines <= 2, "a line that was begun and a goodbye, not {lines} lines");
        }
    }
}

#[test]
#[cfg_attr(feature = "canary", ignore = "the broker is broken on purpose")]
fn what_comes_out_is_a_beginning_of_what_went_in() {
    arbtest(|u| {
        let mut link = Link {
            outbox: Outbox::new(),
            pushed: Vec::new(),
            written: Vec::new(),
            chunk: None,
            direct: None,
            cut: false,
        };
        let mut serial = 0;
        for _ in 0..u.int_in_range(1..=60)? {
            step(u, &mut link, &mut serial)?;
            link.check_count();
        }
        link.finish(|all| all);
        while let Some(taken) = link.outbox.take() {
            link.chunk = Some(taken);
            link.finish(|all| all);
        }
        assert_eq!(link.outbox.queued(), 0);
        check_written(&link);
        Ok(())
    });
}

fn step(
    u: &mut arbtest::arbitrary::Unstructured<'_>,
    link: &mut Link,
    serial: &mut u64,
) -> Result<()> {
    let open = link.outbox.stage == Stage::Open;
    let count = u.int_in_range(0..=100)?;
    match u.int_in_range(0..=9)? {
        0..=2 if open => {
            let lines = lines(u, serial)?;
            link.pushed.extend_from_slice(&lines);
            link.outbox.push(shared(&lines, &Kept::new()), &LIMITS, Duration::ZERO);
        }
        3 if open && link.is_free() && link.outbox.queued() == 0 => {
            let lines = lines(u, serial)?;
            link.pushed.extend_from_slice(&lines);
            link.direct = Some(lines);
        }
        4..=5 if link.is_free() => link.chunk = link.outbox.take(),
        6..=7 => link.finish(|all| all * count / 100),
        8 if count < 20 && link.outbox.can_be_cut() => {
            link.cut = true;
            link.outbox.cut(ByeReason::Slow, BYE);
        }
        9 if open && count < 10 => link.outbox.close(ByeReason::Logoff, BYE),
        _ => {}
    }
    Ok(())
}

fn lines(u: &mut arbtest::arbitrary::Unstructured<'_>, serial: &mut u64) -> Result<Vec<u8>> {
    let mut lines = Vec::new();
    for _ in 0..u.int_in_range(1..=4)? {
        *serial += 1;
        let filling = match u.int_in_range(0..=30)? {
            30 => CHUNK_BYTES,
            short => short,
        };
        lines.extend_from_slice(format!("{serial} {}\n", "x".repeat(filling)).as_bytes());
    }
    Ok(lines)
}

fn check_written(link: &Link) {
    let said_bye = link.written.strip_suffix(BYE);
    assert_eq!(said_bye.is_some(), link.outbox.stage != Stage::Open, "goodbye is said once");
    let text = said_bye.unwrap_or(&link.written);
    assert!(link.pushed.starts_with(text), "no hole");
    assert!(text.is_empty() || text.ends_with(b"\n"), "whole lines");
    assert!(link.cut || text.len() == link.pushed.len(), "nothing is lost without a cut");
}

#[test]
fn pressure_begins_above_the_soft_mark_and_is_given_up_once() {
    let mut outbox = Outbox::new();
    let ms = Duration::from_millis;
    let line = |bytes: usize| [vec![b'x'; bytes - 1], vec![b'\n']].concat();
    assert_eq!(outbox.push(Lines::one(&line(100)), &LIMITS, ms(0)), Pushed::Fine);
    assert_eq!(outbox.push(Lines::one(&line(1)), &LIMITS, ms(5)), Pushed::Wait);
    assert_eq!(outbox.push(Lines::one(&line(1)), &LIMITS, ms(14)), Pushed::Wait);
    assert_eq!(outbox.push(Lines::one(&line(1)), &LIMITS, ms(15)), Pushed::GivesUp);
    assert_eq!(outbox.push(Lines::one(&line(1)), &LIMITS, ms(16)), Pushed::Fine);
    let (chunk, head) = outbox.take().expect("something waits");
    assert!(!outbox.put_back(chunk, head, 53, &LIMITS), "51 bytes are more than half the mark");
    let (chunk, head) = outbox.take().expect("something waits");
    assert!(outbox.put_back(chunk, head, 1, &LIMITS), "50 are half");
    assert_eq!(
        outbox.push(Lines::one(&line(51)), &LIMITS, ms(17)),
        Pushed::Wait,
        "and it begins again"
    );
    assert_eq!(outbox.push(Lines::one(&line(900)), &LIMITS, ms(17)), Pushed::Overflow);
}
