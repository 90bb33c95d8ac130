//! Who gets in, what a failure costs, and what a flood of logins can't cost. Time is paused.

use std::sync::mpsc;

use tokio::sync::mpsc::unbounded_channel;
use tokio::task::JoinSet;

use super::*;
use crate::accounts::{DELAY_FIRST, WINDOW};

/// Alice and bob with passwords, carol without one, and dora, who is disabled.
fn users() -> Users {
    let [alice, bob, dora] = ["alice's password", "bob's password", "dora's password"]
        .map(|password| Hash::cheap(password).to_phc());
    let text = format!(
        "[users]\nalice = {{ password = '{alice}' }}\nbob = {{ password = '{bob}' }}\ncarol = {{}}\n\
         dora = {{ password = '{dora}', disabled = true }}\n"
    );
    Users::parse(&text).expect("the text is right")
}

fn authenticator(login_failures_per_minute: u32) -> Authenticator {
    let limits = LoginLimits { login_failures_per_minute, ..LoginLimits::default() };
    Authenticator::new(users(), limits)
}

fn attempt(user: &str, password: &str) -> Attempt {
    Attempt {
        user: user.into(),
        password: Some(Password::new(password.to_owned())),
        address: Some(IpAddr::from([192, 0, 2, 1])),
        certified: None,
    }
}

/// The user's name, or why not, and how long that took in milliseconds.
async fn verify(by: &Authenticator, attempt: Attempt) -> (Result<String, Refused>, u128) {
    let began = Instant::now();
    let judged = by.verify(attempt).await;
    (judged.map(|account| account.name().to_owned()), began.elapsed().as_millis())
}

#[tokio::test(start_paused = true)]
async fn who_knows_the_password_gets_in_at_once_and_others_wait() {
    let by = authenticator(20);
    let alice = || attempt("alice", "alice's password");
    assert_eq!(verify(&by, alice()).await, (Ok("alice".to_owned()), 0));
    assert_eq!(verify(&by, attempt("alice", "bob's password")).await, (Err(Refused::Wrong), 250));
    assert_eq!(verify(&by, attempt("alice", "")).await, (Err(Refused::Wrong), 500));
    // Neither does a success wait, nor is the next failure cheaper for it.
    assert_eq!(verify(&by, alice()).await, (Ok("alice".to_owned()), 0));
    assert_eq!(verify(&by, attempt("alice", "no")).await, (Err(Refused::Wrong), 1_000));
    let elsewhere = Attempt { address: None, ..attempt("alice", "no") };
    assert_eq!(verify(&by, elsewhere).await, (Err(Refused::Wrong), 250));
    assert_eq!(by.failures(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_success_does_not_wait_behind_the_refusals_of_others() {
    let by = Arc::new(authenticator(20));
    let mut failing = JoinSet::new();
    for _ in 0..5 {
        let by = Arc::clone(&by);
        failing.spawn(async move { verify(&by, attempt("alice", "no")).await });
    }
    let waits = async { failing.join_all().await.iter().map(|(_, wait)| *wait).max() };
    let right = verify(&by, attempt("alice", "alice's password"));
    let (waits, right) = tokio::join!(waits, right);
    assert_eq!((waits, right), (Some(4_000), (Ok("alice".to_owned()), 0)));
}

#[tokio::test(start_paused = true)]
async fn whoever_can_not_log_in_is_refused_in_the_same_words() {
    let by = authenticator(20);
    let without = Attempt { password: None, ..attempt("alice", "") };
    for wrong in [
        attempt("nobody", "x"),
        attempt("carol", ""),
        attempt("dora", "dora's password"),
        attempt("guest", ""),
        attempt("$bus", ""),
        attempt("", ""),
        attempt("alice", &"long ".repeat(100_000)),
        without,
    ] {
        assert_eq!(verify(&by, wrong).await.0, Err(Refused::Wrong));
    }
    assert_eq!(by.failures(), 8);
}

#[tokio::test(start_paused = true)]
async fn a_user_who_is_not_there_costs_what_one_who_is_costs() {
    let (seen, verified) = mpsc::channel();
    let seen = Mutex::new(seen);
    let by = Authenticator::with_verifier(users(), LoginLimits::default(), move |hash, _| {
        seen.lock().send(hash.clone()).expect("the test listens");
        true
    });
    let dummy = Hash::parse(DUMMY).expect("it is a hash");
    assert!(DUMMY.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "the costs of new hashes");
    assert_eq!(Hash::of(&Password::new(String::new())).to_phc()[..31], DUMMY[..31]);
    for user in ["nobody", "carol"] {
        // Even if somebody should find the dummy's password, it lets nobody in.
        assert_eq!(verify(&by, attempt(user, "x")).await.0, Err(Refused::Wrong));
        assert!(verified.try_recv().is_ok_and(|hash| hash == dummy), "{user}");
    }
    assert_eq!(verify(&by, attempt("dora", "x")).await.0, Err(Refused::Wrong));
    assert!(verified.try_recv().is_ok_and(|hash| hash != dummy), "her own");
    assert_eq!(verify(&by, attempt("alice", "x")).await.0, Ok("alice".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_certificate_lets_in_the_user_whom_it_names_and_nobody_else() {
    let by = authenticator(1);
    let certified = |name: &str, user: &str| Attempt {
        certified: Some(name.into()),
        password: None,
        ..attempt(user, "")
    };
    assert_eq!(verify(&by, certified("carol", "carol")).await, (Ok("carol".to_owned()), 0));
    assert_eq!(verify(&by, certified("carol", "alice")).await.0, Err(Refused::Wrong));
    let stopped = verify(&by, certified("Carol", "carol")).await.0;
    assert!(matches!(stopped, Err(Refused::Throttled { .. })), "{stopped:?}");
    assert_eq!(verify(&by, certified("dora", "dora")).await.0, Err(Refused::Wrong));
    assert_eq!(verify(&by, certified("nobody", "nobody")).await.0, Err(Refused::Wrong));
    // The failures of others at the same address do not concern it.
    assert_eq!(verify(&by, certified("carol", "carol")).await, (Ok("carol".to_owned()), 0));
}

#[tokio::test(start_paused = true)]
async fn an_address_that_has_failed_too_often_is_not_heard_for_the_rest_of_the_minute() {
    let by = authenticator(3);
    // All at once: more than so many guesses are not to be had by asking at the same time.
    let limit = 3 + LoginLimits::default().logins_at_once - 1;
    let mut guesses = JoinSet::new();
    let by = Arc::new(by);
    for _ in 0..50 {
        let by = Arc::clone(&by);
        guesses.spawn(async move { verify(&by, attempt("alice", "no")).await.0 });
    }
    let refused = guesses.join_all().await;
    let wrong = refused.iter().filter(|refused| **refused == Err(Refused::Wrong)).count();
    assert!((3..=limit).contains(&wrong), "{wrong}");
    assert_eq!(by.failures(), wrong as u64);
    let right = || attempt("alice", "alice's password");
    let (stopped, waited) = verify(&by, right()).await;
    let Err(Refused::Throttled { retry_after }) = stopped else { panic!("{stopped:?}") };
    assert!(waited == 0 && retry_after < WINDOW);
    let elsewhere = Attempt { address: Some(IpAddr::from([192, 0, 2, 2])), ..right() };
    assert_eq!(verify(&by, elsewhere).await.0, Ok("alice".to_owned()));
    tokio::time::advance(retry_after).await;
    assert_eq!(verify(&by, right()).await.0, Ok("alice".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn new_users_count_from_the_moment_they_are_there() {
    let by = authenticator(20);
    let old = by.account("alice").expect("she is there");
    assert!(by.account("dora").is_none() && by.account("nobody").is_none());
    let new = Hash::cheap("a new password").to_phc();
    let text = format!("[users.alice]\npassword = '{new}'\n[users.bob]\ndisabled = true\n");
    by.replace(Users::parse(&text).expect("it is right"));
    assert!(by.account("bob").is_none() && by.account("carol").is_none());
    assert!(!Arc::ptr_eq(&old, &by.account("alice").expect("she is there")));
    let refused = verify(&by, attempt("alice", "alice's password")).await;
    assert_eq!(refused, (Err(Refused::Wrong), DELAY_FIRST.as_millis()));
    assert_eq!(verify(&by, attempt("alice", "a new password")).await.0, Ok("alice".to_owned()));
}

/// An authenticator whose hashing begins with a word to the test and goes on at its word.
struct Gate {
    by: Arc<Authenticator>,
    began: tokio::sync::mpsc::UnboundedReceiver<usize>,
    go_on: mpsc::Sender<()>,
}

/// It hashes `logins_at_once` passwords at a time and lets `logins_waiting` wait.
fn gate(logins_at_once: usize, logins_waiting: usize) -> Gate {
    let limits = LoginLimits { logins_at_once, logins_waiting, ..LoginLimits::default() };
    let (begin, began) = unbounded_channel();
    let (go_on, wait) = mpsc::channel();
    let (running, wait) = (Mutex::new(0_usize), Mutex::new(wait));
    let by = Authenticator::with_verifier(users(), limits, move |hash, password| {
        let now = {
            let mut running = running.lock();
            *running += 1;
            *running
        };
        let _ = begin.send(now);
        let _ = wait.lock().recv();
        let right = hash.verify(password);
        *running.lock() -= 1;
        right
    });
    Gate { by: Arc::new(by), began, go_on }
}

#[tokio::test(start_paused = true)]
async fn few_are_hashed_at_once_few_wait_and_all_others_are_told_that_it_is_busy() {
    let mut gate = gate(2, 3);
    let mut logins = JoinSet::new();
    for _ in 0..10 {
        let by = Arc::clone(&gate.by);
        logins.spawn(async move { verify(&by, attempt("bob", "bob's password")).await.0 });
    }
    for _ in 0..5 {
        let told = logins.join_next().await.expect("there are ten").expect("it does not panic");
        assert_eq!(told, Err(Refused::Busy));
    }
    let mut most = 0;
    for _ in 0..5 {
        most = most.max(gate.began.recv().await.expect("it hashes"));
        gate.go_on.send(()).expect("it waits");
    }
    assert!(most <= 2, "{most}");
    let all = logins.join_all().await;
    assert_eq!(all, vec![Ok("bob".to_owned()); 5]);
    gate.go_on.send(()).expect("it waits");
    assert_eq!(verify(&gate.by, attempt("bob", "no")).await.0, Err(Refused::Wrong));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_away_keeps_its_place_and_its_failure_counts() {
    let mut gate = gate(1, 0);
    let by = Arc::clone(&gate.by);
    let login = tokio::spawn(async move { by.verify(attempt("alice", "no")).await });
    assert_eq!(gate.began.recv().await, Some(1));
    login.abort();
    assert!(login.await.is_err_and(|error| error.is_cancelled()));
    let next = || attempt("bob", "bob's password");
    assert_eq!(verify(&gate.by, next()).await.0, Err(Refused::Busy));
    gate.go_on.send(()).expect("it waits");
    gate.go_on.send(()).expect("it waits");
    drop(gate.by.turns.acquire().await.expect("it is never closed"));
    assert_eq!(gate.by.failures(), 1);
    assert_eq!(verify(&gate.by, next()).await.0, Ok("bob".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn whoever_is_disabled_while_the_password_is_hashed_does_not_get_in() {
    let mut gate = gate(1, 0);
    let by = Arc::clone(&gate.by);
    let login = tokio::spawn(async move { by.verify(attempt("bob", "bob's password")).await });
    gate.began.recv().await.expect("it hashes");
    let hash = users().user("bob").and_then(|bob| bob.hash.clone()).expect("he has one").to_phc();
    let text = format!("[users.bob]\npassword = '{hash}'\ndisabled = true\n");
    gate.by.replace(Users::parse(&text).expect("it is right"));
    gate.go_on.send(()).expect("it waits");
    assert_eq!(login.await.expect("it ends").err(), Some(Refused::Wrong));
}

#[test]
fn nothing_secret_is_shown() {
    let by = authenticator(1);
    let shown = format!("{by:?} {:?} {:?}", attempt("alice", "s3cret"), users());
    assert!(!shown.contains("s3cret") && !shown.contains("argon2"), "{shown}");
}
