//! A real server in use for a long time: `cargo xtask soak`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use linebus_testkit::soak::soak;

/// Has clients come, speak and go for a long time, and watches that nothing grows and nothing is
/// lost. Panics with what was wrong.
#[derive(Parser)]
struct Cli {
    /// The server's binary, built for release.
    #[arg(long, value_name = "FILE")]
    linebus: PathBuf,
    /// For so many minutes; fractions are taken.
    #[arg(long, default_value_t = 60.0)]
    minutes: f64,
}

fn main() {
    let Cli { linebus, minutes } = Cli::parse();
    soak(&linebus, Duration::from_secs_f64(minutes * 60.0));
}
