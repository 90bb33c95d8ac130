//! Where one comes in: logging in and out, changing the password, making a tablet a panel.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use jiff::SignedDuration;

use super::door::{Door, PANEL_COOKIE, Visitor, session_cookie};
use super::fields::Fields;
use super::serve::From;
use super::{App, Pages, page, store_refusal};
use crate::clock;
use crate::doors::{Token, password};
use crate::records::{Account, EnrolledPanel, Session};

/// Who logs in is logged in for so long.
const SESSION_FOR: SignedDuration = SignedDuration::from_hours(12);

pub(super) fn pages(pages: Pages) -> Pages {
    pages
        .get("/", Door::Open, async || Redirect::to("/admin"))
        .get("/login", Door::Open, login_page)
        .post("/login", Door::Open, login)
        .post("/logout", Door::Anyone, logout)
        .get("/password", Door::Anyone, password_page)
        .post("/password", Door::Anyone, change_password)
        .get("/enrol", Door::Open, enrol_page)
        .post("/enrol", Door::Open, enrol)
        .get("/healthz", Door::Open, async || "ok\n")
}

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    name: &'a str,
    then: &'a str,
    wrong: &'a str,
}

async fn login_page(Extension(fields): Extension<Fields>) -> Response {
    page(&LoginPage { name: "", then: local(fields.get("then")), wrong: "" })
}

async fn login(
    State(app): State<App>,
    Extension(from): Extension<From>,
    Extension(fields): Extension<Fields>,
    headers: HeaderMap,
    cookies: CookieJar,
) -> Response {
    let address = browser(&app, from, &headers);
    let (name, secret) = (fields.get("name"), fields.raw("password"));
    let then = local(fields.get("then"));
    let again = |status: StatusCode, wrong: &str| {
        (status, page(&LoginPage { name, then, wrong })).into_response()
    };
    let tried = [format!("account {name}"), format!("address {address}")];
    let now = clock::now();
    if let Some(wait) = app.live.attempts.lock().wait(&tried, now) {
        let seconds = wait.as_secs() + 1;
        let text = format!("Too many wrong passwords. Wait {seconds} s and try again.");
        return again(StatusCode::TOO_MANY_REQUESTS, &text);
    }
    let account = app.registry.directory().accounts.get(name).cloned();
    let account = account.filter(|account| !account.is_disabled);
    // An unknown name costs the same time as a known one.
    let hash = account.as_ref().map_or(NOBODY, |account| account.hash.as_str()).to_owned();
    let secret =
        if secret.len() > password::LENGTH_MAX { String::new() } else { secret.to_owned() };
    let is_right = hashing(&app, move || password::is(&secret, &hash)).await;
    let Some(account) = account.filter(|_| is_right) else {
        app.live.attempts.lock().wrong(&tried, now);
        tracing::warn!("a wrong password for {name:?} from {}", address);
        return again(StatusCode::UNAUTHORIZED, "The name or the password is wrong.");
    };
    app.live.attempts.lock().right(&tried);
    let token = Token::random();
    let expires = now.checked_add(SESSION_FOR).unwrap_or(now);
    let (hash, name) = (token.hash(), account.name.clone());
    app.registry.begin_session(Session { token: hash, account: name, created: now, expires }).await;
    app.desk.changed(&account.name, None, format!("logged in from {address}"));
    let cookie = cookie(&app, session_cookie(&app), token.as_str().to_owned(), "/".to_owned());
    (cookies.add(cookie), Redirect::to(then)).into_response()
}

/// A hash that no password has.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

async fn logout(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    cookies: CookieJar,
) -> Response {
    if let Err(error) = app.registry.end_session(visitor.token).await {
        tracing::warn!("a logout is not written: {error}");
    }
    let gone = Cookie::build((session_cookie(&app), "")).path("/");
    (cookies.remove(gone), Redirect::to("/login")).into_response()
}

#[derive(Template)]
#[template(path = "password.html")]
struct PasswordPage<'a> {
    csrf: &'a str,
    must_change: bool,
    wrong: &'a str,
}

async fn password_page(State(app): State<App>, Extension(visitor): Extension<Visitor>) -> Response {
    password_form(&app, &visitor, StatusCode::OK, "")
}

fn password_form(app: &App, visitor: &Visitor, status: StatusCode, wrong: &str) -> Response {
    let directory = app.registry.directory();
    let account = directory.accounts.get(&visitor.account);
    let must_change = account.is_some_and(|account| account.must_change);
    (status, page(&PasswordPage { csrf: &visitor.csrf, must_change, wrong })).into_response()
}

async fn change_password(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
) -> Response {
    let refuse = |wrong: &str| password_form(&app, &visitor, StatusCode::BAD_REQUEST, wrong);
    let Some(account) = app.registry.directory().accounts.get(&visitor.account).cloned() else {
        return refuse("This account is gone.");
    };
    let (old, new) = (fields.raw("old").to_owned(), fields.raw("new").to_owned());
    if new != fields.raw("again") {
        return refuse("The two new passwords are not the same.");
    }
    if let Some(complaint) = password::complaint(&new, &account.name) {
        return refuse(&complaint);
    }
    if old == new {
        return refuse("The new password is the old one.");
    }
    let tried = [format!("account {}", account.name)];
    let now = clock::now();
    if app.live.attempts.lock().wait(&tried, now).is_some() {
        return refuse("Too many wrong passwords. Wait a moment and try again.");
    }
    let hash = account.hash.clone();
    if !hashing(&app, move || password::is(&old, &hash)).await {
        app.live.attempts.lock().wrong(&tried, now);
        return refuse("The old password is wrong.");
    }
    let hash = hashing(&app, move || password::hash(&new)).await;
    let changed = Account { hash, must_change: false, ..account };
    if let Err(error) = app.registry.put_account(changed).await {
        return store_refusal(&error);
    }
    // Whoever else is logged in with the old one is so no longer.
    if let Err(error) = app.registry.end_sessions(&visitor.account, Some(visitor.token)).await {
        return store_refusal(&error);
    }
    app.desk.changed(&visitor.who, None, "changed their password".to_owned());
    Redirect::to("/admin").into_response()
}

#[derive(Template)]
#[template(path = "enrol.html")]
struct EnrolPage<'a> {
    wrong: &'a str,
}

async fn enrol_page() -> Response {
    page(&EnrolPage { wrong: "" })
}

async fn enrol(
    State(app): State<App>,
    Extension(from): Extension<From>,
    Extension(fields): Extension<Fields>,
    headers: HeaderMap,
    cookies: CookieJar,
) -> Response {
    let address = browser(&app, from, &headers);
    let again =
        |status: StatusCode, wrong: &str| (status, page(&EnrolPage { wrong })).into_response();
    let tried = [format!("code from {address}")];
    let now = clock::now();
    if let Some(wait) = app.live.attempts.lock().wait(&tried, now) {
        let text = format!("Too many wrong codes. Wait {} s and try again.", wait.as_secs() + 1);
        return again(StatusCode::TOO_MANY_REQUESTS, &text);
    }
    match app.registry.enrol(&Token::said(fields.get("code"))).await {
        Ok(Some((panel, token))) => {
            app.live.attempts.lock().right(&tried);
            let what = format!("a tablet became the panel {:?}", panel.name);
            app.desk.changed(&format!("panel {}", panel.name), Some(&panel.room), what);
            let to = format!("/panel/{}", panel.room);
            (cookies.add(panel_cookie(&app, &panel, &token)), Redirect::to(&to)).into_response()
        }
        Ok(None) => {
            app.live.attempts.lock().wrong(&tried, now);
            let text = "This code is not known, or not any more. Ask for a new one.";
            again(StatusCode::UNAUTHORIZED, text)
        }
        Err(error) => store_refusal(&error),
    }
}

/// What makes a browser the panel of a room, and of no other.
pub(super) fn panel_cookie(app: &App, panel: &EnrolledPanel, token: &Token) -> Cookie<'static> {
    let path = format!("/panel/{}", panel.room);
    let mut cookie = cookie(app, PANEL_COOKIE, token.as_str().to_owned(), path);
    // A tablet stays a panel until it is revoked.
    cookie.make_permanent();
    cookie
}

fn cookie(app: &App, name: &'static str, value: String, path: String) -> Cookie<'static> {
    Cookie::build((name, value))
        .path(path)
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(app.is_https)
        .build()
}

/// Hashes where that holds nobody up, few at a time.
pub(super) async fn hashing<T: Send + 'static>(
    app: &App,
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    let _place = app.live.hashing.acquire().await.expect("it is never closed");
    tokio::task::spawn_blocking(work).await.expect("hashing does not panic")
}

/// Where a browser is: the proxy that ends TLS says for whom it asks, last of all that are named.
fn browser(app: &App, From(address): From, headers: &HeaderMap) -> String {
    let said = headers.get_all("x-forwarded-for").iter().next_back().filter(|_| app.is_https);
    let last = said.and_then(|value| value.to_str().ok()).and_then(|said| said.rsplit(',').next());
    last.map_or_else(|| address.ip().to_string(), |last| last.trim().to_owned())
}

/// A page of ours, or the first one: nobody is sent elsewhere.
fn local(then: &str) -> &str {
    let is_ours =
        then.starts_with('/') && !then.starts_with("//") && !then.contains(['\\', '\n', '\r']);
    if is_ours { then } else { "/admin" }
}
