//! Which users file is meant.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use linebus_server::Config;

use crate::exit::Failure;

/// What the file is called where nothing says otherwise.
const USERS_FILE: &str = "users.toml";

#[derive(Debug, clap::Args)]
pub(super) struct Place {
    /// The users file; without it and --config, users.toml here.
    #[arg(long, value_name = "FILE", global = true, conflicts_with = "config")]
    file: Option<PathBuf>,
    /// The users file that this configuration names, or users.toml beside it.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
}

impl Place {
    /// The users file; it need not be there yet.
    pub(super) fn file(&self) -> Result<PathBuf, Failure> {
        match (&self.file, &self.config) {
            (Some(file), _) => Ok(file.clone()),
            (None, Some(config)) => {
                let folder = config.parent().unwrap_or(Path::new(""));
                let named = named_by(config)?;
                Ok(folder.join(named.as_deref().unwrap_or(Path::new(USERS_FILE))))
            }
            (None, None) => Ok(PathBuf::from(USERS_FILE)),
        }
    }

    /// Says what is still to do, if the configuration does not name the file.
    pub(super) fn remind(&self) {
        if let Some(config) = &self.config
            && let Ok(None) = named_by(config)
        {
            let config = config.display();
            eprintln!("linebus: it counts once {config} says users = \"{USERS_FILE}\"");
        }
    }
}

/// What a configuration says. The files that it names are not looked at: they may be what is to be
/// made or mended.
fn named_by(config: &Path) -> Result<Option<PathBuf>, Failure> {
    let shown = config.display();
    let text = std::fs::read_to_string(config)
        .with_context(|| format!("can't read the configuration {shown}"))?;
    let parsed = Config::parse(&text).map_err(|problems| {
        let lines: Vec<_> = problems.iter().map(|problem| problem.in_file(config)).collect();
        anyhow!("{}", lines.join("\nlinebus: "))
    })?;
    Ok(parsed.users.map(|users| users.path))
}
