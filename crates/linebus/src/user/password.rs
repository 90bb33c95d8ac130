//! Asks for a new password: twice on the terminal, without showing it; else one line of standard
//! input. Never from the command line or the environment, which others can see.

use std::io::{self, IsTerminal, Stdin};

use anyhow::{Context, anyhow};
use linebus_server::accounts::{PASSWORD_BYTES_MAX, Password};
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};
use zeroize::Zeroizing;

use crate::exit::Failure;

/// What Ctrl-C sends.
const CTRL_C: u8 = 3;

/// A password for a new hash.
pub(super) fn ask(name: &str) -> Result<Password, Failure> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return good(read_line(&stdin)?);
    }
    let silence = Silence::begin(&stdin).context("can't make the terminal hide what is typed")?;
    eprint!("password for {name}: ");
    let password = good(typed(&stdin)?)?;
    eprint!("once more: ");
    let again = typed(&stdin)?;
    drop(silence);
    if !password.is(&again) {
        return Err(Failure::Failed(anyhow!("these are two passwords; nothing is changed")));
    }
    Ok(password)
}

fn good(password: Password) -> Result<Password, Failure> {
    password.check().map_err(|wrong| Failure::Failed(anyhow!("{wrong}")))?;
    Ok(password)
}

/// A line of the terminal; Return is not shown either.
fn typed(stdin: &Stdin) -> Result<Password, Failure> {
    let line = read_line(stdin);
    eprintln!();
    line
}

/// Reads one line, and nothing beyond it, which may be somebody else's.
fn read_line(stdin: &Stdin) -> Result<Password, Failure> {
    // Never longer, so that no copy is left behind by a move to more memory.
    let mut line = Zeroizing::new(Vec::with_capacity(PASSWORD_BYTES_MAX + 2));
    let mut any = false;
    loop {
        let mut byte = [0];
        let read = rustix::io::retry_on_intr(|| rustix::io::read(stdin, &mut byte));
        let read = read.map_err(io::Error::from).context("can't read the password")?;
        match byte {
            _ if read == 0 && any => break,
            _ if read == 0 => {
                let text = "a password is wanted as a line of standard input";
                return Err(Failure::Failed(anyhow!(text)));
            }
            [b'\n'] => break,
            [CTRL_C] => return Err(Failure::Failed(anyhow!("nothing is changed"))),
            // What is too long is still read to its end, and found too long.
            [byte] if line.len() < line.capacity() => line.push(byte),
            _ => {}
        }
        any = true;
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    match String::from_utf8(std::mem::take(&mut *line)) {
        Ok(text) => Ok(Password::new(text)),
        Err(error) => {
            drop(Zeroizing::new(error.into_bytes()));
            Err(Failure::Failed(anyhow!("a password is UTF-8 text")))
        }
    }
}

/// A terminal that shows nothing of what is typed, until this is dropped.
///
/// Ctrl-C does not end the process meanwhile, which would leave the terminal silent: it ends the
/// line, and is found there.
struct Silence<'a> {
    terminal: &'a Stdin,
    before: Termios,
}

impl<'a> Silence<'a> {
    fn begin(terminal: &'a Stdin) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut silent = before.clone();
        silent.local_modes -= LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ISIG;
        silent.local_modes |= LocalModes::ICANON;
        silent.special_codes[SpecialCodeIndex::VEOL] = CTRL_C;
        // What was typed before the question is no answer to it.
        tcsetattr(terminal, OptionalActions::Flush, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silence<'_> {
    fn drop(&mut self) {
        // If it is gone, there is nothing to put right.
        let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}
