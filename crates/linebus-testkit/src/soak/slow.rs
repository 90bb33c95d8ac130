//! A receiver that does not read: it hears an unbroken run of lines, and then why it was cut off.

use std::sync::atomic::Ordering;

use super::{Soak, list};

/// Small marks, so that a slow receiver costs little.
pub(super) const OUTBOX_SOFT_BYTES: usize = 256 << 10;
pub(super) const OUTBOX_HARD_BYTES: usize = 1 << 20;
/// Bytes of a line, about.
const LINE_BYTES: usize = 4 << 10;
/// Lines that are sent between looking whether the receiver is still there.
const BLOCK_LINES: usize = 64;
/// More than the kernel keeps for a socket and the server for a receiver, in such blocks: 256 MiB.
const BLOCKS_MAX: usize = 1024;

/// Sends to a receiver that does not read until it is cut off; then it reads.
pub(super) fn fall_behind(soak: &Soak) {
    let number = soak.done.slow.load(Ordering::Relaxed);
    let topic = format!("slow.{number}");
    let (mut receiver, mut sender) = (soak.enter("bob"), soak.enter("alice"));
    receiver.ask(&format!("recv {topic}"), &format!("ok recv {topic}"));
    let filling = "x".repeat(LINE_BYTES);
    let blocks = (0..BLOCKS_MAX).take_while(|block| {
        let lines = block * BLOCK_LINES..(block + 1) * BLOCK_LINES;
        let lines: String = lines.map(|n| format!("send {topic} {n} {filling}\n")).collect();
        sender.say_bytes(lines.as_bytes());
        !list(&mut sender, &format!("who {topic}")).is_empty()
    });
    assert!(blocks.count() < BLOCKS_MAX, "who does not read is cut off");
    let mut heard = 0;
    let goodbye = loop {
        let line = receiver.hear().expect("a goodbye comes before the end");
        if line != format!("recv {topic} {heard} {filling}") {
            break line;
        }
        heard += 1;
    };
    assert!(goodbye.starts_with("bye slow "), "after {heard} lines: {goodbye}");
    assert_eq!(receiver.hear(), None, "nothing comes after goodbye");
    soak.done.lines.fetch_add(heard, Ordering::Relaxed);
    soak.done.slow.fetch_add(1, Ordering::Relaxed);
}
