//! Passwords: argon2id, so that a stolen table is slow to guess.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

use super::token::random_bytes;

/// The shortest password that a person may choose, in characters.
pub const LENGTH_MIN: usize = 10;
/// The longest, in bytes: hashing more costs and protects nothing.
pub const LENGTH_MAX: usize = 200;
/// Letters and digits that can't be taken for one another.
const READABLE: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";

/// A hash with its salt and costs, as text. Takes tens of milliseconds and 19 MiB.
///
/// # Panics
/// The memory for hashing can't be had.
#[must_use]
pub fn hash(password: &str) -> String {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.expect("the default costs are valid").to_string()
}

/// Whether this is the password. Takes as long as hashing.
#[must_use]
pub fn is(password: &str, hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else { return false };
    Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()
}

/// A password for one use, which a person can type: 60 bits in four groups.
#[must_use]
pub fn one_time() -> String {
    let mut text = String::new();
    for (index, byte) in random_bytes::<16>().into_iter().enumerate() {
        if index > 0 && index % 4 == 0 {
            text.push('-');
        }
        text.push(char::from(READABLE[usize::from(byte) % READABLE.len()]));
    }
    text
}

/// What is wrong with a password that a person chose.
#[must_use]
pub fn complaint(password: &str, name: &str) -> Option<String> {
    if password.chars().count() < LENGTH_MIN {
        return Some(format!("A password has at least {LENGTH_MIN} characters."));
    }
    if password.len() > LENGTH_MAX {
        return Some(format!("A password has at most {LENGTH_MAX} bytes."));
    }
    if !name.is_empty() && password.to_lowercase().contains(&name.to_lowercase()) {
        return Some("The password contains the name.".to_owned());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_by_its_hash_only() {
        let hashed = hash("correct horse");
        assert!(hashed.starts_with("$argon2id$"), "{hashed}");
        assert!(is("correct horse", &hashed));
        assert!(!is("correct horses", &hashed));
        assert!(!is("correct horse", "no hash"));
        assert_ne!(hash("correct horse"), hashed, "each has its salt");
    }

    #[test]
    fn a_one_time_password_can_be_read_out() {
        let text = one_time();
        assert_eq!(text.len(), 19, "{text}");
        assert_ne!(one_time(), text);
        assert_eq!(complaint(&text, "admin"), None);
    }

    #[test]
    fn a_bad_password_is_refused_with_what_would_be_right() {
        assert!(complaint("short", "").expect("it is short").contains("at least 10"));
        assert!(complaint(&"x".repeat(201), "").expect("it is long").contains("at most 200"));
        assert!(complaint("maria-2026-x", "Maria").expect("it has it").contains("name"));
    }
}
