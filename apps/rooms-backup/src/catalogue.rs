//! What is kept of an owner, as one content: so it travels like any data set.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use thiserror::Error;

use crate::hash::Hash;
use crate::message::VERSION_MAX;
use crate::name::DataSetName;
use crate::{DATA_SET_BYTES_MAX, DATA_SETS_MAX};

/// The newest version of each data set of an owner.
pub type Catalogue = BTreeMap<DataSetName, Entry>;

/// The newest version of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub version: u64,
    /// The hash of its content; none if the data set is gone.
    pub hash: Option<Hash>,
    /// The size of its content.
    pub bytes: u64,
}

/// A catalogue that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line} of the catalogue is wrong: {text:?}")]
pub struct BadCatalogue {
    /// Which, from 1.
    pub line: usize,
    /// What it says.
    pub text: String,
}

/// Lines `<name> <version> <hash>|gone <bytes>`.
pub(crate) fn write(catalogue: &Catalogue) -> Vec<u8> {
    let mut text = String::new();
    for (name, Entry { version, hash, bytes }) in catalogue {
        match hash {
            Some(hash) => writeln!(text, "{name} {version} {hash} {bytes}"),
            None => writeln!(text, "{name} {version} gone 0"),
        }
        .expect("a string takes all");
    }
    text.into_bytes()
}

pub(crate) fn read(content: &[u8]) -> Result<Catalogue, BadCatalogue> {
    let mut catalogue = Catalogue::new();
    for (line, text) in
        String::from_utf8_lossy(content).lines().zip(1..).map(|(text, line)| (line, text))
    {
        let known = entry(text).filter(|_| catalogue.len() < DATA_SETS_MAX);
        match known.map(|(name, entry)| catalogue.insert(name, entry)) {
            Some(None) => {}
            Some(Some(_)) | None => {
                return Err(BadCatalogue { line, text: text.chars().take(80).collect() });
            }
        }
    }
    Ok(catalogue)
}

fn entry(text: &str) -> Option<(DataSetName, Entry)> {
    let mut words = text.split(' ');
    let name = DataSetName::from_word(words.next()?).ok()?;
    let version =
        words.next()?.parse().ok().filter(|version| (1..=VERSION_MAX).contains(version))?;
    let hash = match words.next()? {
        "gone" => None,
        word => Some(word.parse().ok()?),
    };
    let bytes = words.next()?.parse().ok().filter(|bytes| *bytes <= DATA_SET_BYTES_MAX as u64)?;
    words.next().is_none().then_some((name, Entry { version, hash, bytes }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_catalogue_is_read_as_it_was_written() {
        let name = |name| DataSetName::new(name).expect("a name");
        let hash = Hash::of(b"abc");
        let catalogue = Catalogue::from([
            (name("Saal 2.toml"), Entry { version: 3, hash: Some(hash), bytes: 3 }),
            (name("old"), Entry { version: 2, hash: None, bytes: 0 }),
        ]);
        let written = write(&catalogue);
        let text = format!("Saal%202.toml 3 {hash} 3\nold 2 gone 0\n");
        assert_eq!(String::from_utf8_lossy(&written), text);
        assert_eq!(read(&written), Ok(catalogue));
        assert_eq!(read(b""), Ok(Catalogue::new()));
    }

    #[test]
    fn a_wrong_line_is_named() {
        let hash = Hash::of(b"abc");
        for bad in [
            "a 1 gone".to_owned(),
            "a 0 gone 0".to_owned(),
            "a 1 gone 0 0".to_owned(),
            "../a 1 gone 0".to_owned(),
            format!("a 1 {hash} 16777217"),
            "b 1 gone 0".to_owned(),
            String::new(),
        ] {
            let error = read(format!("b 1 gone 0\n{bad}\n").as_bytes());
            assert_eq!(error, Err(BadCatalogue { line: 2, text: bad }));
        }
        let many: String =
            (0..=DATA_SETS_MAX).map(|number| format!("{number} 1 gone 0\n")).collect();
        assert_eq!(read(many.as_bytes()).map_err(|error| error.line), Err(DATA_SETS_MAX + 1));
    }
}
