//! The files that a configuration names, read and checked as a whole before any of them counts.

use std::path::Path;

use crate::accounts::Users;
use crate::config::{Config, Problem};
use crate::tls::Settings;

/// The key that names the users file.
const USERS: &str = "users";

/// What stands in them.
#[derive(Debug)]
pub(crate) struct Files {
    /// What TLS is served with, if there is a certificate.
    pub(crate) tls: Option<Settings>,
    /// Who may log in, if the bus has accounts.
    pub(crate) users: Option<Users>,
}

impl Files {
    /// Reads all of them.
    ///
    /// # Errors
    /// Everything that is wrong with any of them, by the configuration's line that names it.
    pub(crate) fn load(config: &Config) -> Result<Self, Vec<Problem>> {
        let tls = (config.tls.certificate.is_some() || !config.tls.listen.is_empty())
            .then(|| Settings::load(&config.tls))
            .transpose();
        let users = config.users.as_ref().map(|file| {
            Users::read(&file.path).map_err(|problems| {
                let named = |problem: &Problem| Problem {
                    line: file.line,
                    key: USERS.to_owned(),
                    text: problem.in_file(&file.path),
                };
                problems.iter().map(named).collect::<Vec<_>>()
            })
        });
        match (tls, users.transpose()) {
            (Ok(tls), Ok(users)) => Ok(Self { tls, users }),
            (tls, users) => {
                let mut problems: Vec<_> =
                    tls.err().into_iter().chain(users.err()).flatten().collect();
                problems.sort_by_key(|problem| problem.line);
                Err(problems)
            }
        }
    }
}

/// What is wrong if the configuration in `folder` names no users file: one that lies there all the
/// same was meant to count, and without it everybody may do everything.
pub(crate) fn forgotten_users(config: &Config, folder: &Path) -> Option<Problem> {
    let file = folder.join("users.toml");
    (config.users.is_none() && file.exists()).then(|| Problem {
        line: 0,
        key: USERS.to_owned(),
        text: format!(
            "there is {}, but this configuration has no accounts; say users = \"users.toml\", or \
             move that file away",
            file.display()
        ),
    })
}
