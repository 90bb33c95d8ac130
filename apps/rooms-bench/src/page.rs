//! The figures, what is required of them, and the page that says so.

use std::fmt::Write;
use std::time::Duration;

/// What was measured.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) rooms: usize,
    pub(crate) devices: usize,
    pub(crate) online_after: Duration,
    pub(crate) idle_percent: f64,
    pub(crate) watched: Duration,
    pub(crate) resident: u64,
    /// Sorted.
    pub(crate) presses: Vec<Duration>,
}

const ONLINE_AFTER_MAX: Duration = Duration::from_secs(10);
const IDLE_PERCENT_MAX: f64 = 2.0;
const RESIDENT_MAX: u64 = 150 << 20;
const PRESS_P99_MAX: Duration = Duration::from_millis(5);

impl Figures {
    fn press(&self, percent: usize) -> Duration {
        let last = self.presses.len().saturating_sub(1);
        self.presses.get(last * percent / 100).copied().unwrap_or_default()
    }

    /// What, how much, how much at most, whether it is as required.
    fn rows(&self) -> [(String, String, String, bool); 4] {
        let ms = |time: Duration| format!("{:.2} ms", time.as_secs_f64() * 1e3);
        let mib = |bytes: u64| format!("{:.0} MiB", bytes as f64 / f64::from(1 << 20));
        [
            (
                format!("start until all {} devices are online", self.devices),
                format!("{:.2} s", self.online_after.as_secs_f64()),
                format!("{} s", ONLINE_AFTER_MAX.as_secs()),
                self.online_after < ONLINE_AFTER_MAX,
            ),
            (
                format!("processor, while nobody wishes anything ({} s)", self.watched.as_secs()),
                format!("{:.2} % of a core", self.idle_percent),
                format!("{IDLE_PERCENT_MAX} %"),
                self.idle_percent < IDLE_PERCENT_MAX,
            ),
            (
                "resident memory".to_owned(),
                mib(self.resident),
                mib(RESIDENT_MAX),
                self.resident < RESIDENT_MAX,
            ),
            (
                format!(
                    "press on the bus until its bytes are at the device, p99 of {} (p50 {}, longest {})",
                    self.presses.len(),
                    ms(self.press(50)),
                    ms(self.press(100))
                ),
                ms(self.press(99)),
                ms(PRESS_P99_MAX),
                self.press(99) < PRESS_P99_MAX,
            ),
        ]
    }

    pub(crate) fn are_as_required(&self) -> bool {
        self.rows().iter().all(|(.., is_right)| *is_right)
    }

    pub(crate) fn page(&self) -> String {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut page = format!(
            "# How much the rooms cost\n\n\
             `rooms devices` with {} rooms of six devices each, which `rooms simulate` plays on the same machine of {cores} cores\n\
             at the speed of the world, and one room more whose projector is the clock. Measured on {} by\n\
             `cargo xtask bench-rooms`, which writes this page.\n\n\
             | what | measured | at most | |\n|---|---|---|---|\n",
            self.rooms,
            jiff::Timestamp::now().strftime("%Y-%m-%d"),
        );
        for (what, measured, most, is_right) in self.rows() {
            let judged = if is_right { "as required" } else { "**not as required**" };
            let written = writeln!(page, "| {what} | {measured} | {most} | {judged} |");
            written.expect("strings take everything");
        }
        page
    }
}
