//! A made-up history of any size, the same for the same seed, to measure searches with.

use jiff::{SignedDuration, Timestamp};
use rooms_messages::RoomName;

use super::{Store, StoreError};
use crate::records::{Call, Record};

/// Rooms in a made-up history.
pub const ROOMS: u32 = 400;
/// How they end: most as somebody wished.
const REASONS: [&str; 8] =
    ["normal", "normal", "normal", "normal", "busy", "no-answer", "dropped", "timeout"];
/// One call each so often.
const EVERY: SignedDuration = SignedDuration::from_secs(60);

/// One of the rooms.
///
/// # Panics
/// There are only [`ROOMS`].
#[must_use]
pub fn room(number: u32) -> RoomName {
    assert!(number < ROOMS, "there are only {ROOMS} rooms");
    format!("room-{number}").parse().expect("it is a name")
}

/// Calls, the first at `begin` and one each minute from then on.
pub fn calls(begin: Timestamp, count: u32, seed: u64) -> impl Iterator<Item = Call> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..count).map(move |number| {
        let near = random.u32(0..ROOMS);
        let far = (near + random.u32(1..ROOMS)) % ROOMS;
        let reason = REASONS[random.usize(0..REASONS.len())];
        let since = begin + EVERY * i32::try_from(number).unwrap_or(i32::MAX);
        let lasted = SignedDuration::from_secs(random.i64(60..7200));
        let is_connected = matches!(reason, "normal" | "dropped");
        Call {
            id: random.i64(..),
            near: room(near),
            far: room(far),
            by: format!("person-{}", random.u32(0..2000)),
            since,
            connected: is_connected.then(|| since + SignedDuration::from_secs(5)),
            ended: Some(since + if is_connected { lasted } else { SignedDuration::from_secs(5) }),
            reason: reason.to_owned(),
            side: (reason == "dropped").then(|| room(far)),
        }
    })
}

/// Writes such calls, as fast as it goes.
///
/// # Errors
/// [`StoreError`].
pub async fn fill(
    store: &Store,
    begin: Timestamp,
    count: u32,
    seed: u64,
) -> Result<(), StoreError> {
    let mut calls = calls(begin, count, seed).map(Record::Call);
    loop {
        let some: Vec<_> = calls.by_ref().take(5000).collect();
        if some.is_empty() {
            return Ok(());
        }
        store.write(&some).await?;
    }
}
