//! Completions and man pages, made from the command line's own description.

use std::io;
use std::path::PathBuf;

use anyhow::Context;
use clap::CommandFactory;
use clap_complete::Shell;

use crate::exit::Failure;

/// Print completions for a shell: `linebus completions bash > /etc/bash_completion.d/linebus`.
#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// Which shell.
    shell: Shell,
}

/// Write the man pages into a folder: `linebus man /usr/local/share/man/man1`.
#[derive(Debug, clap::Args)]
pub(crate) struct Man {
    /// Where to.
    folder: PathBuf,
}

pub(crate) fn completions(args: &Completions) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut crate::Cli::command(), "linebus", &mut text);
    io::Write::write_all(&mut io::stdout(), &text)?;
    Ok(())
}

pub(crate) fn man(args: &Man) -> Result<(), Failure> {
    let folder = &args.folder;
    clap_mangen::generate_to(crate::Cli::command(), folder)
        .with_context(|| format!("can't write man pages into {}", folder.display()))?;
    Ok(())
}
