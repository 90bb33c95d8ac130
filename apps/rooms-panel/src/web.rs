//! The pages: which there are, through which door each is reached, and what all have in common.

mod admin;
mod assets;
mod demo;
mod door;
mod entrance;
mod fields;
mod panel;
mod serve;
mod stream;

use std::collections::HashMap;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::handler::Handler;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use parking_lot::Mutex;
use rooms_messages::RoomName;
use tokio::sync::{Semaphore, watch};

pub use door::Door;
pub use serve::serve;

use crate::catalogue::Catalogue;
use crate::desk::{Desk, Shown};
use crate::doors::attempts::Attempts;
use crate::history::Writing;
use crate::records::TokenHash;
use crate::registry::Registry;
use crate::store::StoreError;

/// The largest form.
const FORM_BYTES_MAX: usize = 64 * 1024;
/// Passwords that are hashed at a time: each takes 19 MiB and a core.
const HASHED_AT_ONCE: usize = 2;

/// What every page can use.
#[derive(Debug, Clone)]
pub struct App {
    parts: Arc<Parts>,
    live: Arc<Live>,
}

/// What the pages are made of.
#[derive(Debug)]
pub struct Parts {
    /// The live side.
    pub desk: Arc<Desk>,
    /// Who may what.
    pub registry: Registry,
    /// How writing the history goes.
    pub writing: watch::Receiver<Writing>,
    /// Where the room files are, if they are on this machine.
    pub rooms: Option<PathBuf>,
    /// Whether browsers come over TLS: cookies are for TLS only then.
    pub is_https: bool,
    /// Two rooms that are shown side by side to everybody, in a demonstration.
    pub demo: Option<[RoomName; 2]>,
}

/// What is known while the process lives.
#[derive(Debug)]
struct Live {
    attempts: Mutex<Attempts>,
    hashing: Semaphore,
    /// Held by who looks before changing what others may change too: accounts and room files.
    changing: tokio::sync::Mutex<()>,
    /// How many pages of each enrolled panel are open.
    open: Mutex<HashMap<TokenHash, usize>>,
}

impl App {
    /// The pages over these parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let live = Live {
            attempts: Mutex::default(),
            hashing: Semaphore::new(HASHED_AT_ONCE),
            changing: tokio::sync::Mutex::default(),
            open: Mutex::default(),
        };
        Self { parts: Arc::new(parts), live: Arc::new(live) }
    }

    /// All pages, and which door each is behind.
    pub fn pages(&self) -> (Router, Vec<(Method, &'static str, Door)>) {
        let pages = Pages { app: self.clone(), router: Router::new(), doors: Vec::new() };
        let pages = assets::pages(demo::pages(panel::pages(entrance::pages(pages))));
        let Pages { app, router, doors } = admin::pages(pages);
        let router = router
            .fallback(|| async { refusal(StatusCode::NOT_FOUND, "There is no such page.") })
            .layer(from_fn(careful))
            .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
            .with_state(app);
        (router, doors)
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.parts
    }
}

/// Routes, each with its door.
struct Pages {
    app: App,
    router: Router<App>,
    doors: Vec<(Method, &'static str, Door)>,
}

impl Pages {
    fn get<H, T>(self, path: &'static str, door: Door, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        self.add(Method::GET, path, door, get(handler))
    }

    fn post<H, T>(self, path: &'static str, door: Door, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        self.add(Method::POST, path, door, post(handler))
    }

    fn add(
        mut self,
        method: Method,
        path: &'static str,
        door: Door,
        page: MethodRouter<App>,
    ) -> Self {
        let guard = from_fn_with_state((self.app.clone(), door), door::guard);
        self.router = self.router.route(path, page.layer(guard));
        self.doors.push((method, path, door));
        self
    }
}

/// What a browser is told about every page: load nothing from elsewhere, run nothing that stands in
/// a page, show it in no frame but our own, keep nothing.
async fn careful(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "SAMEORIGIN"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
connect-src 'self'; frame-src 'self'; frame-ancestors 'self'; form-action 'self'; base-uri 'none'";

/// What people call the rooms, and what is so.
fn with_catalogue<T>(app: &App, look: impl FnOnce(&Catalogue<'_>, &Shown) -> T) -> T {
    let directory = app.registry.directory();
    app.desk.look(|shown| look(&Catalogue { directory: &directory, house: &shown.house }, shown))
}

/// A page of one sentence.
fn refusal(status: StatusCode, text: &str) -> Response {
    (status, page(&Sentence { title: status.canonical_reason().unwrap_or("Sorry"), text }))
        .into_response()
}

#[derive(Template)]
#[template(path = "sentence.html")]
struct Sentence<'a> {
    title: &'a str,
    text: &'a str,
}

/// A template as a page.
fn page(template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => Html(html).into_response(),
        Err(error) => {
            tracing::error!("a page could not be drawn: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The database has not done what was asked of it, said to people.
fn store_refusal(error: &StoreError) -> Response {
    match error {
        StoreError::Changed => refusal(
            StatusCode::CONFLICT,
            "Somebody else has changed this meanwhile. Nothing was overwritten: go back, load the page \
             again, and look at what they have done.",
        ),
        error => {
            tracing::warn!("the database: {error}");
            refusal(
                StatusCode::SERVICE_UNAVAILABLE,
                "The database does not answer, so nothing was changed. Try again in a moment; \
                 the rooms' panels go on meanwhile.",
            )
        }
    }
}
