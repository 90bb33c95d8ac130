//! Logging in, as the sessions of a server see it: what the broker asks is answered by the users
//! file, off the threads that serve.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use linebus_broker::{Account, LoginAttempt, LoginRefused};

use crate::accounts::{Attempt, Authenticator, LoginLimits, Password, Refused, Users};
use crate::link::{Peer, is_elsewhere};

/// Who was checked, and whether he may come in.
pub(crate) type Checked = (Box<str>, Result<(), LoginRefused>);

/// Answers attempts to log in.
#[derive(Debug)]
pub(crate) struct Logins {
    authenticator: Authenticator,
    /// Takes passwords also where others can read along.
    plain_passwords: AtomicBool,
}

impl Default for Logins {
    /// There are no users: nobody can log in.
    fn default() -> Self {
        Self {
            authenticator: Authenticator::new(Users::default(), LoginLimits::default()),
            plain_passwords: AtomicBool::new(false),
        }
    }
}

impl Logins {
    /// By these users from now on.
    pub(crate) fn replace(&self, users: Users, plain_passwords: bool) {
        self.authenticator.replace(users);
        self.plain_passwords.store(plain_passwords, Ordering::Relaxed);
    }

    /// What a user may do, if there is such a user.
    pub(crate) fn account(&self, user: &str) -> Option<Arc<Account>> {
        self.authenticator.account(user)
    }

    /// Checks an attempt, which may take seconds.
    pub(crate) fn check(
        self: &Arc<Self>,
        attempt: LoginAttempt,
        peer: &Peer,
    ) -> impl Future<Output = Checked> + Send + use<> {
        let logins = Arc::clone(self);
        let address = peer.address.map(|address| address.ip());
        let certified = peer.certified.clone();
        let readable = !peer.encrypted && peer.address.is_some_and(is_elsewhere);
        async move {
            let LoginAttempt { user, password } = attempt;
            let password = password.map(|password| Password::new(password.into()));
            if password.is_some() && readable && !logins.plain_passwords.load(Ordering::Relaxed) {
                return (user, Err(LoginRefused::ReadableByOthers));
            }
            let attempt = Attempt { user: user.clone(), password, address, certified };
            let checked = match logins.authenticator.verify(attempt).await {
                Ok(_) => Ok(()),
                Err(Refused::Wrong) => Err(LoginRefused::Wrong),
                Err(Refused::Busy) => Err(LoginRefused::Busy(None)),
                Err(Refused::Throttled { retry_after }) => {
                    Err(LoginRefused::Busy(Some(retry_after)))
                }
            };
            (user, checked)
        }
    }
}
