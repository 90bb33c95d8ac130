//! The files that servers are given, as they must be.

use std::os::unix::fs::PermissionsExt as _;

use argon2::password_hash::PasswordVerifier as _;
use argon2::password_hash::phc::PasswordHash;

use super::*;

/// What stands between the brackets behind `name`.
fn list<'a>(line: &'a str, name: &str) -> Vec<&'a str> {
    let (_, rest) = line.split_once(&format!("{name} = [")).expect("the list is there");
    let (inner, _) = rest.split_once(']').expect("it ends");
    inner.split(", ").map(|word| word.trim_matches('"')).collect()
}

#[test]
fn a_user_has_fifty_rules_and_a_password_that_fits() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let login = write_users(folder.path(), Rules::Overlapping).expect("it can be written");
    let file = folder.path().join(USERS);
    let mode = fs::metadata(&file).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = fs::read_to_string(file).expect("it is text");
    let lines: Vec<&str> = text.lines().collect();
    let ["[users.bench]", password, send, recv, "see = true"] = lines[..] else {
        panic!("{text}");
    };
    let mut rules = 0;
    for line in [send, recv] {
        let (allow, deny) = (list(line, "allow"), list(line, "deny"));
        assert_eq!(allow.last(), Some(&"bench.>"));
        rules += allow.len() + deny.len();
    }
    assert_eq!(rules, 50);
    assert!(recv.contains("\"bench.secret.>\"") && !send.contains("bench.secret"));
    let hash = password.strip_prefix("password = \"").and_then(|rest| rest.strip_suffix('"'));
    let hash = hash.expect("it is quoted");
    assert!(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{hash}");
    let hash = PasswordHash::new(hash).expect("a hash as others write it");
    let fits =
        Argon2::default().verify_password(login.password.expect("it has one").as_bytes(), &hash);
    fits.expect("the generator knows the password");
}

#[test]
fn apart_means_that_no_deny_is_about_the_topics_of_a_run() {
    let text = users_toml(Rules::Apart).expect("it can be made");
    let denied =
        text.lines().filter(|line| line.contains("deny")).flat_map(|line| list(line, "deny"));
    assert!(denied.into_iter().all(|pattern| pattern.starts_with("closed.")));
}

#[test]
fn a_budget_of_256_mib_leaves_the_other_limits_as_they_are() {
    let text = linebus_toml(Setup::Budget(256 << 20), 1);
    for line in [
        "threads = 1",
        "listen = [\"127.0.0.1:0\"]",
        "outbox_soft_bytes = 8388608",
        "outbox_hard_bytes = 67108864",
        "sessions_bytes_max = 268435456",
    ] {
        assert!(text.lines().any(|one| one == line), "{line} in {text}");
    }
}

#[test]
fn encrypted_servers_find_their_certificate_and_nobody_else_the_key() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let der = write_certificate(folder.path()).expect("it can be made");
    linebus_bench::Tls::trusting(&der).expect("a certificate");
    for text in [linebus_toml(Setup::Encrypted, 1), nats_conf()] {
        for file in [CERTIFICATE, KEY] {
            assert!(text.contains(&format!("\"{file}\"")), "{text}");
            assert!(folder.path().join(file).is_file());
        }
    }
    let plain = linebus_toml(Setup::Encrypted, 1);
    assert!(plain.starts_with("threads = 1\nlisten = []\n"), "{plain}");
    let mode = fs::metadata(folder.path().join(KEY)).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
