//! Logging in where there are accounts. The broker asks and is told: checking a password takes
//! long and is the shell's affair. Meanwhile nothing more of the connection is carried out.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use linebus_protocol::{ByeReason, ErrorCode, Event, Refusal, Verb};

use crate::access::{Access, Account};
use crate::broker::{Broker, Now};
use crate::connection::{Connection, Work};
use crate::delivery::Delivery;
use crate::fact::{Bound, Fact};
use crate::lines::Lines;
use crate::session::Link;

/// What a client said to log in, to be answered by [`Broker::finish_login`].
pub struct LoginAttempt {
    /// Who it says it is.
    pub user: Box<str>,
    /// The password, if it gave one.
    pub password: Option<Box<str>>,
}

/// Says no password.
impl fmt::Debug for LoginAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginAttempt").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Why somebody is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginRefused {
    /// User or password is wrong; nobody learns which.
    Wrong,
    /// The bus has no time for it now. Try again after so long, if it is known.
    Busy(Option<Duration>),
    /// A password came over a connection on which others can read along.
    ReadableByOthers,
}

/// How far a connection is with logging in.
#[derive(Debug, Default)]
pub(crate) struct Login {
    /// Said and not yet answered.
    pub(crate) attempt: Option<Box<LoginAttempt>>,
    /// It was taken to be checked.
    pub(crate) pending: bool,
    /// How often it was wrong. A right one between does not matter: who has an account must not
    /// guess at others for ever.
    failures: u32,
}

impl Login {
    /// Whether nothing may be carried out until an attempt is answered.
    pub(crate) fn is_open(&self) -> bool {
        self.pending || self.attempt.is_some()
    }
}

impl<L> Connection<L> {
    /// The attempt to log in that waits to be checked, once. Until [`Broker::finish_login`]
    /// answers it nothing is to be received.
    pub fn take_login(&mut self) -> Option<LoginAttempt> {
        let attempt = self.login.attempt.take()?;
        self.login.pending = true;
        Some(*attempt)
    }

    /// Whether an attempt to log in waits for its answer.
    #[must_use]
    pub fn is_logging_in(&self) -> bool {
        self.login.is_open()
    }
}

impl<L: Link> Broker<L> {
    /// Answers an attempt to log in as `user`. `account` looks up what the user may do; it is
    /// asked while no accounts can be changed, so that nobody gets in with rules of before.
    ///
    /// Lines that came after the attempt are held: have them received.
    pub fn finish_login(
        &self,
        connection: &mut Connection<L>,
        user: &str,
        checked: Result<(), LoginRefused>,
        account: impl FnOnce() -> Option<Arc<Account>>,
        work: &mut Work<L>,
        now: Now,
    ) {
        let Connection { session, login, waits, .. } = connection;
        login.pending = false;
        let granted = checked.and_then(|()| {
            let _unchanged = self.topics.read();
            let access = match self.guest() {
                // The bus has been opened meanwhile.
                Access::Open => Access::Open,
                _ => Access::Account(account().ok_or(LoginRefused::Wrong)?),
            };
            session.log_in(user, access);
            Ok(())
        });
        let mut delivery = Delivery::new(self, now, Some(session), waits, &mut work.outgoing);
        let say = |event: &Event<'_>, delivery: &mut Delivery<'_, L>| {
            session.write(Lines::one(format!("{event}\n").as_bytes()), delivery, || true);
        };
        let id = session.id();
        match granted {
            Ok(()) => {
                if session.access().is_account() {
                    connection.bucket = self.bucket(session, now);
                }
                say(&Event::Ok { verb: "login", rest: user }, &mut delivery);
                delivery.facts.push(Fact::LoggedIn { id, user: user.into() });
                self.announce_with(&mut delivery, &format!("joined {user} {id}"));
            }
            Err(refused) => {
                let refusal = refused.refusal();
                say(&refusal.event(), &mut delivery);
                delivery.facts.push(Fact::LoginRefused { id, user: user.into(), refused });
                login.failures += u32::from(refused == LoginRefused::Wrong);
                if login.failures >= delivery.limits().login_failures_max {
                    delivery.facts.push(Fact::Limit { id, bound: Bound::LoginFailures });
                    drop(delivery);
                    self.close(session, ByeReason::Abuse, "too many wrong logins");
                }
            }
        }
    }
}

impl LoginRefused {
    /// All words that there are.
    pub const WORDS: [&str; 4] = ["wrong", "busy", "throttled", "readable_by_others"];

    /// One word for logs and metrics.
    #[must_use]
    pub fn word(self) -> &'static str {
        let [wrong, busy, throttled, readable_by_others] = Self::WORDS;
        match self {
            Self::Wrong => wrong,
            Self::Busy(None) => busy,
            Self::Busy(Some(_)) => throttled,
            Self::ReadableByOthers => readable_by_others,
        }
    }

    fn refusal(self) -> Refusal<'static> {
        let refuse = |code, text: String| Refusal::new(Verb::Login, code, text);
        match self {
            Self::Wrong => refuse(ErrorCode::WrongLogin, "user or password is wrong".to_owned()),
            Self::Busy(None) => {
                refuse(ErrorCode::Busy, "many are logging in; try again in a moment".to_owned())
            }
            Self::Busy(Some(after)) => {
                let seconds = after.as_secs() + 1;
                let text =
                    format!("too many wrong logins from your address; try again in {seconds} s");
                refuse(ErrorCode::Busy, text)
            }
            Self::ReadableByOthers => refuse(
                ErrorCode::Denied,
                "a password is not taken where others can read along; connect by TLS".to_owned(),
            ),
        }
    }
}
