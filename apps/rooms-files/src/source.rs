//! One room file being read: values by their keys, and every mistake noted with its line instead
//! of stopping at the first.

use std::fmt::Display;
use std::ops::{Range, RangeInclusive};
use std::path::Path;

use toml_edit::{Document, Item, Key, TableLike, Value};

use super::across::{Claim, Within};
use super::mistake::{Mistake, Severity, remedy};

/// A file, and what was found in it so far.
pub(super) struct Source<'a> {
    pub(super) file: &'a Path,
    /// Where each line begins.
    lines: Vec<usize>,
    pub(super) mistakes: Vec<Mistake>,
    pub(super) claims: Vec<Claim>,
}

/// One table of it.
pub(super) struct Group<'a> {
    table: &'a dyn TableLike,
    /// How its keys begin, with a dot at the end: `device.projector.`
    prefix: String,
    /// Where it begins.
    span: Option<Range<usize>>,
}

/// Reads a text as TOML: once with places, once as plain values.
pub(super) fn parse<'a>(
    file: &Path,
    text: &'a str,
) -> Result<(Document<&'a str>, toml::Table), Mistake> {
    let mistake = |message: &str, span| Mistake {
        file: file.to_owned(),
        line: line_at(&lines(text), span),
        key: String::new(),
        text: message.trim().replace('\n', ", "),
        severity: Severity::Error,
    };
    let document = Document::parse(text).map_err(|error| mistake(error.message(), error.span()))?;
    let values =
        text.parse().map_err(|error: toml::de::Error| mistake(error.message(), error.span()))?;
    Ok((document, values))
}

impl<'a> Group<'a> {
    pub(super) fn root(table: &'a dyn TableLike) -> Self {
        Self { table, prefix: String::new(), span: None }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Its keys, in the file's order.
    pub(super) fn keys(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.table.iter().map(|(key, _)| key)
    }

    /// What stands under `path`, which may lead into inner tables, and where.
    fn find(&self, path: &str) -> Option<(&'a Item, Option<Range<usize>>)> {
        let mut table = self.table;
        let mut names = path.split('.').peekable();
        loop {
            let name = names.next()?;
            let item = table.get(name)?;
            if names.peek().is_none() {
                return Some((item, table.key(name).and_then(Key::span).or(item.span())));
            }
            table = item.as_table_like()?;
        }
    }

    fn get(&self, key: &str) -> Option<&'a Item> {
        self.table.get(key)
    }
}

impl<'a> Source<'a> {
    pub(super) fn new(file: &'a Path, text: &str) -> Self {
        Self { file, lines: lines(text), mistakes: Vec::new(), claims: Vec::new() }
    }

    /// The table under `key`, if it is there and one.
    pub(super) fn table<'t>(&mut self, group: &Group<'t>, key: &str) -> Option<Group<'t>> {
        let item = group.get(key)?;
        let prefix = format!("{}{}.", group.prefix, shown(key));
        match item.as_table_like() {
            Some(table) => {
                let span = item.span().or_else(|| group.find(key)?.1);
                Some(Group { table, prefix, span })
            }
            None => {
                let text = format!("a table is wanted, as in [{}]", prefix.trim_end_matches('.'));
                self.mistake(group, key, text);
                None
            }
        }
    }

    /// A text.
    pub(super) fn text(&mut self, group: &Group<'_>, key: &str) -> Option<String> {
        let item = group.get(key)?;
        match item.as_str() {
            Some(text) if is_text(text) => return Some(text.to_owned()),
            Some(_) => {
                let text = "a text that is not empty and has no control characters is wanted";
                self.mistake(group, key, text.to_owned());
            }
            None => self.mistake(group, key, "a text in quotes is wanted".to_owned()),
        }
        None
    }

    /// A text that must be there, and what it is for.
    pub(super) fn needed(&mut self, group: &Group<'_>, key: &str, about: &str) -> Option<String> {
        if !group.has(key) {
            self.mistake(group, key, format!("is missing: {about}"));
        }
        self.text(group, key)
    }

    /// A list of texts, each with the line on which it stands.
    pub(super) fn texts(&mut self, group: &Group<'_>, key: &str) -> Vec<(String, usize)> {
        let Some(item) = group.get(key) else { return Vec::new() };
        let texts = item.as_array().and_then(|array| {
            let texts = array.iter().map(|value: &Value| {
                let text = value.as_str().filter(|text| is_text(text))?;
                Some((text.to_owned(), self.line(value.span())))
            });
            texts.collect::<Option<Vec<_>>>()
        });
        texts.unwrap_or_else(|| {
            let text = "a list of texts is wanted, such as [\"one\", \"another\"]";
            self.mistake(group, key, text.to_owned());
            Vec::new()
        })
    }

    /// One of several words, each with what it stands for.
    pub(super) fn choice<T: Copy>(
        &mut self,
        group: &Group<'_>,
        key: &str,
        choices: &[(&str, T)],
    ) -> Option<T> {
        let item = group.get(key)?;
        let choice = choices.iter().find(|(word, _)| item.as_str() == Some(word));
        if choice.is_none() {
            let words: Vec<_> = choices.iter().map(|(word, _)| format!("{word:?}")).collect();
            self.mistake(group, key, format!("{} is wanted", words.join(" or ")));
        }
        choice.map(|(_, choice)| *choice)
    }

    /// A whole number within `range`.
    pub(super) fn number(
        &mut self,
        group: &Group<'_>,
        key: &str,
        range: RangeInclusive<u16>,
    ) -> Option<u16> {
        let item = group.get(key)?;
        let number = item.as_integer().and_then(|number| u16::try_from(number).ok());
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            let text =
                format!("a whole number from {} to {} is wanted", range.start(), range.end());
            self.mistake(group, key, text);
        }
        number
    }

    /// What is right; the mistake otherwise.
    pub(super) fn right<T, E: Display>(
        &mut self,
        group: &Group<'_>,
        key: &str,
        result: Result<T, E>,
    ) -> Option<T> {
        result.map_err(|error| self.mistake(group, key, error.to_string())).ok()
    }

    /// Notes every key that is none of `known`; `has` begins the list of those that are.
    pub(super) fn unknown(&mut self, group: &Group<'_>, known: &[&str], has: &str) {
        for key in group.keys().filter(|key| !known.contains(key)) {
            let text = format!("there is no such key; {}", remedy(key, known.iter().copied(), has));
            self.mistake(group, key, text);
        }
    }

    /// Says that this value belongs to this place alone, within what the claim says.
    pub(super) fn claim(
        &mut self,
        group: &Group<'_>,
        key: &str,
        what: &'static str,
        value: String,
        within: Within,
    ) {
        let (file, line) = (self.file.to_owned(), self.line_of(group, key));
        let key = format!("{}{}", group.prefix, shown_path(key));
        self.claims.push(Claim { what, value, within, file, line, key });
    }

    /// Notes what is wrong under `key`, or with its not being there.
    pub(super) fn mistake(&mut self, group: &Group<'_>, key: &str, text: String) {
        let line = self.line_of(group, key);
        self.mistake_at(group, key, line, text);
    }

    /// The same, with the line.
    pub(super) fn mistake_at(&mut self, group: &Group<'_>, key: &str, line: usize, text: String) {
        let key = format!("{}{}", group.prefix, shown_path(key));
        let (file, severity) = (self.file.to_owned(), Severity::Error);
        self.mistakes.push(Mistake { file, line, key, text, severity });
    }

    /// Notes what can stay, but should be known.
    pub(super) fn warning(&mut self, group: &Group<'_>, key: &str, text: String) {
        self.mistake(group, key, text);
        if let Some(last) = self.mistakes.last_mut() {
            last.severity = Severity::Warning;
        }
    }

    /// Where a key stands, or the table in which it should.
    fn line_of(&self, group: &Group<'_>, key: &str) -> usize {
        let mut path = key;
        loop {
            if let Some((_, span)) = group.find(path) {
                return self.line(span);
            }
            match path.rsplit_once('.') {
                Some((outer, _)) => path = outer,
                None => return self.line(group.span.clone()),
            }
        }
    }

    fn line(&self, span: Option<Range<usize>>) -> usize {
        line_at(&self.lines, span)
    }
}

/// Whether a text says something on one line.
fn is_text(text: &str) -> bool {
    !text.trim().is_empty() && !text.contains(char::is_control)
}

pub(super) fn lines(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect()
}

/// The line in which `span` begins, counted from 1; the first one for what stands nowhere.
pub(super) fn line_at(lines: &[usize], span: Option<Range<usize>>) -> usize {
    let at = span.map_or(0, |span| span.start);
    lines.partition_point(|begin| *begin <= at)
}

fn shown_path(path: &str) -> String {
    path.split('.').map(shown).collect::<Vec<_>>().join(".")
}

/// A name of the file's choice, in quotes where TOML wants them.
fn shown(name: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !name.is_empty() && name.bytes().all(bare) { name.to_owned() } else { format!("{name:?}") }
}
