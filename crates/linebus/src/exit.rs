//! How a command ends: exit codes that mean something, and errors that say what to do.

use std::io::{self, Write};
use std::process::ExitCode;

use linebus_client::Error;

/// What `--help` says about it.
pub(crate) const HELP: &str = "\
Exit codes:
  0    done; also when nobody reads the output any more
  1    it failed, or the bus refused something
  2    the command line is wrong
  3    no bus is there, or the connection was lost
  124  --timeout passed before --count messages came

Environment:
  LINEBUS_URL  the bus to use, as --bus
  LINEBUS_CA, LINEBUS_CERT, LINEBUS_KEY
               for TLS, as --ca, --cert and --key
  NO_COLOR     no colours, even on a terminal";

/// Why a command did not do what was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Exit 1.
    Failed(anyhow::Error),
    /// Exit 1, and all is said already.
    Said,
    /// Exit 2.
    Usage(String),
    /// Exit 3.
    NoBus(String),
    /// Exit 124, as timeout(1) has it.
    TimedOut(String),
    /// Exit 0: whoever read the output has enough.
    BrokenPipe,
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        match error.downcast_ref::<io::Error>() {
            Some(error) if error.kind() == io::ErrorKind::BrokenPipe => Self::BrokenPipe,
            _ => Self::Failed(error),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::from(anyhow::Error::from(error))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Connect {
                kind: io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound,
                ..
            } => Self::NoBus(format!(
                "{error}; `linebus serve` starts a bus, --bus names another one"
            )),
            Error::Connect { .. }
            | Error::ConnectTimeout { .. }
            | Error::NotABus { .. }
            | Error::Disconnected(_)
            | Error::Closed(_) => Self::NoBus(error.to_string()),
            Error::Url(error) => Self::Usage(error.to_string()),
            Error::BadTopic { .. } | Error::SystemTopic { .. } | Error::BadGroup { .. } => {
                Self::Usage(error.to_string())
            }
            error => Self::Failed(error.into()),
        }
    }
}

/// Says what went wrong and returns the exit code for it.
pub(crate) fn code(done: Result<(), Failure>) -> ExitCode {
    match done {
        Ok(()) | Err(Failure::BrokenPipe) => ExitCode::SUCCESS,
        Err(Failure::Said) => ExitCode::FAILURE,
        Err(Failure::Failed(error)) => say(1, &format!("{error:#}")),
        Err(Failure::Usage(text)) => say(2, &text),
        Err(Failure::NoBus(text)) => say(3, &text),
        Err(Failure::TimedOut(text)) => say(124, &text),
    }
}

fn say(code: u8, text: &str) -> ExitCode {
    // Nobody may be there to be told, such as when a terminal was closed.
    let _ = writeln!(io::stderr(), "linebus: {text}");
    ExitCode::from(code)
}
