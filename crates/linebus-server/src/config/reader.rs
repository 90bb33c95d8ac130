//! Reads keys from TOML one by one, and notes every mistake with its line instead of stopping at
//! the first. Which keys exist is what was asked for.
//!
//! A key is a path of names joined by dots. A `*` in it stands for a name that the file chooses, as
//! in `users.*.see`: see [`Reader::each`].

use std::net::SocketAddr;
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};

use linebus_protocol::Pattern;
use toml_edit::{Document, Item, Key, TableLike};

use super::{ConfiguredFile, Problem};

pub(crate) struct Reader<'a> {
    /// Where relative paths begin.
    folder: &'a Path,
    document: Document<&'a str>,
    /// Where each line begins.
    lines: Vec<usize>,
    /// The page that lists all keys.
    page: &'static str,
    known: Vec<&'static str>,
    /// What `*` stands for at present.
    name: String,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    /// Reads the text as TOML. `page` is where all keys are documented; relative paths begin in
    /// `folder`.
    pub(crate) fn new(
        text: &'a str,
        page: &'static str,
        folder: &'a Path,
    ) -> Result<Self, Vec<Problem>> {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1));
        let lines = lines.collect();
        match Document::parse(text) {
            Ok(document) => Ok(Self {
                folder,
                document,
                lines,
                page,
                known: Vec::new(),
                name: String::new(),
                problems: Vec::new(),
            }),
            Err(error) => Err(vec![Problem {
                line: line_at(&lines, error.span()),
                key: String::new(),
                text: error.message().trim().replace('\n', ", "),
            }]),
        }
    }

    /// Every table of the group `key`, each under a name of the file's choice: `read` is told the
    /// name, and a `*` in the keys that it reads stands for it.
    pub(crate) fn each(&mut self, key: &'static str, mut read: impl FnMut(&mut Self, &str)) {
        let Some(item) = self.item(key) else { return };
        let Some(tables) = item.as_table_like() else {
            let text = format!("a table for each of them is wanted, as in [{key}.NAME]");
            return self.problem(key, text);
        };
        for (name, item) in tables.iter() {
            if item.is_table_like() {
                name.clone_into(&mut self.name);
                read(self, name);
            } else {
                let line = self.line(tables.key(name).and_then(Key::span).or(item.span()));
                let text = format!("a table is wanted, as in [{key}.{}]", shown(name));
                self.problems.push(Problem { line, key: format!("{key}.{}", shown(name)), text });
            }
        }
    }

    /// A whole number within `range`, its end included.
    pub(crate) fn number<T>(&mut self, key: &'static str, range: RangeInclusive<i64>, into: &mut T)
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
    pub(crate) fn switch(&mut self, key: &'static str, into: &mut bool) {
        let Some(item) = self.item(key) else { return };
        match item.as_bool() {
            Some(value) => *into = value,
            None => self.problem(key, "true or false is wanted, without quotes".to_owned()),
        }
    }

    /// A string.
    pub(crate) fn text(&mut self, key: &'static str, into: &mut String) {
        let Some(item) = self.item(key) else { return };
        match item.as_str() {
            Some(value) => value.clone_into(into),
            None => self.problem(key, "a text in quotes is wanted".to_owned()),
        }
    }

    /// One of several words, each with what it stands for.
    pub(super) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        choices: &[(&str, T)],
        into: &mut T,
    ) {
        let Some(item) = self.item(key) else { return };
        match choices.iter().find(|(word, _)| item.as_str() == Some(word)) {
            Some((_, value)) => *into = *value,
            None => {
                let words: Vec<_> = choices.iter().map(|(word, _)| format!("{word:?}")).collect();
                self.problem(key, format!("{} is wanted", words.join(" or ")));
            }
        }
    }

    /// A path, from the configuration's folder on if it is relative; the empty one is none.
    pub(crate) fn path(&mut self, key: &'static str, into: &mut Option<PathBuf>) {
        let mut file = None;
        self.file(key, &mut file);
        if self.has(key) {
            *into = file.map(|file| file.path);
        }
    }

    /// The same, with the line that names it: what is wrong with the file is found later.
    pub(crate) fn file(&mut self, key: &'static str, into: &mut Option<ConfiguredFile>) {
        let mut text = String::new();
        self.text(key, &mut text);
        if let Some((_, span)) = self.find(key) {
            let line = self.line(span);
            let path = self.folder.join(&text);
            *into = (!text.is_empty()).then_some(ConfiguredFile { path, line });
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
    pub(crate) fn addresses(&mut self, key: &'static str, into: &mut Vec<SocketAddr>) {
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

    /// A list of patterns, each with `wrong` to say what else is wrong with it.
    pub(crate) fn patterns(
        &mut self,
        key: &'static str,
        wrong: impl Fn(Pattern<'_>) -> Option<&'static str>,
        into: &mut Vec<Box<str>>,
    ) {
        let Some(item) = self.item(key) else { return };
        let Some(array) = item.as_array() else {
            let text = "a list of patterns in quotes is wanted, such as [\"rooms.>\"]";
            return self.problem(key, text.to_owned());
        };
        for value in array {
            let text = match value.as_str().map(|word| (word, Pattern::parse(word))) {
                Some((word, Ok(pattern))) => match wrong(pattern) {
                    None => {
                        into.push(word.into());
                        continue;
                    }
                    Some(wrong) => format!("{word:?}: {wrong}"),
                },
                Some((word, Err(rule))) => format!("{word:?}: {rule}"),
                None => "patterns in quotes are wanted, such as [\"rooms.>\"]".to_owned(),
            };
            let line = self.line(value.span());
            self.problems.push(Problem { line, key: self.full(key), text });
        }
    }

    /// Notes a mistake in what stands under `key`.
    pub(crate) fn problem(&mut self, key: &str, text: String) {
        let line = self.find(key).map_or(1, |(_, span)| self.line(span));
        self.problems.push(Problem { line, key: self.full(key), text });
    }

    /// Everything that was wrong, unknown keys included.
    pub(crate) fn finish(mut self) -> Result<(), Vec<Problem>> {
        let mut unknown = Vec::new();
        self.find_unknown(self.document.as_table(), "", "", &mut unknown);
        self.problems.extend(unknown);
        self.problems.sort_by_key(|problem| problem.line);
        if self.problems.is_empty() { Ok(()) } else { Err(self.problems) }
    }

    /// `prefix` is how the table's keys begin in the file, `pattern` the same with a `*` for names
    /// that the file chooses.
    fn find_unknown(
        &self,
        table: &dyn TableLike,
        prefix: &str,
        pattern: &str,
        unknown: &mut Vec<Problem>,
    ) {
        let begins = |with: &str| self.known.iter().any(|known| known.starts_with(with));
        let any_name = format!("{pattern}*.");
        let any_name = begins(&any_name).then_some(any_name);
        for (name, item) in table.iter() {
            let key = format!("{prefix}{}", shown(name));
            let known = format!("{pattern}{name}");
            let inside = any_name.clone().unwrap_or_else(|| format!("{known}."));
            match item.as_table_like() {
                Some(table) if begins(&inside) => {
                    self.find_unknown(table, &format!("{key}."), &inside, unknown);
                }
                _ if any_name.is_some() || self.known.contains(&known.as_str()) => {}
                None if begins(&inside) => {
                    let line = self.line(table.key(name).and_then(Key::span).or(item.span()));
                    let inner = self.known.iter().find_map(|known| known.strip_prefix(&*inside));
                    let text = format!("a table is wanted: `{key}.{}`", inner.unwrap_or_default());
                    unknown.push(Problem { line, key, text });
                }
                _ => {
                    let line = self.line(table.key(name).and_then(Key::span).or(item.span()));
                    unknown.push(Problem { line, text: self.remedy(prefix, pattern, name), key });
                }
            }
        }
    }

    /// What an unknown key was probably meant to be: the nearest one, wherever it belongs.
    fn remedy(&self, prefix: &str, pattern: &str, name: &str) -> String {
        let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
        let distance = |known: &&&str| strsim::damerau_levenshtein(&last(known), name);
        let is_near = |near: &&&str| distance(near) <= 4.min(name.len() / 2);
        let near = self.known.iter().min_by_key(distance).filter(is_near);
        match near {
            Some(near) => {
                let near = match near.strip_prefix(pattern) {
                    Some(rest) => format!("{prefix}{rest}"),
                    None => near.replace('*', "NAME"),
                };
                format!("there is no such key; did you mean `{near}`?")
            }
            None => format!("there is no such key; {} lists all of them", self.page),
        }
    }

    fn item(&mut self, key: &'static str) -> Option<Item> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        self.find(key).map(|(item, _)| item.clone())
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    /// Whether a text stands under a key.
    pub(crate) fn is_text(&self, key: &str) -> bool {
        self.find(key).is_some_and(|(item, _)| item.is_str())
    }

    /// The item, and where its key stands.
    fn find(&self, key: &str) -> Option<(&Item, Option<Range<usize>>)> {
        let name = |part| if part == "*" { self.name.as_str() } else { part };
        let mut table: &dyn TableLike = self.document.as_table();
        let mut rest = key;
        while let Some((group, inside)) = rest.split_once('.') {
            table = table.get(name(group))?.as_table_like()?;
            rest = inside;
        }
        let item = table.get(name(rest))?;
        Some((item, table.key(name(rest)).and_then(Key::span).or(item.span())))
    }

    /// A key as it is shown.
    fn full(&self, key: &str) -> String {
        key.replace('*', &shown(&self.name))
    }

    fn line(&self, span: Option<Range<usize>>) -> usize {
        line_at(&self.lines, span)
    }
}

/// The line in which `span` begins, counted from 1; the first one for what stands nowhere.
fn line_at(lines: &[usize], span: Option<Range<usize>>) -> usize {
    let at = span.map_or(0, |span| span.start);
    lines.partition_point(|begin| *begin <= at)
}

/// A name of the file's choice, in quotes where TOML wants them.
fn shown(name: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !name.is_empty() && name.bytes().all(bare) { name.to_owned() } else { format!("{name:?}") }
}
