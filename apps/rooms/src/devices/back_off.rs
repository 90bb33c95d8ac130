//! How long to wait before a device is connected to again. No IO, no clock.

use std::time::Duration;

use crate::transport::Closed;

/// A device that takes no connection is tried after these, the last for ever.
const CLOSED_DOOR_S: [u64; 3] = [1, 2, 5];
/// One that takes a connection and drops it soon is tried after these: something is wrong with it.
const DROPS_S: [u64; 4] = [10, 20, 40, 80];
/// What lasted so long did not drop soon.
const LASTING: Duration = Duration::from_secs(30);
/// So often in a row: somebody else takes the line each time, and we from him.
const FIGHT: usize = 3;
/// Two hundred rooms don't come back in the same moment.
const JITTER_PERCENT: u64 = 20;

/// What is remembered of earlier tries.
#[derive(Debug, Default)]
pub(super) struct BackOff {
    closed_doors: usize,
    drops: usize,
    quick_ends: usize,
}

impl BackOff {
    /// The wait after a try that came to nothing. `dice` is from 0 to 1.
    pub(super) fn not_opened(&mut self, dice: f64) -> Duration {
        let seconds = CLOSED_DOOR_S[self.closed_doors.min(CLOSED_DOOR_S.len() - 1)];
        self.closed_doors += 1;
        jittered(seconds, dice)
    }

    /// The wait after a connection that lasted so long.
    pub(super) fn lost(&mut self, lasted: Duration, why: Option<&Closed>, dice: f64) -> Duration {
        if lasted >= LASTING {
            *self = BackOff::default();
            return self.not_opened(dice);
        }
        self.quick_ends = if why == Some(&Closed::Ended) { self.quick_ends + 1 } else { 0 };
        let seconds = DROPS_S[self.drops.min(DROPS_S.len() - 1)];
        self.drops += 1;
        self.closed_doors = 0;
        jittered(seconds, dice)
    }

    /// The wait before a session that only has to begin anew.
    pub(super) fn restart(dice: f64) -> Duration {
        jittered(CLOSED_DOOR_S[0], dice)
    }

    /// Whether the line goes from hand to hand.
    pub(super) fn is_fought_for(&self) -> bool {
        self.quick_ends >= FIGHT
    }
}

fn jittered(seconds: u64, dice: f64) -> Duration {
    let span = Duration::from_secs(seconds) * u32::try_from(JITTER_PERCENT).unwrap_or(0) / 100;
    Duration::from_secs(seconds) - span + span.mul_f64(2.0 * dice.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(29);

    fn seconds(wait: Duration) -> u64 {
        wait.as_secs()
    }

    #[test]
    fn a_closed_door_is_tried_after_1_2_and_then_every_5_s() {
        let mut back_off = BackOff::default();
        let waits: Vec<_> = (0..5).map(|_| seconds(back_off.not_opened(0.5))).collect();
        assert_eq!(waits, [1, 2, 5, 5, 5]);
    }

    #[test]
    fn who_drops_soon_is_left_alone_longer_and_longer() {
        let mut back_off = BackOff::default();
        let waits: Vec<_> = (0..5).map(|_| seconds(back_off.lost(SOON, None, 0.5))).collect();
        assert_eq!(waits, [10, 20, 40, 80, 80]);
        assert_eq!(seconds(back_off.lost(LASTING, None, 0.5)), 1);
        assert_eq!(seconds(back_off.lost(SOON, None, 0.5)), 10);
    }

    #[test]
    fn waits_differ_by_a_fifth() {
        assert_eq!(BackOff::default().not_opened(0.0), Duration::from_millis(800));
        assert_eq!(BackOff::default().not_opened(1.0), Duration::from_millis(1200));
        assert_eq!(BackOff::restart(0.5), Duration::from_secs(1));
    }

    #[test]
    fn three_quick_ends_in_a_row_are_somebody_else() {
        let mut back_off = BackOff::default();
        for fought in [false, false, true] {
            back_off.lost(SOON, Some(&Closed::Ended), 0.5);
            assert_eq!(back_off.is_fought_for(), fought);
        }
        back_off.lost(SOON, None, 0.5);
        assert!(!back_off.is_fought_for());
    }
}
