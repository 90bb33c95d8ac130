//! The folder of room files: read as it is, judged as it would be, and changed one file at a time.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use rooms_files::{Mistake, Severity, read, read_as_if};
use sha2::{Digest, Sha256};
use similar::{ChangeTag, TextDiff};

/// The longest name, without `.toml`.
const NAME_MAX: usize = 40;
/// Lines around a difference that are shown with it.
const AROUND: usize = 3;
/// What a new file begins as.
const FRESH: &str = include_str!("fresh.toml");
const NOT_PLAIN: &str = "it is a link or no plain file, so change what it points to";
const OTHER_NAME: &str = "its name has other signs than a-z, 0-9 and -";

/// What is to become of a file.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) name: String,
    /// None removes it.
    pub(super) text: Option<String>,
    /// Of the file that was looked at; empty if there was none.
    pub(super) digest: String,
}

/// A file as it is.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) text: String,
    pub(super) digest: String,
}

/// Why a change was not made. Nothing of it was.
#[derive(Debug)]
pub(super) enum NotMade {
    /// The file is not one that is changed here.
    Fixed(&'static str),
    /// It is not the one that was looked at.
    Changed,
    /// The disk does not want to.
    Io(io::Error),
}

impl From<io::Error> for NotMade {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// A name that a file may have here: no way leads out of the folder.
pub(super) fn name(said: &str) -> Result<String, String> {
    let is_fine = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '-');
    match said.strip_suffix(".toml") {
        Some(stem) if (1..=NAME_MAX).contains(&stem.len()) && stem.chars().all(is_fine) => {
            Ok(said.to_owned())
        }
        _ => Err(format!(
            "{said:?} is no name of a room file: 1 to {NAME_MAX} of a-z, 0-9 and -, then .toml, such as vienna.toml."
        )),
    }
}

/// The names of all room files, and why one can't be changed here, if it can't.
pub(super) fn list(folder: &Path) -> io::Result<Vec<(String, Option<&'static str>)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.path().extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let said = entry.file_name().to_string_lossy().into_owned();
        let fixed = match (name(&said), entry.file_type()?.is_file()) {
            (Err(_), _) => Some(OTHER_NAME),
            (Ok(_), false) => Some(NOT_PLAIN),
            (Ok(_), true) => None,
        };
        files.push((said, fixed));
    }
    files.sort();
    Ok(files)
}

/// A file as it is, if it is there.
pub(super) fn read_file(folder: &Path, name: &str) -> Result<Option<Kept>, NotMade> {
    let path = folder.join(name);
    match fs::symlink_metadata(&path) {
        Ok(meta) if !meta.is_file() => return Err(NotMade::Fixed(NOT_PLAIN)),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let bytes = fs::read(&path)?;
    let digest = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let text = String::from_utf8(bytes).map_err(|_| NotMade::Fixed("it is no UTF-8 text"))?;
    Ok(Some(Kept { text, digest }))
}

/// What the checker says of the folder, as it is or would be.
pub(super) fn mistakes(folder: &Path, change: Option<&Change>) -> Vec<Mistake> {
    let found = match change {
        None => read(folder),
        Some(change) => {
            let draft = rooms_files::Draft { name: &change.name, text: change.text.as_deref() };
            read_as_if(folder, draft)
        }
    };
    found.map_or_else(|mistakes| mistakes, |(_, warnings)| warnings)
}

/// A line of a file, and what the checker says of it.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) number: usize,
    pub(super) text: String,
    /// Whether it can't stay so, and why.
    pub(super) mistakes: Vec<(bool, String)>,
}

/// What the checker says, at its lines.
pub(super) struct Judged<'a> {
    pub(super) rows: Vec<Row>,
    /// Of other files, or of the whole one.
    pub(super) others: Vec<&'a Mistake>,
}

/// Puts what the checker says to the lines of a file.
pub(super) fn judge<'a>(name: &str, text: &str, mistakes: &'a [Mistake]) -> Judged<'a> {
    let rows = text.lines().enumerate().map(|(index, line)| Row {
        number: index + 1,
        text: line.to_owned(),
        mistakes: Vec::new(),
    });
    let mut rows: Vec<_> = rows.collect();
    let mut others = Vec::new();
    for mistake in mistakes {
        let is_here = mistake.file.file_name().is_some_and(|file| file == name);
        match mistake.line.checked_sub(1).and_then(|index| rows.get_mut(index)).filter(|_| is_here)
        {
            Some(row) => {
                let key = if mistake.key.is_empty() {
                    String::new()
                } else {
                    format!("{}: ", mistake.key)
                };
                let text = format!("{key}{}", mistake.text);
                row.mistakes.push((mistake.severity == Severity::Error, text));
            }
            None => others.push(mistake),
        }
    }
    Judged { rows, others }
}

/// A line of a difference.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Lines between are the same and not shown.
    Gap,
    Same(String),
    Added(String),
    Removed(String),
}

/// What is different, with a few lines around; empty if nothing is.
pub(super) fn difference(old: &str, new: &str) -> Vec<Line> {
    let diff = TextDiff::from_lines(old, new);
    let mut lines = Vec::new();
    for group in diff.grouped_ops(AROUND) {
        if !lines.is_empty() {
            lines.push(Line::Gap);
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let text = change.value().trim_end_matches('\n').to_owned();
            lines.push(match change.tag() {
                ChangeTag::Equal => Line::Same(text),
                ChangeTag::Insert => Line::Added(text),
                ChangeTag::Delete => Line::Removed(text),
            });
        }
    }
    lines
}

/// Makes a change, wholly or not at all. The file keeps its mode.
pub(super) fn make(folder: &Path, change: &Change) -> Result<(), NotMade> {
    let kept = read_file(folder, &change.name)?;
    if kept.map(|kept| kept.digest).unwrap_or_default() != change.digest {
        return Err(NotMade::Changed);
    }
    let path = folder.join(&change.name);
    match &change.text {
        None => fs::remove_file(&path)?,
        Some(text) => {
            let mut file =
                tempfile::Builder::new().prefix(".").suffix(".new").tempfile_in(folder)?;
            file.write_all(text.as_bytes())?;
            if let Some(mode) = mode(folder, &path)? {
                file.as_file().set_permissions(mode)?;
            }
            file.as_file().sync_all()?;
            if change.digest.is_empty() {
                file.persist_noclobber(&path).map_err(|error| error.error)?;
            } else {
                file.persist(&path).map_err(|error| error.error)?;
            }
        }
    }
    File::open(folder)?.sync_all()?;
    Ok(())
}

/// The mode of a file, or, for a new one, of another room file.
fn mode(folder: &Path, path: &Path) -> io::Result<Option<fs::Permissions>> {
    match fs::metadata(path) {
        Ok(meta) => return Ok(Some(meta.permissions())),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let other = list(folder)?.into_iter().find(|(_, fixed)| fixed.is_none());
    other.map(|(name, _)| Ok(fs::metadata(folder.join(name))?.permissions())).transpose()
}

/// What a new file begins as.
pub(super) fn fresh(name: &str) -> String {
    FRESH.replace("ROOM", name.trim_end_matches(".toml"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn change(name: &str, text: Option<&str>, digest: &str) -> Change {
        Change { name: name.to_owned(), text: text.map(str::to_owned), digest: digest.to_owned() }
    }

    fn digest(folder: &Path, name: &str) -> String {
        read_file(folder, name).expect("it is read").map(|kept| kept.digest).unwrap_or_default()
    }

    #[test]
    fn a_name_leads_nowhere_else() {
        assert_eq!(name("room-2.toml").as_deref(), Ok("room-2.toml"));
        assert!(name(&format!("{}.toml", "x".repeat(40))).is_ok());
        for wrong in [
            "",
            ".toml",
            "../a.toml",
            "secrets/a.toml",
            "a.txt",
            "A.toml",
            "a.toml/",
            "a\0.toml",
            &format!("{}.toml", "x".repeat(41)),
        ] {
            assert!(name(wrong).expect_err(wrong).contains("such as vienna.toml"), "{wrong}");
        }
    }

    #[test]
    fn a_new_file_is_right_as_it_begins() {
        let folder = tempfile::tempdir().expect("a folder");
        let mistakes =
            mistakes(folder.path(), Some(&change("oslo.toml", Some(&fresh("oslo.toml")), "")));
        let errors: Vec<_> = mistakes.iter().filter(|m| m.severity == Severity::Error).collect();
        assert!(errors.is_empty(), "{errors:?}");
    }

    #[test]
    fn a_change_is_made_if_the_file_is_the_one_that_was_looked_at() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        make(folder, &change("a.toml", Some("one\n"), "")).expect("a new file");
        let first = digest(folder, "a.toml");
        fs::set_permissions(folder.join("a.toml"), fs::Permissions::from_mode(0o640))
            .expect("a mode");
        assert!(matches!(make(folder, &change("a.toml", Some("x"), "")), Err(NotMade::Changed)));
        make(folder, &change("a.toml", Some("two\n"), &first)).expect("a change");
        assert!(matches!(
            make(folder, &change("a.toml", Some("three\n"), &first)),
            Err(NotMade::Changed)
        ));
        assert!(matches!(make(folder, &change("a.toml", None, &first)), Err(NotMade::Changed)));
        assert_eq!(fs::read_to_string(folder.join("a.toml")).expect("it is there"), "two\n");
        let mode = |name: &str| {
            fs::metadata(folder.join(name)).expect("it is there").permissions().mode() & 0o777
        };
        assert_eq!(mode("a.toml"), 0o640, "it keeps its mode");
        make(folder, &change("b.toml", Some("new\n"), "")).expect("a new file");
        assert_eq!(mode("b.toml"), 0o640, "a new one is as the others");
        make(folder, &change("a.toml", None, &digest(folder, "a.toml"))).expect("it goes");
        let names: Vec<_> =
            fs::read_dir(folder).expect("a folder").map(|e| e.expect("one").file_name()).collect();
        assert_eq!(names, ["b.toml"], "nothing else is left");
    }

    #[test]
    fn what_a_link_points_to_is_neither_shown_nor_changed() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        fs::write(folder.join("secret"), "hush").expect("written");
        symlink("secret", folder.join("a.toml")).expect("a link");
        assert!(matches!(read_file(folder, "a.toml"), Err(NotMade::Fixed(_))));
        assert!(matches!(make(folder, &change("a.toml", Some("x"), "")), Err(NotMade::Fixed(_))));
        assert_eq!(list(folder).expect("listed"), [("a.toml".to_owned(), Some(NOT_PLAIN))]);
        assert_eq!(fs::read_to_string(folder.join("secret")).expect("it is there"), "hush");
    }

    #[test]
    fn a_difference_says_what_comes_and_goes() {
        let lines = difference("a\nb\nc\n", "a\nx\nc\n");
        let text = str::to_owned;
        assert_eq!(
            lines,
            [
                Line::Same(text("a")),
                Line::Removed(text("b")),
                Line::Added(text("x")),
                Line::Same(text("c"))
            ]
        );
        assert_eq!(difference("a\n", "a\n"), []);
    }

    #[test]
    fn mistakes_stand_at_their_lines() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = "[room]\nid = \"a\"\ncity = \"A\"\ntitle = \"A\"\nincomming = \"open\"\n";
        let found = mistakes(folder.path(), Some(&change("a.toml", Some(text), "")));
        let Judged { rows, .. } = judge("a.toml", text, &found);
        let (is_error, said) = &rows[4].mistakes[0];
        assert!(*is_error && said.contains("incoming"), "{said}");
    }
}
