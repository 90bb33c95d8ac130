//! Who may log in: the users file, passwords, and the one place where a login is judged.
//!
//! ```toml
//! [users.alice]
//! password = "$argon2id$v=19$m=19456,t=2,p=1$…"   # without it only a certificate logs in
//! send = { allow = ["rooms.>"], deny = ["rooms.secret.>"] }
//! recv = { allow = [">"] }
//! see = true          # who, topics, watch and $bus.>
//! disabled = false
//! ```
//!
//! What nothing allows is denied, so a list that is left out allows nothing. A file with any
//! mistake yields no users at all, and one without users is a mistake: nothing in it can open a bus.

mod authenticator;
pub mod edit;
mod explain;
mod failures;
mod file;
mod hash;
pub mod store;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use linebus_broker::{Account, Rules};
use linebus_protocol::{GUEST, Pattern, is_name};

use crate::config::Problem;
use crate::config::reader::Reader;

pub use authenticator::{Attempt, Authenticator, LoginLimits, Refused};
pub use explain::Answer;
pub use failures::{ADDRESSES_MAX, DELAY_FIRST, DELAY_MAX, FORGOTTEN_AFTER, WINDOW};
pub use file::{By, USERS_BYTES_MAX, read_text};
pub use hash::{
    BadHash, BadPassword, HASH_LANES_MAX, HASH_MEMORY_KIB_MAX, HASH_PASSES_MAX, HASH_WORK_KIB_MAX,
    Hash, PASSWORD_BYTES_MAX, PASSWORD_CHARACTERS_MIN, Password,
};

/// The file that documents every key.
const PAGE: &str = "docs/users.md";

/// All users of a bus, by name.
#[derive(Debug, Default, Clone)]
pub struct Users {
    users: BTreeMap<Box<str>, User>,
}

/// One user: the account, and how to log in to it.
#[derive(Debug, Clone)]
pub struct User {
    account: Arc<Account>,
    /// Its Debug output shows nothing of it.
    hash: Option<Hash>,
    disabled: bool,
    see: bool,
    send: Lists,
    recv: Lists,
}

/// Patterns as they are written in the file.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Lists {
    /// What is allowed.
    pub allow: Vec<Box<str>>,
    /// What is denied all the same.
    pub deny: Vec<Box<str>>,
}

impl Users {
    /// Reads a users file, as the server does: what it may not be is said at [`read_text`].
    ///
    /// # Errors
    /// Every mistake in it, by line; [`Problem::in_file`] shows one with the file's name.
    pub fn read(path: &Path) -> Result<Self, Vec<Problem>> {
        Self::parse(&read_text(path, By::Server).map_err(|problem| vec![problem])?)
    }

    /// Reads the text of a users file.
    ///
    /// # Errors
    /// Every mistake in it, by line. There are no users then, rather than some.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        Self::parse_with(text, |reader, users| {
            if users.is_empty() {
                let text = "there are no users; `linebus user add NAME` adds one".to_owned();
                reader.problem("users", text);
            }
        })
    }

    /// The same for somebody who is about to add a user: there may be none yet.
    fn parse_even_none(text: &str) -> Result<Self, Vec<Problem>> {
        Self::parse_with(text, |_, _| ())
    }

    fn parse_with(
        text: &str,
        check: impl FnOnce(&mut Reader<'_>, &BTreeMap<Box<str>, User>),
    ) -> Result<Self, Vec<Problem>> {
        let mut users = BTreeMap::new();
        let mut reader = Reader::new(text, PAGE, Path::new(""))?;
        reader.each("users", |reader, name| {
            users.insert(name.into(), User::take(reader, name));
        });
        check(&mut reader, &users);
        reader.finish()?;
        Ok(Self { users })
    }

    /// The user of this name, disabled or not.
    #[must_use]
    pub fn user(&self, name: &str) -> Option<&User> {
        self.users.get(name)
    }

    /// All users, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &User)> {
        self.users.iter().map(|(name, user)| (&**name, user))
    }

    /// How many there are: one at least, if they come from a file.
    #[must_use]
    pub fn len(&self) -> usize {
        self.users.len()
    }

    /// Whether there are none, so that nobody can log in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }
}

impl User {
    /// Reads the user of the reader's present name.
    fn take(reader: &mut Reader<'_>, name: &str) -> Self {
        if let Err(text) = check_name(name) {
            reader.problem("users.*", text);
        }
        let mut password = String::new();
        reader.text("users.*.password", &mut password);
        let mut hash = None;
        if reader.is_text("users.*.password") {
            match Hash::parse(&password) {
                Ok(good) => hash = Some(good),
                Err(wrong) => reader.problem("users.*.password", wrong.to_string()),
            }
        }
        let (mut send, mut recv) = (Lists::default(), Lists::default());
        reader.patterns("users.*.send.allow", wrong_in_send, &mut send.allow);
        reader.patterns("users.*.send.deny", wrong_in_send, &mut send.deny);
        reader.patterns("users.*.recv.allow", wrong_in_recv, &mut recv.allow);
        reader.patterns("users.*.recv.deny", wrong_in_recv, &mut recv.deny);
        let (mut see, mut disabled) = (false, false);
        reader.switch("users.*.see", &mut see);
        reader.switch("users.*.disabled", &mut disabled);
        let account = Arc::new(Account::new(name, send.rules(), recv.rules(), see));
        Self { account, hash, disabled, see, send, recv }
    }

    /// What the broker knows of the user.
    #[must_use]
    pub fn account(&self) -> &Arc<Account> {
        &self.account
    }

    /// Whether there is a password to log in with. Else only a certificate does it.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.hash.is_some()
    }

    /// Whether nobody may log in as this user.
    #[must_use]
    pub fn is_disabled(&self) -> bool {
        self.disabled
    }

    /// Whether the user may know who is there and what they do.
    #[must_use]
    pub fn sees(&self) -> bool {
        self.see
    }

    /// Where the user may send.
    #[must_use]
    pub fn send(&self) -> &Lists {
        &self.send
    }

    /// What the user may hear.
    #[must_use]
    pub fn recv(&self) -> &Lists {
        &self.recv
    }
}

/// The file says the same of both, by whatever words.
impl PartialEq for User {
    fn eq(&self, other: &Self) -> bool {
        let Self { account, hash, disabled, see, send, recv } = self;
        account.name() == other.account.name()
            && (hash, disabled, see) == (&other.hash, &other.disabled, &other.see)
            && (send, recv) == (&other.send, &other.recv)
    }
}

/// What is wrong with a pattern, a right one as such, in a list of `send`.
fn wrong_in_send(pattern: Pattern<'_>) -> Option<&'static str> {
    pattern.is_system().then_some("topics that begin with $ are the bus's own")
}

/// The same in a list of `recv`.
fn wrong_in_recv(pattern: Pattern<'_>) -> Option<&'static str> {
    pattern.is_system().then_some("`see = true` lets a user hear the bus's own topics")
}

impl Lists {
    fn rules(&self) -> Rules {
        Rules::new(patterns(&self.allow), patterns(&self.deny))
    }
}

/// The patterns of a list.
fn patterns(list: &[Box<str>]) -> impl Iterator<Item = Pattern<'_>> {
    list.iter().map(|word| Pattern::parse(word).expect("it was checked when it was read"))
}

/// Whether a user may have this name.
///
/// # Errors
/// What is wrong with it.
pub fn check_name(name: &str) -> Result<(), String> {
    if !is_name(name) {
        return Err("a user's name is 1 to 64 of A-Z, a-z, 0-9, _, . and -".to_owned());
    }
    if name == GUEST {
        return Err(format!("{GUEST} is whoever has not logged in; choose another name"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
