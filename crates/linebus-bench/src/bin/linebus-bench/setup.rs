//! What a server is told besides where to listen: encryption, accounts, a budget. Written as the files that it reads.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use argon2::password_hash::PasswordHasher as _;
use argon2::{Algorithm, Argon2, Params, Version};
use linebus_bench::Login;
use rcgen::{CertifiedKey, generate_simple_self_signed};

#[cfg(test)]
mod tests;

/// Names of the files, relative to the server's folder.
const CERTIFICATE: &str = "cert.pem";
const KEY: &str = "key.pem";
const USERS: &str = "users.toml";

/// Whom the generator logs in as.
const USER: &str = "bench";
const PASSWORD: &str = "secret";

/// How many patterns a user's lists of one direction hold, allowed and denied together.
pub(crate) const RULES_PER_DIRECTION: usize = 25;

/// What a server is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setup {
    /// Nothing: as it comes.
    Open,
    /// TLS on its only port; of linebus and NATS.
    Encrypted,
    /// linebus with a user who has rules.
    Accounts(Rules),
    /// linebus with this many bytes for all that waits. The marks of one outbox keep their proportion to it, so that
    /// 256 MiB leave both as they are by default.
    Budget(u64),
}

/// What the rules of the user have to do with what is joined and sent. All runs are on topics below `bench`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rules {
    /// No deny touches anything.
    Apart,
    /// A deny overlaps the wildcard join `bench.>`, so that each line has to be looked at.
    Overlapping,
}

/// linebus' configuration.
pub(crate) fn linebus_toml(setup: Setup, threads: usize) -> String {
    let plain = "listen = [\"127.0.0.1:0\"]\n";
    let rest = match setup {
        Setup::Open => plain.to_owned(),
        Setup::Encrypted => format!(
            "listen = []\n\n[tls]\nlisten = [\"127.0.0.1:0\"]\ncertificate = \"{CERTIFICATE}\"\nkey = \"{KEY}\"\n"
        ),
        Setup::Accounts(_) => format!("{plain}users = \"{USERS}\"\n"),
        Setup::Budget(bytes) => format!(
            "{plain}\n[limits]\noutbox_soft_bytes = {}\noutbox_hard_bytes = {}\nsessions_bytes_max = {bytes}\n",
            bytes / 32,
            bytes / 4
        ),
    };
    format!("threads = {threads}\n{rest}")
}

/// nats-server's, for encryption ("Securing NATS", "Enabling TLS").
pub(crate) fn nats_conf() -> String {
    format!("tls {{\n  cert_file: \"{CERTIFICATE}\"\n  key_file: \"{KEY}\"\n}}\n")
}

/// Makes a certificate for 127.0.0.1 and its key and writes both into `folder`; answers the certificate (DER).
pub(crate) fn write_certificate(folder: &Path) -> Result<Vec<u8>> {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["127.0.0.1".to_owned()])
        .context("cannot make a certificate")?;
    fs::write(folder.join(CERTIFICATE), cert.pem())?;
    write_secret(&folder.join(KEY), &signing_key.serialize_pem())?;
    Ok(cert.der().to_vec())
}

/// Writes the file of users, with one user, into `folder`.
pub(crate) fn write_users(folder: &Path, rules: Rules) -> Result<Login> {
    write_secret(&folder.join(USERS), &users_toml(rules)?)?;
    Ok(Login { user: USER.to_owned(), password: Some(PASSWORD.to_owned()) })
}

fn users_toml(rules: Rules) -> Result<String> {
    // The least that Argon2 takes (RFC 9106, section 3.1): a thousand logins must not be what is measured.
    let params = Params::new(Params::MIN_M_COST, 1, 1, None).map_err(|e| anyhow!("{e}"))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon2.hash_password(PASSWORD.as_bytes()).map_err(|e| anyhow!("{e}"))?;
    let send = direction("send", Rules::Apart);
    let recv = direction("recv", rules);
    Ok(format!("[users.{USER}]\npassword = \"{hash}\"\n{send}{recv}see = true\n"))
}

/// Patterns of every kind: plain topics, a wildcard in the middle, a wildcard at the end. The one that allows the run
/// stands last, so that whoever goes through them in order goes through all.
fn direction(name: &str, rules: Rules) -> String {
    let pattern = |verdict: &str, number: usize| match number % 3 {
        0 => format!("{verdict}.room{number:02}.lights"),
        1 => format!("{verdict}.*.floor{number:02}"),
        _ => format!("{verdict}.house{number:02}.>"),
    };
    let allowed = RULES_PER_DIRECTION / 2;
    let mut allow: Vec<String> = (1..allowed).map(|number| pattern("open", number)).collect();
    allow.push("bench.>".to_owned());
    let denied = RULES_PER_DIRECTION - allowed;
    let mut deny: Vec<String> = (1..denied).map(|number| pattern("closed", number)).collect();
    // Three tokens, where a run's topics have two: no line of a run is ever refused.
    deny.push(match rules {
        Rules::Apart => "closed.secret.>".to_owned(),
        Rules::Overlapping => "bench.secret.>".to_owned(),
    });
    let list = |patterns: &[String]| {
        let quoted: Vec<String> = patterns.iter().map(|word| format!("\"{word}\"")).collect();
        quoted.join(", ")
    };
    format!("{name} = {{ allow = [{}], deny = [{}] }}\n", list(&allow), list(&deny))
}

/// Only its owner may read it; linebus insists.
fn write_secret(file: &Path, text: &str) -> Result<()> {
    let mut open = fs::OpenOptions::new();
    let mut secret = open.write(true).create_new(true).mode(0o600).open(file)?;
    secret.write_all(text.as_bytes()).with_context(|| format!("cannot write {}", file.display()))
}
