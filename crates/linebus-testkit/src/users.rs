//! Users of a server that is started by a test, and the file that it reads them from.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use argon2::password_hash::PasswordHasher;
use argon2::{Algorithm, Argon2, Params, Version};

use crate::rules::{Lists, Rules};

/// Somebody who may log in.
#[derive(Debug, Clone)]
pub struct TestUser {
    /// The name.
    pub name: String,
    /// The password.
    pub password: String,
    /// What the user may do.
    pub rules: Rules,
}

impl TestUser {
    /// A user who may do this.
    #[must_use]
    pub fn new(name: &str, password: &str, rules: Rules) -> Self {
        Self { name: name.to_owned(), password: password.to_owned(), rules }
    }
}

/// Writes `users.toml` into `folder`, or another one over it; returns its path.
///
/// # Panics
/// It can't be written.
pub fn write(folder: &Path, users: &[TestUser]) -> PathBuf {
    let path = folder.join("users.toml");
    // One that is there may be readable by others.
    let _ = std::fs::remove_file(&path);
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(&path);
    let written = file.and_then(|mut file| file.write_all(text(users).as_bytes()));
    written.expect("the folder can be written");
    path
}

/// The text of a users file, with hashes that cost as little as there is.
fn text(users: &[TestUser]) -> String {
    let mut text = String::new();
    for TestUser { name, password, rules } in users {
        let (send, recv) = (table(&rules.send), table(&rules.recv));
        let (hash, see) = (cheap_hash(password), rules.see);
        write!(
            text,
            "[users.{name:?}]\npassword = \"{hash}\"\nsend = {send}\nrecv = {recv}\nsee = {see}\n"
        )
        .expect("writing to memory does not fail");
    }
    text
}

fn table([allow, deny]: &Lists) -> String {
    format!("{{ allow = {allow:?}, deny = {deny:?} }}")
}

/// A hash of the least cost that argon2 allows (RFC 9106, 3.1).
fn cheap_hash(password: &str) -> String {
    let params = Params::new(Params::MIN_M_COST, 1, 1, None).expect("the least there is");
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon2.hash_password(password.as_bytes());
    hash.expect("a short password can be hashed").to_string()
}
