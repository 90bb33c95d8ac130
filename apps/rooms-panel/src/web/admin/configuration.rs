//! The room files: as they are, with what the checker says, and changes that are looked at before
//! they are made.

mod folder;

use std::path::{Path, PathBuf};

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use rooms_files::{Mistake, Severity};
use rooms_messages::Wish;

use super::room::press;
use super::{Frame, bad};
use crate::desk::Answer;
use crate::records::Role;
use crate::web::door::{Door, Visitor};
use crate::web::fields::Fields;
use crate::web::{App, Pages, page, refusal};
use folder::{Change, Judged, Kept, NotMade, Row};

const PATH: &str = "/admin/configuration";

pub(super) fn pages(pages: Pages) -> Pages {
    let door = Door::Role(Role::Administrator);
    pages
        .get(PATH, door, files)
        .get("/admin/configuration/file", door, file)
        .post("/admin/configuration/check", door, check)
        .post("/admin/configuration/apply", door, apply)
        .post("/admin/configuration/reload", door, reload)
}

#[derive(Template)]
#[template(path = "admin/configuration.html")]
struct Configuration {
    frame: Frame,
    /// None if the files are on another machine.
    folder: Option<String>,
    files: Vec<FileLine>,
    mistakes: Vec<MistakeLine>,
}

struct FileLine {
    name: String,
    /// Why it can't be changed here, if it can't.
    fixed: Option<&'static str>,
    errors: usize,
    warnings: usize,
}

struct MistakeLine {
    file: String,
    line: usize,
    key: String,
    text: String,
    is_error: bool,
}

impl MistakeLine {
    fn of(mistake: &Mistake) -> Self {
        Self {
            file: file_name(&mistake.file),
            line: mistake.line,
            key: mistake.key.clone(),
            text: mistake.text.clone(),
            is_error: mistake.severity == Severity::Error,
        }
    }
}

fn file_name(file: &Path) -> String {
    file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Does what waits for a disk where that holds nobody up.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("work with files does not panic")
}

async fn files(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
) -> Result<Response, Response> {
    let frame = Frame::new(&app, &visitor, "Configuration");
    let Some(folder) = app.rooms.clone() else {
        return Ok(page(&Configuration {
            frame,
            folder: None,
            files: Vec::new(),
            mistakes: Vec::new(),
        }));
    };
    let shown = folder.display().to_string();
    let (listed, mistakes) =
        blocking(move || (folder::list(&folder), folder::mistakes(&folder, None))).await;
    let listed = listed.map_err(|error| unreadable(&shown, &error))?;
    let files = listed.into_iter().map(|(name, fixed)| {
        let of = |severity| {
            mistakes.iter().filter(|m| file_name(&m.file) == name && m.severity == severity).count()
        };
        FileLine { errors: of(Severity::Error), warnings: of(Severity::Warning), name, fixed }
    });
    let files = files.collect();
    let mistakes = mistakes.iter().map(MistakeLine::of).collect();
    Ok(page(&Configuration { frame, folder: Some(shown), files, mistakes }))
}

fn unreadable(what: &str, error: &std::io::Error) -> Response {
    tracing::warn!("{what}: {error}");
    refusal(
        StatusCode::INTERNAL_SERVER_ERROR,
        &format!("{what} can't be read or written: {error}."),
    )
}

/// The folder, or why there is none.
fn folder_of(app: &App) -> Result<PathBuf, Response> {
    let text = "The room files are on another machine. Change them there.";
    app.rooms.clone().ok_or_else(|| refusal(StatusCode::CONFLICT, text))
}

#[derive(Template)]
#[template(path = "admin/file.html")]
struct FilePage {
    frame: Frame,
    name: String,
    /// As it is, or would be, each line with what the checker says of it.
    rows: Vec<Row>,
    /// What it says of other files and of none of the lines.
    others: Vec<MistakeLine>,
    /// What is typed.
    text: String,
    /// Of the file as it was read; empty if it is not there.
    digest: String,
    is_new: bool,
    is_removal: bool,
    draft: Option<Draft>,
}

/// A change that is looked at.
struct Draft {
    difference: Vec<folder::Line>,
    errors: usize,
    is_changed_meanwhile: bool,
}

async fn file(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Response> {
    let folder = folder_of(&app)?;
    let name = folder::name(fields.get("name")).map_err(bad)?;
    let (read, mistakes) = {
        let name = name.clone();
        blocking(move || (folder::read_file(&folder, &name), folder::mistakes(&folder, None))).await
    };
    let kept = read.map_err(|error| cannot(&name, &error))?;
    let is_new = kept.is_none();
    let (text, digest) = match kept {
        Some(Kept { text, digest }) => (text, digest),
        None => (folder::fresh(&name), String::new()),
    };
    let Judged { rows, others } = folder::judge(&name, &text, if is_new { &[] } else { &mistakes });
    let frame = Frame::new(&app, &visitor, "Configuration");
    let others = others.into_iter().map(MistakeLine::of).collect();
    let (is_removal, draft) = (false, None);
    Ok(page(&FilePage { frame, name, rows, others, text, digest, is_new, is_removal, draft }))
}

fn cannot(name: &str, error: &NotMade) -> Response {
    match error {
        NotMade::Fixed(why) => bad(format!("{name} can't be changed here: {why}.")),
        NotMade::Io(error) => unreadable(name, error),
        NotMade::Changed => {
            refusal(StatusCode::CONFLICT, "Somebody else has changed it meanwhile.")
        }
    }
}

/// What a form wants of a file.
fn change_in(fields: &Fields) -> Result<Change, Response> {
    let name = folder::name(fields.get("name")).map_err(bad)?;
    let text = match fields.get("change") {
        // Browsers send every line's end as two characters.
        "save" => Some(fields.raw("text").replace("\r\n", "\n")),
        "remove" => None,
        other => return Err(bad(format!("change={other:?} is neither save nor remove."))),
    };
    Ok(Change { name, text, digest: fields.get("digest").to_owned() })
}

async fn check(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Response> {
    let folder = folder_of(&app)?;
    let change = change_in(&fields)?;
    Ok(look(&app, &visitor, folder, change).await?.0)
}

/// A change, what the checker says of it, and what is different then; and whether it may be made.
async fn look(
    app: &App,
    visitor: &Visitor,
    folder: PathBuf,
    change: Change,
) -> Result<(Response, bool), Response> {
    let looked = change.clone();
    let (kept, mistakes) = blocking(move || {
        (folder::read_file(&folder, &looked.name), folder::mistakes(&folder, Some(&looked)))
    })
    .await;
    let kept = kept.map_err(|error| cannot(&change.name, &error))?;
    let Change { name, text: wanted, digest } = change;
    let (now, digest_now) = kept.map_or_else(Default::default, |kept| (kept.text, kept.digest));
    let is_changed_meanwhile = digest != digest_now;
    let text = wanted.clone().unwrap_or_else(|| now.clone());
    let Judged { rows, others } = folder::judge(&name, wanted.as_deref().unwrap_or(""), &mistakes);
    let errors = mistakes.iter().filter(|mistake| mistake.severity == Severity::Error).count();
    let difference = folder::difference(&now, wanted.as_deref().unwrap_or(""));
    let may = errors == 0 && !is_changed_meanwhile && !difference.is_empty();
    let status = match (is_changed_meanwhile, errors) {
        (true, _) => StatusCode::CONFLICT,
        (false, 0) => StatusCode::OK,
        _ => StatusCode::BAD_REQUEST,
    };
    let shown = FilePage {
        frame: Frame::new(app, visitor, "Configuration"),
        name,
        rows,
        others: others.into_iter().map(MistakeLine::of).collect(),
        text,
        is_new: digest_now.is_empty(),
        is_removal: wanted.is_none(),
        // Who has seen what the other changed may go on from there.
        digest: digest_now,
        draft: Some(Draft { difference, errors, is_changed_meanwhile }),
    };
    Ok(((status, page(&shown)).into_response(), may))
}

#[derive(Template)]
#[template(path = "admin/applied.html")]
struct Applied {
    frame: Frame,
    name: String,
    done: &'static str,
    /// What came of telling the interface process.
    told: (bool, String),
}

async fn apply(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Response> {
    let folder = folder_of(&app)?;
    let change = change_in(&fields)?;
    let alone = app.live.changing.lock().await;
    let (response, may) = look(&app, &visitor, folder.clone(), change.clone()).await?;
    if !may {
        return Ok(response);
    }
    let made = change.clone();
    let made = blocking(move || folder::make(&folder, &made)).await;
    made.map_err(|error| cannot(&change.name, &error))?;
    drop(alone);
    let done = match (&change.text, change.digest.is_empty()) {
        (None, _) => "removed",
        (Some(_), true) => "added",
        (Some(_), false) => "changed",
    };
    let name = change.name;
    app.desk.changed(&visitor.who, None, format!("room file {name} {done}"));
    let told = match app.desk.press(Wish::Reload, &visitor.who) {
        Ok(answer) => match answer.await {
            Ok(Answer::Accepted) => (true, "It reads the room files now.".to_owned()),
            Ok(Answer::Refused(reason, text)) => {
                (false, format!("It refuses to read them: {reason} {text}"))
            }
            Err(_unanswered) => (false, "It does not answer.".to_owned()),
        },
        Err(_offline) => (false, "It can't be told now.".to_owned()),
    };
    Ok(page(&Applied { frame: Frame::new(&app, &visitor, "Configuration"), name, done, told }))
}

/// Tells the interface process to read the files, as after a change by hand.
async fn reload(State(app): State<App>, Extension(visitor): Extension<Visitor>) -> Response {
    press(&app, &visitor, Wish::Reload, PATH).await
}
