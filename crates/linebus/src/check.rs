//! `linebus check`: is a configuration right, and if not, where and what instead.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use linebus_server::Config;

use crate::log;

/// Check a configuration file: every mistake with its line, its key and what would be right.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file to check, like the linebus.toml that documents every key.
    file: PathBuf,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    read(&args.file)?;
    println!("{}: good", args.file.display());
    Ok(())
}

/// Reads a configuration file.
///
/// # Errors
/// All its mistakes, a line each, as `FILE: line N: KEY: what is wrong`.
pub(crate) fn read(file: &Path) -> anyhow::Result<Config> {
    let config = Config::read(file)
        .map_err(|error| anyhow!("{}", error.to_string().replace('\n', "\nlinebus: ")))?;
    log::filter(&config.log).map_err(|error| anyhow!("{}: {error}", file.display()))?;
    Ok(config)
}
