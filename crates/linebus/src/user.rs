//! `linebus user`: edits the users file, and says what is in it.

mod password;
mod place;
mod show;

use linebus_server::accounts::edit::{Change, EditError, NewUser, check, find};
use linebus_server::accounts::store::{self, StoreError};
use linebus_server::accounts::{Hash, Lists, Users};

use crate::exit::Failure;
use place::Place;

/// What `linebus user --help` says at the end.
const HELP: &str = "\
Passwords are asked for on the terminal, or read as one line from standard input:
  linebus user add alice --send 'rooms.>' --recv '>' < password

A running bus reads the file again by itself, or on SIGHUP if `reload_on_change` is off.";

/// Edit the users file: who may log in, and what they may do.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    place: Place,
    /// Only to say why there is no such option.
    #[arg(long, hide = true, global = true, num_args = 0..=1, value_name = "PASSWORD")]
    password: Option<Option<String>>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Add(Add),
    Passwd(Passwd),
    Disable(Disable),
    Enable(Enable),
    Remove(Remove),
    List(show::List),
    Check(show::Check),
}

/// Add a user; the file is made if it is not there.
///
/// What no rule allows is denied: without --send and --recv the user may do nothing but log in.
#[derive(Debug, clap::Args)]
struct Add {
    /// 1 to 64 of A-Z, a-z, 0-9, _, . and -
    name: String,
    /// Let the user send to topics that this pattern matches, such as 'rooms.>'.
    #[arg(long, value_name = "PATTERN")]
    send: Vec<Box<str>>,
    /// Let the user hear what is sent to topics that this pattern matches.
    #[arg(long, value_name = "PATTERN")]
    recv: Vec<Box<str>>,
    /// Never let the user send there, whatever --send says.
    #[arg(long, value_name = "PATTERN")]
    deny_send: Vec<Box<str>>,
    /// Never let the user hear it, whatever --recv says.
    #[arg(long, value_name = "PATTERN")]
    deny_recv: Vec<Box<str>>,
    /// Let the user know who is there and what they do: who, topics, watch and $bus.>
    #[arg(long)]
    see: bool,
    /// Ask for none: only a client certificate that names the user logs in.
    #[arg(long)]
    no_password: bool,
}

/// Change a user's password, or give one to a user who had none.
#[derive(Debug, clap::Args)]
struct Passwd {
    /// Whose.
    name: String,
}

/// Let nobody log in as a user for the time being.
#[derive(Debug, clap::Args)]
struct Disable {
    /// Whom.
    name: String,
}

/// Let a disabled user log in again.
#[derive(Debug, clap::Args)]
struct Enable {
    /// Whom.
    name: String,
}

/// Remove a user, and the comments right above.
#[derive(Debug, clap::Args)]
struct Remove {
    /// Whom.
    name: String,
}

pub(crate) fn run(args: Args) -> Result<(), Failure> {
    if args.password.is_some() {
        return Err(Failure::Usage(
            "everybody on this machine can see what stands on a command line; the password is \
             asked for, or read from standard input"
                .to_owned(),
        ));
    }
    let place = args.place;
    match args.command {
        Command::Add(args) => add(&place, args),
        Command::Passwd(args) => passwd(&place, &args.name),
        Command::Disable(args) => {
            edit(&place, &args.name, &Change::Disabled(true), "disabled: nobody can log in")
        }
        Command::Enable(args) => edit(&place, &args.name, &Change::Disabled(false), "enabled"),
        Command::Remove(args) => edit(&place, &args.name, &Change::Remove, "removed"),
        Command::List(args) => show::list(&place, &args),
        Command::Check(args) => show::check(&place, &args),
    }
}

fn add(place: &Place, args: Add) -> Result<(), Failure> {
    let mut user = NewUser {
        hash: None,
        send: Lists { allow: args.send, deny: args.deny_send },
        recv: Lists { allow: args.recv, deny: args.deny_recv },
        see: args.see,
    };
    // Before anybody types a password in vain.
    let users = store::read_even_none(&place.file()?)?;
    check(&users, &args.name, &Change::Add(user.clone())).map_err(|why| because(&why))?;
    if !args.no_password {
        user.hash = Some(Hash::of(&password::ask(&args.name)?));
    }
    edit(place, &args.name, &Change::Add(user), "added")
}

fn passwd(place: &Place, name: &str) -> Result<(), Failure> {
    named(&store::read(&place.file()?)?, name)?;
    let hash = Hash::of(&password::ask(name)?);
    edit(place, name, &Change::Password(hash), "given a new password")
}

fn edit(place: &Place, name: &str, change: &Change, done: &str) -> Result<(), Failure> {
    let file = place.file()?;
    store::change(&file, name, change, |folder| {
        eprintln!("linebus: waiting for somebody else who edits in {}", folder.display());
    })?;
    println!("{}: {name} is {done}", file.display());
    place.remind();
    Ok(())
}

/// Whether there is such a user.
fn named(users: &Users, name: &str) -> Result<(), Failure> {
    find(users, name).map_err(|why| because(&why))
}

/// A wrong command line, or a file in which it can't be done.
fn because(why: &EditError) -> Failure {
    match why {
        EditError::Name(_) | EditError::Pattern(_) => Failure::Usage(why.to_string()),
        _ => Failure::Failed(anyhow::anyhow!("{why}")),
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Problems(problems) => {
                Self::Failed(anyhow::anyhow!("{}", problems.join("\nlinebus: ")))
            }
            _ => Self::Failed(error.into()),
        }
    }
}
