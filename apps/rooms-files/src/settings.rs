//! The settings that a driver takes from a device's table, beyond those that every device has: what
//! is wrong with them, in the words of a room file.

use rooms_drivers::{Form, Wrong};
use toml::Table;

use super::drivers::DriverRow;
use super::mistake::remedy;

/// Keys under which people would write a password: it never stands in a room file, whose
/// `password_file` names its file.
pub(super) const SECRETS: &[&str] = &["password", "secret"];

/// What is wrong with settings: the way to it, and what would be right.
pub(super) fn check(settings: &Table, driver: &DriverRow) -> Vec<(String, String)> {
    let mut wrong = Vec::new();
    for (name, value) in settings {
        match driver.plain_settings().find(|key| key.name == *name) {
            Some(key) => key.form.check(name, value, &mut |path, what| {
                wrong.push((path.to_owned(), text(what)));
            }),
            None if SECRETS.contains(&name.as_str()) => {}
            None => wrong.push((name.clone(), unknown(name, driver))),
        }
    }
    for key in driver.plain_settings().filter(|key| key.required) {
        if !settings.contains_key(&*key.name) {
            wrong
                .push((key.name.to_string(), format!("is missing: {} is wanted", form(&key.form))));
        }
    }
    wrong
}

fn unknown(name: &str, driver: &DriverRow) -> String {
    let own = driver.plain_settings().map(|key| &*key.name);
    let all = super::device::KEYS.iter().copied().chain(own);
    let has = format!("a device with driver {} has", driver.name);
    format!("there is no such key; {}", remedy(name, all, &has))
}

fn text(wrong: Wrong<'_>) -> String {
    match wrong {
        Wrong::Value(wanted, value) => format!("{} is wanted, not {value}", form(wanted)),
        Wrong::Name => {
            "a name has 1 to 40 of a-z, 0-9 and -, so that messages can say it".to_owned()
        }
    }
}

/// A form in the middle of a sentence.
fn form(form: &Form) -> String {
    match form {
        Form::Text | Form::Texts | Form::Integers(..) => format!("{form},"),
        Form::IntegersOfNames(min, max) => format!(
            "a table for each, of whole numbers from {min} to {max}, such as meeting = {{ name = {max} }},"
        ),
        _ => form.to_string(),
    }
}
