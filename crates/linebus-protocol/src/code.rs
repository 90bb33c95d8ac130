//! Error codes and bye reasons: one table each, for programs that branch and people who read.

use std::fmt;

macro_rules! words {
    ($(#[$outer:meta])* $name:ident { $($variant:ident $word:literal $text:literal,)+ }) => {
        $(#[$outer])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $(#[doc = concat!("`", $word, "`: ", $text, ".")] $variant,)+
        }

        impl $name {
            /// Every value, in the order of the protocol page.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The word on the wire.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// What it means, in a few words.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The value that `word` stands for, if this version knows it.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.word() == word)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

words! {
    /// The third word of an `error` line: stable, one word, for programs.
    ErrorCode {
        UnknownVerb "unknown-verb" "there is no such verb",
        Usage "usage" "the words after the verb are not what it takes",
        BadTopic "bad-topic" "that is no topic, or a wildcard where none may stand",
        BadText "bad-text" "control characters or invalid UTF-8",
        TooLong "too-long" "the line is longer than line-max",
        Denied "denied" "you may not do that",
        LoginFirst "login-first" "log in before anything else",
        WrongLogin "wrong-login" "user or password is wrong",
        NotJoined "not-joined" "you have not joined that topic",
        TooMany "too-many" "a limit on the number of something is reached",
        Busy "busy" "the bus can't do that right now; try again later",
    }
}

words! {
    /// The second word of a `bye` line: why the server closes the connection.
    ByeReason {
        Logoff "logoff" "you asked for it",
        Slow "slow" "you read too slowly and too much was waiting for you",
        Shutdown "shutdown" "the bus stops",
        LoginTimeout "login-timeout" "you took too long to log in",
        Abuse "abuse" "too many tries",
        Memory "memory" "all that waits for all receivers exceeded its budget, and most of it was yours",
        Kicked "kicked" "an operator closed your connection",
        NotLines "not-lines" "what you speak is not this protocol",
        Busy "busy" "the bus has all the connections it may have",
        Error "error" "the bus failed inside; only this connection is affected",
    }
}
