//! How long to wait before the next try: longer each time, and never the same for two clients.

use std::time::Duration;

/// Doubling delays with jitter, so that a thousand clients of a bus that restarts do not come
/// back in step.
#[derive(Debug, Clone)]
pub(crate) struct BackOff {
    first: Duration,
    max: Duration,
    tries: u32,
}

impl BackOff {
    pub(crate) fn new(first: Duration, max: Duration) -> Self {
        Self { first: first.min(max), max, tries: 0 }
    }

    /// The next delay: between half and all of `first` doubled once per earlier try, at most
    /// `max`.
    pub(crate) fn next_delay(&mut self) -> Duration {
        let factor = 2_u32.saturating_pow(self.tries);
        self.tries = self.tries.saturating_add(1);
        let full = self.first.saturating_mul(factor).min(self.max);
        full.mul_f64(0.5 + fastrand::f64() / 2.0)
    }

    /// Begins anew if a connection lasted so long that the trouble is over. One that ends at
    /// once, again and again, is not to be tried faster and faster.
    pub(crate) fn note_connection(&mut self, lasted: Duration) {
        if lasted >= self.max {
            self.tries = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_longest_and_differ() {
        let (first, max) = (Duration::from_millis(100), Duration::from_secs(5));
        let mut back_off = BackOff::new(first, max);
        for full in [100, 200, 400, 800, 1600, 3200, 5000, 5000] {
            let full = Duration::from_millis(full);
            let delay = back_off.next_delay();
            assert!(full / 2 <= delay && delay <= full, "{delay:?} of {full:?}");
        }
        let delays: Vec<_> = (0..20).map(|_| back_off.next_delay()).collect();
        assert!(delays.iter().any(|delay| *delay != delays[0]), "jitter");
        back_off.note_connection(max / 2);
        assert!(back_off.next_delay() >= max / 2, "it did not last");
        back_off.note_connection(max);
        assert!(back_off.next_delay() <= first, "it lasted");
    }

    #[test]
    fn it_never_overflows() {
        let mut back_off = BackOff::new(Duration::from_secs(1), Duration::MAX / 4);
        for _ in 0..100 {
            assert!(back_off.next_delay() <= Duration::MAX / 4);
        }
    }
}
