//! Passwords, and the hashes that are kept instead of them: argon2id in PHC strings.
//!
//! The format is that of <https://github.com/P-H-C/phc-string-format>; argon2 is RFC 9106, and the
//! costs of new hashes are the first recommendation of OWASP's password storage cheat sheet.

use std::fmt;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Params, Version};
use thiserror::Error;
use zeroize::Zeroizing;

/// Most memory that one verification may take, in KiB: 1 GiB. A hash that wants more is refused
/// when it is read.
pub const HASH_MEMORY_KIB_MAX: u32 = 1 << 20;
/// Most passes over that memory.
pub const HASH_PASSES_MAX: u32 = 64;
/// Most memory times passes, in KiB: seconds of one processor.
pub const HASH_WORK_KIB_MAX: u32 = 4 << 20;
/// Most lanes.
pub const HASH_LANES_MAX: u32 = 16;
/// Shortest hash in bytes; a shorter one would be found by other passwords, too.
const OUTPUT_BYTES_MIN: usize = 16;
/// Shortest salt in bytes (RFC 9106, section 3.1).
const SALT_BYTES_MIN: usize = 8;
/// Shortest password that is accepted for a new hash.
pub const PASSWORD_CHARACTERS_MIN: usize = 8;

/// Longest password in bytes that is accepted for a new hash: `login` and it are one line.
pub const PASSWORD_BYTES_MAX: usize = 1024;

/// A password. It is wiped from memory when it is dropped, and never shown.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

/// What a password is verified against.
#[derive(Clone, PartialEq, Eq)]
pub struct Hash(PasswordHash);

/// Why a text is no hash that this server verifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadHash {
    /// No PHC string of argon2id, version 19, with its three costs, salt and hash.
    #[error("an argon2id hash is wanted, as `linebus user passwd` writes it: $argon2id$v=19$m=…")]
    Form,
    /// Verifying it would cost too much.
    #[error(
        "this hash costs too much: at most m={HASH_MEMORY_KIB_MAX}, t={HASH_PASSES_MAX}, \
         p={HASH_LANES_MAX} and m times t={HASH_WORK_KIB_MAX} are taken"
    )]
    Costs,
}

/// Why a password is not accepted for a new hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadPassword {
    /// Shorter than [`PASSWORD_CHARACTERS_MIN`].
    #[error("a password has at least {PASSWORD_CHARACTERS_MIN} characters")]
    Short,
    /// Longer than [`PASSWORD_BYTES_MAX`].
    #[error("a password has at most {PASSWORD_BYTES_MAX} bytes")]
    Long,
    /// It could not stand in a line.
    #[error("a password has no control characters")]
    Control,
}

impl Password {
    /// A password as somebody says it.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Whether it is good enough for a new hash.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), BadPassword> {
        if self.0.chars().any(char::is_control) {
            return Err(BadPassword::Control);
        }
        if self.0.chars().count() < PASSWORD_CHARACTERS_MIN {
            return Err(BadPassword::Short);
        }
        if self.0.len() > PASSWORD_BYTES_MAX {
            return Err(BadPassword::Long);
        }
        Ok(())
    }

    /// Whether it is the same as another one, typed by the same person.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

impl Hash {
    /// Hashes a password under a new random salt: 19 MiB, two passes, one lane; some 20 ms.
    #[must_use]
    pub fn of(password: &Password) -> Self {
        Self::with(password, Params::DEFAULT)
    }

    fn with(password: &Password, costs: Params) -> Self {
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, costs);
        let hash = argon2.hash_password(password.0.as_bytes());
        Self(hash.expect("costs and salt are valid, and no password is 4 GiB long"))
    }

    /// A hash that is cheap, for tests.
    #[cfg(test)]
    pub(crate) fn cheap(password: &str) -> Self {
        let costs = Params::new(8, 1, 1, None).expect("the least that there is");
        Self::with(&Password::new(password.to_owned()), costs)
    }

    /// Reads a PHC string.
    ///
    /// # Errors
    /// When it is none of argon2id, or would cost too much to verify.
    pub fn parse(text: &str) -> Result<Self, BadHash> {
        let hash = PasswordHash::new(text).map_err(|_| BadHash::Form)?;
        let long = hash.hash.as_ref().is_some_and(|output| output.len() >= OUTPUT_BYTES_MIN);
        let salted = hash.salt.as_ref().is_some_and(|salt| salt.len() >= SALT_BYTES_MIN);
        let version = hash.version == Some(Version::V0x13.into());
        if hash.algorithm != ARGON2ID_IDENT || !version || !long || !salted {
            return Err(BadHash::Form);
        }
        // Left out, a cost would be the library's default of the day; others it may know (a key's
        // name, associated data) are not what `linebus user` writes.
        let named = hash.params.iter().map(|(name, _)| name.as_str().to_owned());
        if !named.eq(["m", "t", "p"]) {
            return Err(BadHash::Form);
        }
        let costs = Params::try_from(&hash).map_err(|_| BadHash::Form)?;
        let work = costs.m_cost().saturating_mul(costs.t_cost());
        if costs.m_cost() > HASH_MEMORY_KIB_MAX
            || costs.t_cost() > HASH_PASSES_MAX
            || costs.p_cost() > HASH_LANES_MAX
            || work > HASH_WORK_KIB_MAX
        {
            return Err(BadHash::Costs);
        }
        Ok(Self(hash))
    }

    /// Whether this is the password. Takes the memory and the time that the hash says.
    #[must_use]
    pub fn verify(&self, password: &Password) -> bool {
        Argon2::default().verify_password(password.0.as_bytes(), &self.0).is_ok()
    }

    /// The PHC string, for the users file and nowhere else.
    #[must_use]
    pub fn to_phc(&self) -> String {
        self.0.to_string()
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hash")
    }
}
