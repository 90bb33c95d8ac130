//! Edits the text of a users file, and keeps its comments and its form.
//!
//! Text in, text out; [`super::store`] puts it into the file. Nothing is edited in a text that the
//! server would refuse, and what comes out is read once more by the server's reader: it must say
//! what was asked for, and the same as before of everybody else.

use std::borrow::Cow;

use linebus_protocol::Pattern;
use thiserror::Error;
use toml_edit::{Array, Decor, DocumentMut, InlineTable, Item, Table, TableLike, Value, value};

use super::{Hash, Lists, USERS_BYTES_MAX, Users, check_name, wrong_in_recv, wrong_in_send};
use crate::config::Problem;

/// The table of all users.
const USERS: &str = "users";
/// The keys of a user.
const PASSWORD: &str = "password";
const DISABLED: &str = "disabled";
/// Most letters that may differ in "did you mean".
const NEAR: usize = 3;

/// What is to change about a user.
#[derive(Debug, Clone)]
pub enum Change {
    /// There is such a user from now on.
    Add(NewUser),
    /// This is the password from now on.
    Password(Hash),
    /// Whether nobody can log in as the user.
    Disabled(bool),
    /// There is no such user any more.
    Remove,
}

/// A user as [`Change::Add`] writes it.
#[derive(Debug, Clone, Default)]
pub struct NewUser {
    /// Without it only a certificate logs in.
    pub hash: Option<Hash>,
    /// Where the user may send.
    pub send: Lists,
    /// What the user may hear.
    pub recv: Lists,
    /// Whether the user may know who is there and what they do.
    pub see: bool,
}

/// Why a text was not edited.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EditError {
    /// The server would refuse the text as it is.
    #[error("there is a mistake in it already")]
    Problems(Vec<Problem>),
    /// No user may have this name.
    #[error("{0}")]
    Name(String),
    /// No rule may have this pattern.
    #[error("{0}")]
    Pattern(String),
    /// The user that is to be added is there.
    #[error("there is a user {0} already; `linebus user passwd {0}` changes the password")]
    Exists(String),
    /// There is no such user.
    #[error(
        "there is no user {name}; {}",
        match near {
            Some(near) => format!("did you mean {near}?"),
            None => "`linebus user list` lists all of them".to_owned(),
        }
    )]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// The nearest one that there is.
        near: Option<String>,
    },
    /// Without this user the file would have none, which is a mistake.
    #[error(
        "{0} is the last user, and a users file without users is refused; `linebus user disable \
         {0}` keeps everybody out"
    )]
    Last(String),
    /// The server would refuse a file of this length.
    #[error("a users file has at most {USERS_BYTES_MAX} bytes")]
    Long,
    /// The new text would not say what it should.
    #[error("the form of this file is beyond what can be edited here; edit it by hand")]
    Form,
}

/// The text with the change made. A change to what is already so leaves the text as it is.
///
/// # Errors
/// [`EditError`]; the text is to stay as it is then.
pub fn edit(text: &str, name: &str, change: &Change) -> Result<String, EditError> {
    let users = Users::parse_even_none(text).map_err(EditError::Problems)?;
    check(&users, name, change)?;
    if let Change::Disabled(wanted) = change
        && users.user(name).is_some_and(|user| user.is_disabled() == *wanted)
    {
        return Ok(text.to_owned());
    }
    // The library writes LF whatever it has read.
    let all_crlf = text.contains("\r\n") && !text.replace("\r\n", "").contains('\n');
    let text = if all_crlf { Cow::Owned(text.replace("\r\n", "\n")) } else { Cow::Borrowed(text) };
    let mut document: DocumentMut = text.parse().map_err(|_| EditError::Form)?;
    match change {
        Change::Add(user) => add(&mut document, name, user),
        Change::Remove => remove(&mut document, name),
        Change::Password(hash) => set(&mut document, name, PASSWORD, hash.to_phc().into()),
        Change::Disabled(disabled) => set(&mut document, name, DISABLED, (*disabled).into()),
    }
    let mut edited = document.to_string();
    if !text.starts_with('\n') {
        edited.drain(..edited.len() - edited.trim_start_matches('\n').len());
    }
    if all_crlf {
        edited = edited.replace('\n', "\r\n");
    }
    if edited.len() as u64 > USERS_BYTES_MAX {
        return Err(EditError::Long);
    }
    let as_meant =
        Users::parse(&edited).is_ok_and(|after| is_as_meant(&users, &after, name, change));
    if as_meant { Ok(edited) } else { Err(EditError::Form) }
}

/// Whether the change makes sense for these users.
///
/// # Errors
/// Why it does not.
pub fn check(users: &Users, name: &str, change: &Change) -> Result<(), EditError> {
    match change {
        Change::Add(user) => {
            check_name(name).map_err(EditError::Name)?;
            if users.user(name).is_some() {
                return Err(EditError::Exists(name.to_owned()));
            }
            let lists = [(&user.send, wrong_in_send as Wrong), (&user.recv, wrong_in_recv)];
            for (lists, wrong) in lists {
                for word in lists.allow.iter().chain(&lists.deny) {
                    check_pattern(word, wrong)?;
                }
            }
        }
        Change::Remove if users.len() == 1 && users.user(name).is_some() => {
            return Err(EditError::Last(name.to_owned()));
        }
        Change::Remove | Change::Password(_) | Change::Disabled(_) => find(users, name)?,
    }
    Ok(())
}

/// Whether there is a user of this name.
///
/// # Errors
/// [`EditError::Unknown`] with the nearest name.
pub fn find(users: &Users, name: &str) -> Result<(), EditError> {
    if users.user(name).is_some() {
        return Ok(());
    }
    let distance = |known: &&str| strsim::damerau_levenshtein(known, name);
    let near = users.iter().map(|(known, _)| known).min_by_key(distance);
    let near = near.filter(|known| distance(known) <= NEAR.min(name.len() / 2));
    Err(EditError::Unknown { name: name.to_owned(), near: near.map(str::to_owned) })
}

type Wrong = fn(Pattern<'_>) -> Option<&'static str>;

fn check_pattern(word: &str, wrong: Wrong) -> Result<(), EditError> {
    let text = match Pattern::parse(word) {
        Ok(pattern) => wrong(pattern).map(str::to_owned),
        Err(rule) => Some(rule.to_string()),
    };
    text.map_or(Ok(()), |text| Err(EditError::Pattern(format!("{word:?}: {text}"))))
}

/// Whether everybody else is as before, and the user as the change says.
fn is_as_meant(before: &Users, after: &Users, name: &str, change: &Change) -> bool {
    fn others<'a>(users: &'a Users, name: &str) -> Vec<(&'a str, &'a super::User)> {
        users.iter().filter(|(known, _)| *known != name).collect()
    }
    let user = after.user(name);
    let done = match change {
        Change::Add(new) => user.is_some_and(|user| {
            user.hash == new.hash
                && (&user.send, &user.recv, user.see) == (&new.send, &new.recv, new.see)
                && !user.disabled
        }),
        Change::Password(hash) => user.is_some_and(|user| user.hash.as_ref() == Some(hash)),
        Change::Disabled(disabled) => user.is_some_and(|user| user.disabled == *disabled),
        Change::Remove => user.is_none(),
    };
    done && others(before, name) == others(after, name)
}

/// Puts a value into a user's table; comments beside an old one stay.
fn set(document: &mut DocumentMut, name: &str, key: &str, mut new: Value) {
    let users = document.get_mut(USERS).and_then(Item::as_table_like_mut);
    let Some(user) = users.and_then(|users| users.get_mut(name)) else { return };
    let old = user.as_table_like_mut().and_then(|user| user.get_mut(key));
    if let Some(old) = old.and_then(Item::as_value_mut) {
        *new.decor_mut() = old.decor().clone();
        *old = new;
    } else if let Some(user) = user.as_inline_table_mut() {
        append(user, key, new);
    } else if let Some(user) = user.as_table_like_mut() {
        user.insert(key, Item::Value(new));
    }
}

/// Appends to what stands in braces: the blank before the closing one stays there.
fn append(table: &mut InlineTable, key: &str, mut new: Value) {
    if let Some((_, last)) = table.iter_mut().last()
        && let Some(" ") = last.decor().suffix().and_then(|suffix| suffix.as_str())
    {
        last.decor_mut().set_suffix("");
        *new.decor_mut() = Decor::new(" ", " ");
    }
    table.insert(key, new);
}

/// Adds a user at the end; inside `users` itself if that is written as a value or with dots.
fn add(document: &mut DocumentMut, name: &str, user: &NewUser) {
    let last = last_position(document.as_table());
    let users = document.entry(USERS).or_insert_with(|| {
        let mut users = Table::new();
        users.set_implicit(true);
        Item::Table(users)
    });
    match users {
        Item::Table(users) if !users.is_dotted() => {
            let mut table = Table::new();
            fill(&mut table, user);
            table.set_position(Some(last + 1));
            users.insert(name, Item::Table(table));
            let above = document.trailing().as_str().unwrap_or_default().to_owned();
            place_below(document, name, &above);
        }
        users => {
            let mut table = InlineTable::new();
            fill(&mut table, user);
            if let Some(users) = users.as_inline_table_mut() {
                append(users, name, table.into());
            } else if let Some(users) = users.as_table_like_mut() {
                users.insert(name, value(table));
            }
        }
    }
}

/// Puts what stands at the end of the file above the new user, which is now the end.
fn place_below(document: &mut DocumentMut, name: &str, above: &str) {
    document.set_trailing("");
    let users = document.get_mut(USERS).and_then(Item::as_table_mut);
    let Some(table) = users.and_then(|users| users.get_mut(name)).and_then(Item::as_table_mut)
    else {
        return;
    };
    let end = if above.is_empty() || above.ends_with('\n') { "" } else { "\n" };
    let blank = if above.ends_with("\n\n") { "" } else { "\n" };
    table.decor_mut().set_prefix(format!("{above}{end}{blank}"));
}

fn fill(table: &mut dyn TableLike, user: &NewUser) {
    if let Some(hash) = &user.hash {
        table.insert(PASSWORD, value(hash.to_phc()));
    }
    for (key, lists) in [("send", &user.send), ("recv", &user.recv)] {
        let mut rules = InlineTable::new();
        for (key, list) in [("allow", &lists.allow), ("deny", &lists.deny)] {
            if !list.is_empty() {
                rules.insert(key, Value::Array(list.iter().map(|word| &**word).collect::<Array>()));
            }
        }
        if !rules.is_empty() {
            table.insert(key, value(rules));
        }
    }
    if user.see {
        table.insert("see", value(true));
    }
}

/// Removes a user. Comments right above the user go, too; what an empty line parts from them stays.
fn remove(document: &mut DocumentMut, name: &str) {
    let Some(users) = document.get_mut(USERS).and_then(Item::as_table_like_mut) else { return };
    let mut user = match users.remove(name) {
        Some(Item::Table(user)) => user,
        Some(Item::Value(user)) => {
            // The blank before the closing brace stays there.
            if let Some((_, Item::Value(last))) = users.iter_mut().last()
                && last.decor().suffix().is_none_or(|suffix| suffix.as_str() == Some(""))
                && user.decor().suffix().and_then(|suffix| suffix.as_str()) == Some(" ")
            {
                last.decor_mut().set_suffix(" ");
            }
            return;
        }
        _ => return,
    };
    let mut gone = Vec::new();
    each_header(&mut user, &mut |position, table| {
        let above = prefix(table);
        let kept = above.rfind("\n\n").map_or("", |at| &above[..at + 2]).to_owned();
        gone.push((position, if kept.trim().is_empty() { String::new() } else { kept }));
    });
    gone.sort();
    let kept: String = gone.iter().map(|(_, kept)| kept.as_str()).collect();
    let Some((first, _)) = gone.first().filter(|_| !kept.is_empty()) else { return };
    let mut next = None;
    each_header(document.as_table_mut(), &mut |position, _| {
        if position > *first && next.is_none_or(|next| position < next) {
            next = Some(position);
        }
    });
    match next {
        Some(next) => each_header(document.as_table_mut(), &mut |position, table| {
            if position == next {
                let below = prefix(table);
                table.decor_mut().set_prefix(format!("{kept}{}", below.trim_start_matches('\n')));
            }
        }),
        None => {
            let below = document.trailing().as_str().unwrap_or_default().to_owned();
            document.set_trailing(format!("{kept}{}", below.trim_start_matches('\n')));
        }
    }
}

/// What stands above a table's header.
fn prefix(table: &Table) -> String {
    table.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default().to_owned()
}

/// Every table that has a header in the file, and which in the file it is.
fn each_header(table: &mut Table, see: &mut impl FnMut(isize, &mut Table)) {
    if let Some(position) = table.position().filter(|_| !table.is_dotted() && !table.is_implicit())
    {
        see(position, table);
    }
    for (_, item) in table.iter_mut() {
        if let Item::Table(table) = item {
            each_header(table, see);
        }
    }
}

fn last_position(table: &Table) -> isize {
    let inner = table.iter().filter_map(|(_, item)| item.as_table()).map(last_position);
    inner.chain(table.position()).max().unwrap_or_default()
}

#[cfg(test)]
mod tests;
