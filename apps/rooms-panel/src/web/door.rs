//! Who may see a page: nobody in particular, the panel of a room, or a person with a role.

use std::time::Duration;

use axum::extract::{Form, FromRequest, Query, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rooms_messages::RoomName;

use super::fields::Fields;
use super::{App, refusal};
use crate::clock;
use crate::doors::Token;
use crate::records::{Account, Role, TokenHash};

/// A form has to come within this.
const FORM_WITHIN: Duration = Duration::from_secs(15);

/// Who may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Everybody.
    Open,
    /// A person with this role or a higher one.
    Role(Role),
    /// The panel of the room that the address names, or a person with this role or a higher one.
    Panel(Role),
    /// Whoever is logged in, also with a password that has to be changed first.
    Anyone,
}

/// Who has come in. Pages behind an open door have none.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    /// What wishes and the audit call them.
    pub(crate) who: String,
    /// A person's role; none for a panel.
    pub(crate) role: Option<Role>,
    /// A person's account; empty for a panel.
    pub(crate) account: String,
    /// Of the cookie.
    pub(crate) token: TokenHash,
    /// What their forms carry.
    pub(crate) csrf: String,
}

impl Visitor {
    pub(crate) fn is(&self, role: Role) -> bool {
        self.role.is_some_and(|have| have >= role)
    }
}

/// Lets a request pass, or says why not. A form is read here, once, and its token is looked at.
pub(super) async fn guard(
    State((app, door)): State<(App, Door)>,
    mut request: Request,
    next: Next,
) -> Response {
    let is_post = request.method() == Method::POST;
    if is_post && is_foreign(request.headers()) {
        return refusal(StatusCode::FORBIDDEN, "This form was sent from another site.");
    }
    let visitor = match visitor(&app, door, &request) {
        Ok(visitor) => visitor,
        Err(response) => return response,
    };
    let fields = if is_post {
        let (parts, body) = request.into_parts();
        let form = Request::from_parts(parts.clone(), body);
        let read = Form::<Vec<(String, String)>>::from_request(form, &());
        let Form(fields) = match tokio::time::timeout(FORM_WITHIN, read).await {
            Ok(Ok(fields)) => fields,
            Ok(Err(error)) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                return refusal(StatusCode::PAYLOAD_TOO_LARGE, "This form is too large.");
            }
            Ok(Err(_)) => return refusal(StatusCode::BAD_REQUEST, "This form can't be read."),
            Err(_) => {
                return refusal(StatusCode::REQUEST_TIMEOUT, "This form took too long to come.");
            }
        };
        request = Request::from_parts(parts, axum::body::Body::empty());
        Fields(fields)
    } else {
        let query = Query::<Vec<(String, String)>>::try_from_uri(request.uri());
        Fields(query.map(|Query(fields)| fields).unwrap_or_default())
    };
    if let Some(visitor) = visitor {
        if is_post && fields.get("csrf") != visitor.csrf {
            let text = "This form is not one of your pages, or you have logged in anew since. Go back and load the page again.";
            return refusal(StatusCode::FORBIDDEN, text);
        }
        request.extensions_mut().insert(visitor);
    }
    request.extensions_mut().insert(fields);
    next.run(request).await
}

/// Who it is; none behind an open door.
fn visitor(app: &App, door: Door, request: &Request) -> Result<Option<Visitor>, Response> {
    let cookies = CookieJar::from_headers(request.headers());
    let person = person(app, &cookies);
    let role = match door {
        Door::Open => return Ok(None),
        Door::Anyone => {
            return match person {
                Some((visitor, _)) => Ok(Some(visitor)),
                None => Err(to_entrance(request, "/login")),
            };
        }
        Door::Panel(role) => {
            let room = room_of(request.uri().path());
            if let Some(panel) = panel(app, &cookies, room.as_ref()) {
                return Ok(Some(panel));
            }
            role
        }
        Door::Role(role) => role,
    };
    let Some((visitor, account)) = person else {
        let entrance = if matches!(door, Door::Panel(_)) { "/enrol" } else { "/login" };
        return Err(to_entrance(request, entrance));
    };
    if account.must_change {
        return Err(Redirect::to("/password").into_response());
    }
    if visitor.is(role) {
        return Ok(Some(visitor));
    }
    let text = format!("This is for the role {role}; you are {}.", account.role);
    Err(refusal(StatusCode::FORBIDDEN, &text))
}

/// A page sends to where one comes in; a form is refused, so that nothing is pressed later.
fn to_entrance(request: &Request, entrance: &str) -> Response {
    if request.method() == Method::POST {
        return refusal(StatusCode::UNAUTHORIZED, "You are not logged in, or no longer.");
    }
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let then = utf8_percent_encode(path, NON_ALPHANUMERIC);
    Redirect::to(&format!("{entrance}?then={then}")).into_response()
}

fn person(app: &App, cookies: &CookieJar) -> Option<(Visitor, Account)> {
    let token = Token::said(cookies.get(session_cookie(app))?.value());
    let directory = app.registry.directory();
    let session = directory.sessions.get(&token.hash())?;
    let account = directory.accounts.get(&session.account)?;
    if clock::now() >= session.expires || account.is_disabled {
        return None;
    }
    let visitor = Visitor {
        who: account.name.clone(),
        role: Some(account.role),
        account: account.name.clone(),
        token: token.hash(),
        csrf: token.csrf(),
    };
    Some((visitor, account.clone()))
}

fn panel(app: &App, cookies: &CookieJar, room: Option<&RoomName>) -> Option<Visitor> {
    let token = Token::said(cookies.get(PANEL_COOKIE)?.value());
    let directory = app.registry.directory();
    let panel = directory.panels.get(&token.hash())?;
    if panel.revoked.is_some() || Some(&panel.room) != room {
        return None;
    }
    let who = format!("panel {}", panel.name);
    let csrf = token.csrf();
    Some(Visitor { who, role: None, account: String::new(), token: token.hash(), csrf })
}

/// The cookie of a panel is sent to the pages of its room only.
pub(super) const PANEL_COOKIE: &str = "panel";

/// The cookie of a person.
pub(super) fn session_cookie(app: &App) -> &'static str {
    if app.is_https { "__Host-session" } else { "session" }
}

/// The room whose panel an address is.
fn room_of(path: &str) -> Option<RoomName> {
    let mut words = path.strip_prefix("/panel/")?.split('/');
    RoomName::new(words.next()?).ok()
}

/// Whether a browser says that another site has sent this. Programs say nothing.
fn is_foreign(headers: &HeaderMap) -> bool {
    let text =
        |name| headers.get(name).and_then(|value: &axum::http::HeaderValue| value.to_str().ok());
    if let Some(site) = text(header::HeaderName::from_static("sec-fetch-site")) {
        return !matches!(site, "same-origin" | "none");
    }
    match (text(header::ORIGIN), text(header::HOST)) {
        (Some(origin), Some(host)) => origin.split_once("://").is_none_or(|(_, from)| from != host),
        _ => false,
    }
}
