//! `linebus user list` and `linebus user check`: what the file says.

use std::io::{self, IsTerminal, Write};

use linebus_protocol::Pattern;
use linebus_server::accounts::{Lists, User, store};
use serde::Serialize;

use super::named;
use super::place::Place;
use crate::exit::Failure;
use crate::list::{print_json, print_table};

/// List all users: what they may do, and how they log in.
#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// Print one JSON object per line.
    #[arg(long)]
    json: bool,
}

/// Say what a user may do with a topic, and by which rule.
///
/// The exit code is 0 if all of it is granted, and 1 if not.
#[derive(Debug, clap::Args)]
pub(super) struct Check {
    /// Whose rules.
    name: String,
    /// The topic; or a pattern, which can only be joined.
    topic: String,
}

#[derive(Serialize)]
struct Row<'a> {
    user: &'a str,
    send: Rules<'a>,
    recv: Rules<'a>,
    see: bool,
    state: &'static str,
}

#[derive(Serialize)]
struct Rules<'a> {
    allow: Vec<&'a str>,
    deny: Vec<&'a str>,
}

pub(super) fn list(place: &Place, args: &List) -> Result<(), Failure> {
    let users = store::read(&place.file()?)?;
    if args.json {
        return print_json(users.iter().map(|(name, user)| Row {
            user: name,
            send: Rules::of(user.send()),
            recv: Rules::of(user.recv()),
            see: user.sees(),
            state: state(user),
        }));
    }
    let yes_or_no = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    let rows = users.iter().map(|(name, user)| {
        let (send, recv) = (cell(user.send()), cell(user.recv()));
        [name.to_owned(), send, recv, yes_or_no(user.sees()), state(user).to_owned()]
    });
    print_table(["USER", "SEND", "RECV", "SEE", "STATE"], rows.collect())
}

pub(super) fn check(place: &Place, args: &Check) -> Result<(), Failure> {
    let pattern = Pattern::parse(&args.topic)
        .map_err(|rule| Failure::Usage(format!("{:?}: {rule}", args.topic)))?;
    let users = store::read(&place.file()?)?;
    named(&users, &args.name)?;
    let Some(user) = users.user(&args.name) else { return Err(Failure::Said) };
    let answers = user.explain(pattern);
    let mut out = io::stdout().lock();
    // A tab for programs, as in lists; words of one length look the same with a blank.
    let gap = if out.is_terminal() { "  " } else { "\t" };
    for answer in &answers {
        let granted = if answer.granted { "yes" } else { "no" };
        writeln!(out, "{}{gap}{granted}{gap}{}", answer.wish, answer.rule)?;
    }
    if user.is_disabled() {
        eprintln!("linebus: {} is disabled: nobody can log in", args.name);
        return Err(Failure::Said);
    }
    if answers.iter().all(|answer| answer.granted) { Ok(()) } else { Err(Failure::Said) }
}

impl<'a> Rules<'a> {
    fn of(lists: &'a Lists) -> Self {
        let words = |list: &'a [Box<str>]| list.iter().map(|word| &**word).collect();
        Self { allow: words(&lists.allow), deny: words(&lists.deny) }
    }
}

/// What is allowed, then what is denied with a `!` before it.
fn cell(lists: &Lists) -> String {
    let allowed = lists.allow.iter().map(ToString::to_string);
    let words: Vec<_> = allowed.chain(lists.deny.iter().map(|word| format!("!{word}"))).collect();
    if words.is_empty() { "-".to_owned() } else { words.join(" ") }
}

/// How one logs in as the user.
fn state(user: &User) -> &'static str {
    match (user.is_disabled(), user.has_password()) {
        (true, _) => "disabled",
        (false, true) => "password",
        (false, false) => "certificate",
    }
}
