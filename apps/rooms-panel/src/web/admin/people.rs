//! Who may log in, and as what.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::{Frame, back, bad, day_time};
use crate::clock;
use crate::doors::password;
use crate::records::{Account, Role};
use crate::web::door::{Door, Visitor};
use crate::web::entrance::hashing;
use crate::web::fields::Fields;
use crate::web::{App, Pages, page, refusal, store_refusal};

const PATH: &str = "/admin/people";
/// The longest name of an account.
const NAME_MAX: usize = 40;

pub(super) fn pages(pages: Pages) -> Pages {
    let door = Door::Role(Role::Administrator);
    pages
        .get(PATH, door, people)
        .post("/admin/people/add", door, add)
        .post("/admin/people/password", door, new_password)
        .post("/admin/people/role", door, change_role)
        .post("/admin/people/disabled", door, disable)
        .post("/admin/people/remove", door, remove)
}

#[derive(Template)]
#[template(path = "admin/people.html")]
struct People {
    frame: Frame,
    accounts: Vec<AccountLine>,
    /// A name and its password, which is shown this once.
    one_time: Option<(String, String)>,
}

struct AccountLine {
    name: String,
    role: Role,
    is_disabled: bool,
    must_change: bool,
    created: String,
    /// How often it is logged in now.
    sessions: usize,
    is_self: bool,
}

async fn people(State(app): State<App>, Extension(visitor): Extension<Visitor>) -> Response {
    list(&app, &visitor, None)
}

fn list(app: &App, visitor: &Visitor, one_time: Option<(String, String)>) -> Response {
    let directory = app.registry.directory();
    let now = clock::now();
    let sessions = |name: &str| {
        directory.sessions.values().filter(|s| s.account == name && s.expires > now).count()
    };
    let accounts = directory.accounts.values().map(|account| AccountLine {
        name: account.name.clone(),
        role: account.role,
        is_disabled: account.is_disabled,
        must_change: account.must_change,
        created: day_time(account.created),
        sessions: sessions(&account.name),
        is_self: account.name == visitor.account,
    });
    let accounts = accounts.collect();
    page(&People { frame: Frame::new(app, visitor, "People"), accounts, one_time })
}

/// What is wrong with the name of a new account. Wishes and the audit say it, so it can't be taken
/// for a panel or for what the bus says.
fn complaint(name: &str) -> Option<String> {
    let is_fine = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '@' | '+');
    let wrong = name.is_empty() || name.chars().count() > NAME_MAX || !name.chars().all(is_fine);
    wrong.then(|| {
        format!("A name is 1 to {NAME_MAX} letters, digits and . - _ @ +, such as maria.silva; {name:?} is not.")
    })
}

fn role_in(fields: &Fields) -> Result<Role, Response> {
    fields.get("role").parse().map_err(bad)
}

async fn add(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Response> {
    let name = fields.get("name").to_owned();
    if let Some(complaint) = complaint(&name) {
        return Err(bad(complaint));
    }
    let role = role_in(&fields)?;
    let _alone = app.live.changing.lock().await;
    let is_same = |known: &String| known.to_lowercase() == name.to_lowercase();
    if app.registry.directory().accounts.keys().any(is_same) {
        return Err(refusal(StatusCode::CONFLICT, "There is an account of this name already."));
    }
    let (one_time, hash) = one_time(&app).await;
    let created = clock::now();
    let account = Account {
        name: name.clone(),
        hash,
        role,
        is_disabled: false,
        must_change: true,
        created,
        version: 0,
    };
    app.registry.put_account(account).await.map_err(|error| store_refusal(&error))?;
    app.desk.changed(&visitor.who, None, format!("account {name} added as {role}"));
    Ok(list(&app, &visitor, Some((name, one_time))))
}

async fn one_time(app: &App) -> (String, String) {
    let text = password::one_time();
    let hashed = text.clone();
    (text, hashing(app, move || password::hash(&hashed)).await)
}

async fn new_password(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Response> {
    let _alone = app.live.changing.lock().await;
    let account = account_in(&app, &fields)?;
    if account.name == visitor.account {
        return Err(bad("Change your own password on its page: the link is below your name."));
    }
    let (one_time, hash) = one_time(&app).await;
    let name = account.name.clone();
    let what = format!("account {name} was given a password for one use");
    change(&app, &visitor, Account { hash, must_change: true, ..account }, what).await?;
    Ok(list(&app, &visitor, Some((name, one_time))))
}

async fn change_role(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Response> {
    let role = role_in(&fields)?;
    let _alone = app.live.changing.lock().await;
    let account = account_in(&app, &fields)?;
    if role != Role::Administrator {
        another_administrator(&app, &account.name)?;
    }
    let what = format!("account {} became {role}, from {}", account.name, account.role);
    change(&app, &visitor, Account { role, ..account }, what).await?;
    Ok(back(PATH))
}

async fn disable(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Response> {
    let is_disabled = match fields.get("disabled") {
        "yes" => true,
        "no" => false,
        other => return Err(bad(format!("disabled={other:?} is neither yes nor no."))),
    };
    let _alone = app.live.changing.lock().await;
    let account = account_in(&app, &fields)?;
    if is_disabled {
        another_administrator(&app, &account.name)?;
    }
    let done = if is_disabled { "disabled" } else { "enabled" };
    let what = format!("account {} {done}", account.name);
    change(&app, &visitor, Account { is_disabled, ..account }, what).await?;
    Ok(back(PATH))
}

async fn remove(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Response> {
    let _alone = app.live.changing.lock().await;
    let account = account_in(&app, &fields)?;
    another_administrator(&app, &account.name)?;
    app.registry.remove_account(&account.name).await.map_err(|error| store_refusal(&error))?;
    app.desk.changed(&visitor.who, None, format!("account {} removed", account.name));
    app.desk.redraw();
    Ok(back(PATH))
}

fn account_in(app: &App, fields: &Fields) -> Result<Account, Response> {
    let account = app.registry.directory().accounts.get(fields.raw("name")).cloned();
    account.ok_or_else(|| refusal(StatusCode::CONFLICT, "There is no such account, or no longer."))
}

/// Somebody else than this one can administrate, too; else nobody could any more.
fn another_administrator(app: &App, name: &str) -> Result<(), Response> {
    let directory = app.registry.directory();
    let can = |account: &Account| account.role == Role::Administrator && !account.is_disabled;
    if directory.accounts.get(name).is_some_and(|account| !can(account))
        || directory.accounts.values().any(|account| account.name != name && can(account))
    {
        return Ok(());
    }
    let text = "This is the last administrator who can log in. Make somebody else one first.";
    Err(refusal(StatusCode::CONFLICT, text))
}

/// Writes an account and ends its sessions: what they may has changed.
async fn change(
    app: &App,
    visitor: &Visitor,
    account: Account,
    what: String,
) -> Result<(), Response> {
    let name = account.name.clone();
    app.registry.put_account(account).await.map_err(|error| store_refusal(&error))?;
    app.desk.changed(&visitor.who, None, what);
    let ended = app.registry.end_sessions(&name, None).await;
    app.desk.redraw();
    ended.map_err(|error| {
        tracing::warn!("the end of the sessions of {name:?} is not written: {error}");
        let text = "The account is changed, but the database did not take the end of its sessions: after \
                    a restart they would go on. Do it again in a moment.";
        refusal(StatusCode::SERVICE_UNAVAILABLE, text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_not_be_taken_for_something_else() {
        for fine in ["maria.silva", "jürgen", "ann@example.net", &"x".repeat(NAME_MAX)] {
            assert_eq!(complaint(fine), None, "{fine}");
        }
        for wrong in
            ["", "panel Vienna", "bus: ann", "<b>", "a\"b", "a\nb", &"x".repeat(NAME_MAX + 1)]
        {
            assert!(complaint(wrong).expect(wrong).contains("such as maria.silva"), "{wrong}");
        }
    }
}
