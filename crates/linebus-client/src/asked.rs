//! What a client asks of the bus and how it stands on the wire: [`Asked`], [`Answer`], [`Join`].

use linebus_protocol::{Topic, Verb};
use tokio::sync::oneshot;

use crate::error::Error;
use crate::url::Credentials;

/// A command that has an answer.
#[derive(Debug, Clone)]
pub(crate) enum Asked {
    Login(Credentials),
    Join(Join),
    Leave(String),
    Ping,
    Who(Option<String>),
    Topics(Option<String>),
    Logoff,
}

/// A topic to be joined, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Join {
    pub(crate) pattern: String,
    pub(crate) kind: JoinKind,
    /// Whether it is made again after a reconnect.
    pub(crate) lasting: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum JoinKind {
    Recv { group: Option<String> },
    Watch,
}

/// What the bus says to a command that it carried out.
#[derive(Debug)]
pub(crate) enum Answer {
    Done,
    Who(Vec<Connected>),
    Topics(Vec<JoinedTopic>),
}

/// One connection, as `who` lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Connected {
    /// Its user, `guest` before a login.
    pub user: String,
    /// Its number, unique while the bus runs.
    pub id: u64,
    /// Where it comes from: an IP address and port, or `unix`.
    pub address: String,
}

/// One topic or pattern, as `topics` lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct JoinedTopic {
    /// As joined.
    pub topic: String,
    /// How many connections have joined it.
    pub receivers: u64,
}

/// A command whose answer is due.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) asked: Asked,
    pub(crate) to: AnswerTo,
}

/// Who waits for an answer.
#[derive(Debug)]
pub(crate) enum AnswerTo {
    Caller(oneshot::Sender<Result<Answer, Error>>),
    /// The last of them says that the client is back.
    Reconnect {
        last: bool,
    },
    Nobody,
}

impl AnswerTo {
    /// Tells the caller, if there is one that still waits.
    pub(crate) fn settle(self, answer: Result<Answer, Error>) {
        if let Self::Caller(caller) = self {
            // A caller that gave up does not mind.
            let _ = caller.send(answer);
        }
    }
}

impl Asked {
    pub(crate) fn verb(&self) -> Verb {
        match self {
            Self::Login(_) => Verb::Login,
            Self::Join(Join { kind: JoinKind::Recv { .. }, .. }) => Verb::Recv,
            Self::Join(Join { kind: JoinKind::Watch, .. }) => Verb::Watch,
            Self::Leave(_) => Verb::Leave,
            Self::Ping => Verb::Ping,
            Self::Who(_) => Verb::Who,
            Self::Topics(_) => Verb::Topics,
            Self::Logoff => Verb::Logoff,
        }
    }

    /// The line, LF included.
    pub(crate) fn line(&self) -> String {
        let (first, second) = match self {
            Self::Login(known) => (Some(&known.user), known.password.as_ref()),
            Self::Join(Join { pattern, kind, .. }) => match kind {
                JoinKind::Recv { group } => (Some(pattern), group.as_ref()),
                JoinKind::Watch => (Some(pattern), None),
            },
            Self::Leave(pattern) => (Some(pattern), None),
            Self::Who(pattern) | Self::Topics(pattern) => (pattern.as_ref(), None),
            Self::Ping | Self::Logoff => (None, None),
        };
        let mut line = self.verb().name().to_owned();
        for word in [first, second].into_iter().flatten() {
            line.push(' ');
            line.push_str(word);
        }
        line.push('\n');
        line
    }
}

/// How long [`write_send`]'s line is.
pub(crate) fn send_len(topic: Topic<'_>, message: &str) -> usize {
    "send ".len() + topic.as_str().len() + " ".len() + message.len() + "\n".len()
}

/// Appends the `send` line for a message that has been checked.
pub(crate) fn write_send(out: &mut Vec<u8>, topic: Topic<'_>, message: &str) {
    out.reserve(send_len(topic, message));
    for part in ["send ", topic.as_str(), " ", message, "\n"] {
        out.extend_from_slice(part.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use linebus_protocol::Command;

    use super::*;

    #[test]
    fn the_protocol_reads_what_is_written() {
        let join = |kind| Join { pattern: "a.>".into(), kind, lasting: true };
        let login = |password: Option<&str>| Credentials::check("bob", password).expect("good");
        let group = Some("g".to_owned());
        for (asked, line) in [
            (Asked::Login(login(None)), "login bob"),
            (Asked::Login(login(Some(""))), "login bob "),
            (Asked::Login(login(Some(" x y"))), "login bob  x y"),
            (Asked::Join(join(JoinKind::Recv { group: None })), "recv a.>"),
            (Asked::Join(join(JoinKind::Recv { group })), "recv a.> g"),
            (Asked::Join(join(JoinKind::Watch)), "watch a.>"),
            (Asked::Leave("t".into()), "leave t"),
            (Asked::Ping, "ping"),
            (Asked::Who(None), "who"),
            (Asked::Who(Some("t".into())), "who t"),
            (Asked::Topics(Some(">".into())), "topics >"),
            (Asked::Logoff, "logoff"),
        ] {
            assert_eq!(asked.line(), format!("{line}\n"));
            let command = Command::parse(line).expect("not blank").expect("good");
            assert_eq!(command.verb(), asked.verb());
        }
        let topic = Topic::parse("t").expect("good");
        let mut out = Vec::new();
        write_send(&mut out, topic, " x ");
        assert_eq!(out, b"send t  x \n");
        assert_eq!(out.len(), send_len(topic, " x "));
    }
}
