//! The settings that a driver takes from a device's table, beyond those that every device has.

use std::fmt;

use toml::{Table, Value};

use super::drivers::DriverRow;
use super::mistake::remedy;

/// One setting of a driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Its key in the device's table.
    pub name: &'static str,
    /// What its value looks like.
    pub form: Form,
    /// The device does not work without it.
    pub required: bool,
}

/// What a setting's value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Any text.
    Text,
    /// A password: it never stands in a room file, whose `password_file` names its file.
    Secret,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A whole number from the first to the second.
    Integer(i64, i64),
    /// True or false.
    Bool,
    /// Texts by name: `inputs = { hdmi1 = "31" }`.
    Texts,
    /// Whole numbers by name: `outputs = { table = 12 }`.
    Integers(i64, i64),
    /// Tables of whole numbers by name: `scenes.meeting = { table = 80 }`.
    IntegersOfNames(i64, i64),
}

/// Keys under which people would write a password.
pub(super) const SECRETS: &[&str] = &["password", "secret"];

/// What is wrong with settings: the way to it, and what would be right.
pub(super) fn check(settings: &Table, driver: &DriverRow) -> Vec<(String, String)> {
    let known = &driver.settings;
    let mut wrong = Vec::new();
    for (name, value) in settings {
        match known.iter().find(|setting| setting.name == name && setting.form != Form::Secret) {
            Some(setting) => setting.form.check(name, value, &mut wrong),
            None if SECRETS.contains(&name.as_str()) => {}
            None => wrong.push((name.clone(), unknown(name, driver))),
        }
    }
    for setting in known.iter().filter(|setting| setting.required) {
        if !settings.contains_key(setting.name) && setting.form != Form::Secret {
            let text = format!("is missing: {} is wanted", setting.form);
            wrong.push((setting.name.to_owned(), text));
        }
    }
    wrong
}

fn unknown(name: &str, driver: &DriverRow) -> String {
    let plain = driver.settings.iter().filter(|setting| setting.form != Form::Secret);
    let all = super::device::KEYS.iter().copied().chain(plain.map(|setting| setting.name));
    let has = format!("a device with driver {} has", driver.name);
    format!("there is no such key; {}", remedy(name, all, &has))
}

impl Form {
    fn check(self, path: &str, value: &Value, wrong: &mut Vec<(String, String)>) {
        let inner = match self {
            Self::Texts => Self::Text,
            Self::Integers(min, max) => Self::Integer(min, max),
            Self::IntegersOfNames(min, max) => Self::Integers(min, max),
            plain => {
                if !plain.fits(value) {
                    wrong.push((path.to_owned(), format!("{plain} is wanted, not {value}")));
                }
                return;
            }
        };
        let Some(table) = value.as_table() else {
            return wrong.push((path.to_owned(), format!("{self} is wanted, not {value}")));
        };
        for (name, value) in table {
            let path = format!("{path}.{name}");
            let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            if (1..=40).contains(&name.len()) && name.bytes().all(good) {
                inner.check(&path, value, wrong);
            } else {
                let text = "a name has 1 to 40 of a-z, 0-9 and -, so that messages can say it";
                wrong.push((path, text.to_owned()));
            }
        }
    }

    fn fits(self, value: &Value) -> bool {
        match self {
            Self::OneOf(words) => value.as_str().is_some_and(|text| words.contains(&text)),
            Self::Integer(min, max) => {
                value.as_integer().is_some_and(|number| (min..=max).contains(&number))
            }
            Self::Bool => value.is_bool(),
            _ => value.as_str().is_some_and(|text| !text.contains(char::is_control)),
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("a text in quotes, without control characters,"),
            Self::Secret => f.write_str("a password"),
            Self::OneOf(words) => write!(f, "one of \"{}\"", words.join("\", \"")),
            Self::Integer(min, max) => write!(f, "a whole number from {min} to {max}"),
            Self::Bool => f.write_str("true or false"),
            Self::Texts => f.write_str("a table of texts, such as { name = \"31\" },"),
            Self::Integers(min, max) => write!(
                f,
                "a table of whole numbers from {min} to {max}, such as {{ name = {min} }},"
            ),
            Self::IntegersOfNames(min, max) => write!(
                f,
                "a table for each, of whole numbers from {min} to {max}, such as meeting = {{ name = {max} }},"
            ),
        }
    }
}
