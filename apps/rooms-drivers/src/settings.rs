//! A device's settings as its driver reads them: which keys there are, and what is wrong with the
//! values, all at once.

use std::borrow::Cow;
use std::fmt;

use toml::{Table, Value};

use crate::vocabulary::is_word;

/// A setting that a driver takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name in the device's table.
    pub name: Cow<'static, str>,
    /// What its value looks like.
    pub form: Form,
    /// The device does not work without it.
    pub required: bool,
    /// What it is for.
    pub about: Cow<'static, str>,
}

/// What a setting's value looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// Any text.
    Text,
    /// A password: put in by whoever reads the secret's file, never shown.
    Secret,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A whole number from the first to the second.
    Integer(i64, i64),
    /// True or false.
    Bool,
    /// A table of texts by name: `inputs = { hdmi1 = "31" }`.
    Texts,
    /// A table of whole numbers by name: `outputs = { table = 12 }`.
    Integers(i64, i64),
    /// A table of tables of whole numbers: `scenes.meeting = { table = 80 }`.
    IntegersOfNames(i64, i64),
}

impl Key {
    pub(crate) const fn optional(name: &'static str, form: Form, about: &'static str) -> Key {
        Key { name: Cow::Borrowed(name), form, required: false, about: Cow::Borrowed(about) }
    }

    pub(crate) const fn required(name: &'static str, form: Form, about: &'static str) -> Key {
        Key { name: Cow::Borrowed(name), form, required: true, about: Cow::Borrowed(about) }
    }
}

/// A password; it is not shown where values are.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(pub(crate) String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// What is wrong with a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingError {
    /// The way to it: `inputs.hdmi1`.
    pub key: String,
    /// What would be right.
    pub text: String,
}

impl SettingError {
    pub(crate) fn new(key: impl Into<String>, text: impl Into<String>) -> SettingError {
        SettingError { key: key.into(), text: text.into() }
    }
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.text)
    }
}

impl std::error::Error for SettingError {}

/// Settings that are as their keys say.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    table: &'a Table,
}

impl<'a> Settings<'a> {
    /// Checks a table against the keys that a driver takes.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, in the table's order.
    pub fn check(table: &'a Table, keys: &[Key]) -> Result<Settings<'a>, Vec<SettingError>> {
        let mut errors = Vec::new();
        for (name, value) in table {
            match keys.iter().find(|key| key.name == *name) {
                Some(key) => key.form.check(name, value, &mut |path, wrong| {
                    errors.push(SettingError::new(path, wrong.text()));
                }),
                None => errors.push(unknown_key(name, keys)),
            }
        }
        for key in keys.iter().filter(|key| key.required && !table.contains_key(&*key.name)) {
            errors.push(SettingError::new(
                &*key.name,
                format!("is missing: {}; it is {}", key.about, key.form),
            ));
        }
        if errors.is_empty() { Ok(Settings { table }) } else { Err(errors) }
    }

    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        self.table.get(name)?.as_str()
    }

    pub(crate) fn secret(&self, name: &str) -> Option<Secret> {
        self.text(name).map(|text| Secret(text.to_owned()))
    }

    pub(crate) fn integer(&self, name: &str) -> Option<i64> {
        self.table.get(name)?.as_integer()
    }

    pub(crate) fn bool(&self, name: &str) -> Option<bool> {
        self.table.get(name)?.as_bool()
    }

    /// Texts by name, in the order of the names.
    pub(crate) fn texts(&self, name: &str) -> Vec<(String, String)> {
        let texts = self.entries(name);
        texts.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
    }

    /// Whole numbers by name, in the order of the names.
    pub(crate) fn integers(&self, name: &str) -> Vec<(String, i64)> {
        integers(self.entries(name))
    }

    /// Whole numbers by two names.
    pub(crate) fn integers_of_names(&self, name: &str) -> Vec<(String, Vec<(String, i64)>)> {
        let tables = self.entries(name);
        tables
            .filter_map(|(name, value)| Some((name.clone(), integers(value.as_table()?.iter()))))
            .collect()
    }

    fn entries(&self, name: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
        self.table.get(name).and_then(Value::as_table).into_iter().flatten()
    }
}

fn integers<'a>(entries: impl Iterator<Item = (&'a String, &'a Value)>) -> Vec<(String, i64)> {
    entries.filter_map(|(name, value)| Some((name.clone(), value.as_integer()?))).collect()
}

/// What is wrong at one place of a setting.
#[derive(Clone, Copy, Debug)]
pub enum Wrong<'a> {
    /// The value does not look like this.
    Value(&'a Form, &'a Value),
    /// No message can say the name.
    Name,
}

impl Form {
    /// Tells where a value below `path` does not look like this, and how.
    pub fn check(&self, path: &str, value: &Value, wrong: &mut dyn FnMut(&str, Wrong<'_>)) {
        let inner = match self {
            Form::Texts => Form::Text,
            Form::Integers(min, max) => Form::Integer(*min, *max),
            Form::IntegersOfNames(min, max) => Form::Integers(*min, *max),
            plain => {
                if !plain.fits(value) {
                    wrong(path, Wrong::Value(plain, value));
                }
                return;
            }
        };
        let Some(table) = value.as_table() else {
            return wrong(path, Wrong::Value(self, value));
        };
        for (name, value) in table {
            let path = format!("{path}.{name}");
            if is_word(name) {
                inner.check(&path, value, wrong);
            } else {
                wrong(&path, Wrong::Name);
            }
        }
    }

    /// The same of a value without others in it.
    fn fits(&self, value: &Value) -> bool {
        match self {
            Form::OneOf(words) => value.as_str().is_some_and(|text| words.contains(&text)),
            Form::Integer(min, max) => {
                value.as_integer().is_some_and(|number| (*min..=*max).contains(&number))
            }
            Form::Bool => value.is_bool(),
            _ => value.as_str().is_some_and(|text| !text.contains(char::is_control)),
        }
    }
}

impl Wrong<'_> {
    fn text(self) -> String {
        match self {
            // A password is not shown.
            Wrong::Value(Form::Secret, _) => format!("must be {}", Form::Secret),
            Wrong::Value(form, value) => format!("must be {form}, but is {value}"),
            Wrong::Name => "names are of small letters, digits and -, at most 40".to_owned(),
        }
    }
}

fn unknown_key(name: &str, keys: &[Key]) -> SettingError {
    let names: Vec<_> = keys.iter().map(|key| &*key.name).collect();
    let hint = match nearest(name, names.iter().copied()) {
        Some(nearest) => format!("did you mean {nearest}?"),
        None if names.is_empty() => "this driver takes no settings".to_owned(),
        None => format!("this driver takes {}", names.join(", ")),
    };
    SettingError::new(name, format!("is not a setting of this driver; {hint}"))
}

/// The known word that was probably meant.
pub(crate) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let scored = known.map(|known| (strsim::jaro_winkler(word, known), known));
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(score, _)| *score > 0.8).map(|(_, known)| known)
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Form::Text => f.write_str("a text in quotes, without control characters"),
            Form::Secret => f.write_str("a password, without control characters"),
            Form::OneOf(words) => write!(f, "one of \"{}\"", words.join("\", \"")),
            Form::Integer(min, max) => write!(f, "a whole number from {min} to {max}"),
            Form::Bool => f.write_str("true or false"),
            Form::Texts => f.write_str("a table of texts, such as { name = \"31\" }"),
            Form::Integers(min, max) => {
                write!(
                    f,
                    "a table of whole numbers from {min} to {max}, such as {{ name = {min} }}"
                )
            }
            Form::IntegersOfNames(min, max) => {
                write!(f, "tables of whole numbers from {min} to {max}, such as ")?;
                write!(f, "{{ meeting = {{ name = {max} }} }}")
            }
        }
    }
}
