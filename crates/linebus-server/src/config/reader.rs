//! Reads keys from TOML one by one, and notes every mistake with its line instead of stopping at
//! the first. Which keys exist is what was asked for.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use toml_edit::{Document, Item, TableLike};

use super::Problem;

pub(super) struct Reader<'a> {
    text: &'a str,
    document: Document<&'a str>,
    known: Vec<&'static str>,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    /// Reads the text as TOML.
    pub(super) fn new(text: &'a str) -> Result<Self, Vec<Problem>> {
        match Document::parse(text) {
            Ok(document) => Ok(Self { text, document, known: Vec::new(), problems: Vec::new() }),
            Err(error) => Err(vec![Problem {
                line: line_of(text, error.span().map_or(0, |span| span.start)),
                key: String::new(),
                text: error.message().trim().replace('\n', ", "),
            }]),
        }
    }

    /// A whole number within `range`, its end included.
    pub(super) fn number<T>(&mut self, key: &'static str, range: RangeInclusive<i64>, into: &mut T)
    where
        T: TryFrom<i64>,
    {
        let Some(item) = self.item(key) else { return };
        let number = item.as_integer().filter(|number| range.contains(number));
        match number.map(T::try_from) {
            Some(Ok(number)) => *into = number,
            _ => {
                let text =
                    format!("a whole number from {} to {} is wanted", range.start(), range.end());
                self.problem(key, text);
            }
        }
    }

    /// `true` or `false`.
    pub(super) fn switch(&mut self, key: &'static str, into: &mut bool) {
        let Some(item) = self.item(key) else { return };
        match item.as_bool() {
            Some(value) => *into = value,
            None => self.problem(key, "true or false is wanted, without quotes".to_owned()),
        }
    }

    /// A string.
    pub(super) fn text(&mut self, key: &'static str, into: &mut String) {
        let Some(item) = self.item(key) else { return };
        match item.as_str() {
            Some(value) => value.clone_into(into),
            None => self.problem(key, "a text in quotes is wanted".to_owned()),
        }
    }

    /// A path; the empty one is none.
    pub(super) fn path(&mut self, key: &'static str, into: &mut Option<PathBuf>) {
        let mut text = String::new();
        self.text(key, &mut text);
        if self.has(key) {
            *into = Some(PathBuf::from(text)).filter(|path| !path.as_os_str().is_empty());
        }
    }

    /// An IP address with a port; the empty text is none.
    pub(super) fn address(&mut self, key: &'static str, into: &mut Option<SocketAddr>) {
        let Some(item) = self.item(key) else { return };
        match item.as_str().map(|text| (text.is_empty(), text.parse())) {
            Some((true, _)) => *into = None,
            Some((false, Ok(address))) => *into = Some(address),
            _ => {
                let text =
                    "an address with a port is wanted, such as \"127.0.0.1:9463\"; \"\" for none";
                self.problem(key, text.to_owned());
            }
        }
    }

    /// A list of IP addresses with ports.
    pub(super) fn addresses(&mut self, key: &'static str, into: &mut Vec<SocketAddr>) {
        let Some(item) = self.item(key) else { return };
        let addresses = item.as_array().and_then(|array| {
            array.iter().map(|value| value.as_str()?.parse().ok()).collect::<Option<Vec<_>>>()
        });
        match addresses {
            Some(addresses) => *into = addresses,
            None => {
                let text = "a list of addresses with ports is wanted, such as [\"127.0.0.1:5463\", \"[::1]:5463\"]";
                self.problem(key, text.to_owned());
            }
        }
    }

    /// Everything that was wrong, unknown keys included.
    pub(super) fn finish(mut self) -> Result<(), Vec<Problem>> {
        let mut unknown = Vec::new();
        self.find_unknown(self.document.as_table(), "", &mut unknown);
        self.problems.extend(unknown);
        self.problems.sort_by_key(|problem| problem.line);
        if self.problems.is_empty() { Ok(()) } else { Err(self.problems) }
    }

    fn find_unknown(&self, table: &dyn TableLike, prefix: &str, unknown: &mut Vec<Problem>) {
        for (name, item) in table.iter() {
            let key = format!("{prefix}{name}");
            let inside = format!("{key}.");
            let is_group = self.known.iter().any(|known| known.starts_with(&inside));
            match item.as_table_like() {
                Some(table) if is_group => self.find_unknown(table, &inside, unknown),
                _ if self.known.contains(&key.as_str()) => {}
                _ => {
                    let span = table.key(name).and_then(toml_edit::Key::span).or(item.span());
                    let line = line_of(self.text, span.map_or(0, |span| span.start));
                    unknown.push(Problem { line, text: self.remedy(&key), key });
                }
            }
        }
    }

    /// What an unknown key was probably meant to be: the nearest one, wherever it belongs.
    fn remedy(&self, key: &str) -> String {
        let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
        let distance = |known: &&&str| strsim::damerau_levenshtein(&last(known), &last(key));
        match self.known.iter().min_by_key(distance) {
            Some(near) if distance(&near) <= 4 => {
                format!("there is no such key; did you mean `{near}`?")
            }
            _ => "there is no such key; linebus.toml lists all of them".to_owned(),
        }
    }

    fn item(&mut self, key: &'static str) -> Option<Item> {
        self.known.push(key);
        self.find(key).map(|(item, _)| item.clone())
    }

    fn has(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    /// The item and the line of its key.
    fn find(&self, key: &str) -> Option<(&Item, usize)> {
        let mut table: &dyn TableLike = self.document.as_table();
        let mut name = key;
        while let Some((group, rest)) = name.split_once('.') {
            table = table.get(group)?.as_table_like()?;
            name = rest;
        }
        let item = table.get(name)?;
        let span = table.key(name).and_then(toml_edit::Key::span).or(item.span());
        Some((item, line_of(self.text, span.map_or(0, |span| span.start))))
    }

    fn problem(&mut self, key: &str, text: String) {
        let line = self.find(key).map_or(1, |(_, line)| line);
        self.problems.push(Problem { line, key: key.to_owned(), text });
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at.min(text.len())].matches('\n').count() + 1
}
