//! The verbs as a table: name, arguments, whether a login must come first, one line of help.
//!
//! `help`, the usage errors and the login check all read this table; adding a verb adds a row
//! here, a variant of [`Command`](crate::Command) and an arm where the broker carries it out.

use std::fmt;

/// The first word of a client's line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    /// `login <user> [<password>]`
    Login,
    /// `recv <topic> [<group>]`
    Recv,
    /// `watch <topic>`
    Watch,
    /// `leave <topic>`
    Leave,
    /// `send <topic> <message>`
    Send,
    /// `ping [<word>]`
    Ping,
    /// `who [<topic>]`
    Who,
    /// `topics [<pattern>]`
    Topics,
    /// `help [<verb>]`
    Help,
    /// `logoff`
    Logoff,
}

struct Row {
    verb: Verb,
    name: &'static str,
    arguments: &'static str,
    needs_login: bool,
    help: &'static str,
}

const fn row(
    verb: Verb,
    name: &'static str,
    arguments: &'static str,
    needs_login: bool,
    help: &'static str,
) -> Row {
    Row { verb, name, arguments, needs_login, help }
}

/// In the order of the variants, which is how a variant finds its row.
#[rustfmt::skip]
const ROWS: [Row; 10] = [
    row(Verb::Login, "login", "<user> [<password>]", false, "say who you are"),
    row(Verb::Recv, "recv", "<topic> [<group>]", true, "hear what others send to the topic; * is one token, > all that follow; of a group one member hears each line"),
    row(Verb::Watch, "watch", "<topic>", true, "like recv, and each line says when and who"),
    row(Verb::Leave, "leave", "<topic>", true, "stop recv and watch"),
    row(Verb::Send, "send", "<topic> <message>", true, "everybody else in the topic hears the message; there is no answer"),
    row(Verb::Ping, "ping", "[<word>]", false, "answered when all you sent before has been routed"),
    row(Verb::Who, "who", "[<topic>]", true, "who is connected, or in the topic"),
    row(Verb::Topics, "topics", "[<pattern>]", true, "which topics somebody has joined, and how many have"),
    row(Verb::Help, "help", "[<verb>]", false, "this"),
    row(Verb::Logoff, "logoff", "", false, "say goodbye"),
];

impl Verb {
    /// Every verb, in the order of the protocol page.
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(|row| row.verb)
    }

    /// The verb that `word` names. Verbs are lower case.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        ROWS.iter().find(|row| row.name == word).map(|row| row.verb)
    }

    /// The verb that `word` was probably meant to be, for an error that helps.
    #[must_use]
    pub fn nearest(word: &str) -> Option<Self> {
        let word = word.to_ascii_lowercase();
        let distance = |row: &&Row| strsim::damerau_levenshtein(row.name, &word);
        let near = |row: &&Row| distance(row) <= word.len().min(5) / 2;
        ROWS.iter().filter(near).min_by_key(distance).map(|row| row.verb)
    }

    fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    /// The word on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// What may stand after it, as people write it: `<topic> [<group>]`.
    #[must_use]
    pub fn arguments(self) -> &'static str {
        self.row().arguments
    }

    /// Whether it waits for a login where the bus asks for one.
    #[must_use]
    pub fn needs_login(self) -> bool {
        self.row().needs_login
    }

    /// One line for people.
    #[must_use]
    pub fn help(self) -> &'static str {
        self.row().help
    }

    /// Verb and arguments, as `help` and usage errors show them.
    #[must_use]
    pub fn usage(self) -> String {
        format!("{} {}", self.name(), self.arguments()).trim_end().to_owned()
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variant_finds_its_own_row() {
        for row in &ROWS {
            assert_eq!(row.verb.row().name, row.name);
            assert_eq!(Verb::parse(row.name), Some(row.verb));
        }
    }

    #[test]
    fn a_slip_of_the_finger_finds_the_verb_that_was_meant() {
        assert_eq!(Verb::nearest("SEND"), Some(Verb::Send));
        assert_eq!(Verb::nearest("recieve"), None);
        assert_eq!(Verb::nearest("revc"), Some(Verb::Recv));
        assert_eq!(Verb::nearest("foo"), None);
        assert_eq!(Verb::nearest("subscribe"), None);
    }
}
