//! The figures, what is required of them, and the page that says so.

use std::fmt::Write;
use std::time::Duration;

/// One figure.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) measured: String,
    /// What is required; a figure that stands for itself has nothing.
    pub(crate) most: String,
    pub(crate) is_right: bool,
}

/// Figures of one thing, with how they were measured.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) title: &'static str,
    pub(crate) about: String,
    pub(crate) rows: Vec<Row>,
}

impl Row {
    /// A time that has to be below another.
    pub(crate) fn time(what: impl Into<String>, measured: Duration, most: Duration) -> Self {
        let is_right = measured < most;
        Self { what: what.into(), measured: time(measured), most: time(most), is_right }
    }

    /// A time out of many.
    pub(crate) fn times(what: &str, times: &Times, most: Duration) -> Self {
        let (count, half, longest) =
            (times.0.len(), time(times.percent(50)), time(times.percent(100)));
        let what = format!("{what}, p99 of {count} (p50 {half}, longest {longest})");
        Self::time(what, times.percent(99), most)
    }

    /// Memory that has to be below another.
    pub(crate) fn memory(what: &str, measured: u64, most: u64) -> Self {
        let is_right = measured < most;
        Self { what: what.to_owned(), measured: mib(measured), most: mib(most), is_right }
    }

    /// A share of a core that has to be below another.
    pub(crate) fn share(what: String, percent: f64, most: f64) -> Self {
        let is_right = percent < most;
        Self {
            what,
            measured: format!("{percent:.2} % of a core"),
            most: format!("{most} %"),
            is_right,
        }
    }
}

/// Times of the same thing, sorted.
#[derive(Debug)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn new(mut times: Vec<Duration>) -> Self {
        times.sort();
        Self(times)
    }

    fn percent(&self, percent: usize) -> Duration {
        let last = self.0.len().saturating_sub(1);
        self.0.get(last * percent / 100).copied().unwrap_or_default()
    }
}

/// Whether every figure is as required.
pub(crate) fn are_as_required(sections: &[Section]) -> bool {
    sections.iter().flat_map(|section| &section.rows).all(|row| row.is_right)
}

/// The page.
pub(crate) fn page(sections: &[Section]) -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let today = jiff::Timestamp::now().strftime("%Y-%m-%d");
    let mut page = format!(
        "# How much the rooms cost\n\n\
         Measured on {today}, on a machine of {cores} cores that also plays everything else, by `cargo xtask bench-rooms`,\n\
         which writes this page.\n"
    );
    for Section { title, about, rows } in sections {
        let head = "| what | measured | at most | |\n|---|---|---|---|";
        let written = writeln!(page, "\n## {title}\n\n{about}\n\n{head}");
        written.expect("strings take everything");
        for Row { what, measured, most, is_right } in rows {
            let judged = match (most.as_str(), is_right) {
                ("", _) => "",
                (_, true) => "as required",
                (_, false) => "**not as required**",
            };
            let written = writeln!(page, "| {what} | {measured} | {most} | {judged} |");
            written.expect("strings take everything");
        }
    }
    page
}

fn time(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds >= 2.0 => format!("{seconds:.1} s"),
        seconds => format!("{:.2} ms", seconds * 1e3),
    }
}

fn mib(bytes: u64) -> String {
    format!("{:.0} MiB", bytes as f64 / f64::from(1 << 20))
}
