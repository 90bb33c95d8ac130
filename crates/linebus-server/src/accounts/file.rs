//! Opens a users file, and refuses one that others could read or write.
//!
//! A symbolic link is followed, because secrets are often mounted as one: what is judged is the
//! file that was opened, so nothing can be swapped between the look and the read.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use crate::config::Problem;

/// Longest users file in bytes; a longer one is refused.
pub const USERS_BYTES_MAX: u64 = 8 << 20;
/// Group and others: read, write, run.
const OTHERS: u32 = 0o077;

/// Who reads the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The server: the file must belong to its user or to root.
    Server,
    /// Somebody who edits: root may edit anybody's file.
    Editor,
}

/// Reads the text of a users file, which must be a regular file, belong to the reader or to root,
/// grant nothing to its group or to others, and be no longer than [`USERS_BYTES_MAX`].
///
/// # Errors
/// What is wrong with the file, and what to do.
pub fn read_text(path: &Path, by: By) -> Result<String, Problem> {
    let wrong = |text: String| Problem { line: 0, key: String::new(), text };
    // A pipe would otherwise hold up whoever opens it.
    let nonblocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = File::options().read(true).custom_flags(nonblocking).open(path);
    let file = file.map_err(|error| wrong(format!("can't open it: {error}")))?;
    let about = file.metadata().map_err(|error| wrong(format!("can't look at it: {error}")))?;
    if !about.is_file() {
        return Err(wrong("a users file must be a regular file".to_owned()));
    }
    let reader = rustix::process::geteuid();
    let root_edits = by == By::Editor && reader.is_root();
    if ![reader.as_raw(), 0].contains(&about.uid()) && !root_edits {
        let text = format!(
            "it belongs to user {}, who could change who may log in; `chown {} {}`",
            about.uid(),
            reader.as_raw(),
            path.display()
        );
        return Err(wrong(text));
    }
    if about.mode() & OTHERS != 0 {
        let text = format!(
            "others can get at it (mode {:03o}); `chmod 600 {}`",
            about.mode() & 0o777,
            path.display()
        );
        return Err(wrong(text));
    }
    let mut bytes = Vec::new();
    let read = file.take(USERS_BYTES_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|error| wrong(format!("can't read it: {error}")))?;
    if bytes.len() as u64 > USERS_BYTES_MAX {
        return Err(wrong(format!("a users file has at most {USERS_BYTES_MAX} bytes")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
        Problem { line, ..wrong("it is not UTF-8".to_owned()) }
    })
}
