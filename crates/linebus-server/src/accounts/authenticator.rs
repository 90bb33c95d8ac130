//! Judges logins. A flood of them costs bounded memory and time: few passwords are hashed at once,
//! few more wait, and everybody beyond is told that the bus is busy.
//!
//! What is decided about a login does not depend on whether its client waits for the answer: the
//! thread that hashes counts the failure itself, and holds its place until it is done.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use linebus_broker::Account;
use parking_lot::{Mutex, RwLock};
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::failures::{ADDRESSES_MAX, Failures};
use super::{Hash, Password, User, Users};

/// Of a random password that nobody knows, with the costs of new hashes: what is verified when
/// there is nothing to verify, so that the time it takes says nothing.
const DUMMY: &str = "$argon2id$v=19$m=19456,t=2,p=1$Bk2Cqr57epjIBjfGOpmbkA$aVmO4WEMktNmBfaXDc53CcXi4QuN1UmKjfQwv/m0pK8";

/// How much may be spent on logins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginLimits {
    /// Passwords that are hashed at once; each takes 19 MiB and a processor for some 20 ms. 1 at
    /// least.
    pub logins_at_once: usize,
    /// Logins that wait for their turn; more are refused as [`Refused::Busy`].
    pub logins_waiting: usize,
    /// Failed logins per address and minute; further ones are refused as [`Refused::Throttled`].
    pub login_failures_per_minute: u32,
}

impl Default for LoginLimits {
    fn default() -> Self {
        Self { logins_at_once: 2, logins_waiting: 64, login_failures_per_minute: 20 }
    }
}

/// Somebody wants to log in.
#[derive(Debug)]
pub struct Attempt {
    /// As whom.
    pub user: Box<str>,
    /// With which password.
    pub password: Option<Password>,
    /// From where; none from a Unix socket.
    pub address: Option<IpAddr>,
    /// The user whom the client's certificate names; it was verified by TLS.
    pub certified: Option<Box<str>>,
}

/// Why a login is refused. None of it says whether the user exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refused {
    /// User or password is wrong, or the user is disabled. Said after a wait that grows.
    #[error("user or password is wrong")]
    Wrong,
    /// Too many others want to log in.
    #[error("too many logins at once; try again")]
    Busy,
    /// Too many failed logins came from this address.
    #[error("too many failed logins from your address; try again in {} s", .retry_after.as_secs() + 1)]
    Throttled {
        /// From when on it may try again.
        retry_after: Duration,
    },
}

/// Judges logins by the users of the day.
pub struct Authenticator {
    shared: Arc<Shared>,
    /// One permit per login that is hashed or waits.
    places: Arc<Semaphore>,
    /// One permit per login that is hashed.
    turns: Arc<Semaphore>,
}

/// [`Hash::verify`], or what a test puts in its place.
type Verifier = dyn Fn(&Hash, &Password) -> bool + Send + Sync;

struct Shared {
    users: RwLock<Users>,
    failures: Mutex<Failures>,
    failed: AtomicU64,
    dummy: Hash,
    verify: Box<Verifier>,
}

impl std::fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authenticator").field("failures", &self.failures()).finish_non_exhaustive()
    }
}

impl Authenticator {
    /// Judges by these users.
    #[must_use]
    pub fn new(users: Users, limits: LoginLimits) -> Self {
        Self::with_verifier(users, limits, Hash::verify)
    }

    pub(super) fn with_verifier(
        users: Users,
        limits: LoginLimits,
        verify: impl Fn(&Hash, &Password) -> bool + Send + Sync + 'static,
    ) -> Self {
        let at_once = limits.logins_at_once.clamp(1, Semaphore::MAX_PERMITS / 2);
        let waiting = limits.logins_waiting.min(Semaphore::MAX_PERMITS / 2);
        let failures = Failures::new(limits.login_failures_per_minute, ADDRESSES_MAX);
        let shared = Shared {
            users: RwLock::new(users),
            failures: Mutex::new(failures),
            failed: AtomicU64::new(0),
            dummy: Hash::parse(DUMMY).expect("it is a constant"),
            verify: Box::new(verify),
        };
        Self {
            shared: Arc::new(shared),
            places: Arc::new(Semaphore::new(at_once + waiting)),
            turns: Arc::new(Semaphore::new(at_once)),
        }
    }

    /// Judges by other users from now on, also the logins that are being judged.
    pub fn replace(&self, users: Users) {
        let before = std::mem::replace(&mut *self.shared.users.write(), users);
        // Not while the lock is held: there may be many.
        drop(before);
    }

    /// The account of a user who exists and is not disabled.
    #[must_use]
    pub fn account(&self, name: &str) -> Option<Arc<Account>> {
        self.shared.enabled(name, |user| Arc::clone(user.account()))
    }

    /// How many logins have been refused as [`Refused::Wrong`].
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.shared.failed.load(Ordering::Relaxed)
    }

    /// Judges a login: the password, or the certificate that names exactly this user, in which case
    /// a password does not matter. Whoever fails waits for the answer; a success waits for nobody
    /// but those whose passwords are hashed before.
    ///
    /// # Errors
    /// Why it is refused.
    ///
    /// # Panics
    /// Outside a tokio runtime with time.
    pub async fn verify(&self, attempt: Attempt) -> Result<Arc<Account>, Refused> {
        let address = attempt.address;
        let judged = if attempt.certified.as_deref() == Some(&*attempt.user) {
            // No guess: it is never throttled, whoever else fails at the same address.
            self.account(&attempt.user).ok_or_else(|| self.shared.fail(address))
        } else {
            self.shared.check(address)?;
            match attempt.password {
                Some(password) => self.hash(attempt.user, password, address).await?,
                // The same for every user, so it says nothing about any.
                None => Err(self.shared.fail(address)),
            }
        };
        match judged {
            Ok(account) => Ok(account),
            Err(delay) => {
                tokio::time::sleep(delay).await;
                Err(Refused::Wrong)
            }
        }
    }

    /// Verifies a password in its turn: the account, or how long the refusal waits.
    async fn hash(
        &self,
        user: Box<str>,
        password: Password,
        address: Option<IpAddr>,
    ) -> Result<Result<Arc<Account>, Duration>, Refused> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Refused::Busy)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| Refused::Busy)?;
        // Others of the same address may have failed while this one waited: without a second look
        // a guesser would have as many guesses a minute as there are places.
        self.shared.check(address)?;
        let shared = Arc::clone(&self.shared);
        let permits = Permits { _place: place, _turn: turn };
        // When the client goes away, this future is dropped but the thread goes on: it keeps the
        // permits, or more would be hashed at once.
        let hashing = tokio::task::spawn_blocking(move || {
            let judged = shared.judge(&user, &password).ok_or_else(|| shared.fail(address));
            drop(permits);
            judged
        });
        // It fails only when the runtime ends, or when hashing panics, which lets nobody in.
        hashing.await.map_err(|_| Refused::Busy)
    }
}

/// What a login holds while it is hashed.
struct Permits {
    _place: OwnedSemaphorePermit,
    _turn: OwnedSemaphorePermit,
}

impl Shared {
    /// Whether an address may try.
    fn check(&self, address: Option<IpAddr>) -> Result<(), Refused> {
        let checked = self.failures.lock().check(address, Instant::now());
        checked.map_err(|retry_after| Refused::Throttled { retry_after })
    }

    /// Counts a failure; how long its refusal waits.
    fn fail(&self, address: Option<IpAddr>) -> Duration {
        self.failed.fetch_add(1, Ordering::Relaxed);
        self.failures.lock().add(address, Instant::now())
    }

    /// The account, if this is its password. As slow when there is no such user.
    fn judge(&self, name: &str, password: &Password) -> Option<Arc<Account>> {
        let hash = self.users.read().user(name).and_then(|user| user.hash.clone());
        let right = (self.verify)(hash.as_ref().unwrap_or(&self.dummy), password);
        // Looked up again: meanwhile the user may have been disabled, or have a new password.
        let verified = hash.filter(|_| right)?;
        let good = |user: &User| user.hash.as_ref() == Some(&verified);
        self.enabled(name, |user| good(user).then(|| Arc::clone(user.account()))).flatten()
    }

    fn enabled<T>(&self, name: &str, take: impl FnOnce(&User) -> T) -> Option<T> {
        let users = self.users.read();
        users.user(name).filter(|user| !user.is_disabled()).map(take)
    }
}

#[cfg(test)]
mod tests;
