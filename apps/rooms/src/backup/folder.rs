//! A folder of files as data sets, and back.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rooms_backup::{DATA_SET_BYTES_MAX, DATA_SETS_MAX, DataSetName};
use thiserror::Error;

/// A folder that can't be backed up, or not be restored into.
#[derive(Debug, Error)]
pub enum FolderError {
    /// The system refuses.
    #[error("{path}: {error}")]
    Io {
        /// What.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// There is nothing in it.
    #[error("{0} is empty: nothing to back up; `rooms restore` fills an empty folder")]
    Empty(PathBuf),
    /// There is something in it.
    #[error("{0} is not empty; restore into an empty folder, compare, and move what you need")]
    NotEmpty(PathBuf),
    /// A file's name can't be one of a data set.
    #[error("{path}: {text}; rename it")]
    Name {
        /// The file.
        path: PathBuf,
        /// Why.
        text: String,
    },
    /// Neither a file nor a folder.
    #[error("{0} is neither a file nor a folder; move it elsewhere")]
    NoFile(PathBuf),
    /// It is too large.
    #[error("{path} has {bytes} bytes, and a data set has at most {DATA_SET_BYTES_MAX}")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// There are too many.
    #[error("{0} has more than {DATA_SETS_MAX} files; back up several folders as several owners")]
    TooMany(PathBuf),
}

fn of(path: &Path) -> impl Fn(io::Error) -> FolderError {
    |error| FolderError::Io { path: path.to_owned(), error }
}

/// All files of a folder and the folders in it; links are followed.
///
/// # Errors
/// [`FolderError`]: what can't be backed up is said before anything is.
pub fn read(dir: &Path) -> Result<BTreeMap<DataSetName, Vec<u8>>, FolderError> {
    let mut files = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(of(&folder))? {
            let path = entry.map_err(of(&folder))?.path();
            let name = name_of(dir, &path)?;
            let metadata = fs::metadata(&path).map_err(of(&path))?;
            if metadata.is_dir() {
                folders.push(path);
            } else if !metadata.is_file() {
                return Err(FolderError::NoFile(path));
            } else if metadata.len() > DATA_SET_BYTES_MAX as u64 {
                return Err(FolderError::TooLarge { path, bytes: metadata.len() });
            } else if files.len() == DATA_SETS_MAX {
                return Err(FolderError::TooMany(dir.to_owned()));
            } else {
                files.insert(name, fs::read(&path).map_err(of(&path))?);
            }
        }
    }
    if files.is_empty() { Err(FolderError::Empty(dir.to_owned())) } else { Ok(files) }
}

fn name_of(dir: &Path, path: &Path) -> Result<DataSetName, FolderError> {
    let wrong = |text: String| FolderError::Name { path: path.to_owned(), text };
    let relative = path.strip_prefix(dir).expect("it was found there");
    let text = relative.to_str().ok_or_else(|| wrong("the name is not UTF-8".to_owned()))?;
    DataSetName::new(text).map_err(|error| wrong(error.to_string()))
}

/// A folder that is being restored: what has come waits in a folder within it until all is there.
#[derive(Debug)]
pub(super) struct Restoring {
    dir: PathBuf,
    waiting: PathBuf,
    is_new: bool,
}

impl Restoring {
    /// The folder has to be empty, or not there.
    pub(super) fn begin(dir: &Path) -> Result<Self, FolderError> {
        let is_new = match private_folder().create(dir) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
            Err(error) => return Err(of(dir)(error)),
        };
        if fs::read_dir(dir).map_err(of(dir))?.next().is_some() {
            return Err(FolderError::NotEmpty(dir.to_owned()));
        }
        let waiting = dir.join(format!(".restoring-{}", std::process::id()));
        let restoring = Self { dir: dir.to_owned(), waiting, is_new };
        let waiting = &restoring.waiting;
        private_folder().create(waiting).map_err(of(waiting))?;
        Ok(restoring)
    }

    /// Writes a file that only its user can read: there may be passwords in it.
    pub(super) fn write(&mut self, name: &DataSetName, content: &[u8]) -> Result<(), FolderError> {
        let path = self.waiting.join(name.as_str());
        let folder = path.parent().expect("it is in a folder");
        private_folder().recursive(true).create(folder).map_err(of(folder))?;
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let written = file.and_then(|mut file| {
            file.write_all(content)?;
            file.sync_all()
        });
        written.map_err(of(&path))
    }

    /// All is there: it takes its place, if nobody has put anything there meanwhile.
    pub(super) fn complete(mut self) -> Result<(), FolderError> {
        for entry in fs::read_dir(&self.dir).map_err(of(&self.dir))? {
            if entry.map_err(of(&self.dir))?.path() != self.waiting {
                return Err(FolderError::NotEmpty(self.dir.clone()));
            }
        }
        for entry in fs::read_dir(&self.waiting).map_err(of(&self.waiting))? {
            let entry = entry.map_err(of(&self.waiting))?;
            let place = self.dir.join(entry.file_name());
            fs::rename(entry.path(), &place).map_err(of(&place))?;
            self.is_new = false;
        }
        File::open(&self.dir).and_then(|dir| dir.sync_all()).map_err(of(&self.dir))
    }
}

impl Drop for Restoring {
    fn drop(&mut self) {
        // What fails here stays, and its name says what it is.
        let _ = fs::remove_dir_all(&self.waiting);
        if self.is_new {
            let _ = fs::remove_dir(&self.dir);
        }
    }
}

fn private_folder() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.mode(0o700);
    builder
}

#[cfg(test)]
mod tests;
